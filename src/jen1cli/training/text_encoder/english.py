"""General English for the text encoder, from a WordNet folder or from plain text files.

WordNet (wordnet.princeton.edu, free licence; Debian `wordnet-base`) gives definitions, example
sentences and synonyms; a word list (such as Debian `wamerican`, public domain) gives single words.
"""

import re
from pathlib import Path

from jen1cli.errors import DataError
from jen1cli.jsonfiles import read_lines

_LONGEST_SENTENCE = 20  # words


def read_english(path: Path) -> list[str]:
    """Read texts of general English: a folder of WordNet, or a file with one text a line.

    Raises:
        DataError: the path is neither.
    """
    if path.is_dir():
        return _read_wordnet(path)
    try:
        lines = [text for _, text in read_lines(path)]
    except OSError as error:
        raise DataError(f"{path} cannot be read as text ({error}); give a UTF-8 file") from error
    if not lines:
        raise DataError(f"{path} has no lines; give a file with one text a line")
    return lines


def _read_wordnet(folder: Path) -> list[str]:
    files = sorted(folder.glob("data.*"))
    if not files:
        raise DataError(f"{folder} is no WordNet (no data.noun); give its folder or a text file")
    texts: dict[str, None] = {}
    for file in files:
        for line in file.read_text(encoding="latin-1").splitlines():
            if not line.startswith("  "):
                texts.update(dict.fromkeys(_read_entry(line)))
    return list(texts)


def _read_entry(line: str) -> list[str]:
    """Return the synonyms, the definition and the examples of one entry.

    An entry is `offset file kind count word id word id ... | definition; "example"`, the count in
    hexadecimal (wndb(5WN)). Proper names and scientific terms are left out.
    """
    head, _, gloss = line.partition(" | ")
    fields = head.split()
    count = int(fields[3], 16)
    synonyms = [re.sub(r"\(.*\)", "", word) for word in fields[4 : 4 + 2 * count : 2]]
    synonyms = [word.replace("_", " ") for word in synonyms]
    if not synonyms[0].islower() or not gloss.isascii():
        return []
    definition = re.sub(r'"[^"]*"', "", gloss).split(";")[0].strip(" ;:")
    texts = [synonyms[0], ", ".join(synonyms[:4])]
    if 2 < len(definition.split()) <= _LONGEST_SENTENCE:
        texts += [definition, f"{synonyms[0]}: {definition}"]
    examples = re.findall(r'"([^"]+)"', gloss)
    return texts + [text for text in examples if 1 < len(text.split()) <= _LONGEST_SENTENCE]
