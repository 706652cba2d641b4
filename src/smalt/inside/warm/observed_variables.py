"""The environment of a parent takes note of the names that are read, from its first `.pth` file on."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OURS = frozenset({"_SMALT_WARM", "SMALT_CLAIM"})


class _ObservedVariables(type(os.environ)):  # type: ignore[misc]
    reads: set[str] = set()

    def __getitem__(self, name: Any) -> Any:
        self.reads.add(name if isinstance(name, str) else os.fsdecode(name))
        return super().__getitem__(name)

    def __contains__(self, name: Any) -> bool:
        self.reads.add(name if isinstance(name, str) else os.fsdecode(name))
        return bool(super().__contains__(name))


def begin_observation() -> None:
    """Take note of what is read from now on; what was noted before stays."""
    if not _is_observed():
        os.environ.__class__ = _ObservedVariables


def end_observation() -> set[str]:
    """Return the names that were read."""
    observed: Any = type(os.environ)  # of this file, or of the copy that a .pth file ran
    os.environ.__class__ = observed.__mro__[1]
    return set(observed.reads) - _OURS


def _is_observed() -> bool:
    return bool(type(os.environ).__name__ == "_ObservedVariables")


if __name__ == "_smalt_pth":
    begin_observation()
