"""English text of the pieces of a prompt: order of words, commas, links."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from jen1cli.composition.languages.glossary import SPACED, Piece

_NOUNS = ("style", "instrument", "noun", "kept")
_FRENCH_ORDER = ("es", "pt", "fr")  # adjectives stand behind their noun
_OR, _NOR, _NOT = (Piece(word, "link") for word in ("or", "nor", "not"))
_COMMA = Piece(",", "stop")
_NEVER_FIRST = ("and", "or", "for", "like", "with")
_DENIALS = ("without", "not", "neither")


def english_text(pieces: Iterable[Piece], language: str) -> str:
    """Return the English words of pieces, in the order of their phrases."""
    phrases: list[str] = []
    for stop, group in groupby(pieces, key=lambda piece: piece.kind == "stop"):
        if not stop:
            phrases += _phrase([piece for piece in group if piece.text.strip()], language)
    return ", ".join(phrases)


def _phrase(pieces: list[Piece], language: str) -> list[str]:
    """Return the text of a phrase, then its tempo, metre and key."""
    apart = [piece.text for piece in pieces if piece.kind == "apart"]
    pieces = [piece for piece in pieces if piece.kind != "apart"]
    if language in _FRENCH_ORDER:
        pieces = _adjectives_first(pieces)
    if language not in SPACED:
        pieces = _links_first(pieces)
    words = _linked(_uses_last(_negations(pieces)))
    return [text for text in (" ".join(words).replace(" ,", ",").rstrip(","), *apart) if text]


def _adjectives_first(pieces: Sequence[Piece]) -> list[Piece]:
    """Move adjectives in front of the nouns before them: "jazz triste" is sad jazz."""
    found: list[Piece] = []
    for piece in pieces:
        at = len(found)
        if piece.kind == "mood":
            while at and found[at - 1].kind in _NOUNS:
                at -= 1
        found.insert(at, piece)
    return found


def _links_first(pieces: Sequence[Piece]) -> list[Piece]:
    """Move links that stand behind their words in front of them: "드럼 없이" is without drums."""
    found: list[Piece] = []
    for piece in pieces:
        at = len(found)
        behind = piece.kind == "after"
        if behind and piece.text in ("not", "without") and at and found[-1].kind == "mood":
            found.insert(at - 1, _NOT)
            continue
        if behind and piece.text == "not":
            continue  # denies a word that is not known
        if behind:
            names = ("instrument",) if at and found[-1].kind == "instrument" else _NOUNS
            while at and (found[at - 1].kind in names or found[at - 1].text == "and"):
                at -= 1
            if piece.text == "without":  # "without bass and drums" denies the bass alone
                found[at:] = [_OR if one.text == "and" else one for one in found[at:]]
                found.append(_COMMA)
        found.insert(at, piece)
    return found


def _negations(pieces: Sequence[Piece]) -> list[Piece]:
    """Put "or", "neither" and "nor" as in English.

    Spanish "ni" is each of them, German "noch" also "still", and "ohne Gesang und Schlagzeug" has
    neither of both.
    """
    found: list[Piece] = []
    denial = ""  # the last one of the phrase
    denied = False  # whether all pieces behind it are instruments, or links between them
    for piece, following in zip(pieces, [*pieces[1:], _COMMA], strict=False):
        if piece.text == "and" and denied and following.kind == "instrument":
            found.append(_OR)
            continue
        if piece.text in ("neither", "nor"):
            if piece.text == "nor" and not denial:
                continue
            piece = _OR if denial == "without" else _NOR if denial else piece
        if piece.text in _DENIALS:
            denial = piece.text
        listed = piece.kind == "instrument" or piece is _OR
        denied = piece.text == "without" or (denied and listed)
        found.append(piece)
    return found


def _uses_last(pieces: Sequence[Piece]) -> list[Piece]:
    uses = [piece for piece in pieces if piece.kind == "use"]
    if not uses:
        return list(pieces)
    left: list[Piece] = []
    for piece in pieces:
        if piece.kind != "use":
            left.append(piece)
        elif left and left[-1].text in ("for", "and", "like"):
            left.pop()
    joined = [one for use in uses for one in (Piece("and", "link"), use)][1:]
    return [*left, Piece("for", "link"), *joined]


def _linked(pieces: Sequence[Piece]) -> list[str]:
    """Return the words without links that have nothing to link, and without repetitions."""
    words: list[str] = []
    links: list[bool] = []
    for piece in pieces:
        link = piece.kind in ("link", "after")
        if words and piece.text == words[-1]:
            continue
        if link and links and links[-1] and piece.text != "only" and words[-1] != "and":
            words.pop()
            links.pop()
        if link and not words and piece.text in _NEVER_FIRST and piece.text != "for":
            continue
        words.append(piece.text)
        links.append(link)
    while words and links[-1] and words[-1] != "only":
        words.pop()
        links.pop()
    return words
