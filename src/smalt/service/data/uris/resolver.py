"""The resolver: from a URI to a location, through assets, job outputs, datastores and the URL map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, ValidationException
from smalt.service.data.datastores.datastores import Datastores
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.data.files.path_containment import normalize_relative
from smalt.service.data.uris import url_map
from smalt.service.data.uris.locations import AssetReference, Location
from smalt.service.data.uris.uri_forms import (
    BucketPath,
    DatastorePath,
    JobOutput,
    LocalFilePath,
    Parsed,
    find_other_spelling,
    parse_uri,
)
from smalt.service.records.workspaces import Workspace

LookupOutput = Callable[[Workspace, str, str], str | None]
"""(workspace, job, output) → the URI of a job's output ("artifacts" among them), None where there is none."""
LookupAsset = Callable[[Workspace, AssetReference], str | None]
"""(workspace, reference) → the URI of a registered asset, None where there is none."""
LookupWorkspace = Callable[[str, str, str], Workspace | None]
"""(subscription, resource group, workspace) → the workspace, None where there is none of these names."""

_DEEPEST = 10
_NAMES = ("azureml:", "/subscriptions/", "models:/")


class Resolver:
    """The resolution of URIs in a home."""

    def __init__(
        self,
        datastores: Datastores,
        settings: Mapping[str, Any],
        lookup_output: LookupOutput,
        lookup_asset: LookupAsset,
        lookup_workspace: LookupWorkspace | None,
    ) -> None:
        self._datastores = datastores
        self._settings = settings
        self._lookup_output = lookup_output
        self._lookup_asset = lookup_asset
        self._lookup_workspace = lookup_workspace

    def resolve(self, uri: str, workspace: Workspace) -> Location:
        return self._resolve_step(uri, workspace, uri, 0)

    def find_incomplete_name(self, uri: str) -> AssetReference | None:
        """Return the asset that `uri` names without version or kind; None for anything else, and for mapped URIs."""
        found = self.find_asset_name(uri)
        return None if found is None or (found.version and found.kind) else found

    def find_asset_name(self, uri: str) -> AssetReference | None:
        """Return the asset that `uri` names; None for anything else, and for mapped URIs."""
        parsed = parse_uri(uri) if uri.startswith(_NAMES) else None
        if not isinstance(parsed, AssetReference):
            return None
        table: Mapping[str, str] = self._settings.get("url-map") or {}
        other = find_other_spelling(parsed)
        return None if table and url_map.find_mapped(table, [uri, other] if other else [uri]) else parsed

    def _resolve_step(self, uri: str, workspace: Workspace, asked: str, depth: int) -> Location:
        if depth > _DEEPEST:
            raise ValidationException(f"{asked} leads from one asset or output to the next without end")
        table: Mapping[str, str] = self._settings.get("url-map") or {}
        if table and (mapped := url_map.find_mapped(table, [uri])):
            return Location(asked, mapped)
        parsed = parse_uri(uri)
        other = find_other_spelling(parsed) if table else None
        if other and (mapped := url_map.find_mapped(table, [uri, other])):
            return Location(asked, mapped)
        return self._resolve_parsed(parsed, workspace, asked, depth)

    def _resolve_parsed(self, parsed: Parsed, workspace: Workspace, asked: str, depth: int) -> Location:
        if isinstance(parsed, LocalFilePath):
            return Location(asked, Path(parsed.path))
        if isinstance(parsed, DatastorePath):
            return self._resolve_datastore(parsed, workspace, asked, depth == 0)
        if isinstance(parsed, JobOutput):
            return self._resolve_output(parsed, workspace, asked, depth)
        if isinstance(parsed, AssetReference):
            return self._resolve_asset(parsed, workspace, asked, depth)
        return self._resolve_url(parsed.url, workspace, asked, isinstance(parsed, BucketPath))

    def _resolve_datastore(self, parsed: DatastorePath, workspace: Workspace, asked: str, late: bool) -> Location:
        relative = normalize_relative(parsed.path)
        if relative is None:
            raise ValidationException(f"{asked} leads out of datastore {parsed.datastore}; write its path without '..'")
        where = self.find_workspace(parsed.workspace, workspace, asked)
        root = self._datastores.get_root(where.folder, parsed.datastore)
        if isinstance(root, RemoteStore):
            return Location(asked, store=root, datastore=parsed.datastore, relative=relative, late=late)
        return Location(asked, root / relative, datastore=parsed.datastore, relative=relative, late=late)

    def _resolve_url(self, url: str, workspace: Workspace, asked: str, is_bucket: bool) -> Location:
        """Return the location of a URL: in the datastore at the same address, else as a file of the web, as public
        blobs are.
        """
        found = self._datastores.find_store(workspace.folder, url, is_bucket)
        if found is None:
            return Location(asked, remote=url)
        store, path, datastore = found
        relative = normalize_relative(path)
        if relative is None:
            raise ValidationException(f"{asked} leads out of its container; write its path without '..'")
        return Location(asked, store=store, datastore=datastore, relative=relative)

    def _resolve_output(self, parsed: JobOutput, workspace: Workspace, asked: str, depth: int) -> Location:
        where = self.find_workspace(parsed.workspace, workspace, asked)
        found = self._lookup_output(where, parsed.job, parsed.output)
        if found is None:
            raise NotFound(f"{asked} does not exist: there is no job {parsed.job} with an output {parsed.output!r}")
        relative = normalize_relative(parsed.path)
        if relative is None:
            raise ValidationException(f"{asked} leads out of the output; write its path without '..'")
        return self._resolve_step(f"{found.rstrip('/')}/{relative}" if relative else found, where, asked, depth + 1)

    def _resolve_asset(self, parsed: AssetReference, workspace: Workspace, asked: str, depth: int) -> Location:
        where = self.find_workspace(parsed.workspace, workspace, asked)
        found = self._lookup_asset(where, parsed)
        if found is None:
            label = f":{parsed.version}" if parsed.version else f"@{parsed.label}"
            is_long = "/subscriptions/" in asked and where.id == workspace.id and parsed.registry is None
            named = f"azureml:{parsed.name}{label}" if is_long else asked
            raise NotFound(f"{named} is not registered; create the asset first, or check its name and version")
        return self._resolve_step(found, where, asked, depth + 1)

    def find_workspace(self, names: tuple[str, str, str] | None, workspace: Workspace, asked: str) -> Workspace:
        """Return the workspace of these names, or `workspace` if there are none."""
        if names is None or self._lookup_workspace is None:
            return workspace
        found = self._lookup_workspace(*names)
        if found is None:
            raise NotFound(f"{asked} names the workspace {names[2]}, which this home does not have")
        return found
