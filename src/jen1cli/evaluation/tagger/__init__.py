"""The project's own listener: a small tagger and text-audio model, trained on made music.

It knows the music of `jen1 corpus` and little else: its judgements are *in-domain*, and every
report that uses it says so.
"""

from jen1cli.evaluation.tagger.tagger import Tagger, Tags, find_tagger

__all__ = ["Tagger", "Tags", "find_tagger"]
