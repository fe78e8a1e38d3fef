"""Audio embeddings, in which sets of music are compared."""
