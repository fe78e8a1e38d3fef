"""Chooses words for a clip that are true of its score."""

from collections.abc import Sequence

from jen1cli.composition.harmony.theory import KEYS
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Part
from jen1cli.corpus.captions.claims import is_true
from jen1cli.corpus.captions.facts import Facts
from jen1cli.corpus.captions.vocabulary import general, style_words

_FLATS = {"C#": "D", "D#": "E", "F#": "G", "G#": "A", "A#": "B"}
_STRUCK = {
    "conga_h": ("congas",),
    "bongo_h": ("bongos", "hand drums"),
    "tamb": ("tambourine",),
    "shaker": ("shaker", "shakers"),
    "cowbell": ("cowbell",),
    "claves": ("claves",),
    "clap": ("claps", "handclaps"),
    "timb_h": ("timbales",),
    "guiro": ("guiro",),
    "block_h": ("woodblock",),
    "triangle": ("triangle",),
    "ride": ("ride cymbal",),
    "hat": ("hi-hats",),
    "tom4": ("toms",),
    "rim": ("rimshots",),
}


def article(words: str) -> str:
    """Put "a" or "an" before words."""
    low = words.lower()
    odd = ("uk", "uni", "use", "eu", "one", "ufo")
    an = low[0] in "aeiou8" or low.startswith(("r&b", "rnb", "nes ", "rpg", "18th", "mpc"))
    return f"{'an' if an and not low.startswith(odd) else 'a'} {words}"


_UNCOUNTED = frozenset(
    {
        "music",
        "beats",
        "drums",
        "ambience",
        "underscore",
        "electronics",
        "tones",
        "strings",
        "dance",
    }
    | {
        "waves",
        "percussion",
        "drumming",
        "breaks",
        "electronica",
        "balearic",
        "atmosphere",
        "yanos",
    }
    | {"jazz", "folk", "blues", "rock", "funk", "soul", "metal", "techno", "trance", "house", "pop"}
    | {
        "disco",
        "swing",
        "reggae",
        "ska",
        "dub",
        "salsa",
        "samba",
        "grunge",
        "punk",
        "gospel",
        "ambient",
    }
)


def some(words: str) -> str:
    """Return a noun phrase with its article; uncountable nouns get "some" or none."""
    last = words.split()[-1].lower()
    if last in _UNCOUNTED:
        return words
    return article(words)


