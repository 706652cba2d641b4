"""`azureml.pipeline.core.PipelineData`: data that goes from one step to another."""

from __future__ import annotations

import re
from typing import Any

from smalt.entities.jobs.inputs import Output
from smalt.v1.command_ports import PortBinding
from smalt.v1.data.factories import PromoteHeadersBehavior
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.graph import InputPortBinding, TrainingOutput
from smalt.v1.ports import MODES, DataPort

_NAME = re.compile(r"\w+", re.ASCII)


class PipelineData(PortBinding):
    """A folder or file that a step writes and others read; `producer` is the step, once there is one."""

    needs_list = True

    def __init__(
        self,
        name: str,
        datastore: Any = None,
        output_name: str | None = None,
        output_mode: str = "mount",
        output_path_on_compute: str | None = None,
        output_overwrite: bool | None = None,
        data_type: str | None = None,
        is_directory: bool | None = None,
        pipeline_output_name: str | None = None,
        training_output: TrainingOutput | None = None,
    ) -> None:
        for text in (name, output_name or name):
            if not isinstance(text, str) or not _NAME.fullmatch(text):
                raise UserErrorException(f"'{text}' cannot be the name of PipelineData; use letters, digits and '_'")
        if output_mode not in ("mount", "upload"):
            raise UserErrorException(f"the output_mode of PipelineData is mount or upload, not {output_mode!r}")
        given = {
            "output_path_on_compute": output_path_on_compute, "data_type": data_type,
            "output_overwrite": output_overwrite,
        }  # fmt: skip
        tell_no_effect("PipelineData", given)
        self.name, self.datastore, self.output_name = name, datastore, output_name or name
        self.output_mode, self.data_type, self.is_directory = output_mode, data_type, is_directory
        self.pipeline_output_name, self.training_output = pipeline_output_name, training_output
        self.producer: Any = None

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.name}"

    def __repr__(self) -> str:
        return str(self)

    def as_mount(self, input_name: str | None = None) -> InputPortBinding:
        return self.create_input_binding(input_name, "mount")

    def as_download(
        self, input_name: str | None = None, path_on_compute: str | None = None, overwrite: bool | None = None
    ) -> InputPortBinding:
        return self.create_input_binding(input_name, "download", path_on_compute, overwrite)

    def as_input(self, input_name: str) -> InputPortBinding:
        return self.create_input_binding(input_name)

    def create_input_binding(
        self,
        input_name: str | None = None,
        mode: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool | None = None,
    ) -> InputPortBinding:
        if mode not in (None, "mount", "download"):
            raise UserErrorException(f"the mode of an input is mount or download, not {mode!r}")
        return InputPortBinding(input_name or self.name, self, mode or "mount", path_on_compute, overwrite)

    def get_env_variable_name(self) -> str:
        return str(self)

    def as_dataset(self) -> PipelineOutputFileDataset:
        """Return the data as a dataset, for the step that reads it."""
        return PipelineOutputFileDataset(self)

    def to_port(self) -> DataPort:
        return DataPort("outputs", self, self.output_name, self.output_mode)

    def to_output(self, mode: str | None) -> Output:
        return make_data_output(self, mode)


def make_data_output(source: Any, mode: str | None) -> Output:
    """Return the output of v2 for PipelineData: a file where the program says that it is no folder."""
    made = Output(type="uri_file" if source.is_directory is False else "uri_folder")
    if mode == "upload":
        made.mode = MODES[mode]
    if source.datastore is not None and source.datastore.name != "workspaceblobstore":
        made.path = f"azureml://datastores/{source.datastore.name}/paths/azureml/${{{{name}}}}/{source.name}"
    if (registration := getattr(source, "registration", None)) is not None:
        made.name = registration
    return made


