"""The omnidirectional 1D U-Net (paper section IV-B), its layers, and LoRA."""

from jen1cli.unet.unet import UNet1d

__all__ = ["UNet1d"]
