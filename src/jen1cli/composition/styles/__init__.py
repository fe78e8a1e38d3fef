"""All styles, in families."""

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
