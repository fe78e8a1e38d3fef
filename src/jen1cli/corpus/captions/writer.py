"""Writes captions of many kinds for a clip, all true of its score."""

import re
from collections.abc import Callable
from typing import Any

from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Score
from jen1cli.composition.transcription import drum_pattern, felt_bpm, melody_line
from jen1cli.corpus.captions import kinds
from jen1cli.corpus.captions.claims import is_true
from jen1cli.corpus.captions.facts import Facts, find_facts
from jen1cli.corpus.captions.phrasing import Speaker
from jen1cli.corpus.captions.vocabulary import general

Builder = Callable[[Speaker], str]

_TYPOS = (
    (" ,", ","),
    (",,", ","),
    (", ,", ","),
    ("..", "."),
    ("and and", "and"),
    (", and ", ", "),
    ("arpeggio arpeggios", "arpeggios"),
    ("chords chords", "chords"),
    ("hits of orchestra hits", "orchestra hits"),
    ("accents from orchestral stabs", "orchestral stabs"),
)
_DOUBLED = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)


def attributes(score: Score) -> dict[str, Any]:
    """Return the attributes of a clip, for evaluation, as JSON values."""
    return {
        "style": score.style,
        "bpm": round(felt_bpm(score), 2),
        "key": score.key,
        "mode": score.mode,
        "meter": score.meter,
        "chords": score.chords,
        "drum_pattern": drum_pattern(score),
        "melody": melody_line(score),
        "instruments": sorted({part.instrument for part in score.parts}),
        "drums": score.has_drums,
        "energy": score.energy,
        "moods": list(score.moods),
    }


def captions(score: Score, seed: int) -> tuple[str, ...]:
    """Return six to fourteen different captions of a clip.

    Args:
        score: The clip.
        seed: Seed of the wording.
    """
    random = RandomStream(seed, "captions", score.style)
    if score.style == "sounds":
        return _sound_captions(score, random)
    facts = find_facts(score)
    speaker = Speaker(facts, random).with_moods(score.moods)
    found: list[str] = []
    for builder in _chosen(facts, random):
        for _ in range(4):
            text = _tidy(builder(speaker))
            if text and text.lower() not in {f.lower() for f in found} and is_true(text, facts):
                found.append(_dressed(text, random))
                break
    return tuple(found[:14])


def _chosen(facts: Facts, random: RandomStream) -> list[Builder]:
    """Choose the kinds of captions for a clip: the most useful always, others at random."""
    chosen: list[Builder] = [kinds.two_words, kinds.tags, kinds.scored]
    chosen.append(random.pick((kinds.sentence, kinds.request)))
    chosen.append(kinds.with_tempo)
    if facts.key and random.chance(0.75):
        chosen.append(kinds.with_key)
    chosen.append(random.pick((kinds.for_use, kinds.for_use, kinds.pictured)))
    chosen.append(kinds.long)
    if not facts.drums and random.chance(0.8):
        chosen.append(kinds.without_drums)
    if facts.drums_prominent and random.chance(0.35):
        chosen.append(kinds.with_drums)
    if facts.meter != "4/4" or random.chance(0.08):
        chosen.append(kinds.with_meter)
    if len(facts.everything) <= 2:
        chosen.append(kinds.alone)
    if random.chance(0.3):
        chosen.append(kinds.produced)
    if random.chance(0.35):
        chosen.append(kinds.moods_only)
    chosen += random.sample(
        (
            kinds.two_words,
            kinds.tags,
            kinds.sentence,
            kinds.for_use,
            kinds.pictured,
            kinds.named_by_sound,
        ),
        2,
    )
    chosen += [kinds.with_tempo_and_key] * 3
    return chosen


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    for wrong, right in _TYPOS:
        text = text.replace(wrong, right)
    text = _DOUBLED.sub(r"\1", text)
    return text.strip(" ,;:/-")


def _dressed(text: str, random: RandomStream) -> str:
    """Vary case and punctuation, as in text by different people."""
    kind = random.random()
    if kind < 0.35:
        return text.lower()
    if kind < 0.7:
        text = text[0].upper() + text[1:]
        return f"{text}." if random.chance(0.5) and len(text.split()) > 4 else text
    if kind < 0.73:
        return text.upper()
    if kind < 0.78:
        return " ".join(word[:1].upper() + word[1:] for word in text.split())
    return text


def _sound_captions(score: Score, random: RandomStream) -> tuple[str, ...]:
    kind = score.sections[0].name
    names = random.sample(general.SOUNDS[kind], 5)
    levels = [effect.name for effect in score.master]
    found = [*names[:3]]
    start = random.pick(
        ("sound of", "recording of", "sound effect:", "a clip of", "ambience:", "fx:")
    )
    found.append(f"{start} {names[3]}")
    found.append(f"{names[4]}, {random.pick(('no music', 'not music', 'no melody', 'no rhythm'))}")
    for level in levels:
        found.append(f"{names[0]}, {random.pick(general.LEVEL_WORDS[level])}")
    if score.room in ("hall", "cave") and kind != "silence":
        found.append(f"{names[1]} with {random.pick(general.PRODUCTION[score.room])}")
    return tuple(dict.fromkeys(_dressed(text, random) for text in found))
