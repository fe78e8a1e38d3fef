"""Embeddings of audio in which sets of music are compared."""
