"""Prompts in other languages than English, put into English words by glossaries.

The text encoder, the readers of prompts and the names of styles are English.
"""

from jen1cli.composition.languages.translation import Translation, english_prompt, in_english

__all__ = ["Translation", "english_prompt", "in_english"]
