"""JEN-1 (arXiv 2308.04729): text-guided music at 48 kHz stereo, inpainting and continuation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jen1cli.music.controls import Controls
    from jen1cli.pipeline import Jen1

__all__ = ["Controls", "Jen1", "__version__"]
__version__ = "0.2.0"  # the build reads it here (pyproject.toml)


def __getattr__(name: str) -> object:
    """Import an attribute on first access, so that `jen1 --help` does not load torch."""
    if name == "Jen1":
        from jen1cli.pipeline import Jen1

        return Jen1
    if name == "Controls":
        from jen1cli.music.controls import Controls

        return Controls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
