"""Registered datasets: data assets of v2 that remember what they are in v1."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalt.client.connection.notices import print_notice
from smalt.entities.assets.data import Data
from smalt.exceptions import NotFound
from smalt.v1.data import documents
from smalt.v1.data.datasets import AbstractDataset, FileDataset
from smalt.v1.data.locations import find_type
from smalt.v1.data.tables import TabularDataset
from smalt.v1.exceptions import UserErrorException, raise_as

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace

_DOCUMENT = "azureml.v1.dataset"
"""The property with the dataset's document; an asset without it was made by v2, or by the output of a job."""
_JOB = "smalt.job"
"""The property of an asset that is the output of a job."""
_UNNAMED = "azureml.v1.unnamed"


def register_dataset(
    dataset: AbstractDataset,
    workspace: Workspace,
    name: str,
    description: str | None,
    tags: Mapping[str, str] | None,
    create_new_version: bool,
) -> Any:
    name = make_asset_name(name)
    there = _find_asset(workspace, name, "latest")
    if there is not None:
        if _is_same(there, dataset):
            made = _make_dataset(there, workspace)
            changed = (description not in (None, there.description)) or (tags is not None and dict(tags) != there.tags)
            return made.update(description, tags) if changed else made
        if not create_new_version:
            raise UserErrorException(
                f"there is a dataset '{name}' already with another definition; pass create_new_version=True, or "
                f"another name"
            )
    return _save_dataset(dataset, workspace, name, description, tags, {})


def make_asset_name(name: str) -> str:
    """Return the name of v2's data asset, which has no spaces and signs as v1's datasets may; a notice says so."""
    made = clean_name(name)
    if made != name:
        print_notice(f"dataset '{name}' is the data asset '{made}': names of v2 have letters, digits, '-', '_' and '.'")
    return made


def clean_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", str(name), flags=re.ASCII).lstrip("_.-")[:255] or str(name)


def save_unnamed(dataset: AbstractDataset) -> Any:
    """Return the asset of a dataset that has no name of its own; it gets one by its content."""
    import hashlib

    from smalt.v1.workspace import Workspace

    workspace = dataset._workspace or Workspace.from_config()
    digest = hashlib.sha256(_dump_document(dataset).encode()).hexdigest()[:16]
    name = f"v1-dataset-{digest}"
    there = _find_asset(workspace, name, "latest")
    return (
        there if there is not None else _save_dataset(dataset, workspace, name, None, None, {_UNNAMED: "true"})._asset
    )


def is_named(asset: Any) -> bool:
    return _UNNAMED not in (asset.properties or {})


def update_dataset(dataset: AbstractDataset, description: str | None, tags: Mapping[str, str] | None) -> Any:
    asset = dataset._asset
    if asset is None or dataset._workspace is None:
        raise UserErrorException("only a registered dataset has tags and a description; call register first")
    if description is not None:
        asset.description = description
    if tags is not None:
        asset.tags = {str(key): str(value) for key, value in tags.items()}
    with raise_as(UserErrorException):
        return dataset.with_asset(dataset._workspace.client.data.create_or_update(asset))


def unregister_dataset(dataset: AbstractDataset) -> None:
    if dataset._asset is None or dataset._workspace is None:
        raise UserErrorException("only a registered dataset can be unregistered; call register first")
    client = dataset._workspace.client
    for one in list(client.data.list(name=dataset._asset.name)):
        client.data.archive(one.name, version=one.version)


def find_dataset(workspace: Workspace, name: str, version: Any) -> Any:
    """Return the registered dataset; raises UserErrorException where there is none, or where it was made by v2."""
    name = make_asset_name(name)
    asset = _find_asset(workspace, name, version)
    if asset is None:
        from smalt.entities.schema.problems import did_you_mean

        is_there = _find_asset(workspace, name, "latest") is not None
        known = [] if is_there else [one for one in _list_names(workspace) if one != name]  # it may be archived
        what = f"'{name}'" if version == "latest" else f"'{name}' with version {version}"
        raise UserErrorException(f"the workspace '{workspace.name}' has no dataset {what}{did_you_mean(name, known)}")
    return _make_dataset(asset, workspace)


