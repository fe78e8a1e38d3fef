"""Evaluation of generated music: quality, adherence to prompts, edits, codec."""
