"""Folders of default datastores in which smalt stores the content of registered versions, and no job writes."""

from __future__ import annotations

from typing import NamedTuple

from smalt.service.data.datastores.datastores import DEFAULT

UPLOADS = "LocalUpload"
"""Contents that clients uploaded: LocalUpload/DIGEST/NAME."""
VERSIONS = "Versions"
"""Contents that were copied aside, as a job was about to write over them: Versions/KIND/NAME/VERSION/NAME."""
HOME, DATASTORES, STORE = "home", "datastores", "store"
"""Places around these folders: the home, a workspace with its datastores, and a default datastore as a whole."""
_DEPTHS = {UPLOADS: 2, VERSIONS: 4}


class ManagedPath(NamedTuple):
    """The relation of a path to the managed folders."""

    place: str
    """The folder in which it is, `UPLOADS` or `VERSIONS`, or that which it holds with all in it."""
    top: str | None = None
    """The whole content in which it is."""
    digest: str = ""
    """The digest of an upload."""

    @property
    def is_inside(self) -> bool:
        return self.place in _DEPTHS


def find_managed(root: str, real: str) -> ManagedPath | None:
    """Return the relation of a real path to the managed folders of the home at `root`; None if there is none."""
    if f"{root}/workspaces/".startswith(f"{real.rstrip('/')}/"):
        return ManagedPath(HOME)
    if not real.startswith(f"{root}/workspaces/"):
        return None
    parts = real[len(root) + 1 :].split("/")
    if parts[2:4] not in ([], ["datastores"], ["datastores", DEFAULT]) or parts[4:5] not in ([], [UPLOADS], [VERSIONS]):
        return None
    if len(parts) < 5:
        return ManagedPath(STORE if len(parts) == 4 else DATASTORES)
    folder, below = parts[4], parts[5:]
    depth = _DEPTHS[folder]
    top = "/".join([root, *parts[: 5 + depth]]) if len(below) >= depth else None
    return ManagedPath(folder, top, below[0] if folder == UPLOADS and below else "")
