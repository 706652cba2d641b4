"""The front of the package: from the data that a job names to files on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, RefusedError, SmaltError
from smalt.machine.home import Home
from smalt.machine.real_path import resolve_path
from smalt.service.data.cache.cache_leases import IsBusy
from smalt.service.data.cache.remote_cache import RemoteCache
from smalt.service.data.cache.url_cache import HINT, Unfinished, UrlCache, mask_url
from smalt.service.data.datastores.datastores import DEFAULTS, Datastores, LookupDatastore
from smalt.service.data.files.copying import Log, move_tree
from smalt.service.data.job_data import access_modes, mltable_inputs
from smalt.service.data.job_data.local_imports import CopyProgress, import_local
from smalt.service.data.snapshots.snapshots import SnapshotLimits, Snapshots
from smalt.service.data.uris.locations import Location, parse_place
from smalt.service.data.uris.resolver import LookupAsset, LookupOutput, LookupWorkspace, Resolver
from smalt.service.records.workspaces import Workspace

_QUICK_COPY = 4_000_000
_CACHE = 50_000_000_000
OWN = tuple(f"azureml://datastores/{name}/" for name in DEFAULTS)
"""The beginnings of URIs in the datastores that every workspace has, which never lead elsewhere."""
_FOLDER_TYPES = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})


class DataAccess:
    """The data of a home. `settings` is read at each call, so a change takes effect at once.

    Calls that can take long (`prepare_input` and `check_exists` of a URL, copies) block: call them in a thread,
    unless `is_quick` says otherwise.
    """

    def __init__(
        self,
        home: Home,
        settings: Mapping[str, Any],
        lookup_output: LookupOutput,
        lookup_asset: LookupAsset,
        *,
        lookup_datastore: LookupDatastore | None = None,
        lookup_workspace: LookupWorkspace | None = None,
        is_busy: IsBusy | None = None,
        unfinished: Unfinished | None = None,
    ) -> None:
        limit, busy = _read_cache_limit(settings), is_busy or set
        self.remote = RemoteCache(home.path("cache", "remote"), limit, busy)
        self.datastores = Datastores(home, self.remote, settings, lookup_datastore)
        self.snapshots = Snapshots(home.path("snapshots"), lambda: _read_limits(settings))
        self.going: dict[str, CopyProgress] = {}
        self.urls = UrlCache(home.path("cache", "urls"), limit, busy, unfinished or set)
        self.resolver = Resolver(self.datastores, settings, lookup_output, lookup_asset, lookup_workspace)

    def resolve(self, uri: str, workspace: Workspace) -> Location:
        """Return the location of a URI, path or asset reference; nothing is fetched and nothing need exist."""
        return self.resolver.resolve(uri, workspace)

    def locate(self, uri: str, workspace: Workspace) -> Location:
        """Return the real location of a URI now, through all links, so that data moved later is not followed."""
        found = self.resolve(uri, workspace)
        if found.path is None:
            return found
        real = resolve_path(found.path)
        path = found.path if real == str(found.path) else Path(real)
        return Location(
            found.uri, path, datastore=found.datastore, relative=found.relative, late=found.late, name=found.path.name
        )

    def locate_again(self, uri: str, workspace: Workspace, place: str) -> Location:
        """Return the place recorded for a URI; raise Refused if it cannot be determined any more."""
        path = parse_place(place)
        if path is not None:
            return Location(uri, Path(path), name=os.path.basename(path))
        if place.startswith(("http://", "https://")) and not self.resolve(uri, workspace).store:
            return Location(uri, remote=place)
        found = self.locate(uri, workspace)
        if found.place != place:
            raise RefusedError(
                f"{uri} was {place} when the step first started, and is {found.place} now; submit it again"
            )
        return found

    def check_exists(self, uri: str, workspace: Workspace, type: str | None = None) -> str | None:
        """Return an error sentence if `uri` must exist before the first step starts and does not."""
        try:
            location = self.resolve(uri, workspace)
            if location.store is not None:
                listed = location.late or location.store.find_files(location.relative or "")
                return None if listed else access_modes.explain_missing(location)
            if location.remote is not None:
                _refuse_folder(location, type)
                return self.urls.check(location.remote)
        except SmaltError as error:
            return str(error)
        return None if location.late or location.exists else access_modes.explain_missing(location)

    def is_quick(self, location: Location, mode: str | None) -> bool:
        """True if `prepare_input` returns at once: nothing is remote, and nothing large has to be copied."""
        path = location.path
        if path is None or mode not in access_modes.COPIED:
            return path is not None
        try:
            return path.is_file() and path.stat().st_size <= _QUICK_COPY
        except OSError:
            return True  # the error is quick, too

    async def get_remote_size(self, location: Location) -> int:
        """Return the bytes that a remote datastore has at a location now; 0 if unknown beforehand."""
        store = location.store
        if store is None:
            return 0
        return sum(found.size for found in await asyncio.to_thread(store.find_files, location.relative or ""))

    async def fetch(self, location: Location, log: Log | None = None, type: str | None = None, run: int = 0) -> Path:
        """Return the path of a location once remote data has been fetched: from the web, once for the pipeline
        `run`.
        """
        return await asyncio.to_thread(self._fetch_path, location, type, log, None, run)

    def prepare_input(
        self,
        location: Location,
        type: str | None,
        mode: str | None,
        folder: str | os.PathLike[str],
        log: Log | None = None,
        run: int = 0,
    ) -> Path:
        """Return the path from which the job reads a location; `folder` is this input's own, created when needed.

        Slow at most once: a second call, with everything fetched and copied already, returns the same path at
        once.
        """
        if not location.is_remote and mode not in access_modes.COPIED:
            return access_modes.prepare_input(location, type, mode, folder, log)
        folder = Path(folder)
        access_modes.begin_input(folder, location.place)
        known = access_modes.find_prepared(folder)
        if known is not None:
            return known
        if location.store is not None and mode == "rw_mount":
            raise RefusedError(
                f"{location.uri} is not on this machine and cannot be an input of mode rw_mount; make it ro_mount"
            )
        path = self._fetch_path(location, type, log, folder, run)
        here = replace(location, path=path, store=None, remote=None)
        found = access_modes.prepare_input(here, type, mode, folder, log)
        if location.is_remote:
            access_modes.record_prepared(folder, found)
        return found

    def prepare_table(
        self,
        table: Path,
        workspace: Workspace,
        folder: str | os.PathLike[str],
        log: Log | None = None,
        run: int = 0,
    ) -> dict[str, str]:
        """Return {URI: path} of the data that the MLTable in `table` refers to by URI; `folder` is as in
        `prepare_input`.
        """
        return {
            uri: str(self.prepare_input(self.locate(uri, workspace), None, None, f"{folder}.{index}", log, run))
            for index, uri in enumerate(mltable_inputs.list_uris(table))
        }

    def prepare_output(
        self, location: Location, type: str | None, mode: str | None, folder: str | os.PathLike[str]
    ) -> Path:
        """Return the path that the job writes; for `upload`, and for outputs in a remote datastore, one in `folder`."""
        return access_modes.prepare_output(location, type, mode, folder)

    def is_remote_output(self, uri: str, workspace: Workspace) -> bool:
        """True if an output at `uri` has to be uploaded when its command has ended."""
        if uri.startswith(OWN):  # by far the most
            return False
        try:
            return self.resolve(uri, workspace).store is not None
        except SmaltError:
            return False  # told when the place is made

    def finish_output(
        self,
        uri: str,
        workspace: Workspace,
        type: str | None,
        mode: str | None,
        folder: str | os.PathLike[str],
        log: Log | None = None,
    ) -> None:
        """Move or upload an output to its place if its command wrote it elsewhere; safe to repeat."""
        if mode == access_modes.UPLOADED or self.is_remote_output(uri, workspace):
            access_modes.finish_output(self.resolve(uri, workspace), type, mode, folder, log)

    def move_into(self, source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        """Move a file or folder, merging with what is there; safe to repeat, and a missing source is fine."""
        move_tree(source, target)

    def import_local(self, path: str, workspace: Workspace, log: Log | None = None) -> str:
        """Store a local file or folder as the content of an asset version; return the URI of the read-only copy."""
        return import_local(self.snapshots, self.datastores, path, workspace.folder, log, self.going)

    def _fetch_path(
        self, location: Location, type: str | None, log: Log | None, folder: Path | None = None, run: int = 0
    ) -> Path:
        user = folder.parent.parent if folder else None
        if location.store is not None:
            return self.remote.fetch_tree(location.store, location.relative or "", user, log)
        if location.remote is not None:
            _refuse_folder(location, type)
            return self.urls.fetch(location.remote, user, log, run)
        if location.path is None or not location.exists:
            raise NotFound(access_modes.explain_missing(location))
        return location.path


def _refuse_folder(location: Location, type: str | None) -> None:
    url = location.remote or ""
    if type in _FOLDER_TYPES or url.partition("?")[0].endswith("/"):
        raise RefusedError(
            f"{mask_url(location.uri)} is a folder of the web, and smalt fetches single files only; {HINT}"
        )


def _read_cache_limit(settings: Mapping[str, Any]) -> Callable[[], int]:
    return lambda: int(settings.get("remote-cache-max-bytes") or _CACHE)


def _read_limits(settings: Mapping[str, Any]) -> SnapshotLimits:
    usual = SnapshotLimits()
    files, size = settings.get("snapshot-max-files"), settings.get("snapshot-max-bytes")
    return SnapshotLimits(int(files or usual.files), int(size or usual.bytes))
