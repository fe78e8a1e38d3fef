"""A simulated CUDA device: code for a GPU runs on the CPU, under the rules of a GPU.

    with SimulatedGpu() as gpu:
        model = Jen1.load("jen1-mini", device="cuda")
        with gpu.phase("generate"):
            model.generate("x", seconds=2, steps=2)
    assert not gpu.syncs_of("generate")

All tensors stay on the CPU; those that a GPU would hold have a mark on their storage. One mode of
torch acts on functions: it reports the device "cuda", moves marks in `.to`, `.cpu` and factories
with a device, refuses `.numpy()`, and emulates CUDA's autocast. Another acts on operations, in the
backward pass too. It raises `DeviceError` where CUDA fails: tensors of both devices in one
operation (except 0-dimensional CPU tensors, CPU indices and copies), generators of the other
device, transforms in bfloat16. It counts the operations (about one kernel launch each) and the
synchronisations, at which the CPU waits for the GPU, by the line of the project that causes them:

    d2h    .cpu(), .tolist(), copy_ to the CPU
    item   .item(), float(), bool() and int() of a tensor
    h2d    .to("cuda") and torch.tensor(..., device="cuda") from pageable memory
    shape  nonzero, boolean indexing, torch.equal

CUDA graphs are simulated as well: the operations of a capture are recorded, a synchronisation in
it fails, and a replay runs them again on the same tensors, as a GPU does.

Not simulated: the numbers of CUDA's kernels, the size of the memory, streams, NCCL, several
devices, torch.compile.
"""

from simulated_gpu.device import DeviceError, SimulatedGpu

__all__ = ["DeviceError", "SimulatedGpu"]
