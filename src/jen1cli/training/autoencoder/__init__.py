"""Stage 1: the masked autoencoder (paper section IV-A)."""
