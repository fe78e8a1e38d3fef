"""Train the text encoder of the bundled model: a small T5 distilled from a sentence model.

The mean of the tokens is trained on the teacher's sentence vectors and on similarities within a
batch, so that words outside the captions are embedded near words of similar meaning. Single tokens
are trained on facts that a mean does not preserve (tempo, key, present and absent instruments). The
encoder is frozen afterwards.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from jen1cli.errors import DataError
from jen1cli.files import make_folder, writing
from jen1cli.pipeline.networks import choose_device
from jen1cli.training.engine.events import OnEvent, Prepared, Saved, Stepped, ignore
from jen1cli.training.text_encoder.data import (
    HIGHEST_BPM,
    LOWEST_BPM,
    HeadTargets,
    encode_targets,
    pick_fillers,
    read_captions,
)
from jen1cli.training.text_encoder.english import read_english
from jen1cli.training.text_encoder.models import (
    Heads,
    Student,
    StudentConfig,
    Teacher,
    build_student,
    fit_linear,
    load_student,
    pool,
    start_from_teacher,
)
from jen1cli.training.text_encoder.prompts import (
    LabelledPrompt,
    PromptWriter,
    misspell,
    style_names,
    words,
)
from jen1cli.training.text_encoder.tokenizer import save_tokenizer, train_tokenizer

_READER_WEIGHTS = {"style": 0.3, "key": 0.2, "mode": 0.1, "meter": 0.1, "drums": 0.2}


@dataclass(frozen=True)
class TextEncoderTrainingConfig:
    """Hyperparameters of the distillation."""

    student: StudentConfig = field(default_factory=StudentConfig)
    minutes: float = 15.0  # length of optimisation, without preparation
    steps: int | None = None  # instead of minutes
    batch_size: int = 256
    lr: float = 1.5e-3
    warmup_steps: int = 200
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    made_up_prompts: int = 120_000
    caption_limit: int = 150_000
    text_limit: int = 120_000  # largest number of texts from each file
    shares: tuple[float, float, float] = (0.3, 0.2, 0.5)  # prompts, captions, plain texts
    misspelt: float = 0.15  # share of the texts with a typing error
    temperature: float = 0.05  # temperature of the similarities within a batch
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot train."""
        if self.batch_size < 2 or self.minutes <= 0 or self.lr <= 0:
            raise ValueError("batch_size >= 2, minutes > 0 and lr > 0 are needed")


@dataclass(frozen=True)
class _Corpus:
    """All texts with teacher vectors and targets, and row ranges by kind."""

    texts: list[str]
    vectors: Tensor  # [texts, teacher features] half
    targets: dict[str, Tensor]
    kinds: tuple[range, ...]


def train_text_encoder(
    out: Path,
    *,
    teacher: Path,
    captions: Sequence[Path] = (),
    texts: Sequence[Path] = (),
    init: Path | None = None,
    config: TextEncoderTrainingConfig | None = None,
    device: str = "auto",
    on_event: OnEvent = ignore,
) -> dict[str, float]:
    """Train a text encoder and write it in the Hugging Face layout.

    Args:
        out: folder for `config.json`, `model.safetensors` (half precision) and the tokenizer.
        teacher: folder of a sentence model (BERT layout), used in training only.
        captions: manifests or JSON lines with captions and attributes.
        texts: general English: files with one text per line, or a folder of WordNet.
        init: folder of the initial text encoder, which gives tokenizer and size.
        config: hyperparameters.
        device: as in `Jen1.load`.
        on_event: called on progress.

    Returns:
        means of the losses over the last steps.

    Raises:
        CheckpointError: the folder contains no sentence model.
        ConfigError: the device is not available.
        DataError: a file cannot be read.
    """
    config = config or TextEncoderTrainingConfig()
    torch.manual_seed(config.seed)
    place = choose_device(device)
    master = Teacher(teacher, device=place)
    groups = _gather(captions, texts, config)
    on_event(Prepared("texts", sum(map(len, groups)), sum(map(len, groups))))
    student = load_student(init) if init else _new_student(groups, master, config.student)
    student.model.requires_grad_(True)
    corpus, targets = _prepare(groups, master, on_event)
    heads = Heads(student.model.config.d_model, master.features, targets)
    some = random.Random(config.seed).sample(range(len(corpus.texts)), min(4096, len(corpus.texts)))
    vectors = student.pooled_vectors([corpus.texts[row] for row in some])
    fit_linear(heads.to_teacher, vectors, corpus.vectors[some].float())
    student.model.to(place)  # type: ignore[arg-type] - transformers declares a narrower type
    losses = _fit(student, heads.to(place), corpus, config, on_event)
    student.model.cpu()
    save_text_encoder(student, out)
    on_event(Saved(0, out))
    return losses


