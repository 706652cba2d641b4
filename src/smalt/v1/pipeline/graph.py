"""`azureml.pipeline.core.graph`: parameters and ports of pipelines."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from smalt.v1.command_ports import PortBinding, find_ports
from smalt.v1.data.datasets import AbstractDataset
from smalt.v1.data.references import DataPath
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import DataPort

if TYPE_CHECKING:
    from smalt.v1.commands import CommandParts
    from smalt.v1.workspace import Workspace


class PipelineParameter:
    """A value that a pipeline is submitted with: an input of the pipeline job."""

    def __init__(self, name: str, default_value: Any) -> None:
        if not isinstance(default_value, (str, int, float, bool, DataPath, AbstractDataset)):
            raise UserErrorException(
                f"the default of parameter '{name}' must be text, a number, a boolean, a DataPath or a dataset, not "
                f"{type(default_value).__name__}"
            )
        self.name, self.default_value = name, default_value

    def __str__(self) -> str:
        return f"PipelineParameter_Name:{self.name}_Default:{self.default_value}"

    def __repr__(self) -> str:
        return f"PipelineParameter(name={self.name!r}, default_value={self.default_value!r})"

    def bind_to(self, command: CommandParts) -> str:
        """Add the parameter to the command's inputs, and return the word of its value."""
        return find_ports(command).bind_parameter(self)


class TrainingOutput:
    """The result of an AutoML or sweep step that an output is: its metrics or its model."""

    def __init__(
        self, type: str, iteration: int | None = None, metric: str | None = None, model_file: str | None = None
    ) -> None:
        if type not in ("Model", "Metrics"):
            raise UserErrorException(f"the type of a TrainingOutput is 'Model' or 'Metrics', not {type!r}")
        if iteration is not None and metric is not None:
            raise UserErrorException("a TrainingOutput takes iteration or metric, not both")
        if iteration is not None:
            raise UserErrorException(
                "TrainingOutput: iteration is not served, as the result is that of the best trial; leave it out, or "
                "download the trial's model from its job"
            )
        tell_no_effect("TrainingOutput", {"metric": metric}, "the best trial is that by the primary metric")
        self.type, self.iteration, self.metric, self.model_file = type, iteration, metric, model_file


class InputPortBinding(PortBinding):
    """Data as an input of a step, under a name of its own."""

    def __init__(
        self,
        name: str | None = None,
        bind_object: Any = None,
        bind_mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool | None = None,
        is_resource: bool = False,
        additional_transformations: Any = None,
        **kwargs: Any,
    ) -> None:
        if bind_object is None:
            raise UserErrorException(
                "an InputPortBinding needs a bind_object: PipelineData, a DataReference or a dataset"
            )
        given = {"is_resource": is_resource, "additional_transformations": additional_transformations, **kwargs}
        tell_no_effect("InputPortBinding", given, "an input is read at its path, as it is")
        self._name, self.bind_object, self.bind_mode = name, bind_object, bind_mode
        self.path_on_compute, self.overwrite, self.is_resource = path_on_compute, overwrite, is_resource

    @property
    def name(self) -> str | None:
        return self._name or getattr(self.bind_object, "name", None)

    def as_resource(self) -> InputPortBinding:
        return InputPortBinding(self._name, self.bind_object, self.bind_mode, self.path_on_compute, None, True)

    def to_port(self) -> DataPort:
        port = self.bind_object.to_port()
        return DataPort("inputs", port.source, self.name or port.name, self.bind_mode, self.path_on_compute)


class OutputPortBinding(PortBinding):
    """Data that a step writes, as one of its outputs."""

    needs_list = True

    def __init__(
        self,
        name: str | None = None,
        datastore: Any = None,
        output_name: str | None = None,
        bind_mode: str = "mount",
        path_on_compute: str | None = None,
        is_directory: bool | None = None,
        overwrite: bool | None = None,
        data_type: str | None = None,
        pipeline_output_name: str | None = None,
        training_output: TrainingOutput | None = None,
        dataset_registration: Any = None,
        dataset_output: Any = None,
    ) -> None:
        if dataset_registration is not None or dataset_output is not None:
            raise UserErrorException(
                "OutputPortBinding: a registration is not served; use OutputFileDatasetConfig and register_on_complete"
            )
        tell_no_effect("OutputPortBinding", {"data_type": data_type}, "an output is a file or a folder")
        self.name, self.datastore, self.bind_mode = name or output_name, datastore, bind_mode
        self.path_on_compute, self.is_directory, self.overwrite = path_on_compute, is_directory, overwrite
        self.data_type, self.pipeline_output_name = data_type, pipeline_output_name
        self.training_output, self.producer = training_output, None

    def to_port(self) -> DataPort:
        return DataPort("outputs", self, self.name, self.bind_mode)

    def to_output(self, mode: str | None) -> Any:
        from smalt.v1.pipeline.pipeline_data import make_data_output

        return make_data_output(self, mode)


