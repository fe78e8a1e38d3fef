"""The project's tagger and text-audio model, trained on synthetic music.

It was trained only on the music of `jen1 corpus`, so its predictions are *in-domain*, which every
report that uses it states.
"""

from jen1cli.evaluation.tagger.tagger import Tagger, Tags, find_tagger

__all__ = ["Tagger", "Tags", "find_tagger"]
