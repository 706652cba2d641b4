"""The identity of a home, by path and inode, which tells a copied or moved home from the original.

Standard library only, as server, launcher and client need it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple


class HomeIdentity(NamedTuple):
    path: str
    """The real path."""
    device: int
    inode: int

    @classmethod
    def of_folder(cls, folder: str | os.PathLike[str]) -> HomeIdentity:
        status = os.stat(folder)
        return cls(os.path.realpath(folder), status.st_dev, status.st_ino)

    @classmethod
    def from_json(cls, noted: Any) -> HomeIdentity | None:
        """Return the place that was written down as JSON; None where it is absent or no place."""
        try:
            return cls(str(noted["path"]), int(noted["device"]), int(noted["inode"]))
        except (TypeError, KeyError, ValueError):
            return None

    @property
    def to_json(self) -> dict[str, Any]:
        """Return the identity as it is written to the home."""
        return self._asdict()

    @property
    def is_present(self) -> bool:
        """Tell whether the very folder is still there."""
        try:
            return HomeIdentity.of_folder(self.path)[1:] == self[1:]
        except OSError:
            return False

    def is_same(self, other: HomeIdentity) -> bool:
        """Tell whether both are one folder: at the same path, or moved on its file system, or mounted twice."""
        return self.path == other.path or self[1:] == other[1:]

    def is_copied_to(self, other: HomeIdentity) -> bool:
        """Tell whether a home that was here was copied there: it is another folder, and the first is still here."""
        return not self.is_same(other) and self.is_present

    def move_path(self, path: str, to: HomeIdentity) -> str:
        """Return the path of what was at `path` when the home was here, now that it is there."""
        if path != self.path and not path.startswith(f"{self.path}/"):
            return path
        return f"{to.path}{path[len(self.path) :]}"


class Relocation(NamedTuple):
    """A home that is not where it was when it was last served."""

    former: HomeIdentity
    now: HomeIdentity
    is_copy: bool
    """The home that it was copied from is still where it was."""


def find_relocation(noted: Any, root: Path) -> Relocation | None:
    """Compare where the home was with where it is; None where that is the same, or was not written down."""
    former, now = HomeIdentity.from_json(noted), HomeIdentity.of_folder(root)
    if former is None or former.path == now.path:
        return None
    if former.is_same(now) and former.is_present:  # one folder by two paths
        return None
    return Relocation(former, now, former.is_copied_to(now))
