"""Slots: how many processes of steps run at once, and which GPUs each may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SlotRequest:
    cpus: int = 1
    gpus: int = 0


@dataclass(frozen=True)
class SlotGrant:
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
    def free_cpus(self) -> int:
        return max(0, self._free_cpus)

    @property
    def free_gpus(self) -> int:
        return len(self._free_gpus)

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

    def take_free(self, request: SlotRequest) -> SlotGrant | None:
        """Return slots for a step; None while too few are free."""
        cpus, gpus = self.cut_to_size(request)
        if cpus > self._free_cpus or gpus > len(self._free_gpus):
            return None
        return self.take_any(request)

    def take_any(self, request: SlotRequest) -> SlotGrant:
        """Return slots for a step that runs already, even if too few are free."""
        cpus, gpus = self.cut_to_size(request)
        self._free_cpus -= cpus
        granted, self._free_gpus = tuple(self._free_gpus[:gpus]), self._free_gpus[gpus:]
        return SlotGrant(cpus, granted)

    def take_again(self, grant: SlotGrant) -> SlotGrant:
        """Take the very slots that a step holds already; of the GPUs those that are free, as another has the rest."""
        gpus = tuple(gpu for gpu in grant.gpus if gpu in self._free_gpus)
        self._free_cpus -= grant.cpus
        self._free_gpus = [gpu for gpu in self._free_gpus if gpu not in gpus]
        return SlotGrant(grant.cpus, gpus)

    def give_back(self, grant: SlotGrant) -> None:
        """Take slots back."""
        self._free_cpus += grant.cpus
        self._free_gpus = sorted([*self._free_gpus, *grant.gpus], key=self.gpus.index)

    def cut_to_size(self, request: SlotRequest) -> tuple[int, int]:
        """Return the CPUs and GPUs that a step of this request gets."""
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

    def take_free(self, request: SlotRequest) -> SlotGrant | None:
        return self.take_any(request)

    def take_any(self, request: SlotRequest) -> SlotGrant:
        return SlotGrant(request.cpus, ())

    def take_again(self, grant: SlotGrant) -> SlotGrant:
        return grant

    def give_back(self, grant: SlotGrant) -> None:
        """Take nothing back."""