def save_text_encoder(student: Student, out: Path) -> None:
    """Write the encoder and its tokenizer; weights in half precision."""
    make_folder(out)
    student.model.config.save_pretrained(str(out))
    weights = dict(student.model.state_dict())
    weights.pop("encoder.embed_tokens.weight", None)  # the same tensor as shared.weight
    halved = {name: value.detach().half().contiguous() for name, value in weights.items()}
    with writing(out / "model.safetensors") as temporary:
        save_file(halved, str(temporary), metadata={"format": "pt"})
    save_tokenizer(student.tokenizer, out, student.max_tokens)


def _new_student(
    groups: Sequence[Sequence[LabelledPrompt]], master: Teacher, config: StudentConfig
) -> Student:
    tokenizer = train_tokenizer(_tokenizer_texts(groups), config.pieces)
    pieces = tokenizer.get_vocab_size()
    if pieces != config.pieces:
        raise DataError(
            f"the texts give {pieces} pieces, not {config.pieces}; add texts or ask for {pieces}"
        )
    student = Student(build_student(config), tokenizer, config.max_tokens)
    spelt = [str(tokenizer.id_to_token(i)).replace("▁", " ").strip() or "," for i in range(pieces)]
    start_from_teacher(student.model, master.encode(spelt).float())
    return student


# -------------------------------------------------------------------- texts
def _gather(
    captions: Sequence[Path], texts: Sequence[Path], config: TextEncoderTrainingConfig
) -> tuple[list[LabelledPrompt], list[LabelledPrompt], list[LabelledPrompt]]:
    """Return synthetic prompts, captions and plain texts."""
    rng = random.Random(config.seed)
    plain: list[str] = []
    for path in texts:
        lines = list(dict.fromkeys(read_english(path)))
        plain += rng.sample(lines, min(len(lines), config.text_limit))
    fillers = pick_fillers(plain, 20_000, config.seed)
    writer = PromptWriter(config.seed, fillers, fillers)
    made_up = [writer.write() for _ in range(config.made_up_prompts)]
    for group, concepts in words().groups.items():
        made_up += [
            LabelledPrompt(said, _facts_of(group, concept))
            for concept, ways in concepts.items()
            for said in (*ways, *(words().hints.get(concept, ()) if group == "style" else ()))
        ]
    known = [prompt for path in captions for prompt in read_captions(path)]
    known = rng.sample(known, min(len(known), config.caption_limit))
    return made_up, known, [LabelledPrompt(text) for text in plain]


def _facts_of(group: str, concept: str) -> dict[str, object]:
    facts: dict[str, object] = {"says": (f"{group}/{concept}",)}
    if group == "style":
        facts["style"] = concept
    return facts


def _tokenizer_texts(groups: Sequence[Sequence[LabelledPrompt]]) -> list[str]:
    rng = random.Random(0)
    music = (
        prompt for group in groups[:2] for prompt in rng.sample(group, min(len(group), 30_000))
    )
    chosen = [prompt.text for prompt in (*music, *groups[2])]
    return chosen + [name for names in style_names().values() for name in names] * 4


def _prepare(
    groups: Sequence[Sequence[LabelledPrompt]], master: Teacher, on_event: OnEvent
) -> tuple[_Corpus, HeadTargets]:
    prompts = [prompt for group in groups for prompt in group]
    targets = HeadTargets.of(prompts)
    texts = [prompt.text for prompt in prompts]
    unique = list(dict.fromkeys(texts))
    vectors = []
    for start in range(0, len(unique), 8192):
        vectors.append(master.encode(unique[start : start + 8192]))
        on_event(Prepared("teacher's vectors", min(len(unique), start + 8192), len(unique)))
    place = {text: index for index, text in enumerate(unique)}
    rows = torch.tensor([place[text] for text in texts])
    kinds, start = [], 0
    for group in groups:
        kinds.append(range(start, start + len(group)))
        start += len(group)
    encoded = encode_targets(prompts, targets)
    return _Corpus(texts, torch.cat(vectors)[rows], encoded, tuple(kinds)), targets


