"""The room's front: from what a job names to what is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, ValidationException
from smalt.home import Home
from smalt.service.data import modes, urlmap
from smalt.service.data.contain import inside
from smalt.service.data.copying import Log
from smalt.service.data.datastores import Datastores, LookupDatastore
from smalt.service.data.location import AssetReference, Location
from smalt.service.data.snapshots import Limits, Snapshots
from smalt.service.data.uris import DatastorePath, JobOutput, LocalPath, Parsed, parse, short_form

LookupOutput = Callable[[str, str, str], str | None]
"""(workspace folder, job, output) → the URI of a job's output ("artifacts" among them), None where there is none."""
LookupAsset = Callable[[str, AssetReference], str | None]
"""(workspace folder, reference) → the URI of a registered asset, None where there is none."""
LookupWorkspace = Callable[[str, str, str], str | None]
"""(subscription, resource group, workspace) → its folder, None where there is no such workspace."""

_DEEPEST = 10


class Data:
    """One for a home. `settings` is read at each call, so a change counts at once."""

    def __init__(
        self,
        home: Home,
        settings: Mapping[str, Any],
        lookup_output: LookupOutput,
        lookup_asset: LookupAsset,
        *,
        lookup_datastore: LookupDatastore | None = None,
        lookup_workspace: LookupWorkspace | None = None,
    ) -> None:
        self._settings = settings
        self._lookup_output = lookup_output
        self._lookup_asset = lookup_asset
        self._lookup_workspace = lookup_workspace
        self.datastores = Datastores(home, lookup_datastore)
        self.snapshots = Snapshots(home.path("snapshots"), _limits(settings))

    def folder(self, workspace: str, datastore: str) -> Path:
        return self.datastores.folder(workspace, datastore)

    def resolve(self, uri: str, workspace: str) -> Location:
        """Where a URI, path or asset reference leads; nothing is fetched and nothing need exist."""
        return self._resolve(uri, workspace, uri, 0)

    def prepare_input(
        self, location: Location, type: str | None, mode: str | None, folder: Path, log: Log | None = None
    ) -> Path:
        return modes.prepare_input(location, type, mode, folder, log)

    def prepare_output(self, location: Location, type: str | None, mode: str | None, folder: Path) -> Path:
        return modes.prepare_output(location, type, mode, folder)

    def finish_output(
        self, location: Location, type: str | None, mode: str | None, folder: Path, log: Log | None = None
    ) -> None:
        modes.finish_output(location, type, mode, folder, log)

    def _resolve(self, uri: str, workspace: str, asked: str, depth: int) -> Location:
        if depth > _DEEPEST:
            raise ValidationException(f"{asked} leads from one asset or output to the next without end")
        mapped = self._mapped(uri, None)
        if mapped is not None:
            return Location(asked, mapped)
        parsed = parse(uri)
        mapped = self._mapped(uri, parsed)
        if isinstance(parsed, DatastorePath):
            return self._datastore(parsed, workspace, asked, mapped, late=depth == 0)
        if mapped is not None:
            return Location(asked, mapped)
        if isinstance(parsed, LocalPath):
            return Location(asked, Path(parsed.path))
        if isinstance(parsed, JobOutput):
            return self._output(parsed, workspace, asked, depth)
        if isinstance(parsed, AssetReference):
            return self._asset(parsed, workspace, asked, depth)
        return Location(asked, remote=parsed.url)

    def _mapped(self, uri: str, parsed: Parsed | None) -> Path | None:
        table = self._settings.get("url-map")
        if not table:
            return None
        other = short_form(parsed) if parsed is not None else None
        return urlmap.lookup(table, [uri, other] if other else [uri])

    def _datastore(
        self, parsed: DatastorePath, workspace: str, asked: str, mapped: Path | None, late: bool
    ) -> Location:
        relative = inside(parsed.path)
        if relative is None:
            raise ValidationException(f"{asked} leads out of datastore {parsed.datastore}; write its path without '..'")
        path = (
            mapped
            or self.datastores.folder(self._workspace(parsed.workspace, workspace, asked), parsed.datastore) / relative
        )
        return Location(asked, path, None, parsed.datastore, relative, late)

    def _output(self, parsed: JobOutput, workspace: str, asked: str, depth: int) -> Location:
        found = self._lookup_output(self._workspace(parsed.workspace, workspace, asked), parsed.job, parsed.output)
        if found is None:
            raise NotFound(f"{asked} does not exist: there is no job {parsed.job} with an output {parsed.output!r}")
        return self._below(found, parsed.path, workspace, asked, depth)

    def _asset(self, parsed: AssetReference, workspace: str, asked: str, depth: int) -> Location:
        found = self._lookup_asset(self._workspace(parsed.workspace, workspace, asked), parsed)
        if found is None:
            raise NotFound(f"{asked} is not registered; create the asset first, or check its name and version")
        return self._below(found, "", workspace, asked, depth)

    def _below(self, uri: str, path: str, workspace: str, asked: str, depth: int) -> Location:
        relative = inside(path)
        if relative is None:
            raise ValidationException(f"{asked} leads out of the output; write its path without '..'")
        longer = f"{uri.rstrip('/')}/{relative}" if relative else uri
        return self._resolve(longer, workspace, asked, depth + 1)

    def _workspace(self, scope: tuple[str, str, str] | None, workspace: str, asked: str) -> str:
        if scope is None or self._lookup_workspace is None:
            return workspace
        found = self._lookup_workspace(*scope)
        if found is None:
            raise NotFound(f"{asked} names the workspace {scope[2]}, which this home does not have")
        return found


def _limits(settings: Mapping[str, Any]) -> Limits:
    usual = Limits()
    return Limits(
        int(settings.get("snapshot-max-files") or usual.files),
        int(settings.get("snapshot-max-bytes") or usual.bytes),
    )


__all__ = ["Data", "LookupAsset", "LookupOutput", "LookupWorkspace"]
