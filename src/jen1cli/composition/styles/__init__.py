"""All styles, in families."""

import difflib

from jen1cli.composition.styles import (
    acoustic,
    band,
    classical,
    club,
    electronica,
    jazz,
    screen,
    tropical,
    urban,
    world,
)
from jen1cli.composition.styles.style import Style
from jen1cli.errors import ConfigError

FAMILIES: dict[str, tuple[Style, ...]] = {
    "electronic": (*club.STYLES, *electronica.STYLES),
    "urban": urban.STYLES,
    "jazz": jazz.STYLES,
    "band": band.STYLES,
    "acoustic": acoustic.STYLES,
    "classical": classical.STYLES,
    "screen": screen.STYLES,
    "world": (*tropical.STYLES, *world.STYLES),
}
STYLES: dict[str, Style] = {style.name: style for family in FAMILIES.values() for style in family}
"""Styles by name. The corpus draws by index, so a new order changes what a seed produces."""


def check_style(name: str, what: str = "unknown style") -> None:
    """Check that there is a style of this name.

    Args:
        name: the style's name.
        what: beginning of the message.

    Raises:
        ConfigError: there is none.
    """
    if name not in STYLES:
        close = difflib.get_close_matches(name, STYLES, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"{what} '{name}'; {hint}'jen1 corpus styles' lists them")
