"""`azureml.data`'s outputs: data that a script writes, and a later one reads as a dataset."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from typing import Any

from smalt.client.connection.notices import print_notice
from smalt.entities.jobs.inputs import Output
from smalt.v1.command_ports import PortBinding
from smalt.v1.data.consumption import DatasetConsumptionConfig
from smalt.v1.data.factories import PromoteHeadersBehavior
from smalt.v1.data.locations import make_uri
from smalt.v1.data.registration import make_asset_name
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import MODES, DataPort

_NUMBERS = itertools.count(1)
_NO_SOURCE = "a script gets the path of its output as the argument in which the output stands"


class OutputDatasetConfig(PortBinding):
    """Data that a step writes. `producer` is the step, once there is one."""

    needs_list = False

    def __init__(self, mode: str, name: str | None = None, **kwargs: Any) -> None:
        self._mode, self._name = mode, name
        self._origin: OutputDatasetConfig = self
        self._registration: dict[str, Any] | None = None
        self.destination = kwargs.get("destination")
        self.producer: Any = None
        self.transformations: list[Any] = []

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = f"output_{next(_NUMBERS)}"
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def register_on_complete(
        self, name: str, description: str | None = None, tags: Mapping[str, str] | None = None
    ) -> Any:
        """Return the output as one that becomes a data asset when its step has ended."""
        tell_no_effect(f"{type(self).__name__}.register_on_complete", {"tags": tags}, "the output of a job has no tags")
        if self.transformations:
            print_notice(f"'{name}' is registered as files; read its table by Dataset.Tabular.from_…, from their path")
        made = self._copy()
        made._registration = {"name": make_asset_name(name), "description": description}
        return made

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return what the step writes, as the input of another one."""
        return DatasetConsumptionConfig(name, self, "mount" if not self.transformations else "direct")

    def to_port(self) -> DataPort:
        return DataPort("outputs", self, self.name, self._mode)

    def to_output(self, mode: str | None) -> Output:
        made = Output(type="uri_folder")
        if self.destination is not None:
            made.path = self._find_path()
        if mode == "upload":
            made.mode = MODES[mode]
        if self._registration is not None:
            made.name = self._registration["name"]
            if self._registration["description"]:
                made.description = self._registration["description"]
        return made

    def get_origin(self) -> OutputDatasetConfig:
        """Return the object that the program made first, whose step is the producer of all that was made from it."""
        return self._origin

    def _find_path(self) -> str:
        pair = self.destination
        if not isinstance(pair, tuple) or len(pair) != 2 or not hasattr(pair[0], "name"):
            raise UserErrorException(
                f"the destination of output '{self.name}' is a pair of a datastore and a path, such as "
                "(datastore, 'outputs/{run-id}')"
            )
        text = str(pair[1]).replace("{run-id}", "${{name}}").replace("{output-name}", self.name)
        return make_uri(pair[0].name, text)

    def _copy(self) -> Any:
        made = copy.copy(self)
        made.transformations = list(self.transformations)
        _ = self.name  # the copy has the same
        made._name = self._name
        return made


