"""Evaluation of the bundled text encoder: retrieval of styles, and probes of facts in tokens.

Retrieval finds the style of hand-written prompts that are not in the training data. Each probe
trains an attention-pooled linear reader of one fact on the frozen tokens of one half of the
prompts, and evaluates it on the other half.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from jen1cli.jsonfiles import parse_object, read_lines
from jen1cli.training.text_encoder.data import (
    HIGHEST_BPM,
    LOWEST_BPM,
    HeadTargets,
    encode_targets,
    plain_style,
)
from jen1cli.training.text_encoder.models import Reader, Student
from jen1cli.training.text_encoder.prompts import LabelledPrompt, PromptWriter, words

Vectors = Float[Tensor, "texts features"]
Encode = Callable[[Sequence[str]], Vectors]
_FACTS = ("key", "mode", "drums", "style")


def paraphrases() -> list[tuple[str, tuple[str, ...]]]:
    """Return the hand-written prompts of the package with their correct styles."""
    data = resources.files("jen1cli.training") / "data" / "paraphrases.jsonl"
    items = [parse_object(text, where) for where, text in read_lines(data.read_bytes(), data.name)]
    return [(item["text"], tuple(map(plain_style, item["styles"]))) for item in items]


def names_its_style(text: str, styles: Sequence[str]) -> bool:
    """Whether a prompt contains a name or hint of its styles from the training data."""
    names, hints = words().groups["style"], words().hints
    known = [said for s in styles for said in (*names.get(s, ()), *hints.get(s, ()))]
    return any(re.search(rf"\b{re.escape(said)}\b", text, re.IGNORECASE) for said in known)


def retrieve_styles(
    encode: Encode,
    asked: Sequence[tuple[str, Sequence[str]]],
    examples: Mapping[str, Sequence[str]],
) -> dict[str, float]:
    """Find the nearest style by cosine to the mean vector of each style's examples.

    Args:
        encode: sentences to unit vectors.
        asked: prompts with their correct styles.
        examples: texts of each style: names or captions.

    Returns:
        `top1` and `top3`, shares of prompts whose style is nearest or among the nearest three;
        `unnamed_top1`, over the prompts without a word for their style from the training data;
        and the numbers of `prompts`, of `unnamed_prompts` and of `styles`.
    """
    styles = sorted(examples)
    centres = torch.stack([encode(list(examples[style])).float().mean(0) for style in styles])
    middle = centres.mean(0)
    centres = functional.normalize(centres - middle, dim=-1)
    known = [(text, right) for text, right in asked if set(right) & set(examples)]
    vectors = functional.normalize(encode([text for text, _ in known]).float() - middle, dim=-1)
    right = torch.tensor([[style in known_as for style in styles] for _, known_as in known])
    ranked = (vectors @ centres.T).argsort(dim=-1, descending=True)
    hits = right.gather(1, ranked)
    unnamed = torch.tensor([not names_its_style(text, known_as) for text, known_as in known])
    return {
        "top1": float(hits[:, 0].float().mean()),
        "top3": float(hits[:, :3].any(1).float().mean()),
        "unnamed_top1": float(hits[unnamed, 0].float().mean()),
        "prompts": float(len(known)),
        "unnamed_prompts": float(unnamed.sum()),
        "styles": float(len(styles)),
    }


def probe_tokens(
    student: Student,
    prompts: Sequence[LabelledPrompt],
    *,
    steps: int = 400,
    seed: int = 0,
    only: str = "",
) -> dict[str, float]:
    """Train linear readers on the frozen tokens of half of the prompts, evaluate on the rest.

    Args:
        student: the encoder, unchanged.
        prompts: texts with attributes; the first half for training, the second for evaluation.
        steps: steps of the readers' training, whole batch of 512.
        seed: seed of the readers' batches.
        only: the only fact to probe.

    Returns:
        Accuracy of key, mode, drums and style, `bpm` (within 4 %) and `bpm_exact`, and
        `instruments` and `absent`: F1 over all labels of presence and of exclusion.
    """
    targets = HeadTargets.of(prompts)
    goal = encode_targets(prompts, targets)
    text, mask = _tokens(student, [prompt.text for prompt in prompts])
    half = len(prompts) // 2
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    bins = goal["bpm"].sub(LOWEST_BPM).round().nan_to_num(-1).long()
    bins[(bins < 0) | (bins > HIGHEST_BPM - LOWEST_BPM)] = -1
    report: dict[str, float] = {}
    jobs = [(name, goal[name]) for name in _FACTS] + [("bpm", bins)]
    for name, wanted in jobs:
        if only not in ("", name):
            continue
        rows = (wanted >= 0).nonzero().squeeze(1)
        train, test = rows[rows < half], rows[rows >= half]
        if len(train) == 0 or len(test) == 0:
            continue
        reader = Reader(text.shape[-1], int(wanted.max()) + 1)
        aims = functional.one_hot(wanted.clamp(min=0), reader.linear.out_features).float()
        if name == "bpm":  # neighbouring tempi count as partly correct
            aims = (-0.125 * (torch.arange(aims.shape[1]) - wanted[:, None]).square()).softmax(-1)
        _train_reader(reader, text, mask, aims, train, steps, generator)
        with torch.inference_mode():
            said = reader(text[test].float(), mask[test]).argmax(-1)
        report[name] = float((said == wanted[test]).float().mean())
        if name == "bpm":
            report["bpm_exact"] = report["bpm"]
            ratio = (said + LOWEST_BPM) / (wanted[test] + LOWEST_BPM)
            report["bpm"] = float(((ratio - 1.0).abs() <= 0.04).float().mean())
    kinds = {"instruments": ("instrument/", "says/instrument/"), "absent": ("says/not/",)}
    for kind, starts in kinds.items() if not only else ():
        chosen = [i for i, label in enumerate(targets.labels) if label.startswith(starts)]
        rows = (goal["labels"][:, chosen] >= 0).all(1).nonzero().squeeze(1) if chosen else bins[:0]
        train, test = rows[rows < half], rows[rows >= half]
        if len(train) and len(test):
            wanted = goal["labels"][:, chosen].float()
            report[kind] = _probe_labels(text, mask, wanted, train, test, steps, generator)
    return report


def _train_reader(
    reader: Reader,
    text: Tensor,
    mask: Tensor,
    aims: Tensor,
    rows: Tensor,
    steps: int,
    generator: torch.Generator,
) -> None:
    optimizer = torch.optim.Adam(reader.parameters(), lr=1e-2)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1.0 - step / steps)
        some = rows[torch.randint(len(rows), (min(512, len(rows)),), generator=generator)]
        loss = functional.cross_entropy(reader(text[some].float(), mask[some]), aims[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _probe_labels(
    text: Tensor,
    mask: Tensor,
    wanted: Tensor,
    train: Tensor,
    test: Tensor,
    steps: int,
    generator: torch.Generator,
) -> float:
    """Return F1 of one linear map on every token, with the maximum over tokens."""
    linear = torch.nn.Linear(text.shape[-1], wanted.shape[1])
    optimizer = torch.optim.Adam(linear.parameters(), lr=1e-2)

    def strongest(rows: Tensor) -> Tensor:
        each = linear(text[rows].float())
        return each.masked_fill(~mask[rows][..., None], -30.0).amax(1)

    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1.0 - step / steps)
        some = train[torch.randint(len(train), (min(512, len(train)),), generator=generator)]
        loss = functional.binary_cross_entropy_with_logits(strongest(some), wanted[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        said = strongest(test) > 0
    true = wanted[test] > 0.5
    both = float((said & true).sum())
    return 2.0 * both / max(1.0, float(said.sum() + true.sum()))


@torch.inference_mode()
def _tokens(student: Student, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    ids, mask = student.read(texts)
    made = [
        student.forward(ids[start : start + 256], mask[start : start + 256]).half()
        for start in range(0, len(texts), 256)
    ]
    return torch.cat(made), mask


def encode_seconds(student: Student, prompt: str, repeats: int = 20) -> float:
    """Return the median seconds to encode one prompt on this machine."""
    taken = []
    for _ in range(repeats + 2):
        began = time.perf_counter()
        student.sentence_vectors([prompt])
        taken.append(time.perf_counter() - began)
    return sorted(taken[2:])[repeats // 2]


def made_up_prompts(count: int, seed: int = 20_001, stating: str = "") -> list[LabelledPrompt]:
    """Write prompts.

    Args:
        count: number of prompts.
        seed: of the writer; the default is not a seed of training.
        stating: attribute that every prompt states; "": any.
    """
    writer = PromptWriter(seed)
    prompts: list[LabelledPrompt] = []
    while len(prompts) < count:
        prompt = writer.write()
        if not stating or stating in prompt.attributes:
            prompts.append(prompt)
    return prompts
