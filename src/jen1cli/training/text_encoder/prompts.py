"""Synthetic prompts with the facts they state, for the training of the text encoder.

A prompt combines words of `data/prompt_words.txt` in the forms that users write: two words, a list
of tags, a sentence. Its statements (style, tempo, key, present and absent instruments, mood) are
attributes in the format of the corpus.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jen1cli.music.chords import FLAT_NAMES, TONICS

FLATS = {sharp: flat for sharp, flat in zip(TONICS, FLAT_NAMES, strict=True) if sharp != flat}
MODE_CLASSES = (
    "major", "minor", "dorian", "mixolydian", "lydian", "phrygian", "harmonic minor",
    "phrygian dominant",
)  # fmt: skip
"""The modes of `music.keys` in the order that prompts draw them and heads number them."""
METER_CLASSES = ("4/4", "3/4", "6/8", "5/4", "7/8", "12/8", "2/4")
"""The metres of `music.controls.BEATS`, likewise."""
_PERCUSSION = frozenset(
    ("drums", "brushes", "kick", "snare", "hi-hats", "claps", "congas", "taiko", "bodhran")
)
_SPOKEN_METERS = {
    "4/4": ("in four", "in 4/4", "4/4 time", "common time"),
    "3/4": ("in three", "in 3/4", "3/4 time", "in waltz time", "in triple time"),
    "6/8": ("in 6/8", "6/8 time", "in six eight", "compound meter"),
    "5/4": ("in five", "in 5/4", "5/4 time", "odd meter in five"),
    "7/8": ("in seven", "in 7/8", "7/8 time"),
    "2/4": ("in two", "in 2/4", "2/4 time", "cut time"),
    "12/8": ("in 12/8", "12/8 time", "slow twelve eight"),
}


@dataclass(frozen=True)
class LabelledPrompt:
    """One prompt and the facts it states."""

    text: str
    attributes: dict[str, Any] = field(default_factory=dict)
    # style, bpm, key, mode, meter, drums and "says": the names of all concepts in the text


@dataclass(frozen=True)
class Words:
    """The word lists: concept -> expressions, by group, and the hints of the styles."""

    groups: dict[str, dict[str, tuple[str, ...]]]
    hints: dict[str, tuple[str, ...]]


@cache
def words() -> Words:
    """Read the word lists of the package."""
    text = (resources.files("jen1cli.training") / "data" / "prompt_words.txt").read_text("utf-8")
    groups: dict[str, dict[str, tuple[str, ...]]] = {}
    hints: dict[str, tuple[str, ...]] = {}
    group = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            group = line.strip("[]")
            groups[group] = {}
            continue
        concept, _, said = line.partition(": ")
        names, _, stands_for = said.partition(" | ")
        groups[group][concept] = tuple(names.split(", "))
        if stands_for:
            hints[concept] = tuple(stands_for.split(", "))
    return Words(groups, hints)


def style_names() -> dict[str, tuple[str, ...]]:
    """Names of every style, the most common first."""
    return words().groups["style"]


class PromptWriter:
    """Writes prompts, reproducibly by seed.

    Args:
        seed: seed of the random draws.
        adjectives: general English words, used as moods outside the word lists.
        nouns: general English words, used as subjects outside the word lists.
    """

    def __init__(
        self, seed: int = 0, adjectives: Sequence[str] = (), nouns: Sequence[str] = ()
    ) -> None:
        self._random = random.Random(seed)
        self._adjectives = adjectives
        self._nouns = nouns
        self._facts: dict[str, Any] = {}
        self._says: list[str] = []

    def write(self) -> LabelledPrompt:
        """Write the next prompt."""
        self._facts, self._says = {}, []
        form = self._random.choices(
            (self._short, self._tags, self._sentence, self._hint, self._request),
            weights=(20, 25, 30, 12, 13),
        )[0]
        text = self._case(re.sub(r"\s+", " ", form()).strip(" ,"))
        if self._says:
            self._facts["says"] = tuple(dict.fromkeys(self._says))
        return LabelledPrompt(text, dict(self._facts))

    # ---------------------------------------------------------------- words
    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, group: str, concept: str | None = None) -> str:
        concepts = words().groups[group]
        concept = concept or self._random.choice(tuple(concepts))
        self._says.append(f"{group}/{concept}")
        return self._random.choice(concepts[concept])

    def _style(self, names: bool = True) -> str:
        concept = self._random.choice(tuple(words().groups["style"]))
        self._facts["style"] = concept
        self._says.append(f"style/{concept}")
        said = words().groups["style"][concept] if names else words().hints[concept]
        if names and self._chance(0.4):
            return said[0]
        return self._random.choice(said)

    def _instrument(self) -> str:
        text = self._pick("instrument")
        concept = self._says[-1].removeprefix("instrument/")
        if concept in _PERCUSSION:
            self._facts.setdefault("drums", True)
        return text

    def _absent(self) -> str:
        no = self._random.choice(("no", "without", "without any", "no", "but no", "free of"))
        if self._chance(0.5):
            self._facts["drums"] = False
            self._says.append("not/drums")
            drums = ("drums", "percussion", "beat", "drum kit", "beats")
            phrase = f"{no} {self._random.choice(drums)}"
            other = ("drumless", "beatless", "minus the drums", "leave out the drums")
            return phrase if self._chance(0.8) else self._random.choice(other)
        concept = self._random.choice(tuple(words().groups["instrument"]))
        self._says.append(f"not/{concept}")
        if concept in _PERCUSSION:
            self._facts.setdefault("drums", False)
        return f"{no} {self._random.choice(words().groups['instrument'][concept])}"

    def _mood(self) -> str:
        if self._adjectives and self._chance(0.15):
            return self._random.choice(self._adjectives)
        return self._pick(self._random.choices(("mood", "texture", "energy"), (6, 2, 2))[0])

    def _bpm(self) -> str:
        bpm = self._random.randint(45, 200)
        self._facts["bpm"] = float(bpm)
        form = self._random.choice(
            ("{} bpm", "at {} bpm", "{}bpm", "{} BPM", "tempo {}", "bpm {}", "{} beats per minute",
             "at {} beats a minute", "around {} bpm", "bpm: {}", "a tempo of {}")
        )  # fmt: skip
        return form.format(bpm)

    def _key(self) -> str:
        tonic = self._random.choice(TONICS)
        mode = self._random.choices(MODE_CLASSES, (8, 8, 2, 1, 1, 1, 1, 0.5))[0]
        self._facts["key"], self._facts["mode"] = tonic, mode
        name = FLATS[tonic] if tonic in FLATS and self._chance(0.5) else tonic
        spelt = self._random.choice((name, name, name.replace("#", "♯"), spoken_key(name)))
        if len(name) == 2 and name[1] == "b":
            spelt = self._random.choice((spelt, f"{name[0]}-flat", f"{name[0]}♭"))
        short = {"minor": ("m", " min"), "major": (" maj",)}.get(mode, ())
        if short and " " not in spelt and self._chance(0.2):
            return self._random.choice(("in {}{}", "{}{}")).format(
                spelt, self._random.choice(short)
            )
        form = self._random.choice(
            ("in {} {}", "{} {}", "key of {} {}", "key: {} {}", "in the key of {} {}")
        )
        return form.format(spelt, mode)

    def _meter(self) -> str:
        meter = self._random.choice(METER_CLASSES)
        self._facts["meter"] = meter
        return self._random.choice(_SPOKEN_METERS[meter])

    def _fact(self) -> str:
        form = self._random.choices((self._bpm, self._key, self._meter, self._absent), (8, 6, 1, 5))
        return form[0]()

    def _noun(self) -> str:
        if self._nouns and self._chance(0.4):
            return self._random.choice(self._nouns)
        return self._pick("place")

    # ---------------------------------------------------------------- forms
    def _short(self) -> str:
        forms = (
            lambda: self._style(),
            lambda: f"{self._style()} {self._instrument()}",
            lambda: f"{self._mood()} {self._style()}",
            lambda: f"{self._mood()} {self._instrument()}",
            lambda: f"{self._style()} {self._bpm()}",
            lambda: f"{self._style()} {self._pick('use')}",
            lambda: f"{self._noun()} {self._style()}",
            lambda: f"solo {self._instrument()}",
            lambda: f"{self._mood()} {self._pick('tempo')} {self._style()}",
            lambda: f"{self._style()}, {self._absent()}",
            lambda: f"{self._pick('era')} {self._style()}",
        )
        return self._random.choice(forms)()

    def _tags(self) -> str:
        tags = [self._style()] if self._chance(0.8) else []
        for form, share in (
            (self._mood, 0.8), (self._mood, 0.3), (self._instrument, 0.7),
            (self._instrument, 0.4), (self._fact, 0.5), (self._fact, 0.15),
            (lambda: self._pick("texture"), 0.3), (lambda: self._pick("tempo"), 0.2),
            (lambda: self._pick("era"), 0.15), (lambda: self._pick("use"), 0.15),
            (self._noun, 0.15),
        ):  # fmt: skip
            if self._chance(share):
                tags.append(form())
        if self._chance(0.5):
            self._random.shuffle(tags)
        return self._random.choice((", ", ", ", "; ", " ", " | ")).join(tags)

    def _sentence(self) -> str:
        parts = [
            self._random.choice(("a", "some", "", "a piece of", "an instrumental,", "a track,"))
        ]
        if self._chance(0.7):
            parts.append(self._mood())
        if self._chance(0.2):
            parts.append(f"and {self._mood()}")
        if self._chance(0.15):
            parts.append(self._pick("era"))
        parts.append(self._style())
        parts.append(self._random.choice(("", "track", "piece", "tune", "instrumental", "song")))
        if self._chance(0.6):
            lead = self._random.choice(("with", "featuring", "led by", "played on", "for"))
            parts.append(f"{lead} {self._with_instruments()}")
        if self._chance(0.3):
            parts.append(self._pick("use"))
        if self._chance(0.2):
            parts.append(self._random.choice(("like", "evoking", "that feels like", "about")))
            parts.append(f"{self._random.choice(('a', 'the', ''))} {self._noun()}")
        if self._chance(0.5):
            parts.append(self._fact())
        if self._chance(0.2):
            parts.append(f", {self._fact()}")
        return " ".join(part for part in parts if part).replace(" ,", ",")

    def _with_instruments(self) -> str:
        names = [self._instrument() for _ in range(self._random.choices((1, 2, 3), (5, 4, 2))[0])]
        if self._chance(0.4):
            names = [f"{self._mood()} {name}" for name in names]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    def _hint(self) -> str:
        hint = self._style(names=False)
        extras = (
            lambda: hint,
            lambda: f"{self._mood()} {hint}",
            lambda: f"music like {hint}",
            lambda: f"{hint}, {self._mood()}",
            lambda: f"{hint} {self._pick('use')}",
            lambda: f"{hint}, {self._fact()}",
            lambda: f"{hint}, {self._random.choice(words().hints[self._facts['style']])}",
            lambda: f"{self._random.choice(style_names()[self._facts['style']])}, {hint}",
        )
        return self._random.choice(extras)()

    def _request(self) -> str:
        ask = self._random.choice(
            (
                "make me",
                "give me",
                "I want",
                "compose",
                "write",
                "I need",
                "please play",
                "can I get",
            )
        )
        thing = f"{self._mood()} {self._style()}" if self._chance(0.6) else self._style()
        parts = [ask, self._random.choice(("some", "a", "")), thing]
        if self._chance(0.4):
            parts.append(self._pick("use"))
        if self._chance(0.3):
            parts.append(f"that sounds {self._mood()}")
        if self._chance(0.3):
            parts.append(f"with {self._with_instruments()}")
        if self._chance(0.3):
            parts.append(self._fact())
        return " ".join(part for part in parts if part)

    def _case(self, text: str) -> str:
        case = self._random.random()
        if case < 0.3:
            return text[:1].upper() + text[1:] + ("." if self._chance(0.5) else "")
        return text.title() if case < 0.34 else text


def spoken_key(name: str) -> str:
    """Return a tonic in words: `F#` is "F sharp", `Bb` is "B flat"."""
    return name.replace("#", " sharp") if "#" in name else re.sub("^(.)b$", r"\1 flat", name)


def misspell(text: str, rng: random.Random) -> str:
    """Add one or two typing errors to words of at least four letters, never to numbers."""
    pieces = text.split(" ")
    places = [i for i, piece in enumerate(pieces) if len(piece) >= 4 and piece.isalpha()]
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 2)))):
        piece = pieces[place]
        at = rng.randrange(1, len(piece) - 1)
        kind = rng.randrange(4)
        if kind == 0:
            piece = piece[:at] + piece[at + 1 :]
        elif kind == 1:
            piece = piece[:at] + piece[at + 1] + piece[at] + piece[at + 2 :]
        elif kind == 2:
            piece = piece[:at] + piece[at] + piece[at:]
        else:
            piece = piece[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + piece[at + 1 :]
        pieces[place] = piece
    return " ".join(pieces)
