"""Watched folders of datastores: their files, and those of them that changed since the last look."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from smalt.entities.schedules.triggers import DatastoreTrigger
from smalt.exceptions import Unavailable, ValidationException
from smalt.service.data import Location
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.data.uris.uri_forms import DatastorePath, parse_uri
from smalt.service.engine.context import EngineContext
from smalt.service.records.workspaces import Workspace

Files = dict[str, str]
"""Stamps by path below the folder; a stamp is another one whenever the content is."""


class WatchedFolder:
    """The folder that a trigger watches. Make it on the event loop; it raises if there is no such datastore."""

    def __init__(self, context: EngineContext, workspace: Workspace, trigger: DatastoreTrigger) -> None:
        if not isinstance(parse_uri(trigger.path), DatastorePath):
            words = "a schedule watches a folder of a datastore; write it as azureml://datastores/NAME/paths/FOLDER"
            raise ValidationException(f"trigger.path: {words}")
        self._trigger = trigger
        self._location = context.resolve(trigger.path, workspace)

    def list_files(self) -> Files:
        """Return the files directly in the folder; call in a thread."""
        return _list_files(self._location)

    def find_sample(self, files: Files) -> str:
        """Return the URI of a file or folder that exists, in place of the changed file of a tick to come."""
        if files or self._location.exists:
            return make_file_uri(self._trigger, next(iter(files), ""))
        return self._trigger.path.partition("/paths")[0] + "/paths/"


def find_changes(known: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return the paths that were added or changed, in order."""
    return sorted(path for path, stamp in found.items() if known.get(path) != stamp)


def make_file_uri(trigger: DatastoreTrigger, path: str) -> str:
    folder = trigger.path.rstrip("/")
    return f"{folder}/{path}" if "/paths" in folder else f"{folder}/paths/{path}"


def _list_files(location: Location) -> Files:
    """Return the files directly in a folder: neither those of its folders nor those whose names begin with a dot."""
    if location.store is not None:
        return _list_remote_files(location.store, location.relative or "")
    folder, found = str(location.path), Files()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (stamp := _make_stamp(entry)) is not None:
                    found[entry.name] = stamp
    except FileNotFoundError:
        return {}  # whoever writes the first file makes the folder
    except OSError as error:
        raise Unavailable(f"{location.uri} cannot be listed: {error.strerror} ({folder})") from None
    return found


def _make_stamp(entry: os.DirEntry[str]) -> str | None:
    """Return the stamp of a file; None for a folder, and for a file that is gone."""
    try:
        status = entry.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _list_remote_files(store: RemoteStore, folder: str) -> Files:
    start = f"{folder}/" if folder else ""
    found = {one.path.removeprefix(start): one.version for one in store.find_files(folder) if one.path != folder}
    return {path: version for path, version in found.items() if "/" not in path and not path.startswith(".")}