class OutputFileDatasetConfig(OutputDatasetConfig):
    """A folder of files that a step writes."""

    def __init__(
        self,
        name: str | None = None,
        destination: Any = None,
        source: str | None = None,
        partition_format: str | None = None,
    ) -> None:
        super().__init__("mount", name, destination=destination)
        tell_no_effect("OutputFileDatasetConfig", {"source": source}, _NO_SOURCE)
        tell_no_effect("OutputFileDatasetConfig", {"partition_format": partition_format}, "v2's outputs have none")

    def as_mount(self, disable_metadata_cache: bool = False) -> OutputFileDatasetConfig:
        given = {"disable_metadata_cache": disable_metadata_cache}
        tell_no_effect("OutputFileDatasetConfig.as_mount", given, "there is no such cache")
        return self._with_mode("mount")

    def as_upload(self, overwrite: bool = False, source_globs: Any = None) -> OutputFileDatasetConfig:
        """Return the output as one whose files go to their place when the step has ended."""
        tell_no_effect(
            "OutputFileDatasetConfig.as_upload", {"source_globs": source_globs}, "all files of the output are uploaded"
        )
        return self._with_mode("upload")

    def _with_mode(self, mode: str) -> OutputFileDatasetConfig:
        made: OutputFileDatasetConfig = self._copy()
        made._mode = mode
        return made

    def read_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Any = None,
    ) -> OutputTabularDatasetConfig:
        """Return the output as a table of separated values."""
        _refuse_format(partition_format, set_column_types, path_glob)
        kind = header.value if isinstance(header, PromoteHeadersBehavior) else header
        options = {"delimiter": separator, "header": kind, "include_path_column": include_path}
        return OutputTabularDatasetConfig(origin=self, steps=[{"read_delimited": options}])

    def read_parquet_files(
        self,
        include_path: bool = False,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Any = None,
    ) -> OutputTabularDatasetConfig:
        _refuse_format(partition_format, set_column_types, path_glob)
        steps = [{"read_parquet": {"include_path_column": include_path}}]
        return OutputTabularDatasetConfig(origin=self, steps=steps)


class HDFSOutputDatasetConfig(OutputFileDatasetConfig):
    """A folder that a Spark step writes by its URI."""

    def __init__(self, name: str | None = None, destination: Any = None) -> None:
        super().__init__(name, destination)
        self._mode = "hdfs"


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """A table in the files that a step writes."""

    def __init__(self, **kwargs: Any) -> None:
        origin, steps = kwargs.get("origin"), kwargs.get("steps", [])
        if not isinstance(origin, OutputDatasetConfig):
            raise UserErrorException(
                "an OutputTabularDatasetConfig is made by read_delimited_files or read_parquet_files of an "
                "OutputFileDatasetConfig"
            )
        super().__init__(origin._mode, origin.name, destination=origin.destination)
        self._origin, self._registration = origin.get_origin(), origin._registration
        self.transformations = [*origin.transformations, *steps]

    def keep_columns(self, columns: str | list[str]) -> OutputTabularDatasetConfig:
        return self._add_step("keep_columns", columns)

    def drop_columns(self, columns: str | list[str]) -> OutputTabularDatasetConfig:
        return self._add_step("drop_columns", columns)

    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[OutputTabularDatasetConfig, OutputTabularDatasetConfig]:
        from smalt.v1.data.documents import split_document

        parts = split_document({"paths": [], "transformations": []}, percentage, seed)
        first, second = (self._copy() for _ in parts)
        for made, part in zip((first, second), parts, strict=True):
            made.transformations += part["transformations"]
        return first, second

    def as_mount(self) -> OutputTabularDatasetConfig:
        return self

    def as_upload(self, overwrite: bool = False, source_globs: Any = None) -> OutputTabularDatasetConfig:
        tell_no_effect("OutputTabularDatasetConfig.as_upload", {"source_globs": source_globs}, "all files are uploaded")
        made: OutputTabularDatasetConfig = self._copy()
        made._mode = "upload"
        return made

    def _add_step(self, name: str, arguments: Any) -> OutputTabularDatasetConfig:
        made: OutputTabularDatasetConfig = self._copy()
        made.transformations.append({name: arguments})
        return made


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """A dataset that a script makes by itself and links to its run."""

    def __init__(self, name: str | None = None) -> None:
        raise UserErrorException(
            f"{type(self).__name__} is not served; use OutputFileDatasetConfig, or register the dataset in the script"
        )


class LinkTabularOutputDatasetConfig(LinkFileOutputDatasetConfig):
    """A table that a script makes by itself and links to its run."""


def _refuse_format(partition_format: object, types: object, glob: object) -> None:
    for name, value in (("partition_format", partition_format), ("set_column_types", types), ("path_glob", glob)):
        if value is not None:
            raise UserErrorException(
                f"{name} of the table that a step writes is not served; do it in the script that reads it"
            )
