"""The tensor shapes of JEN-1, named once.

Axes: batch · audio_channels (1 or 2) · channels (of the latent) · samples (waveform time) ·
frames (latent time) · tokens (of the text) · features (of the text encoder)
"""

from jaxtyping import Bool, Float
from torch import Tensor

Waveform = Float[Tensor, "batch audio_channels samples"]
Latent = Float[Tensor, "batch channels frames"]
Context = Float[Tensor, "batch context_channels frames"]
KeepMask = Bool[Tensor, "batch 1 frames"]
Text = Float[Tensor, "batch tokens features"]
TextMask = Bool[Tensor, "batch tokens"]
Time = Float[Tensor, " batch"]
