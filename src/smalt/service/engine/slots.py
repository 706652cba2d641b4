"""Slots: how many processes of steps run at once, and which GPUs each may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    cpus: int = 1
    gpus: int = 0


@dataclass(frozen=True)
class Grant:
    cpus: int
    gpus: tuple[str, ...]


class Slots:
    """The slots of a compute. A request larger than the compute is cut to its size, so that it can run at all."""

    def __init__(self, cpus: int, gpus: Sequence[str] = ()) -> None:
        self.cpus = max(1, cpus)
        self.gpus = tuple(gpus)
        self._free_cpus = self.cpus
        self._free_gpus = list(gpus)

    @property
    def any_free(self) -> bool:
        return self._free_cpus > 0

    @property
    def has_gpus(self) -> bool:
        return bool(self.gpus)

    @property
    def any_gpu_free(self) -> bool:
        return bool(self._free_gpus)

    @property
    def all_taken(self) -> bool:
        """True if all slots are taken and none was forced beyond them."""
        return self._free_cpus == 0

    def take(self, request: Request) -> Grant | None:
        """Return slots for a step; None while too few are free."""
        cpus, gpus = self._cut(request)
        if cpus > self._free_cpus or gpus > len(self._free_gpus):
            return None
        return self.force(request)

    def force(self, request: Request) -> Grant:
        """Return slots for a step that runs already, even if too few are free."""
        cpus, gpus = self._cut(request)
        self._free_cpus -= cpus
        granted, self._free_gpus = tuple(self._free_gpus[:gpus]), self._free_gpus[gpus:]
        return Grant(cpus, granted)

    def give(self, grant: Grant) -> None:
        """Take slots back."""
        self._free_cpus += grant.cpus
        self._free_gpus = sorted([*self._free_gpus, *grant.gpus], key=self.gpus.index)

    def _cut(self, request: Request) -> tuple[int, int]:
        return min(max(1, request.cpus), self.cpus), min(request.gpus, len(self.gpus))


class UnlimitedSlots(Slots):
    """The slots of a compute that queues by itself."""

    def __init__(self) -> None:
        super().__init__(1)

    @property
    def any_free(self) -> bool:
        return True

    @property
    def all_taken(self) -> bool:
        return False

    def take(self, request: Request) -> Grant | None:
        return self.force(request)

    def force(self, request: Request) -> Grant:
        return Grant(request.cpus, ())

    def give(self, grant: Grant) -> None:
        """Take nothing back."""
