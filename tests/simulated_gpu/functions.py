"""Functions of torch on the simulated device: where tensors are, and how they get there."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from simulated_gpu.marks import CPU, CUDA, is_cuda, mark, mark_of

if TYPE_CHECKING:
    from simulated_gpu.device import SimulatedGpu

aten = torch.ops.aten

# what CUDA's autocast computes in float32 (torch/csrc/autograd/autocast), by name
_FLOAT32 = """
    acos asin cosh sinh tan erfinv exp expm1 log log10 log1p log2 pow reciprocal rsqrt softmax
    log_softmax softmin softplus layer_norm group_norm norm normalize cumprod cumsum prod sum
    dist cosine_similarity cross_entropy nll_loss l1_loss mse_loss smooth_l1_loss kl_div
    binary_cross_entropy_with_logits renorm
"""
_DEVICE = torch.Tensor.device.__get__  # type: ignore[attr-defined] - a getter
_GETTERS: dict[Any, Callable[[bool | None], object]] = {
    torch.Tensor.is_cuda.__get__: lambda on: on is True,  # type: ignore[attr-defined]
    torch.Tensor.is_cpu.__get__: lambda on: on is not True,  # type: ignore[attr-defined]
    torch.Tensor.get_device: lambda on: 0 if on is True else -1,
}
_AS_NUMPY = (torch.Tensor.numpy, torch.Tensor.__array__)
_MOVES = {torch.Tensor.cpu: False, torch.Tensor.cuda: True}


class Functions(TorchFunctionMode):
    def __init__(self, gpu: "SimulatedGpu") -> None:
        super().__init__()
        self.gpu = gpu

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, gpu = dict(kwargs or {}), self.gpu
        name = getattr(func, "__name__", "")
        if func == _DEVICE:
            real = func(*args)
            return CUDA if real == CPU and mark_of(args[0]) is True else real
        if func in _GETTERS:
            return _GETTERS[func](mark_of(args[0]))
        if func in _AS_NUMPY and mark_of(args[0]) is True:
            gpu.fault("cannot convert a tensor of cuda to numpy")
        if func is torch.Tensor.tolist and mark_of(args[0]) is True:
            gpu.sync("d2h")
            return func(args[0])
        if func is torch.Tensor.new_tensor and kwargs.get("device") is None and mark_of(args[0]):
            kwargs["device"] = CUDA
        if func is torch.Tensor.__deepcopy__:
            return mark(func(*args, **kwargs), mark_of(args[0]))
        if func in _MOVES:
            return self.moved(args[0], _MOVES[func], {})
        if func is torch.Tensor.pin_memory:
            return args[0]
        if func is torch.Tensor.backward:  # hooks and recomputation run inside: stay on
            given = dict(zip(("gradient", "retain_graph", "create_graph"), args[1:], strict=False))
            given |= kwargs
            with self:
                torch.autograd.backward(args[0], given.pop("gradient", None), **given)
            return None
        if name == "pad_sequence":  # its result is made inside C++
            with gpu.quiet():
                return mark(func(*args, **kwargs), mark_of(args[0][0]))
        if name == "_parse_to":
            return func(*args, **kwargs)
        if func is torch.Tensor.to:
            return self.to(*args, **kwargs)
        if kwargs.get("device") is not None:
            return self.made(func, name, args, kwargs)
        if gpu.casts[-1] is not None and name in _FLOAT32.split():
            args, kwargs = tree_map(_in_float32, (args, kwargs))
        return func(*args, **kwargs)

    def to(self, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Stand for `Tensor.to`."""
        copy = bool(kwargs.pop("copy", False))
        like = args[0] if args and isinstance(args[0], Tensor) else kwargs.pop("other", None)
        if like is None:
            device, dtype, non_blocking, layout = torch._C._nn._parse_to(*args, **kwargs)
        else:
            device, dtype = (CUDA if mark_of(like) is True else like.device), like.dtype
            non_blocking = kwargs.get("non_blocking", args[1] if len(args) > 1 else False)
            layout = kwargs.get("memory_format")
        more = {"dtype": dtype, "memory_format": layout}
        more = {name: value for name, value in more.items() if value is not None}
        if device is not None and device.type not in ("cpu", "cuda"):
            return torch.Tensor.to(tensor, *args, **kwargs)
        if device is None or tensor.device.type == "meta":
            return torch.Tensor.to(tensor, **more, copy=copy)
        on = device.type == "cuda"
        if mark_of(tensor) in (None, on):
            return torch.Tensor.to(mark(tensor, on), **more, copy=copy)
        return self.moved(tensor, on, more, bool(non_blocking))

    def moved(self, tensor: Tensor, on: bool, more: Any, non_blocking: bool = False) -> Tensor:
        """Return a copy on the other device, or the tensor itself."""
        if mark_of(tensor) in (None, on):
            tensor = mark(tensor, on)
            return torch.Tensor.to(tensor, **more) if more else tensor
        if on and not self.gpu.has_float64 and more.get("dtype", tensor.dtype) == torch.float64:
            self.gpu.fault("no double precision")
        if not non_blocking or not on:
            self.gpu.sync("h2d" if on else "d2h")
        if tensor.requires_grad and torch.is_grad_enabled():
            return _Moved.apply(tensor, on, more)  # type: ignore[return-value]
        with self.gpu.quiet():
            return mark(aten._to_copy(tensor.detach(), **more), on)

    def made(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Stand for a function that makes a tensor on a device."""
        device = kwargs["device"]
        if not isinstance(device, (str, torch.device, int)) or torch.device(device).type == "meta":
            return func(*args, **kwargs)
        on, generator = is_cuda(device), kwargs.get("generator")
        if generator is not None and getattr(generator, "simulated", False) != on:
            self.gpu.fault(f"generator of {generator.device} for a tensor of {device}")
        if on:
            kwargs["device"] = CPU
        if name in ("tensor", "as_tensor", "asarray", "new_tensor"):
            if on:
                self.gpu.sync("h2d")
            if args and isinstance(args[0], Tensor) and func is torch.as_tensor:
                return self.moved(args[0], on, {})
        with self.gpu.quiet():
            found = func(*args, **kwargs)
        self.gpu.count(on)
        return mark(found, on)


def _in_float32(value: Any) -> Any:
    low = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if low and mark_of(value) else value


class _Moved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, on: bool, more: Any) -> Tensor:
        ctx.back, ctx.dtype = not on, tensor.dtype
        return mark(aten._to_copy(tensor, **more), on)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        return mark(aten._to_copy(grad, dtype=ctx.dtype), ctx.back), None, None
