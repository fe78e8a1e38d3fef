"""Evaluation: how good music is, how well it follows its words, measured offline and pinned."""
