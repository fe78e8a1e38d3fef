"""Stage 2: omnidirectional latent diffusion (paper section IV-C)."""
