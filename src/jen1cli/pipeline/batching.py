"""Pieces of one length in batches, each with prompt, seed and controls of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from jen1cli.pipeline.generating import Order, make_pieces
from jen1cli.pipeline.music import Music, record
from jen1cli.progress import Progress
from jen1cli.recipe import DirectionName
from jen1cli.sampling import check_direction, check_seconds

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1


def generate_orders(
    model: "Jen1",
    orders: Sequence[Order],
    seconds: float,
    direction: DirectionName = "bidirectional",
    *,
    batch: int = 0,
    progress: Progress | None = None,
) -> list[Music]:
    """Generate one piece of music per order.

    Args:
        model: a loaded model.
        orders: see `make_pieces`.
        seconds: length of each; music longer than the model's window is made by continuation.
        direction: "unidirectional" lets no frame see a later one.
        batch: fixed size of the batches, in which a piece has the same bits in any company; 0: what
            is fastest on the device.
        progress: called with (steps done, steps in all).

    Raises:
        ConfigError: a setting makes no sense.
    """
    check_seconds(seconds)
    check_direction(direction)
    made = make_pieces(
        model.networks,
        model.config.generation,
        orders,
        seconds,
        causal=direction == "unidirectional",
        batch=batch,
        progress=progress,
    )
    return [
        Music(
            torch.from_numpy(piece.signal),
            model.sample_rate,
            record(
                model,
                "generate",
                piece.settings,
                seed=order.seed,
                prompt=order.prompt,
                seconds=seconds,
                direction=direction,
                context_seconds=model.config.generation.context_seconds,
                batch=max(1, batch),
            ),
        )
        for order, piece in zip(orders, made, strict=True)
    ]