class InputPortDef:
    """An input that a module declares."""

    def __init__(
        self,
        name: str,
        data_types: Any = None,
        default_datastore_mode: str | None = None,
        default_path_on_compute: str | None = None,
        is_optional: bool = False,
        default_overwrite: bool | None = None,
        default_data_reference_name: str | None = None,
        is_resource: bool = False,
        label: str | None = None,
        additional_transformations: Any = None,
        **kwargs: Any,
    ) -> None:
        given = {
            "default_path_on_compute": default_path_on_compute, "default_overwrite": default_overwrite,
            "default_data_reference_name": default_data_reference_name, "is_resource": is_resource,
            "additional_transformations": additional_transformations, **kwargs,
        }  # fmt: skip
        tell_no_effect("InputPortDef", given, "the data in inputs_map says what is read")
        self.name, self.label, self.is_optional, self.is_resource = name, label, is_optional, is_resource
        self.data_types = data_types or ["AnyFile", "AnyDirectory"]
        self.default_datastore_mode = default_datastore_mode or "mount"
        self.default_path_on_compute, self.default_overwrite = default_path_on_compute, default_overwrite
        self.default_data_reference_name = default_data_reference_name


class OutputPortDef:
    """An output that a module declares."""

    def __init__(
        self,
        name: str,
        default_datastore_name: str | None = None,
        default_datastore_mode: str | None = None,
        default_path_on_compute: str | None = None,
        is_directory: bool = False,
        data_type: str | None = None,
        default_overwrite: bool | None = None,
        training_output: Any = None,
        label: str | None = None,
    ) -> None:
        given = {
            "default_datastore_name": default_datastore_name, "default_datastore_mode": default_datastore_mode,
            "default_path_on_compute": default_path_on_compute, "default_overwrite": default_overwrite,
            "data_type": data_type,
        }  # fmt: skip
        tell_no_effect("OutputPortDef", given, "the data in outputs_map says where it is written")
        self.name, self.label, self.is_directory, self.data_type = name, label, is_directory, data_type
        self.default_datastore_name, self.default_datastore_mode = default_datastore_name, default_datastore_mode
        self.default_path_on_compute, self.default_overwrite = default_path_on_compute, default_overwrite
        self.training_output = training_output


class PipelineDataset(PortBinding):
    """A dataset as an input of a step, as v1 had it before DatasetConsumptionConfig."""

    def __init__(
        self,
        dataset: Any = None,
        name: str | None = None,
        bind_mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
        parameter_name: str | None = None,
    ) -> None:
        tell_no_effect(
            "PipelineDataset", {"parameter_name": parameter_name}, "the dataset is no parameter of the pipeline"
        )
        self.dataset, self.name, self.bind_mode = dataset, name, bind_mode
        self.path_on_compute, self.overwrite, self.parameter_name = path_on_compute, overwrite, parameter_name

    def to_port(self) -> DataPort:
        return DataPort("inputs", self.dataset, self.name, self.bind_mode, self.path_on_compute)


_PICKLED = "model.pkl"
"""The file in the folder of AutoML's best model."""


class PortDataReference(PortBinding):
    """The place of what a step has written."""

    def __init__(self, workspace: Workspace, uri: str, name: str, job: str | None = None) -> None:
        from smalt.v1.data.locations import split_uri

        self._workspace, self.uri, self.name, self._job = workspace, uri, name, job
        place = split_uri(uri)
        self.datastore_name, path = place if place is not None else ("", uri)
        self.path_on_datastore = self._path_on_datastore = path.strip("/")

    def __repr__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.name}"

    @property
    def datastore(self) -> Any:
        from smalt.v1.modules import find_name

        return find_name("azureml.core", "Datastore").get(self._workspace, self.datastore_name)

    def download(self, local_path: str, overwrite: bool | None = None, show_progress: bool | None = None) -> int:
        """Download the files into `local_path`, below their path on the datastore, and return how many they are.

        Files that are there already are replaced, unless `overwrite` is False.
        """
        client = self._workspace.client
        path = self.path_on_datastore
        entries = [one for one in client.datastores.ls(self.datastore_name, path, recursive=True) if not one["is_dir"]]
        is_file = [str(one["path"]).strip("/") for one in entries] == [path]
        target = os.path.join(local_path, posixpath.dirname(path) if is_file else path)
        os.makedirs(target, exist_ok=True)
        if overwrite is False and any(os.path.exists(os.path.join(local_path, str(one["path"]))) for one in entries):
            raise UserErrorException(f"files of '{path}' are in '{local_path}' already; pass overwrite=True")
        if not entries:
            return 0
        client.datastores.download(self.datastore_name, path, target)
        names = {str(one["path"]).strip("/") for one in entries}
        if f"{path}/{_PICKLED}" in names and self._is_best_model():  # v1's AutoML wrote this file alone
            self._path_on_datastore = f"{path}/{_PICKLED}"
        return len(entries)

    def _is_best_model(self) -> bool:
        """Return True if an AutoML step wrote it: no other step of v1 has an output of this type."""
        job: Any = self._workspace.client.jobs.get(self._job) if self._job is not None else None
        return job is not None and getattr(job.outputs.get(self.name), "type", None) == "mlflow_model"

    def to_port(self) -> DataPort:
        from smalt.v1.data.references import DataReference

        return DataReference(self.datastore, self.name, self.path_on_datastore).to_port()

    def as_mount(self, input_name: str | None = None) -> InputPortBinding:
        return InputPortBinding(input_name or self.name, self, "mount")

    def as_download(
        self, input_name: str | None = None, path_on_compute: str | None = None, overwrite: bool | None = None
    ) -> InputPortBinding:
        return InputPortBinding(input_name or self.name, self, "download", path_on_compute, overwrite)

    def as_input(self, input_name: str) -> InputPortBinding:
        return InputPortBinding(input_name, self)
