"""Processes long signals in bounded memory by overlapping pieces, for all autoencoders.

A layer with a finite receptive field gives the same output for a piece of a signal as for the
whole, except near the two cuts. So each piece is extended by `reach_frames` of its neighbours on
both sides, and only its middle is kept:

    signal   | . . . . . . . . . . . . . . . . |
    piece 1  |[ kept      ] c c                |      c: context, computed and discarded
    piece 2          c c [ kept      ] c c     |
    piece 3                      c c [ kept   ]|      the true ends need no context
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from einops import pack
from torch import Tensor


def apply_overlapped(
    blocks: Iterable[Tensor],
    function: Callable[[Tensor], Tensor],
    *,
    reach_frames: int,
    chunk_frames: int,
    in_hop: int = 1,
    out_hop: int = 1,
) -> Iterator[Tensor]:
    """Apply a function of finite receptive field to a long signal in pieces, without gradients.

    Args:
        blocks: pieces [batch, channels, any number of samples] of the signal, in order; their total
            is a whole number of frames.
        function: maps frames · in_hop samples to frames · out_hop samples.
        reach_frames: frames on each side that one frame of output depends on.
        chunk_frames: frames kept from each call; more need more memory and recompute less.
        in_hop: samples in a frame of the input.
        out_hop: samples in a frame of the output.
    """
    held: list[Tensor] = []
    num_held = 0  # samples
    left = 0  # frames at the start of `held` that are already processed and serve as context
    for block in blocks:
        held.append(block)
        num_held += block.shape[-1]
        while num_held >= (left + chunk_frames + reach_frames) * in_hop:
            signal = _join(held)
            done = left + chunk_frames
            with torch.no_grad():
                output = function(signal[..., : (done + reach_frames) * in_hop])
            yield output[..., left * out_hop : done * out_hop]
            left = min(reach_frames, done)
            held = [signal[..., (done - left) * in_hop :]]
            num_held = held[0].shape[-1]
    if num_held > left * in_hop:
        with torch.no_grad():
            output = function(_join(held))
        yield output[..., left * out_hop :]


def ahead(pieces: Iterator[Tensor]) -> Iterator[Tensor]:
    """Compute the next piece in a thread while the caller processes the current one.

    `None` must not be among the pieces: it marks the end.
    """
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, pieces, None)
        while (piece := waiting.result()) is not None:
            waiting = pool.submit(next, pieces, None)
            yield piece


def pad_to_frames(blocks: Iterable[Tensor], hop_length: int) -> Iterator[Tensor]:
    """Yield the blocks, then zeros that complete the last frame of the signal."""
    samples = 0
    block = None
    for block in blocks:
        samples += block.shape[-1]
        yield block
    if block is not None and samples % hop_length:
        yield block.new_zeros(*block.shape[:-1], -samples % hop_length)


def trim_to_samples(blocks: Iterable[Tensor], samples: int) -> Iterator[Tensor]:
    """Yield blocks up to `samples` samples in total; the last block is trimmed."""
    for block in blocks:
        if samples <= 0:
            return
        yield block[..., :samples]
        samples -= block.shape[-1]


def _join(held: list[Tensor]) -> Tensor:
    if len(held) == 1:
        return held[0]
    return pack(held, "batch channels *")[0]
