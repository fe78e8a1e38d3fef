"""Kinds of captions: each function describes a clip in a different way."""

from collections.abc import Callable

from jen1cli.corpus.captions.claims import is_true
from jen1cli.corpus.captions.phrasing import Speaker, article, listed, some
from jen1cli.corpus.captions.vocabulary import general

_NAMED_NOUNS = (
    "music",
    "track",
    "beat",
    "beats",
    "tune",
    "song",
    "loop",
    "theme",
    "score",
    "piece",
)


def _named(speaker: Speaker, name: str) -> str:
    """Return a style's name, usually with a noun after it if it has none."""
    if name.split()[-1].lower() in _NAMED_NOUNS or name.endswith(("music", "dance")):
        return name
    return f"{name} {speaker.noun()}" if speaker.random.chance(0.8) else name


def _lead(speaker: Speaker) -> str:
    parts = speaker.tonal_parts() or list(speaker.facts.parts)
    if not parts:
        return ""
    return speaker.instrument(speaker.random.pick(parts[:2]))


def two_words(speaker: Speaker) -> str:
    """Name the style and an instrument, or a mood."""
    name, word = speaker.name(), _lead(speaker)
    repeated = word and set(word.lower().split()) & set(name.lower().split())
    random = speaker.random
    if not word or repeated or random.chance(0.3):
        return random.pick((f"{speaker.mood()} {name}", name, f"{speaker.adjective()} {name}"))
    return random.pick(
        (
            f"{name} {word}",
            f"{name} {word}",
            f"{word} {name}",
            f"{name} with {word}",
            f"{name}, {word}",
        )
    )


def tags(speaker: Speaker) -> str:
    """Return a list of tags."""
    random = speaker.random
    tags = [speaker.name(), *speaker.instruments(random.integer(1, 4)), speaker.mood()]
    extras: list[Callable[[], str]] = [
        speaker.mood,
        speaker.adjective,
        speaker.bpm,
        speaker.key,
        speaker.short_key,
        speaker.tempo,
        speaker.production,
        speaker.era,
        speaker.use,
        lambda: random.pick(general.NO_VOCALS),
        lambda: random.pick(general.NO_DRUMS),
        speaker.beat_phrase,
    ]
    for extra in random.sample(extras, random.integer(1, 4)):
        text = extra()
        if text and is_true(text, speaker.facts):
            tags.append(text.removeprefix("with ").removeprefix("and "))
    head, rest = tags[0], random.sample(tags[1:], len(tags))
    order = [head, *rest] if random.chance(0.7) else random.sample(tags, len(tags))
    return random.pick((", ", ", ", ", ", "; ", " / ")).join(dict.fromkeys(order))


def scored(speaker: Speaker) -> str:
    """Name tempo, key and instruments in one line."""
    random = speaker.random
    key = speaker.key()
    words = speaker.instruments(random.integer(2, 5))
    start = random.pick((f"{speaker.mood()} {speaker.name()}", speaker.name()))
    pieces = [start]
    if random.chance(0.6):
        pieces.append(random.pick((speaker.bpm(), speaker.tempo())))
    if key and random.chance(0.5):
        pieces.append(random.pick((key, f"in {key}", f"key of {key}")))
    pieces.append(
        random.pick((f"with {listed(words)}", listed(words), f"featuring {listed(words)}"))
    )
    return ", ".join(piece for piece in pieces if piece)


def sentence(speaker: Speaker) -> str:
    """Return a phrase with instruments and moods."""
    random = speaker.random
    words = listed(speaker.instruments(random.integer(2, 4)))
    name = _named(speaker, speaker.name())
    mood, other = speaker.mood(), speaker.mood()
    start = some(f"{mood} {name}")
    return random.pick(
        (
            f"{start} with {words}",
            f"{start} featuring {words}",
            f"{some(name)} with {words}, {mood} and {other}",
            f"{some(f'{mood}, {other} {name}')} with {words}",
            f"{words} playing {some(f'{mood} {name}')}",
            f"{start}, {_roles(speaker, 2)}",
            f"{start} built on {words}",
        )
    )


def request(speaker: Speaker) -> str:
    """Return a request for such music."""
    random = speaker.random
    name = _named(speaker, speaker.name())
    words = listed(speaker.instruments(random.integer(1, 3)))
    what = some(random.pick((f"{speaker.mood()} {name}", name)))
    tail = random.pick(
        (
            f" with {words}",
            f" for {speaker.use()}",
            f" at {speaker.bpm()}",
            f", {speaker.tempo()}",
            "",
        )
    )
    return f"{random.pick(general.OPENERS)} {what}{tail}"


