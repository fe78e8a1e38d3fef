"""What the network is told: text, tempo, key and chords."""

from jen1cli.conditioning.text import TextEncoder, join

__all__ = ["TextEncoder", "join"]
