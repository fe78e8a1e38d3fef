"""The omnidirectional U-Net."""

from jen1cli.unet.unet import UNet1d

__all__ = ["UNet1d"]
