"""What the network is told: text, tempo, key, chords, drums and melody."""

from jen1cli.conditioning.text import TextEncoder, join

__all__ = ["TextEncoder", "join"]
