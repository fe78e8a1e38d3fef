"""Forms of pieces as text: sections in bars, with chords of their own, and an end.

intro:4 verse:8 chorus:8 verse:8 outro:4      sections of one name have the same material
verse:8[Am F C G] chorus:8[F G Am Em] end     chords of a section, as of `--chords`, which repeat
verse:8 end:2                                 the last chord, held for two bars; else for one

Nothing here needs torch.
"""

import dataclasses
import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from jen1cli.errors import ConfigError
from jen1cli.music.chords import Bar, chart_text, parse_chart

END, OUTRO = "end", "outro"
"""Names of the sections in which a piece ends; `END` is the last chord alone."""
MAX_FORM_BARS = 512
MAX_SECTIONS = 64
_EXAMPLE = "such as 'intro:4 verse:8[Am F C G] chorus:8 outro:4'"
_ITEM = re.compile(r"\s*([^\W\d_][\w'-]*)\s*(?::\s*(\d+))?\s*(?:\[([^\[\]]*)\])?(?=[\s,]|$)[\s,]*")
_LONGEST_NAME = 32


@dataclass(frozen=True)
class FormSection:
    """Some bars of a piece."""

    name: str  # in lower case
    bars: int
    chords: tuple[Bar, ...] = ()  # chords of its own, which repeat; empty: left open

    @property
    def chart(self) -> tuple[Bar, ...]:
        """The chords of each bar; empty if they are left open."""
        if not self.chords:
            return ()
        return tuple(self.chords[bar % len(self.chords)] for bar in range(self.bars))

    def __str__(self) -> str:
        """Return the section as it is written."""
        chords = f"[{chart_text(self.chords)}]" if self.chords else ""
        return f"{self.name}:{self.bars}{chords}"


@dataclass(frozen=True)
class Form:
    """The sections of a piece in order."""

    sections: tuple[FormSection, ...]

    @property
    def bars(self) -> int:
        """Length of the piece."""
        return sum(section.bars for section in self.sections)

    @property
    def starts(self) -> tuple[int, ...]:
        """First bar of each section."""
        lengths = (section.bars for section in self.sections[:-1])
        return tuple(itertools.accumulate(lengths, initial=0))

    @property
    def last_chord_bars(self) -> int:
        """Bars at the end in which the last chord is held; 0: the piece stops without an ending."""
        last = self.sections[-1]
        return {END: last.bars, OUTRO: 1}.get(last.name, 0)

    def without_chords(self) -> "Form":
        """Return the form with all chords left open."""
        return Form(tuple(dataclasses.replace(section, chords=()) for section in self.sections))

    def __str__(self) -> str:
        """Return the canonical text."""
        return " ".join(map(str, self.sections))


@lru_cache(maxsize=256)
def parse_form(text: str) -> Form:
    """Read a form in the notation of the module's docstring.

    A section without chords takes those of the first one of its name that has some.

    Raises:
        ConfigError: it is not in the notation, or too long.
    """
    found: list[FormSection] = []
    at = 0
    while at < len(text.rstrip()):
        match = _ITEM.match(text, at)
        if match is None:
            raise ConfigError(
                f"the form has '{text[at : at + 30].strip()}', which is no section; write a name"
                f" and its bars, {_EXAMPLE}"
            )
        found.append(_section(match))
        at = match.end()
    if not found or all(section.name == END for section in found):
        raise ConfigError(f"the form '{text[:30].strip()}' has no section; write one, {_EXAMPLE}")
    if any(section.name == END for section in found[:-1]):
        raise ConfigError(f"the form goes on after its '{END}'; put it last, or leave it out")
    form = Form(tuple(_with_chords(section, found) for section in found))
    if form.bars > MAX_FORM_BARS or len(found) > MAX_SECTIONS:
        raise ConfigError(
            f"the form has {form.bars:,} bars in {len(found)} sections; give at most"
            f" {MAX_FORM_BARS} in {MAX_SECTIONS}"
        )
    return form


def _section(match: re.Match[str]) -> FormSection:
    name, bars, chords = match[1].lower(), match[2], match[3]
    if len(name) > _LONGEST_NAME:
        raise ConfigError(
            f"the section '{name[:20]}…' has a long name; give {_LONGEST_NAME} letters"
        )
    if bars is None and name != END:
        raise ConfigError(f"the section '{name}' has no number of bars; write '{name}:8' for eight")
    count = 1 if bars is None else int(bars[:6])
    if not 1 <= count <= MAX_FORM_BARS:
        raise ConfigError(f"the section '{name}' has {count:,} bars; give 1 to {MAX_FORM_BARS}")
    chart = () if chords is None else parse_chart(chords)
    if len(chart) > count:
        raise ConfigError(
            f"the section '{name}' has {count} bars, and {len(chart)} bars of chords; give at most"
            " as many"
        )
    return FormSection(name, count, chart)


def _with_chords(section: FormSection, found: list[FormSection]) -> FormSection:
    if section.chords:
        return section
    first = next((one for one in found if one.name == section.name and one.chords), section)
    return dataclasses.replace(section, chords=first.chords[: section.bars])
