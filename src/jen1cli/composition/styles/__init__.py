"""All styles, in families."""

from jen1cli.composition.styles import (
    acoustic,
    band,
    classical,
    electronic,
    jazz,
    screen,
    urban,
    world,
)
from jen1cli.composition.styles.style import Style

STYLES: dict[str, Style] = {
    style.name: style
    for family in (electronic, urban, jazz, band, acoustic, classical, screen, world)
    for style in family.STYLES
}
