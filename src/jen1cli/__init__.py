"""JEN-1 (arXiv 2308.04729): text-guided music at 48 kHz stereo, inpainting and continuation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jen1cli.guide import Guide
    from jen1cli.pipeline import Jen1

__all__ = ["Guide", "Jen1", "__version__"]
__version__: str


def __getattr__(name: str) -> object:
    """Import the model only when it is asked for, so that `jen1 --help` never loads torch.

    The version comes from the installed package's metadata, whose reader takes 0.05 s to import.
    """
    if name == "Jen1":
        from jen1cli.pipeline import Jen1

        return Jen1
    if name == "Guide":
        from jen1cli.guide import Guide

        return Guide
    if name == "__version__":
        from importlib.metadata import version

        return version("jen1cli")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