def with_tempo(speaker: Speaker) -> str:
    """Name the style and its tempo, in figures or words."""
    random = speaker.random
    name, bpm, tempo = speaker.name(), speaker.bpm(), speaker.tempo()
    return random.pick(
        (
            f"{name} at {bpm.removeprefix('tempo ')}",
            f"{bpm} {name}",
            f"{speaker.mood()} {name}, {bpm}",
            f"{tempo} {name}",
            f"{name}, {tempo}",
            f"{tempo} {name} with {listed(speaker.instruments(2))}",
            f"{name} {_lead(speaker)} {bpm}",
        )
    )


def with_key(speaker: Speaker) -> str:
    """Name the style and its key."""
    random = speaker.random
    name, key = speaker.name(), speaker.key()
    return random.pick(
        (
            f"{name} in {key}",
            f"{speaker.mood()} {name} in {key}",
            f"{name} in the key of {key}",
            f"{key} {name}",
            f"{name}, {key}, {speaker.bpm()}",
            f"{_lead(speaker)} in {key}, {name}",
            f"{name} in {key} at {speaker.bpm().removeprefix('tempo ')}",
        )
    )


def with_tempo_and_key(speaker: Speaker) -> str:
    """Name the style, its tempo in figures and its key, which are hardest for a model to follow."""
    random = speaker.random
    name, bpm = speaker.name(), speaker.bpm()
    at = f"at {bpm.removeprefix('tempo ')}"
    if random.chance(0.4):
        name = f"{speaker.mood()} {name}"
    key = random.pick((speaker.key(), speaker.short_key()))
    if not key:
        return random.pick((f"{name} {at}", f"{name}, {bpm}", f"{bpm}, {name}"))
    return random.pick(
        (
            f"{name} {at} in {key}",
            f"{name} in {key} {at}",
            f"{name}, {bpm}, {key}",
            f"{name}, {key}, {bpm}",
            f"{bpm}, {key}, {name}",
            f"{key} {name} {at}",
        )
    )


def for_use(speaker: Speaker) -> str:
    """Name a use of the music."""
    random = speaker.random
    name, use, link = speaker.name(), speaker.use(), random.pick(general.USE_LINKS)
    mood = speaker.mood()
    return random.pick(
        (
            f"{name} {link} {use}",
            f"{mood} {name} {link} {use}",
            f"music {link} {use}: {mood} {name}",
            f"{_lead(speaker)} {link} {use}, {name}",
            f"{mood} music {link} {use}",
            f"{use} {random.pick(('music', 'soundtrack', 'background music'))}, {name}",
        )
    )


def pictured(speaker: Speaker) -> str:
    """Name a scene that the music evokes."""
    random = speaker.random
    name, scene, link = speaker.name(), speaker.scene(), random.pick(general.SCENE_LINKS)
    mood = speaker.mood()
    return random.pick(
        (
            f"{name}, {link} {scene}",
            f"{mood} {name} {link} {scene}",
            f"{scene}, {mood} {name}",
            f"{scene}: {name} with {listed(speaker.instruments(2))}",
            f"{mood} {_named(speaker, name)}, {link} {scene}",
        )
    )


def _roles(speaker: Speaker, count: int) -> str:
    parts = speaker.tonal_parts()
    chosen = parts[:1] + speaker.random.sample(parts[1:], count - 1)
    return ", ".join(phrase for phrase in map(speaker.role_phrase, chosen) if phrase)


def long(speaker: Speaker) -> str:
    """Return two sentences, as in descriptions of stock music."""
    random, facts = speaker.random, speaker.facts
    key = speaker.key()
    start = some(f"{speaker.mood()} {_named(speaker, speaker.name())}")
    where = [f"at {speaker.bpm().removeprefix('tempo ')}" if random.chance(0.6) else ""]
    if key and random.chance(0.6):
        where.append(f"in {key}")
    first = " ".join([start, *(w for w in where if w)])
    body = [_roles(speaker, random.integer(2, 3))]
    if facts.drums_prominent:
        body.append(speaker.beat_phrase())
    elif not facts.drums and random.chance(0.5):
        body.append(random.pick(general.NO_DRUMS))
    if random.chance(0.3):
        body.append(speaker.production())
    second = ", ".join(part for part in body if part)
    ending = random.pick(
        (
            f"{speaker.mood()} and {speaker.mood()}",
            f"{random.pick(general.USE_LINKS)} {speaker.use()}",
            f"{random.pick(general.SCENE_LINKS)} {speaker.scene()}",
            "",
        )
    )
    sentences = [first, second, ending]
    return ". ".join(s[0].upper() + s[1:] for s in sentences if s)