class PipelineOutputAbstractDataset(PortBinding):
    """PipelineData as a dataset."""

    needs_list = True

    def __init__(self, pipeline_data: PipelineData) -> None:
        self._data = pipeline_data
        self._input_name: str | None = None
        self._mode = "mount"
        self.transformations: list[Any] = []

    @property
    def name(self) -> str:
        return self._data.name

    @property
    def input_name(self) -> str:
        return self._input_name or self._data.name

    @property
    def producer(self) -> Any:
        return self._data.producer

    @producer.setter
    def producer(self, step: Any) -> None:
        self._data.producer = step

    def get_origin(self) -> PipelineData:
        return self._data

    def register(self, name: str, create_new_version: bool = True) -> Any:
        """Let the data become a data asset when its step has ended."""
        if not create_new_version:
            given = {"create_new_version": "False"}
            tell_no_effect(f"{type(self).__name__}.register", given, "each run registers a new version")
        self._data.registration = name  # type: ignore[attr-defined]
        return self

    def as_named_input(self, name: str) -> Any:
        made = self._copy()
        made._input_name = name
        return made

    def create_input_binding(self) -> InputPortBinding:
        return InputPortBinding(self.input_name, self, self._mode)

    def to_port(self) -> DataPort:
        return DataPort("outputs", self, self.input_name, self._mode)

    def to_output(self, mode: str | None) -> Output:
        return self._data.to_output(self._data.output_mode)

    def _copy(self) -> Any:
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        made.transformations = list(self.transformations)
        return made


class PipelineOutputFileDataset(PipelineOutputAbstractDataset):
    """PipelineData as a dataset of files."""

    def as_mount(self, path_on_compute: str | None = None) -> PipelineOutputFileDataset:
        tell_no_effect("PipelineOutputFileDataset.as_mount", {"path_on_compute": path_on_compute})
        return self._with_mode("mount")

    def as_download(self, path_on_compute: str | None = None) -> PipelineOutputFileDataset:
        tell_no_effect("PipelineOutputFileDataset.as_download", {"path_on_compute": path_on_compute})
        return self._with_mode("download")

    def as_direct(self) -> PipelineOutputFileDataset:
        return self._with_mode("direct")

    def _with_mode(self, mode: str) -> PipelineOutputFileDataset:
        made: PipelineOutputFileDataset = self._copy()
        made._mode = mode
        return made

    def parse_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,
        file_extension: str = "",
        set_column_types: Any = None,
        quoted_line_breaks: bool = False,
    ) -> PipelineOutputTabularDataset:
        """Return the data as a table of separated values."""
        kind = header.value if isinstance(header, PromoteHeadersBehavior) else header
        options = {
            "delimiter": separator, "header": kind, "include_path_column": include_path,
            "support_multi_line": quoted_line_breaks,
        }  # fmt: skip
        if file_extension not in (None, "", ".parquet"):
            given = {"file_extension": file_extension}
            tell_no_effect("PipelineOutputFileDataset.parse_…_files", given, "all files of the output are read")
        _refuse_format(partition_format, set_column_types)
        return PipelineOutputTabularDataset(self, [{"read_delimited": options}])

    def parse_parquet_files(
        self,
        include_path: bool = False,
        partition_format: str | None = None,
        file_extension: str | None = ".parquet",
        set_column_types: Any = None,
    ) -> PipelineOutputTabularDataset:
        if file_extension not in (None, "", ".parquet"):
            given = {"file_extension": file_extension}
            tell_no_effect("PipelineOutputFileDataset.parse_…_files", given, "all files of the output are read")
        _refuse_format(partition_format, set_column_types)
        return PipelineOutputTabularDataset(self, [{"read_parquet": {"include_path_column": include_path}}])


class PipelineOutputTabularDataset(PipelineOutputAbstractDataset):
    """PipelineData as a table."""

    def __init__(self, pipeline_output_dataset: Any, additional_transformations: Any) -> None:
        super().__init__(pipeline_output_dataset.get_origin())
        self._input_name = pipeline_output_dataset._input_name
        self.transformations = [*pipeline_output_dataset.transformations, *additional_transformations]
        self._mode = "direct"

    def keep_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        return PipelineOutputTabularDataset(self, [{"keep_columns": columns}])

    def drop_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        return PipelineOutputTabularDataset(self, [{"drop_columns": columns}])

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[Any, Any]:
        from smalt.v1.data.documents import split_document

        parts = split_document({"paths": [], "transformations": []}, percentage, seed)
        first, second = (PipelineOutputTabularDataset(self, part["transformations"]) for part in parts)
        return first, second


def _refuse_format(partition_format: object, types: object) -> None:
    for name, value in (("partition_format", partition_format), ("set_column_types", types)):
        if value is not None:
            raise UserErrorException(f"{name} of what a step writes is not served; do it in the script that reads it")
