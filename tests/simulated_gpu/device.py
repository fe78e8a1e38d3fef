"""The simulated device: what replaces parts of torch, and the counts."""

import collections
import concurrent.futures
import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from unittest import mock

import torch
from accelerate.state import AcceleratorState

import jen1cli
from simulated_gpu.functions import Functions
from simulated_gpu.marks import CPU, CUDA, is_cuda, mark_of
from simulated_gpu.operations import Operations

_PACKAGE = Path(jen1cli.__file__).parent


class DeviceError(RuntimeError):
    """A GPU would refuse this."""


class Generator(torch.Generator):
    """A generator of the simulated GPU or of the CPU."""

    simulated: bool

    def __new__(cls, device: object = "cpu") -> Self:
        made = super().__new__(cls, device="cpu")
        made.simulated = is_cuda(device)
        return made

    @property
    def device(self) -> torch.device:
        return CUDA if self.simulated else CPU


class SimulatedGpu(contextlib.ExitStack):
    """See the module.

    Args:
        has_float64: False refuses double precision, as MPS does.

    Attributes:
        operations: number of operations on the device, by phase.
        syncs: number of synchronisations, by (phase, kind, place).
    """

    active: "SimulatedGpu | None" = None

    def __init__(self, *, has_float64: bool = True) -> None:
        super().__init__()
        self.has_float64 = has_float64
        self.operations: collections.Counter[str] = collections.Counter()
        self.syncs: collections.Counter[tuple[str, str, str]] = collections.Counter()
        self.capture: list[Callable[[], object]] | None = None
        self._local = threading.local()
        self._phases = ["other"]

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what happens in the block under a name."""
        self._phases.append(name)
        try:
            yield
        finally:
            self._phases.pop()

    def watch(self, owner: object, name: str, phase: str) -> None:
        """Count what happens inside a function under the name of a phase."""
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def wrapped(*args: Any, **kwargs: Any) -> object:
            with self.phase(phase):
                return inner(*args, **kwargs)

        self.enter_context(mock.patch.object(owner, name, wrapped))

    def syncs_of(self, phase: str) -> dict[str, int]:
        """Return the synchronisations of a phase, by kind and place."""
        return {f"{k} {place}": n for (p, k, place), n in self.syncs.items() if p == phase}

    def count(self, is_operation: bool = True) -> None:
        """Count one operation."""
        self.operations[self._phases[-1]] += is_operation

    def sync(self, kind: str) -> None:
        """Count one synchronisation; in the capture of a graph it is an error."""
        if self.capture is not None:
            self.fault(f"{kind} during the capture of a graph")
        self.syncs[self._phases[-1], kind, _place()] += 1

    def fault(self, message: str) -> None:
        """Fail as a GPU would."""
        raise DeviceError(f"{message} at {_place()}")

    @property
    def casts(self) -> list[torch.dtype | None]:
        """Autocast's types of this thread, the innermost last; None: off."""
        if not hasattr(self._local, "casts"):
            self._local.casts = [None]
        return self._local.casts

    @property
    def is_quiet(self) -> bool:
        """Whether this thread is in a block of `quiet`."""
        return getattr(self._local, "quiet", False)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Neither check nor count operations in the block."""
        before, self._local.quiet = self.is_quiet, True
        try:
            yield
        finally:
            self._local.quiet = before

    def __enter__(self) -> Self:
        super().__enter__()
        self._patch(SimulatedGpu, "active", self)
        for name, value in {
            "is_available": lambda: True,
            "device_count": lambda: 1,
            "current_device": lambda: 0,
            "is_bf16_supported": lambda including_emulation=True: True,
            "mem_get_info": lambda device=None: (130 << 30, 139 << 30),
            "get_device_name": lambda device=None: "simulated",
            "set_device": lambda device: None,
            "manual_seed_all": lambda seed: None,
            "manual_seed": lambda seed: None,
            "synchronize": lambda device=None: self.sync("explicit"),
            "empty_cache": lambda: None,
            "get_device_capability": lambda device=None: (9, 0),
            "is_current_stream_capturing": lambda: self.capture is not None,
            "CUDAGraph": Graph,
            "graph": self._captured,
            "graph_pool_handle": lambda: (0, 0),
        }.items():
            self._patch(torch.cuda, name, value)
        self._patch(torch, "Generator", Generator)
        self._patch(torch.nn.modules.rnn.RNNBase, "flatten_parameters", lambda module: None)
        self._patch_autocast()
        self._patch_optimisers()
        self._patch_threads()
        self.enter_context(Functions(self))
        self.enter_context(Operations(self))
        return self

    def _patch(self, owner: object, name: str, value: object) -> None:
        self.enter_context(mock.patch.object(owner, name, value))

    @contextlib.contextmanager
    def _captured(self, graph: "Graph", **options: object) -> Iterator[None]:
        self.capture = graph.recorded
        try:
            yield
        finally:
            self.capture = None

    def _patch_threads(self) -> None:
        # accelerate keeps the device of a process, which later tests would meet
        self.callback(AcceleratorState._reset_state, reset_partial_state=True)
        # transformers' threads, which read a storage at the same time, crash in a mode of torch
        self.enter_context(mock.patch.dict(os.environ, {"HF_DEACTIVATE_ASYNC_LOAD": "1"}))
        submit = concurrent.futures.ThreadPoolExecutor.submit

        def in_modes(pool: Any, function: Callable[..., object], /, *args: Any, **options: Any):
            def run(*inner: Any, **more: Any) -> object:
                with Functions(self), Operations(self):
                    return function(*inner, **more)

            return submit(pool, run, *args, **options)

        self._patch(concurrent.futures.ThreadPoolExecutor, "submit", in_modes)

    def _patch_optimisers(self) -> None:
        grouped = torch._C._group_tensors_by_device_and_dtype

        def group(lists: Any, with_indices: bool = False) -> dict[Any, Any]:
            found = {}
            for (device, dtype), (tensors, places) in grouped(lists, with_indices).items():
                on = any(mark_of(tensor) for tensor in tensors[0] if tensor is not None)
                found[CUDA if on else device, dtype] = (tensors, places)
            return found

        self._patch(torch._C, "_group_tensors_by_device_and_dtype", group)

    def _patch_autocast(self) -> None:
        gpu, cls = self, torch.amp.autocast_mode.autocast
        init, enter, leave = cls.__init__, cls.__enter__, cls.__exit__

        def __init__(self: Any, device_type: str, *args: Any, **options: Any) -> None:
            self.simulated = device_type == "cuda"
            if self.simulated:
                options |= dict(zip(("dtype", "enabled", "cache_enabled"), args, strict=False))
                options["dtype"], args = options.get("dtype") or torch.float16, ()
                self.low = options["dtype"] if options.get("enabled", True) else None
                options["cache_enabled"] = False  # a cached weight loses its gradient's mark
                device_type = "cpu"
            init(self, device_type, *args, **options)

        def __enter__(self: Any) -> object:
            if self.simulated:
                gpu.casts.append(self.low)
            return enter(self)

        def __exit__(self: Any, *error: Any) -> object:
            if self.simulated:
                gpu.casts.pop()
            return leave(self, *error)

        for function in (__init__, __enter__, __exit__):
            self._patch(cls, function.__name__, function)
        enabled, dtype_of = torch.is_autocast_enabled, torch.get_autocast_dtype

        def is_enabled(kind: str | None = None) -> bool:
            return gpu.casts[-1] is not None if kind in (None, "cuda") else enabled(kind)

        def dtype(kind: str) -> torch.dtype:
            return gpu.casts[-1] or torch.bfloat16 if kind == "cuda" else dtype_of(kind)

        self._patch(torch, "is_autocast_enabled", is_enabled)
        self._patch(torch, "get_autocast_dtype", dtype)


def _place() -> str:
    """Return the innermost line of the project, such as "unet/unet.py:120"."""
    frame = sys._getframe(2)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            return f"{file.relative_to(_PACKAGE).as_posix()}:{frame.f_lineno}"
        frame = frame.f_back
    return "outside"


class Graph:
    """Stands for `torch.cuda.CUDAGraph`."""

    def __init__(self, **options: object) -> None:
        self.recorded: list[Callable[[], object]] = []

    def replay(self) -> None:
        """Run the recorded operations on the same tensors."""
        gpu = SimulatedGpu.active
        assert gpu is not None
        gpu.count()  # one launch
        with gpu.quiet(), torch.inference_mode():
            for run in self.recorded:
                run()

    def reset(self) -> None:
        """Forget the operations."""
        self.recorded.clear()