def without_drums(speaker: Speaker) -> str:
    """State that there are no drums."""
    random = speaker.random
    no_drums = random.pick(general.NO_DRUMS)
    name = speaker.name()
    return random.pick(
        (
            f"{name}, {no_drums}",
            f"{name} {no_drums}" if no_drums.startswith("with") else f"{no_drums} {name}",
            f"{speaker.mood()} {name} with {listed(speaker.instruments(3))}, {no_drums}",
            f"{listed(speaker.instruments(2))}, {no_drums}, {speaker.mood()}",
        )
    )


def with_drums(speaker: Speaker) -> str:
    """Name the drums."""
    random = speaker.random
    kits = [part for part in speaker.facts.parts if part.stem == "drums"]
    word = speaker.instrument(kits[0])
    if speaker.facts.drums_only:
        return random.pick(
            (
                f"{speaker.name()}, drums only",
                f"drum loop, {speaker.name()}, {speaker.bpm()}",
                f"just drums, {speaker.mood()}",
                f"{speaker.mood()} drum loop at {speaker.bpm().removeprefix('tempo ')}",
            )
        )
    return random.pick(
        (
            f"{speaker.name()} with {word}",
            f"{speaker.mood()} {word}, {speaker.name()}",
            f"{speaker.name()}, {speaker.beat_phrase()}",
            f"{listed([word, *speaker.instruments(2, drums=False)])}, {speaker.name()}",
        )
    )


def with_meter(speaker: Speaker) -> str:
    """Name the style and its meter."""
    random = speaker.random
    name, meter = speaker.name(), speaker.meter()
    return random.pick(
        (
            f"{name} {meter}" if meter.startswith("in ") else f"{name}, {meter}",
            f"{speaker.mood()} {name}, {meter}",
            f"{name}, {meter}, {listed(speaker.instruments(2))}",
        )
    )


def alone(speaker: Speaker) -> str:
    """State that one or two instruments play alone."""
    random, facts = speaker.random, speaker.facts
    words = speaker.instruments(2, drums=False)
    if not words:
        return with_drums(speaker) if facts.drums_prominent else ""
    if len(facts.everything) == 1:
        word = words[0]
        return random.pick(
            (
                f"solo {word}",
                f"{speaker.mood()} solo {word}",
                f"{word} solo, {speaker.name()}",
                f"just {word}, nothing else",
                f"{word} only",
                f"unaccompanied {word}",
                f"{word} alone, {speaker.mood()} and {speaker.mood()}",
                f"a single {word} playing {article(f'{speaker.mood()} {speaker.noun()}')}",
            )
        )
    if len(words) < 2:
        return ""
    return random.pick(
        (
            f"{words[0]} and {words[1]} duet",
            f"{words[0]} and {words[1]}",
            f"duo of {words[0]} and {words[1]}, {speaker.mood()}",
            f"only {words[0]} and {words[1]}",
            f"{words[1]} with {words[0]}, {speaker.name()}",
        )
    )


def produced(speaker: Speaker) -> str:
    """Name effects, room and other properties of the production."""
    production = speaker.production()
    if not production:
        return ""
    return speaker.random.pick(
        (
            f"{speaker.name()}, {production}",
            f"{speaker.mood()} {speaker.name()} with {production}",
            f"{production}, {listed(speaker.instruments(2))}, {speaker.name()}",
        )
    )


def moods_only(speaker: Speaker) -> str:
    """Return moods, at most with a noun."""
    random = speaker.random
    moods = list(dict.fromkeys(speaker.mood() for _ in range(random.integer(2, 4))))
    noun = random.pick(("music", "instrumental music", "background music", speaker.noun()))
    joined = ", ".join(moods) if random.chance(0.5) else listed(moods)
    return f"{joined} {noun}" if random.chance(0.6) else joined


def named_by_sound(speaker: Speaker) -> str:
    """Name instruments or style with an era or an adjective."""
    random = speaker.random
    era, adjective = speaker.era(), speaker.adjective()
    words = listed(speaker.instruments(random.integer(1, 3)))
    return random.pick(
        (
            f"{era} {speaker.name()}" if era else f"{adjective} {speaker.name()}",
            f"{adjective} {words}",
            f"{words}, {adjective}, {speaker.mood()}",
            f"{era} sound, {speaker.name()}" if era else f"{words}, {speaker.tempo()}",
            f"{adjective} {speaker.name()} {speaker.tempo()}".strip(),
        )
    )
