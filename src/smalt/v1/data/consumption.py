"""`azureml.data.dataset_consumption_config`: a dataset under the name by which a script knows it."""

from __future__ import annotations

import re
from typing import Any

from smalt.v1.command_ports import PortBinding
from smalt.v1.exceptions import UserErrorException
from smalt.v1.ports import DataPort

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MODES = ("direct", "mount", "download", "hdfs")


class DatasetConsumptionConfig(PortBinding):
    """A dataset, a parameter that has one, or the dataset that a step writes, and how a script gets it."""

    def __init__(
        self, name: str | None, dataset: Any, mode: str = "direct", path_on_compute: str | None = None
    ) -> None:
        if mode not in _MODES:
            raise UserErrorException(f"'{mode}' is no mode of a dataset; use {', '.join(_MODES)}")
        self._name: str | None = None
        if name is not None:
            self.name = name
        self.dataset, self.mode, self.path_on_compute = dataset, mode, path_on_compute
        if find_dataset(dataset) is None:
            raise UserErrorException(
                f"a DatasetConsumptionConfig is for a dataset or a PipelineParameter with one, not for "
                f"{type(dataset).__name__}"
            )

    @property
    def name(self) -> str | None:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserErrorException(
                f"'{name}' cannot be the name of an input; it begins with a letter or '_' and has letters, digits and "
                "'_' only"
            )
        self._name = name

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the dataset as files that are copied to where the script runs."""
        self._check_files("as_download")
        return DatasetConsumptionConfig(self._name, self.dataset, "download", path_on_compute)

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the dataset as files that the script reads in place."""
        self._check_files("as_mount")
        return DatasetConsumptionConfig(self._name, self.dataset, "mount", path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Return the dataset as a path that Spark reads."""
        self._check_files("as_hdfs")
        return DatasetConsumptionConfig(self._name, self.dataset, "hdfs")

    def as_direct(self) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(self._name, self.dataset, "direct")

    def to_port(self) -> DataPort:
        return DataPort("inputs", self.dataset, self._name, self.mode, self.path_on_compute)

    def _check_files(self, method: str) -> None:
        if getattr(find_dataset(self.dataset), "is_table", False):
            raise UserErrorException(
                f"{method} is for a FileDataset; a script gets a TabularDataset by "
                "Run.get_context().input_datasets['its name']"
            )


def find_dataset(source: Any) -> Any:
    """Return the dataset of a consumption, also the one that is a parameter's default; None where there is none."""
    if hasattr(source, "default_value"):
        source = source.default_value
    return source if hasattr(source, "to_input") or hasattr(source, "producer") else None