# -------------------------------------------------------------------- optimisation
def _fit(
    student: Student,
    heads: Heads,
    corpus: _Corpus,
    config: TextEncoderTrainingConfig,
    on_event: OnEvent,
) -> dict[str, float]:
    parameters = [*student.model.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=config.lr, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
    )
    rng = random.Random(config.seed + 1)
    batches = _batches(corpus, config, rng)
    began, step, recent = time.monotonic(), 0, {}
    student.model.train()
    while True:
        elapsed = time.monotonic() - began
        share = step / config.steps if config.steps else elapsed / (60.0 * config.minutes)
        if share >= 1.0:
            break
        warm = min(1.0, (step + 1) / config.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = config.lr * warm * (1.0 - 0.99 * share)
        rows = next(batches)
        losses = _losses(student, heads, corpus, rows, config, rng)
        total = sum(losses.values(), torch.zeros(()))
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm)
        optimizer.step()
        step += 1
        for name, value in losses.items():
            recent[name] = 0.98 * recent.get(name, float(value.detach())) + 0.02 * float(
                value.detach()
            )
        if step % 100 == 0:
            rest = elapsed / max(share, 1e-6) - elapsed
            speed = step * config.batch_size / max(elapsed, 1e-6)
            on_event(Stepped(step, share, elapsed, rest, speed, dict(recent)))
    student.model.eval()
    return {"steps": float(step), **recent}


def _batches(
    corpus: _Corpus, config: TextEncoderTrainingConfig, rng: random.Random
) -> Iterator[list[int]]:
    """Yield rows of texts of similar length, in random order."""
    shares = [
        share if len(kind) else 0.0 for share, kind in zip(config.shares, corpus.kinds, strict=True)
    ]
    while True:
        kinds = rng.choices(corpus.kinds, shares, k=16 * config.batch_size)
        rows = sorted((rng.choice(kind) for kind in kinds), key=lambda row: len(corpus.texts[row]))
        cuts = list(range(0, len(rows), config.batch_size))
        rng.shuffle(cuts)
        for cut in cuts:
            yield rows[cut : cut + config.batch_size]


def _losses(
    student: Student,
    heads: Heads,
    corpus: _Corpus,
    rows: Sequence[int],
    config: TextEncoderTrainingConfig,
    rng: random.Random,
) -> dict[str, Tensor]:
    texts = [
        misspell(corpus.texts[row], rng) if rng.random() < config.misspelt else corpus.texts[row]
        for row in rows
    ]
    device = student.model.device
    ids, mask = (part.to(device) for part in student.read(texts))
    with torch.autocast(device.type, dtype=torch.bfloat16):
        text = student.forward(ids, mask)
        said = heads.label_logits(text, mask)
    goal = functional.normalize(corpus.vectors[rows].to(device).float(), dim=-1)
    target = {name: values[rows].to(device) for name, values in corpus.targets.items()}
    pooled = pool(text, mask)
    losses = {
        "teacher": 1.0 - functional.cosine_similarity(heads.to_teacher(pooled), goal).mean(),
        "likeness": 0.3 * likeness_loss(pooled, goal, config.temperature),
    }
    for name, weight in _READER_WEIGHTS.items():
        logits = heads.readers[name](text, mask)
        losses[name] = weight * _known_cross_entropy(logits, target[name])
    likeness = heads.style_likeness(pooled)
    losses["style_pooled"] = 0.2 * _known_cross_entropy(likeness, target["style"])
    losses["bpm"] = tempo_loss(heads.readers["bpm"](text, mask), target["bpm"])
    losses["labels"] = 3.0 * _label_loss(said, target["labels"])
    return losses


def likeness_loss(pooled: Tensor, goal: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of each text's similarities to the rest of the batch.

    Args:
        pooled: mean tokens of the student [batch, features].
        goal: unit vectors of the teacher [batch, teacher features].
        temperature: temperature of both softmaxes.
    """
    own = functional.normalize(pooled, dim=-1)
    away = torch.eye(len(own), dtype=torch.bool, device=own.device)
    ours = (own @ own.T / temperature).masked_fill(away, -1e4).log_softmax(-1)
    theirs = (goal @ goal.T / temperature).masked_fill(away, -1e4).log_softmax(-1)
    return functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def tempo_loss(logits: Tensor, bpm: Tensor) -> Tensor:
    """Cross-entropy to a Gaussian of 1 bpm deviation around the tempo; NaN is ignored.

    Args:
        logits: one class per integer bpm [batch, classes].
        bpm: [batch].
    """
    known = ~bpm.isnan()
    if not known.any():
        return logits.sum() * 0.0
    classes = torch.arange(LOWEST_BPM, HIGHEST_BPM + 1, dtype=logits.dtype, device=logits.device)
    bell = (-0.5 * (classes - bpm[known, None]).square()).softmax(-1)
    return functional.cross_entropy(logits[known], bell) / math.sqrt(2.0)


def _known_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    if not (target >= 0).any():
        return logits.sum() * 0.0
    return functional.cross_entropy(logits, target, ignore_index=-1)


def _label_loss(logits: Tensor, target: Tensor) -> Tensor:
    known = (target >= 0).to(logits.dtype)
    wanted = target.clamp(min=0).to(logits.dtype)
    total = functional.binary_cross_entropy_with_logits(
        logits, wanted, weight=known, reduction="sum"
    )
    return total / known.sum().clamp(min=1.0)
