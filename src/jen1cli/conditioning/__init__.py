"""What the network is told: text, tempo and key."""

from jen1cli.conditioning.text import TextEncoder, join

__all__ = ["TextEncoder", "join"]
