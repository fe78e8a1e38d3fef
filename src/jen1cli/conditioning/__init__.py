"""Inputs of the U-Net beside the latent: text, and musical controls over time."""

from jen1cli.conditioning.text import TextEncoder, join

__all__ = ["TextEncoder", "join"]