def listed(words: Sequence[str]) -> str:
    """Join words by commas and a final "and"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


class Speaker:
    """Chooses words for one clip and remembers those already used."""

    def __init__(self, facts: Facts, random: RandomStream) -> None:
        self.facts = facts
        self.random = random
        self.words = style_words()[facts.style]
        self._spoken: set[str] = set()

    def true_one(self, options: Sequence[str], *, fresh: bool = True) -> str:
        """Return a true option, preferably one not used before; "" if there is none."""
        said = ""
        for option in self.random.shuffled(options):
            if fresh and option in self._spoken:
                said = said or (option if is_true(option, self.facts) else "")
            elif is_true(option, self.facts):
                self._spoken.add(option)
                return option
        return said

    def name(self) -> str:
        """Return a name of the style, about a third of the time its plain name."""
        names = self.words.names
        plain = names[0]
        if self.random.chance(0.33) and is_true(plain, self.facts):
            return plain
        return self.true_one(names, fresh=False) or self.any_name()

    def any_name(self) -> str:
        """Return a neutral name, for clips that none of the style's names fits."""
        return "music" if self.facts.drums_prominent else "piece"

    def mood(self) -> str:
        """Return a mood of the style, a synonym of it, or a mood of the clip's energy and mode."""
        own = [word for word in self._style_moods() if word]
        kind = self.random.random()
        unsaid = [word for word in own if word not in self._spoken]
        if kind < 0.4 and unsaid:
            return self.true_one(unsaid) or self.general_mood()
        if kind < 0.6 and own:
            synonyms = [w for mood in own for w in general.SYNONYMS.get(mood, ())]
            found = self.true_one(synonyms) if synonyms else ""
            return found or self.general_mood()
        if kind < 0.8:
            return self.true_one(self.words.words) or self.general_mood()
        return self.general_mood()

    def _style_moods(self) -> list[str]:
        return list(self._score_moods)

    _score_moods: tuple[str, ...] = ()

    def with_moods(self, moods: tuple[str, ...]) -> "Speaker":
        """Set the moods of the score, in place; return self."""
        self._score_moods = moods
        return self

    def general_mood(self) -> str:
        """Return a mood that follows from energy and mode alone."""
        facts = self.facts
        if facts.style in ("horror", "suspense", "dark ambient", "drone") and self._score_moods:
            return self.true_one(self._score_moods)
        kind = "minor" if facts.minor else "major"
        groups = [
            words
            for low, high, mode, words in general.MOODS
            if low <= facts.energy < high and (mode == "any" or (mode == kind and facts.mode))
        ]
        return self.true_one(self.random.pick(groups)) or "melodic"

    def adjective(self) -> str:
        """Return an adjective of the style."""
        return self.true_one(self.words.words)

    def use(self) -> str:
        """Return a use of the music."""
        return self.true_one(self.words.uses)

    def scene(self) -> str:
        """Return a scene that the music evokes."""
        return self.true_one(self.words.scenes)

    def era(self) -> str:
        """Return an era of the style, or ""."""
        return self.true_one(self.words.eras) if self.words.eras else ""

    def bpm(self) -> str:
        """Return the tempo in figures."""
        number = round(self.facts.bpm)
        forms = ("{} bpm", "{} BPM", "{}bpm", "{} beats per minute", "{} bpm", "tempo {} bpm")
        return self.random.pick(forms).format(number)

    def tempo(self) -> str:
        """Return the tempo in words."""
        options = [
            word
            for low, high, words in general.TEMPO_WORDS
            if low <= self.facts.bpm < high
            for word in words
        ]
        return self.true_one(options)

    def key(self) -> str:
        """Return the key in one of the common spellings; "" if there is none."""
        facts = self.facts
        if not facts.key:
            return ""
        tonic = facts.key
        if "#" in tonic:
            letter = tonic[0]
            flat = _FLATS[tonic]
            tonic = self.random.pick(
                (tonic, f"{flat}b", f"{letter} sharp", f"{flat} flat", tonic, f"{flat}b")
            )
        mode = facts.mode
        if mode == "harmonic minor" and self.random.chance(0.6):
            mode = "minor"
        return f"{tonic} {mode}"

    def short_key(self) -> str:
        """Return the key in short notation, such as Am or F#m."""
        facts = self.facts
        if facts.mode in ("minor", "harmonic minor") and facts.key in KEYS:
            return f"{facts.key}m"
        return self.key()

    def meter(self) -> str:
        """Return the meter in words."""
        return self.true_one(general.METER_WORDS.get(self.facts.meter, ("",)))

    def instrument(self, part: Part) -> str:
        """Return a name of the instrument of a part."""
        instrument = INSTRUMENTS[part.instrument]
        if instrument.family == "drums":
            return self.drum_word(part)
        if self.random.chance(0.45):
            return instrument.words[0]
        return self.true_one(instrument.words, fresh=False)

    def drum_word(self, part: Part) -> str:
        """Return a name of a kit, or of a drum that is played on it."""
        sounds = self.facts.drum_sounds
        struck = [w for sound, ws in _STRUCK.items() if sound in sounds for w in ws]
        kit = {"kick", "snare"} <= sounds or {"kick", "clap"} <= sounds
        options = list(INSTRUMENTS[part.instrument].words) if kit else ["percussion", "drums"]
        if not kit and {"conga_h", "bongo_h", "conga_l", "bongo_l"} & sounds:
            options.append("hand drums")
        if struck and self.random.chance(0.35):
            return self.true_one(struck, fresh=False)
        return self.true_one(options, fresh=False) or "drums"

    def tonal_parts(self) -> list[Part]:
        """Return the parts other than percussion, one per instrument, the most prominent first."""
        seen: set[str] = set()
        found: list[Part] = []
        for part in self.facts.parts:
            if part.stem != "drums" and part.instrument not in seen:
                seen.add(part.instrument)
                found.append(part)
        return found

    def instruments(self, most: int, *, drums: bool = True) -> list[str]:
        """Return distinct names of at most `most` leading instruments."""
        parts = self.tonal_parts()[:most]
        if drums and self.facts.drums_prominent and (self.random.chance(0.6) or not parts):
            kits = [part for part in self.facts.parts if part.stem == "drums"]
            parts = [*parts[: max(1, most - 1)], kits[0]] if parts else kits[:1]
        words: list[str] = []
        for part in parts:
            word = self.instrument(part)
            if word and word not in words:
                words.append(word)
        return words

    def role_phrase(self, part: Part) -> str:
        """Return a few words about the role of a part."""
        word = self.instrument(part)
        pick = self.random.pick
        if part.stem == "drums":
            return self.beat_phrase()
        if part.role == "melody":
            return pick(
                (
                    f"{pick(general.MELODY_LINKS)} {word}",
                    f"{article(self.mood())} {word} melody",
                    f"{word} on top",
                    f"{word} melody",
                )
            )
        if part.role == "bass":
            return pick(
                (
                    f"{pick(general.BASS_LINKS)} {word}",
                    f"{word} underneath",
                    f"{word} at the bottom",
                )
            )
        if part.role == "arpeggio":
            return pick((f"{word} arpeggios", f"{pick(general.ARPEGGIO)} on {word}"))
        if part.role == "riff":
            return pick((f"{article(word)} riff", f"{word} ostinato", f"repeating {word} figure"))
        if part.role == "strum" and INSTRUMENTS[part.instrument].family == "guitar":
            return pick((f"rhythm {word}", f"chords on {word}", f"{word} rhythm"))
        if part.role in ("pad", "drone"):
            return pick(
                (
                    f"{word} in the background",
                    f"a bed of {word}",
                    f"{pick(general.SUSTAINED)} on {word}",
                    f"{word} behind it",
                )
            )
        if part.role == "counter":
            return pick(
                (f"answered by {word}", f"{word} as second voice", f"countermelody on {word}")
            )
        if part.role == "stabs":
            return pick((f"accents from {word}", f"{word} accents", f"hits of {word}"))
        return pick(
            (f"{pick(general.CHORD_LINKS)} {word}", f"{word} accompaniment", f"{word} chords")
        )

    def beat_phrase(self) -> str:
        """Return a phrase about the drums."""
        facts = self.facts
        kits = [part for part in facts.parts if part.stem == "drums"]
        if not kits:
            return self.random.pick(general.NO_DRUMS) if not facts.drums else ""
        word = self.instrument(kits[0])
        options = [f"with {word}", f"{word} keeping time", f"{self.mood()} {word}", f"and {word}"]
        if facts.four_floor:
            options += list(general.FOUR_FLOOR)
        if facts.backbeat:
            options += list(general.BACKBEAT)
        return self.true_one(options)

    def production(self) -> str:
        """Return a phrase about effects, room or swing; "" if there is none."""
        facts = self.facts
        options = [p for name in sorted(facts.effects) for p in general.PRODUCTION.get(name, ())]
        if facts.echo:
            options += general.PRODUCTION["delay"]
        options += general.PRODUCTION.get(facts.room, ())
        if facts.swung:
            options += ["swung rhythm", "shuffled feel", "swing feel", "swung groove"]
        return self.true_one(options) if options else ""

    def noun(self) -> str:
        """Return a noun for the music: track, piece, tune …, one that is true."""
        options = [*general.NOUNS]
        if self.facts.drums_prominent:
            options += ["beat", "groove", "jam"]
        return self.true_one(options, fresh=False)
