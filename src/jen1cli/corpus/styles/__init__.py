"""All styles, in families."""

from jen1cli.corpus.style import Style
from jen1cli.corpus.styles import (
    acoustic,
    band,
    classical,
    electronic,
    jazz,
    screen,
    urban,
    world,
)

STYLES: dict[str, Style] = {
    style.name: style
    for family in (electronic, urban, jazz, band, acoustic, classical, screen, world)
    for style in family.STYLES
}