class RegisteredDatasets(dict[str, Any]):
    """The datasets of a workspace by name, the newest version of each; those that v2 made are not among them."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(_list_datasets(workspace))
        self._workspace = workspace

    def __missing__(self, name: str) -> Any:
        return find_dataset(self._workspace, name, "latest")

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or super().__contains__(clean_name(str(name)))

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name)
        return super().get(clean_name(str(name)), default) if found is None else found


def _list_datasets(workspace: Workspace) -> Iterator[tuple[str, Any]]:
    for name in _list_names(workspace):
        asset = _find_asset(workspace, name, "latest")
        if asset is not None and _find_document(asset) is not None and is_named(asset):
            yield name, _make_dataset(asset, workspace)


def _list_names(workspace: Workspace) -> list[str]:
    return [str(one.name) for one in workspace.client.data.list()]


def _find_asset(workspace: Workspace, name: str, version: Any) -> Any:
    data = workspace.client.data
    try:
        if version in (None, "latest"):
            return data.get(name, label="latest")
        return data.get(name, version=str(version))
    except NotFound:
        return None


def _make_dataset(asset: Any, workspace: Workspace) -> Any:
    document = _find_document(asset)
    if document is None:
        raise UserErrorException(
            f"'{asset.name}' version {asset.version} was made by v2, and v2 data assets cannot be opened by v1; make "
            f"it an input of a v2 job, or register its path by Dataset.File.from_files or Dataset.Tabular.from_…: "
            f"{asset.path}"
        )
    kind = TabularDataset if documents.is_table(document) else FileDataset
    return kind.from_document(document, workspace).with_asset(asset)


def _find_document(asset: Any) -> documents.Document | None:
    """Return the document of a dataset, or of the files that are a job's output; None of data that v2 made."""
    properties = asset.properties or {}
    if _DOCUMENT in properties:
        found: documents.Document = json.loads(str(properties[_DOCUMENT]))
        return found
    kind = {"uri_file": "file", "uri_folder": "folder"}.get(str(asset.type))
    return None if _JOB not in properties or kind is None else {"paths": [{kind: asset.path}], "transformations": []}


def _is_same(asset: Any, dataset: AbstractDataset) -> bool:
    return (asset.properties or {}).get(_DOCUMENT) == _dump_document(dataset)


def _dump_document(dataset: AbstractDataset) -> str:
    return json.dumps(dataset._document, sort_keys=True)


def _save_dataset(
    dataset: AbstractDataset,
    workspace: Workspace,
    name: str,
    description: str | None,
    tags: Mapping[str, str] | None,
    properties: dict[str, str],
) -> Any:
    data = Data(
        name=name,
        description=description,
        tags={str(key): str(value) for key, value in (tags or {}).items()},
        properties={_DOCUMENT: _dump_document(dataset), **properties},
        **_describe_content(dataset, workspace),
    )
    with raise_as(UserErrorException):
        saved = workspace.client.data.create_or_update(data)
    made = type(dataset).from_document(dataset._document, workspace)
    return made.with_asset(saved)


def _describe_content(dataset: AbstractDataset, workspace: Workspace) -> dict[str, str]:
    """Return type and path of the asset: files that are one path stay where they are, all else is an MLTable."""
    paths, steps = dataset._document["paths"], dataset._document["transformations"]
    if not dataset.is_table and len(paths) == 1 and "pattern" not in paths[0] and not _has_choice(steps):
        uri = documents.get_uri(paths[0])
        return {"type": find_type(uri, workspace.client), "path": uri}
    return {"type": "mltable", "path": documents.upload_document(dataset._document, workspace.client)}


def _has_choice(steps: list[Any]) -> bool:
    return any(documents.PARTITIONS not in step for step in steps)
