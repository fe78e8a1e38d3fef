"""Random numbers that are equal on every machine: streams derived from a seed and names."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, no_type_check

import numpy as np

T = TypeVar("T")


@no_type_check  # run-time type checks would slow composing 100 times
class RandomStream:
    """One stream of random numbers; streams of different names are independent."""

    def __init__(self, seed: int, *names: str) -> None:
        digest = hashlib.sha256("/".join(("jen1", str(seed), *names)).encode()).digest()
        self._generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
        self._buffer: list[float] = []
        self._seed = seed
        self._names = names

    def substream(self, *names: str) -> "RandomStream":
        """Return an independent stream derived from this one, which is not advanced."""
        return RandomStream(self._seed, *self._names, *names)

    def random(self) -> float:
        """Return a uniform number in [0, 1)."""
        if not self._buffer:
            self._buffer = self._generator.random(64).tolist()
        return self._buffer.pop()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.random() < probability

    def uniform(self, low: float | int, high: float | int) -> float:
        """Return a uniform number in [low, high)."""
        return low + (high - low) * self.random()

    def integer(self, low: int, high: int) -> int:
        """Return a uniform integer from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def gauss(self, sigma: float) -> float:
        """Return a nearly normal number of this standard deviation σ, within ±3.5 σ.

        It is a sum of four uniform numbers: bit-exact on every platform, unlike a logarithm.
        """
        total = self.random() + self.random() + self.random() + self.random() - 2.0
        return total * 1.7320508075688772 * sigma

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items, all with equal probability."""
        return items[int(self.random() * len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys with probability proportional to its weight.

        The result depends on the order of the keys.
        """
        mark = self.random() * sum(weights.values())
        last = None
        for item, weight in weights.items():
            last = item
            mark -= weight
            if mark < 0:
                return item
        if last is None:
            raise ValueError("no items to choose from")
        return last

    def shuffled(self, items: Sequence[T]) -> Iterator[T]:
        """Yield the items in random order, drawn one at a time."""
        pool = list(items)
        while pool:
            yield pool.pop(int(self.random() * len(pool)))

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` distinct items in random order, or all if there are fewer."""
        pool = list(items)
        chosen: list[T] = []
        while pool and len(chosen) < count:
            chosen.append(pool.pop(int(self.random() * len(pool))))
        return chosen
