"""Edits of recordings: inpainting and continuation."""
