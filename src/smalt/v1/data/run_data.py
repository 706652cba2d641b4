"""Data of `.runconfig` files: references, datasets and outputs by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.v1.data.consumption import DatasetConsumptionConfig
from smalt.v1.data.outputs import OutputFileDatasetConfig
from smalt.v1.data.references import DataReference
from smalt.v1.exceptions import RunConfigurationException


class _NamedDatastore:
    """A datastore that a file only names."""

    def __init__(self, name: str) -> None:
        self.name = name


def read_run_data(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the section `dataReferences`, `data` or `outputData` of a file says, by name."""
    readers = {"dataReferences": _read_reference, "data": _read_dataset, "outputData": _read_output}
    return {name: readers[key](name, section) for name, section in found.items()}


def _read_reference(name: str, section: Mapping[str, Any]) -> Any:
    store = _NamedDatastore(str(section.get("dataStoreName") or "workspaceblobstore"))
    return DataReference(
        store,
        name,
        section.get("pathOnDataStore"),
        str(section.get("mode") or "mount").lower(),
        section.get("pathOnCompute"),
    )


def _read_dataset(name: str, section: Mapping[str, Any]) -> Any:
    from smalt.v1.data.registration import find_dataset
    from smalt.v1.workspace import Workspace

    location = section.get("dataLocation") or {}
    dataset = location.get("dataset") or {}
    path = location.get("dataPath") or {}
    mode = str(section.get("mechanism") or "mount").lower()
    if dataset.get("name") or dataset.get("id"):
        label, _, version = str(dataset.get("name") or dataset["id"]).partition(":")
        known = find_dataset(Workspace.from_config(), label, dataset.get("version") or version or "latest")
        return DatasetConsumptionConfig(name, known, mode, section.get("pathOnCompute"))
    if path.get("datastoreName"):
        return DataReference(_NamedDatastore(str(path["datastoreName"])), name, path.get("relativePath"), mode)
    raise RunConfigurationException(
        f"the data '{name}' of the run configuration names neither a dataset nor a datastore"
    )


def _read_output(name: str, section: Mapping[str, Any]) -> Any:
    location = section.get("outputLocation") or {}
    path = location.get("dataPath") or {}
    where = (
        (_NamedDatastore(str(path["datastoreName"])), path.get("relativePath") or "")
        if path.get("datastoreName")
        else None
    )
    made = OutputFileDatasetConfig(name, where)
    return made.as_upload() if str(section.get("mechanism") or "mount").lower() == "upload" else made
