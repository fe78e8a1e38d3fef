"""CUDA graphs of the U-Net: a step of sampling is one launch instead of hundreds.

A graph repeats a recorded sequence of kernels on the same memory. So there is one for each form of
the inputs: batch (guidance doubles it), frames, tokens and direction. Frames are not rounded up to
larger forms, since self-attention has no mask of frames.
"""

import logging
import os
from collections import OrderedDict
from typing import Any, NamedTuple

import torch
from torch import Tensor

from jen1cli.shapes import Context, Latent, Text, TextMask, Time
from jen1cli.unet.unet import UNet1d

logger = logging.getLogger(__name__)

MOST_GRAPHS = 8
"""Number of graphs that are kept, those used last; each holds its inputs and output."""
SWITCH = "JEN1_CUDA_GRAPHS"
"""Environment variable that turns graphs off if it is 0."""


class GraphKey(NamedTuple):
    """All that a graph depends on besides the weights."""

    batch: int
    channels: int
    frames: int
    context_channels: int
    tokens: int
    causal: bool


class _Captured(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: dict[str, Tensor]  # memory that the graph reads
    output: Tensor  # memory that the graph writes


class GraphedUNet:
    """Calls a U-Net as the U-Net is called, through a graph from the second call of a form on.

    The first call of each form runs the U-Net itself: it is the warm-up in which libraries choose
    and allocate, and a form that is used once needs no graph. If a capture fails, the U-Net itself
    runs from then on, with a warning.
    """

    def __init__(self, unet: UNet1d, most: int = MOST_GRAPHS) -> None:
        """Take a U-Net on a GPU, in evaluation mode; its weights must not move.

        Args:
            unet: the network.
            most: number of graphs that are kept.
        """
        self.unet = unet
        self._most = most
        self._graphs: OrderedDict[GraphKey, _Captured | None] = OrderedDict()  # None: called once
        self._pool: Any = None  # memory that all graphs share, as they run one after the other
        self._works = True

    def __call__(
        self,
        x_t: Latent,
        t: Time,
        *,
        context: Context,
        text: Text,
        text_mask: TextMask,
        causal: bool = False,
    ) -> Latent:
        """Predict as `UNet1d.forward` does."""
        inputs = {"x_t": x_t, "t": t, "context": context, "text": text, "text_mask": text_mask}
        batch, channels, frames = x_t.shape
        key = GraphKey(batch, channels, frames, context.shape[1], text.shape[1], causal)
        if self._works and key in self._graphs:
            captured = self._graphs[key] or self._capture(key, inputs)
            if captured is not None:
                self._graphs.move_to_end(key)
                for name, tensor in inputs.items():
                    captured.inputs[name].copy_(tensor)
                captured.graph.replay()
                return captured.output.clone()  # the next replay writes the memory again
        elif self._works:
            self._graphs[key] = None
            self._forget()
        return self.unet(**inputs, causal=causal)

    @property
    def forms(self) -> list[GraphKey]:
        """Forms that have a graph, the least recently used first."""
        return [key for key, captured in self._graphs.items() if captured is not None]

    def _capture(self, key: GraphKey, inputs: dict[str, Tensor]) -> _Captured | None:
        static = {name: tensor.clone() for name, tensor in inputs.items()}
        graph = torch.cuda.CUDAGraph()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        try:
            # other threads may use the GPU meanwhile: one decodes the music before
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = self.unet(**static, causal=key.causal)
        except RuntimeError as error:  # from CUDA, such as a lack of memory
            self._works = False
            self._graphs.clear()
            logger.warning("no CUDA graphs, which makes steps slower: %s", str(error)[:200])
            return None
        self._graphs[key] = _Captured(graph, static, output)
        return self._graphs[key]

    def _forget(self) -> None:
        while len(self._graphs) > self._most:
            self._graphs.popitem(last=False)


def graphed(unet: UNet1d, device: torch.device) -> UNet1d | GraphedUNet:
    """Return the U-Net, called through graphs on a GPU unless `SWITCH` turns them off."""
    wanted = device.type == "cuda" and os.environ.get(SWITCH, "1") != "0"
    return GraphedUNet(unet) if wanted else unet
