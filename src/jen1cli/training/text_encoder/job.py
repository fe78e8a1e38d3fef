"""The job of `jen1 train text-encoder`: trains, evaluates, and writes a model card.

The bundled encoder came from the equivalent of
`jen1 train text-encoder -o OUT --teacher MINILM --captions CORPUS --text WORDS --text WORDNET`,
where MINILM is a folder with all-MiniLM-L6-v2; a file of common words given twice counts twice.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.conditioning.vocabulary import Vocabulary
from jen1cli.files import write_text
from jen1cli.training.engine.events import OnEvent, ignore
from jen1cli.training.text_encoder.data import plain_style, read_captions
from jen1cli.training.text_encoder.distillation import TextEncoderTrainingConfig, train_text_encoder
from jen1cli.training.text_encoder.models import Teacher, load_student
from jen1cli.training.text_encoder.prompts import LabelledPrompt, style_names, words
from jen1cli.training.text_encoder.report import (
    encode_seconds,
    made_up_prompts,
    paraphrases,
    probe_tokens,
    retrieve_styles,
)
from jen1cli.training.text_encoder.style_fitting import fit_styles

CARD = "README.md"
_COMPARED = ("top1", "top3", "unnamed_top1")
_EXAMPLES = 64  # captions per style for its mean vector


@dataclass(frozen=True, kw_only=True)
class TextEncoderJob:
    """Train a text encoder for a bundled model."""

    output: Path
    teacher: Path
    captions: tuple[Path, ...] = ()
    texts: tuple[Path, ...] = ()
    init: Path | None = None  # initial text encoder
    minutes: float = 15.0
    steps: int | None = None
    seed: int = 0
    device: str = "auto"
    config: TextEncoderTrainingConfig | None = None  # None: the default with the numbers above

    def run(self, on_event: OnEvent = ignore) -> Mapping[str, float]:
        """Train, evaluate and write the card; return the figures."""
        config = self.config or TextEncoderTrainingConfig(
            minutes=self.minutes, steps=self.steps, seed=self.seed
        )
        losses = train_text_encoder(
            self.output,
            teacher=self.teacher,
            captions=self.captions,
            texts=self.texts,
            init=self.init,
            config=config,
            device=self.device,
            on_event=on_event,
        )
        fit_styles(self.output, self.captions)
        known_words(self.captions).save(self.output)
        figures = measure_text_encoder(self.output, self.captions, self.teacher)
        figures |= {"steps": losses["steps"], "texts_seen": losses["steps"] * config.batch_size}
        write_card(self.output, figures)
        return figures


def known_words(captions: Sequence[Path]) -> Vocabulary:
    """Return the words of captions, and those that the package has for styles, moods and so on.

    Raises:
        DataError: captions cannot be read.
    """
    lists = words()
    said = [text for group in lists.groups.values() for texts in group.values() for text in texts]
    said += [hint for hints in lists.hints.values() for hint in hints]
    said += [prompt.text for path in captions for prompt in read_captions(path)]
    return Vocabulary.of(said)


def measure_text_encoder(
    folder: Path,
    captions: Sequence[Path] = (),
    teacher: Path | None = None,
    *,
    prompts: int = 6000,
    steps: int = 400,
) -> dict[str, float]:
    """Measure retrieval, probes, size and time of a trained text encoder.

    Args:
        folder: the encoder's folder.
        captions: manifests whose captions outside the training split are probed.
        teacher: sentence model evaluated in the same way, for comparison.
        prompts: number of texts of each probe; half of them train its readers.
        steps: steps of the readers' training.

    Returns:
        Figures by name: `retrieval_...`, `teacher_...`, `probe_...`, `captions_probe_...`.
    """
    student = load_student(folder)
    figures = {
        "parameters": float(sum(p.numel() for p in student.model.parameters())),
        "megabytes": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6,
        "encode_milliseconds": 1e3 * encode_seconds(student, "calm lofi piano at 82 bpm, no drums"),
    }
    both = {name: (*said, *words().hints[name]) for name, said in style_names().items()}
    kinds: dict[str, Mapping[str, Sequence[str]]] = {"names": style_names(), "hints": both}
    held_out = [p for path in captions for p in read_captions(path, training=False)]
    if by_style := _captions_by_style([p for path in captions for p in read_captions(path)]):
        kinds["captions"] = by_style
    asked = paraphrases()
    master = Teacher(teacher) if teacher else None
    for kind, examples in kinds.items():
        found = retrieve_styles(student.sentence_vectors, asked, examples)
        figures |= {f"retrieval_{kind}_{name}": value for name, value in found.items()}
        if master:
            found = retrieve_styles(master.encode, asked, examples)
            figures |= {f"teacher_{kind}_{name}": found[name] for name in _COMPARED}
    probes = probe_tokens(student, made_up_prompts(prompts), steps=steps)
    tempi = probe_tokens(student, made_up_prompts(prompts, stating="bpm"), steps=steps, only="bpm")
    figures |= {f"probe_{name}": value for name, value in (probes | tempi).items()}
    if len(held_out) >= 200:
        some = random.Random(0).sample(held_out, min(prompts, len(held_out)))
        probes = probe_tokens(student, some, steps=steps)
        figures |= {f"captions_probe_{name}": value for name, value in probes.items()}
    return figures


def _captions_by_style(prompts: Sequence[LabelledPrompt]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for prompt in random.Random(0).sample(prompts, len(prompts)):
        style = plain_style(prompt.attributes.get("style") or "")
        if style and len(found[style]) < _EXAMPLES:
            found[style].append(prompt.text)
    return {style: texts for style, texts in found.items() if style in style_names()}


def write_card(folder: Path, figures: Mapping[str, float], state: str = "") -> None:
    """Write the README of the encoder: description, training data and evaluation."""
    lines = [
        "# Text encoder",
        "",
        "A small T5 encoder (`transformers.T5EncoderModel`, half precision) with its own tokenizer,"
        " trained by `jen1 train text-encoder` and frozen. Its tokens are what the U-Net's"
        " cross-attention reads.",
        "",
        *([state, ""] if state else []),
        "Learned from: captions of the project's own composed corpus, prompts made up from the word"
        " lists of the package, and general English (words of SCOWL, public domain; definitions,"
        " examples and synonyms of WordNet 3.0, Princeton University, WordNet licence), all seen"
        " through the sentence vectors of all-MiniLM-L6-v2 (Apache-2.0), the teacher."
        " Licence: Apache-2.0.",
        "",
        "English only; other scripts are read as bytes and mean little to it. Lower case, accents"
        " removed, at most 64 tokens.",
        "",
        "## Measured",
        "",
        "`retrieval` is the share of the hand-written prompts, not used in training, whose style is"
        " nearest (top1) or among three (top3) by cosine of the averaged tokens to the mean of each"
        " style's names, names and hints, or captions (one author wrote prompts and word lists);"
        " `unnamed` counts only prompts that hold no"
        " word that training knew for their style; `teacher` is its own figure. `probe` is"
        " the accuracy of a linear reader on the frozen tokens (bpm: within 4 %; instruments,"
        " absent: F1).",
        "",
        "| what | value |",
        "|---|---|",
        *(f"| {name} | {value:,.4g} |" for name, value in figures.items()),
        "",
    ]
    write_text(folder / CARD, "\n".join(lines))
