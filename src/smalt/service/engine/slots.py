"""Slots: how many processes of steps the machine runs at once, and which GPUs each may see."""

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
    """A request larger than the machine is cut to the machine, so that it can run at all."""

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
        """Not more than all either, as can be while steps run that nobody was asked about."""
        return self._free_cpus == 0

    def take(self, request: Request, *, force: bool = False) -> Grant | None:
        """Slots for a step, or None when too few are free; `force` is for one that is running already."""
        cpus = min(max(1, request.cpus), self.cpus)
        gpus = min(request.gpus, len(self.gpus))
        if not force and (cpus > self._free_cpus or gpus > len(self._free_gpus)):
            return None
        self._free_cpus -= cpus
        granted, self._free_gpus = tuple(self._free_gpus[:gpus]), self._free_gpus[gpus:]
        return Grant(cpus, granted)

    def give(self, grant: Grant) -> None:
        self._free_cpus += grant.cpus
        self._free_gpus = sorted([*self._free_gpus, *grant.gpus], key=self.gpus.index)
