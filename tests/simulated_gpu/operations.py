"""Operations on the simulated device: checks, counts, and the recording of graphs."""

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from simulated_gpu.marks import mark, mark_of

if TYPE_CHECKING:
    from simulated_gpu.device import SimulatedGpu

aten = torch.ops.aten

_COPIES = {aten._to_copy.default, aten.copy_.default}
_INDEXING = {
    "aten::index",
    "aten::_unsafe_index",
    "aten::index_put",
    "aten::index_put_",
    "aten::_index_put_impl_",
}
_SYNCS = {
    aten._local_scalar_dense.default: "item",
    aten.item.default: "item",
    aten.is_nonzero.default: "item",
    aten.nonzero.default: "shape",
    aten.masked_select.default: "shape",
    aten.equal.default: "shape",
    aten._unique2.default: "shape",
    aten.repeat_interleave.Tensor: "shape",
    aten.bincount.default: "shape",
}
_NO_BFLOAT16 = ("aten::_fft", "aten::complex", "aten::polar", "aten::linalg_", "aten::_linalg")
_VIEWS = (aten.detach.default, aten.alias.default, aten.lift_fresh.default)


class Operations(TorchDispatchMode):
    def __init__(self, gpu: "SimulatedGpu") -> None:
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, gpu = kwargs or {}, self.gpu
        if gpu.is_quiet:
            found = func(*args, **kwargs)
            self.record(func, args, kwargs, found)
            return found
        if torch.is_inference_mode_enabled() and _is_composite(func):
            with self:  # in inference mode, composite functions arrive whole
                found = func.decompose(*args, **kwargs)
            if found is not NotImplemented:
                return found
        flat = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        marks = [mark_of(tensor) for tensor in flat]
        on = True in marks
        if func is aten.copy_.default and set(marks) == {True, False}:
            if not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False)):
                gpu.sync("h2d" if marks[0] else "d2h")
        elif on:
            self.check(func, args, kwargs, flat, marks)
        gpu.count(on and not _is_view(func))
        found = func(*args, **kwargs)
        self.record(func, args, kwargs, found)
        if func is aten.copy_.default:
            return found
        if on:
            self.check_types(func, mark(found, True))
        elif not flat and torch._C._current_graph_task_id() != -1:
            mark(found, None)  # made by autograd like a tensor that we cannot see
        elif flat and set(marks) == {None}:
            mark(found, None)
        return found

    def record(self, func: Any, args: Any, kwargs: Any, found: Any) -> None:
        """Record an operation of a capture, to write its results again at a replay."""
        if self.gpu.capture is None or _is_view(func):
            return
        outputs = [leaf for leaf in tree_leaves(found) if isinstance(leaf, Tensor)]

        def run() -> None:
            again = [x for x in tree_leaves(func(*args, **kwargs)) if isinstance(x, Tensor)]
            for output, value in zip(outputs, again, strict=True):
                if output is not value:
                    output.copy_(value)

        self.gpu.capture.append(run)

    def check_types(self, func: Any, found: Any) -> None:
        """Refuse results in double precision on a device without it."""
        if not self.gpu.has_float64 and any(
            isinstance(leaf, Tensor) and leaf.dtype in (torch.float64, torch.complex128)
            for leaf in tree_leaves(found)
        ):
            self.gpu.fault(f"{func._schema.name}: no double precision")

    def check(
        self, func: Any, args: Any, kwargs: Any, flat: list[Tensor], marks: list[bool | None]
    ) -> None:
        """Fail where CUDA fails, and count synchronisations, for an operation on the device."""
        gpu, name = self.gpu, func._schema.name
        generator = kwargs.get("generator")
        if generator is not None and not getattr(generator, "simulated", False):
            gpu.fault(f"{name}: generator of the CPU for a tensor of cuda")
        if func in _SYNCS:
            gpu.sync(_SYNCS[func])
        if name in _INDEXING:  # indices may be on the CPU
            indices = [index for index in args[1] if isinstance(index, Tensor)]
            if marks[0] is False:
                gpu.fault(f"{name}: indices of cuda on a tensor of the CPU")
            if any(index.dtype == torch.bool for index in indices):
                gpu.sync("shape")
            if any(mark_of(index) is False for index in indices):
                gpu.sync("h2d")
            return
        on_cpu = [tensor for tensor, on in zip(flat, marks, strict=True) if on is False]
        joins = name.startswith(("aten::cat", "aten::stack")) or "_out" in name
        if func not in _COPIES and any(tensor.dim() > 0 or joins for tensor in on_cpu):
            gpu.fault(f"{name}: tensors of cuda and of the CPU")
        if name.startswith(_NO_BFLOAT16) and any(t.dtype == torch.bfloat16 for t in flat):
            gpu.fault(f"{name}: not implemented for BFloat16")


@functools.cache
def _is_composite(func: Any) -> bool:
    return func not in _SYNCS and func._can_decompose()


@functools.cache
def _is_view(func: Any) -> bool:
    return bool(getattr(func, "is_view", False)) or func in _VIEWS
