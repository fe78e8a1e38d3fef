"""Text conditioning."""

from jen1cli.conditioning.text import TextEncoder, join

__all__ = ["TextEncoder", "join"]
