"""Copying, importing and exporting data, under the names of `azure.ai.ml.data_transfer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.dsl.builders import make_step, take_fields
from smalt.entities.jobs.data_transfer import Database as Database
from smalt.entities.jobs.data_transfer import DataTransferComponent as DataTransferComponent
from smalt.entities.jobs.data_transfer import DataTransferNode
from smalt.entities.jobs.data_transfer import FileSystem as FileSystem
from smalt.entities.steps.collector import add_step

DataTransferCopy = DataTransferImport = DataTransferExport = DataTransferNode
DataTransferCopyComponent = DataTransferImportComponent = DataTransferExportComponent = DataTransferComponent

__all__ = [
    "DataTransferCopy",
    "DataTransferCopyComponent",
    "DataTransferExport",
    "DataTransferExportComponent",
    "DataTransferImport",
    "DataTransferImportComponent",
    "Database",
    "FileSystem",
    "copy_data",
    "export_data",
    "import_data",
]


def copy_data(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    display_name: str | None = None,
    experiment_name: str | None = None,
    compute: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    is_deterministic: bool = True,
    data_copy_mode: str | None = None,
    **more: Any,
) -> DataTransferNode:
    """Return a step that copies its inputs to its output; calling the step returns one with other inputs."""
    fields = {
        "task": "copy_data", "name": name, "description": description, "tags": tags, "display_name": display_name,
        "experiment_name": experiment_name, "compute": compute, "data_copy_mode": data_copy_mode,
        **take_fields("copy_data", DataTransferNode, more),
    }  # fmt: skip
    node: DataTransferNode = make_step(DataTransferNode, fields, inputs, outputs)
    if not is_deterministic:
        node.__dict__["is_deterministic"] = False
    return node


def import_data(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    display_name: str | None = None,
    experiment_name: str | None = None,
    compute: str | None = None,
    source: Any = None,
    outputs: Mapping[str, Any] | None = None,
    **more: Any,
) -> DataTransferNode:
    """Return a step that fetches data from a database or file system into its output `sink`."""
    fields = {
        "task": "import_data", "name": name, "description": description, "tags": tags, "display_name": display_name,
        "experiment_name": experiment_name, "compute": compute, "source": source,
        **take_fields("import_data", DataTransferNode, more),
    }  # fmt: skip
    node: DataTransferNode = make_step(DataTransferNode, fields, None, outputs or {"sink": {"type": "mltable"}})
    add_step(node)
    return node


def export_data(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    display_name: str | None = None,
    experiment_name: str | None = None,
    compute: str | None = None,
    sink: Any = None,
    inputs: Mapping[str, Any] | None = None,
    **more: Any,
) -> DataTransferNode:
    """Return a step that sends its input `source` to a database or file system."""
    fields = {
        "task": "export_data", "name": name, "description": description, "tags": tags, "display_name": display_name,
        "experiment_name": experiment_name, "compute": compute, "sink": sink,
        **take_fields("export_data", DataTransferNode, more),
    }  # fmt: skip
    node: DataTransferNode = make_step(DataTransferNode, fields, inputs, None)
    add_step(node)
    return node
