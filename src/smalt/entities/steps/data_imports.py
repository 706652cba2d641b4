"""The pipeline job that a data import is, as Azure's client makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalt.entities.jobs.data_transfer import Database, DataTransferNode
from smalt.entities.jobs.inputs import Output
from smalt.entities.jobs.pipeline import PipelineJob

if TYPE_CHECKING:
    from smalt.entities.assets.data_import import DataImport

IMPORT = "data_import_{}"
"""The name of the step and of the experiment of the imports of a data asset."""
IMPORTED = "azureml.materializationAssetName"
"""The property of an import with the name of the data asset."""

_OWN_FOLDER = "${{name}}"


def build_import_job(data: DataImport) -> PipelineJob:
    """Return the job that imports data into a folder of its own, and registers it as the next version."""
    name = IMPORT.format(data.name)
    path = str(data.path).rstrip("/")
    if data.datastore and "://" not in path:
        store = data.datastore.rpartition("/")[2].removeprefix("azureml:")
        path = f"azureml://datastores/{store}/paths/{path.strip('/')}"
    if _OWN_FOLDER not in path:
        path = f"{path}/{_OWN_FOLDER}"
    type = "mltable" if isinstance(data.source, Database) else "uri_folder"
    sink = Output(type=type, path=path, name=data.name, version=data.version)
    step = DataTransferNode(task="import_data", source=data.source, outputs={"sink": sink}, display_name=name)
    return PipelineJob(
        jobs={name: step},
        display_name=name,
        experiment_name=name,
        description=data.description or name,
        tags=dict(data.tags),
        properties={**data.properties, IMPORTED: str(data.name)},
    )
