"""Imports of local data as assets: a read-only copy in the workspace's blob store, under the id of its content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from smalt.exceptions import NotFound, RefusedError, Unavailable
from smalt.service.data.datastores.datastores import DEFAULT, Datastores
from smalt.service.data.files.copying import Log, format_bytes, make_write_error, remove_tree
from smalt.service.data.files.write_protection import find_existing, forbid_writing, is_write_protected, put_in_place
from smalt.service.data.snapshots.manifest import ManifestEntry
from smalt.service.data.snapshots.materialisation import FolderLayout, write_folder
from smalt.service.data.snapshots.snapshots import Snapshot, Snapshots

_LARGE = 100_000_000


@dataclass
class CopyProgress:
    """The progress of a copy."""

    files: int
    bytes: int
    done_files: int = 0
    done_bytes: int = 0


def import_local(
    snapshots: Snapshots,
    datastores: Datastores,
    path: str,
    workspace: str,
    log: Log | None = None,
    going: dict[str, CopyProgress] | None = None,
) -> str:
    """Copy `path` to LocalUpload/<content id>/<name> unless it is there; return its azureml:// URI.

    `going` holds the progress of running copies, by path.
    """
    source = os.path.abspath(path)
    if not os.path.exists(source):
        raise NotFound(f"{path} does not exist; check the path of the asset")
    store = datastores.get_folder(workspace, DEFAULT)
    if f"{os.path.realpath(store)}/".startswith(f"{os.path.realpath(source).rstrip('/')}/"):
        raise RefusedError(
            f"{path} contains the store {store}, which it would be copied to; name the folder of the data"
        )
    name = os.path.basename(source) or "data"
    snapshot, entries = snapshots.identify(source)
    relative = f"LocalUpload/{snapshot.hash}/{name}"
    target = store / relative
    # Somebody may have changed what was registered; this puts it back.
    is_damaged = target.exists() and snapshots.identify(target, ignore=False)[0].hash != snapshot.hash
    if is_damaged or not target.exists():
        if log and snapshot.bytes > _LARGE:
            log(f"copying {source} ({format_bytes(snapshot.bytes)}) to datastore {DEFAULT}")
        progress = CopyProgress(snapshot.files, snapshot.bytes)
        if going is not None:
            going[source] = progress
        try:
            _copy_into_place(snapshots, source, snapshot, entries, target, progress, replace=is_damaged)
        finally:
            if going is not None:
                going.pop(source, None)
    elif not is_write_protected(target):  # an earlier smalt gave it its name first, and was killed
        forbid_writing(target)
    return f"azureml://datastores/{DEFAULT}/paths/{relative}"


def _copy_into_place(
    snapshots: Snapshots,
    source: str,
    snapshot: Snapshot,
    entries: list[ManifestEntry],
    target: Path,
    progress: CopyProgress,
    *,
    replace: bool,
) -> None:
    """Copy the source beside the target, and give the copy its name once it is complete."""
    above = find_existing(target.parent)
    temporary = target.with_name(f".{os.getpid()}.{os.urandom(4).hex()}")
    try:
        _copy_entries(source, entries, temporary, progress)
        if snapshots.identify(source)[0] != snapshot:
            raise Unavailable(f"{source} changed while it was being copied; wait until it is written and try again")
        made = temporary if os.path.isdir(source) else temporary / target.name
        forbid_writing(made)
        put_in_place(made, target, above, replace=replace)
    except FileNotFoundError as error:
        raise NotFound(f"{error.filename} was deleted while it was being copied; try again") from None
    except OSError as error:
        if replace or not target.exists():  # else another submission was first
            raise make_write_error(target, error) from None
    finally:
        remove_tree(temporary)


def _copy_entries(source: str, entries: list[ManifestEntry], target: Path, told: CopyProgress) -> None:
    top = source if os.path.isdir(source) else os.path.dirname(source)
    sizes = {entry.path: entry.size for entry in entries}

    def each(path: str, _: str) -> str:
        told.done_files += 1
        told.done_bytes += sizes[path]
        return os.path.join(top, path)

    write_folder(FolderLayout.from_entries(entries), each, os.fspath(target))
