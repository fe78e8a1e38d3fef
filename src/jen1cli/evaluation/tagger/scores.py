"""Accuracy of each head of the tagger."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jen1cli.evaluation.tagger.features import tempi
from jen1cli.evaluation.tagger.labels import Labels, TaggerTargets, style_family
from jen1cli.evaluation.tagger.network import Answers


def score_answers(
    answers: Answers,
    targets: TaggerTargets,
    attributes: Sequence[Mapping[str, Any]],
    labels: Labels,
    said: Tensor,
    music: Tensor,
) -> dict[str, float]:
    """Return accuracies from 0 to 1, F1 of the instruments, error of the energy.

    Args:
        answers: outputs of the network.
        targets: true labels.
        attributes: attributes of the clips.
        labels: labels of the network.
        said: embeddings of one caption of each clip, [batch, 128], of length 1.
        music: [batch], False for noise and test tones.
    """
    known = targets.style >= 0
    order = answers.style.argsort(1, descending=True)
    hits = order == targets.style[:, None]
    guessed = [style_family(labels.styles[i]) for i in order[:, 0].tolist()]
    families = torch.tensor(
        [a == style_family(f["style"]) for a, f in zip(guessed, attributes, strict=True)]
    )
    found = {
        "style": _share(hits[known, 0]),
        "style_top3": _share(hits[known, :3].any(1)),
        "style_family": _share(families[known]),
        "drums": _share((answers.drums > 0) == (targets.drums > 0.5)),
        "energy_error": float((answers.energy - targets.energy).abs().mean()),
    }
    found |= _instruments(answers.instruments > 0, targets.instruments > 0.5)
    found |= _key(answers.key, targets.key)
    found |= _tempo(answers.tempo, attributes, music)
    return found | _retrieval(functional.normalize(answers.embedding, dim=1), said)


def _share(right: Tensor) -> float:
    return round(float(right.float().mean()), 4) if right.numel() else float("nan")


def _instruments(guess: Tensor, truth: Tensor) -> dict[str, float]:
    right = (guess & truth).sum()
    precision, recall = right / guess.sum().clamp(min=1), right / truth.sum().clamp(min=1)
    f1 = 2 * precision * recall / (precision + recall).clamp(min=1e-9)
    return {
        "instruments_precision": round(float(precision), 4),
        "instruments_recall": round(float(recall), 4),
        "instruments_f1": round(float(f1), 4),
    }


def _key(scores: Tensor, truth: Tensor) -> dict[str, float]:
    known = truth >= 0
    modes = scores.shape[-1]
    guess, truth = scores.flatten(1).argmax(1)[known], truth[known]
    return {
        "key": _share(guess // modes == truth // modes),
        "mode": _share(guess % modes == truth % modes),
        "key_and_mode": _share(guess == truth),
    }


def _tempo(
    scores: Tensor, attributes: Sequence[Mapping[str, Any]], music: Tensor
) -> dict[str, float]:
    guess = tempi()[scores.argmax(1)]
    truth = torch.tensor([float(facts.get("bpm") or 0.0) for facts in attributes])
    known = music & (truth > 0)
    ratio = (guess[known] / truth[known]).log2()
    exact = ratio.abs() <= torch.tensor(1.04).log2()
    octave = (ratio - ratio.round()).abs() <= torch.tensor(1.04).log2()
    return {
        "tempo": _share(exact),
        "tempo_or_octave": _share(octave & (ratio.round().abs() <= 1)),
    }


def _retrieval(heard: Tensor, said: Tensor) -> dict[str, float]:
    """Return the share of captions whose clip is among the nearest ten, and the mean cosines."""
    cosines = said @ heard.T
    rank = (cosines > cosines.diagonal()[:, None]).sum(1)
    count = len(cosines)
    others = (cosines.sum() - cosines.diagonal().sum()) / max(1, count * (count - 1))
    return {
        "text_to_music_top10": _share(rank < 10),
        "cosine_matching": round(float(cosines.diagonal().mean()), 4),
        "cosine_shuffled": round(float(others), 4),
    }
