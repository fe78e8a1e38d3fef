"""The tokenizer of the bundled text encoder: byte-pair encoding without unknown tokens.

Text is lower-cased without accents. Words, punctuation and numbers are separated, so that
"rainy-day" has the pieces of "rainy" and "day". Each digit is one token, so that all numbers share
ten tokens. Letters of other scripts are encoded as bytes. Text ends with `</s>` and is padded with
`<pad>`, as in T5.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from jen1cli.files import make_folder, write_text, writing
from jen1cli.jsonfiles import parse_object

PAD, EOS, UNKNOWN = "<pad>", "</s>", "<unk>"
_SPECIAL = (PAD, EOS, UNKNOWN)
_LETTERS = "▁abcdefghijklmnopqrstuvwxyz0123456789#-&'.,:;|!?()\"/+%$*=<>@_~"
_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))


def train_tokenizer(texts: Iterable[str], pieces: int = 12_288) -> Tokenizer:
    """Train the pieces on texts.

    Args:
        texts: training texts; common words may repeat.
        pieces: size of the vocabulary with 3 special tokens and 256 bytes.

    Raises:
        ValueError: the vocabulary is too small.
    """
    least = len(_SPECIAL) + len(_BYTES) + len(_LETTERS)
    if pieces < least:
        raise ValueError(f"{pieces} pieces cannot hold bytes and letters; use at least {least}")
    learner = _with_text_rules(models.BPE(unk_token=UNKNOWN, byte_fallback=True))
    trainer = trainers.BpeTrainer(
        vocab_size=pieces,
        special_tokens=[*_SPECIAL, *_BYTES],
        initial_alphabet=list(_LETTERS),
        limit_alphabet=len(_LETTERS),
        max_token_length=16,
        min_frequency=2,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = parse_object(learner.to_str(), "the tokenizer")["model"]
    merges = [tuple(merge) for merge in learned["merges"]]
    model = models.BPE(learned["vocab"], merges, unk_token=UNKNOWN, byte_fallback=True)
    made = _with_text_rules(model)  # rebuilt, so that bytes are not special tokens
    made.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL])
    made.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", pair=f"$A {EOS} $B {EOS}", special_tokens=[(EOS, 1)]
    )
    return made


def _with_text_rules(model: models.Model) -> Tokenizer:
    """Return a tokenizer with our normalisation, division into words, and decoding."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("♯", "#"),
            normalizers.Replace("♭", "b"),
            normalizers.Replace(Regex("[‘’`´]"), "'"),
            normalizers.Replace(Regex("[‐‑–—]"), "-"),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.NFC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"[,.;:|!?()\"/&+\-]"), behavior="isolated"),
            pre_tokenizers.Split(Regex("[0-9]+"), behavior="isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="always", split=False),
            pre_tokenizers.Split(Regex("▁?[0-9]"), behavior="isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always")]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_tokens: int = 64) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` in the Hugging Face layout."""
    make_folder(folder)
    with writing(folder / "tokenizer.json") as temporary:
        tokenizer.save(str(temporary))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_tokens,
        "pad_token": PAD,
        "eos_token": EOS,
        "unk_token": UNKNOWN,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
    }
    text = json.dumps(about, indent=2) + "\n"
    write_text(folder / "tokenizer_config.json", text)
