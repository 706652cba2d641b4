"""Tables from an MLTable file or a program: the names of the official package `mltable` 1.7."""

from __future__ import annotations

import copy
import os
import random
import re
from typing import Any

import yaml

from . import document, execution, frames, locations, partitions, table_writer
from .datatypes import (
    DataType,
    MLTableFileEncoding,
    MLTableHeaders,
    MLTablePartitionSize,
    MLTableSaveOverwriteOption,
    make_conversions,
)
from .errors import UserErrorException
from .traits import Metadata, Traits

__all__ = [
    "DataType",
    "MLTable",
    "MLTableFileEncoding",
    "MLTableHeaders",
    "MLTableSaveOverwriteOption",
    "UserErrorException",
    "from_delimited_files",
    "from_delta_lake",
    "from_json_lines_files",
    "from_parquet_files",
    "from_paths",
    "load",
]

_ASSET = re.compile(
    r"azureml:(?://(?:.*/)?data/[^/]+/(?:versions|labels)/[^/]+|[^/:@]+(?:[:@][^/:@]+)?)", re.IGNORECASE
)
_INVALID = "Can not load data from this MLTable's associated datastores. Please check the associated paths."


def load(uri: str, storage_options: dict[str, Any] | None = None, ml_client: Any = None) -> MLTable:
    """Load the table of a folder, or of the URI of one, that has a file MLTable; `ml_client` finds data assets by
    name.
    """
    base = os.fspath(uri)
    if _ASSET.fullmatch(base) or re.match(r"azureml:/subscriptions/.*/data/", base, re.IGNORECASE):
        base = locations.resolve_asset(base, ml_client)
    folder = locations.resolve_local(base)
    content = document.load_document(folder)
    if locations.is_remote(base):
        return _make_table(content, base)
    return _make_table(content, os.path.abspath(folder))


def from_paths(paths: list[dict[str, str]]) -> MLTable:
    """Make a table of files, as in [{"file": "./a.csv"}, {"folder": "./b"}, {"pattern": "./c/*.csv"}]."""
    return _make_table(document.check_document({"paths": paths}), os.getcwd())


def from_delimited_files(
    paths: list[dict[str, str]],
    header: str | MLTableHeaders = "all_files_same_headers",
    delimiter: str = ",",
    support_multi_line: bool = False,
    empty_as_string: bool = False,
    encoding: str | MLTableFileEncoding = "utf8",
    include_path_column: bool = False,
    infer_column_types: bool | dict[str, Any] = True,
) -> MLTable:
    """Make a table of files of separated values."""
    options = {
        "delimiter": delimiter,
        "header": MLTableHeaders._parse(header).name,
        "support_multi_line": support_multi_line,
        "empty_as_string": empty_as_string,
        "encoding": MLTableFileEncoding._parse(encoding).name,
        "include_path_column": include_path_column,
        "infer_column_types": _make_inference(infer_column_types),
    }
    return from_paths(paths)._add_step("read_delimited", options)


def from_parquet_files(paths: list[dict[str, str]], include_path_column: bool = False) -> MLTable:
    return from_paths(paths)._add_step("read_parquet", {"include_path_column": include_path_column})


def from_json_lines_files(
    paths: list[dict[str, str]],
    invalid_lines: str = "error",
    encoding: str | MLTableFileEncoding = "utf8",
    include_path_column: bool = False,
) -> MLTable:
    """Make a table of files with one JSON object per line; `invalid_lines`: "error" or "drop"."""
    options = {
        "invalid_lines": invalid_lines,
        "encoding": MLTableFileEncoding._parse(encoding).name,
        "include_path_column": include_path_column,
    }
    return from_paths(paths)._add_step("read_json_lines", options)


def from_delta_lake(
    delta_table_uri: str,
    timestamp_as_of: str | None = None,
    version_as_of: int | None = None,
    include_path_column: bool = False,
) -> MLTable:
    """Make a table of a Delta table, as it is or as it was."""
    if timestamp_as_of and version_as_of:
        raise UserErrorException("timestamp_as_of and version_as_of are two ways to say the same; give one of them")
    options = {
        "version_as_of": version_as_of,
        "timestamp_as_of": timestamp_as_of,
        "include_path_column": include_path_column,
    }
    return from_paths([{"folder": delta_table_uri}])._add_step("read_delta_lake", options)


def _make_inference(given: Any) -> Any:
    if isinstance(given, bool) or given == {}:
        return given if isinstance(given, bool) else True
    if not isinstance(given, dict):
        raise UserErrorException("infer_column_types must be a bool or a dictionary")
    if set(given) - {"sample_size", "column_type_overrides"}:
        raise UserErrorException("infer_column_types may only have the keys sample_size and column_type_overrides")
    if "column_type_overrides" not in given:
        return dict(given)
    if not isinstance(given["column_type_overrides"], dict):
        raise UserErrorException("column_type_overrides must be a dictionary of columns to types")
    return {**given, "column_type_overrides": make_conversions(given["column_type_overrides"], streams=False)}


def _make_table(content: dict[str, Any], base: str) -> MLTable:
    """Return the table of a checked document whose paths are relative to `base`."""
    table = MLTable()
    table._base = base
    table._given = [dict(entry) for entry in content["paths"]]
    absolute = [
        {kind: locations.make_absolute(path, base) for kind, path in entry.items()} for entry in content["paths"]
    ]
    table._content = {**content, "paths": absolute}
    return table


class MLTable:
    """A table that is read when its data is needed."""

    _content: dict[str, Any] | None = None
    _given: list[dict[str, str]]
    _base: str

    @property
    def _load(self) -> dict[str, Any]:
        if self._content is None:
            raise UserErrorException("this MLTable is of nothing; make one with mltable.load or mltable.from_…")
        return self._content

    def __repr__(self) -> str:
        return str(yaml.safe_dump(self._make_document()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MLTable):
            return False
        keys = ("transformations", "metadata", "traits")
        same = all(self._load.get(key) == other._load.get(key) for key in keys)
        return same and self.paths == other.paths

    __hash__ = None  # type: ignore[assignment]

    @property
    def paths(self) -> list[dict[str, str]]:
        """The paths of the table, as written."""
        _ = self._load
        return [dict(entry) for entry in self._given]

    @property
    def traits(self) -> Traits:
        return Traits(self._load)

    @property
    def metadata(self) -> Metadata:
        return Metadata(self._load)

    @property
    def partition_keys(self) -> list[str]:
        """The columns made from the files' paths."""
        for each in self._load["transformations"]:
            for name, arguments in each.items():
                if name == "extract_columns_from_partition_format":
                    return partitions.parse_format(arguments["partition_format"]).columns
        return []

    def to_pandas_dataframe(self) -> Any:
        """Return the whole table as a pandas data frame."""
        frame = execution.run_transformations(self._load)
        return frames.to_pandas(frame.table, frame.streams)

    def show(self, count: int = 20) -> Any:
        """Return the first rows as a pandas data frame."""
        return self.take(count).to_pandas_dataframe()

    def validate(self) -> None:
        """Read one row; raise RuntimeError if there is none."""
        try:
            rows = execution.run_transformations(self._load, 1).table.height
        except Exception as error:
            raise RuntimeError(_INVALID) from error
        if rows != 1:
            raise RuntimeError(_INVALID)

    def filter(self, expression: str) -> MLTable:
        """Return the rows for which an expression such as "col('age') > 30 and name == 'x'" is true."""
        return self._add_step("filter", expression)

    def take(self, count: int = 20) -> MLTable:
        if type(count) is not int or count < 1:
            raise UserErrorException(f"the number of rows must be an int above 0, not {count!r}")
        return self._add_step("take", count)

    def skip(self, count: int) -> MLTable:
        if type(count) is not int or count < 1:
            raise UserErrorException(f"the number of rows must be an int above 0, not {count!r}")
        return self._add_step("skip", count)

    def take_random_sample(self, probability: float, seed: int | None = None) -> MLTable:
        """Return each row with this probability; the same rows for the same seed."""
        _check_probability(probability, "probability")
        return self._add_step("take_random_sample", {"probability": probability, "seed": _check_seed(seed)})

    def random_split(self, percent: float = 0.5, seed: int | None = None) -> tuple[MLTable, MLTable]:
        """Return two tables that share all rows between them; `percent` is the share of the first."""
        _check_probability(percent, "percent")
        seed = _check_seed(seed)

        def part(low: float, high: float) -> MLTable:
            chances = {"probability": high, "probability_lower_bound": low, "seed": seed}
            return self._add_step("sample", {"sampler": "random_percent", "sampler_arguments": chances})

        return part(0.0, percent), part(percent, 1.0)

    def drop_columns(self, columns: str | list[str] | tuple[str, ...] | set[str]) -> MLTable:
        chosen = _check_columns(columns)
        if self.traits._columns & set([chosen] if isinstance(chosen, str) else chosen):
            raise UserErrorException("columns in traits must be kept and cannot be dropped")
        return self._add_step("drop_columns", chosen)

    def keep_columns(self, columns: str | list[str] | tuple[str, ...] | set[str]) -> MLTable:
        chosen = _check_columns(columns)
        if self.traits._columns - set([chosen] if isinstance(chosen, str) else chosen):
            raise UserErrorException("columns in traits must be kept and cannot be dropped")
        return self._add_step("keep_columns", chosen)

    def convert_column_types(self, column_types: dict[Any, Any]) -> MLTable:
        """Convert columns, by {column, or tuple of columns: DataType or its name}."""
        return self._add_step("convert_column_types", make_conversions(column_types))

    def extract_columns_from_partition_format(self, partition_format: str) -> MLTable:
        """Add columns from the files' paths, as in "/year={year}/{date:yyyy/MM/dd}/{name}.csv"; must come first."""
        return self._add_step("extract_columns_from_partition_format", {"partition_format": partition_format}, 0)

    def get_partition_count(self) -> int:
        return execution.count_partitions(self._load)

    def select_partitions(self, partition_index_list: int | list[int]) -> MLTable:
        chosen = [partition_index_list] if isinstance(partition_index_list, int) else partition_index_list
        if not isinstance(chosen, list) or not chosen or not all(type(each) is int for each in chosen):
            raise UserErrorException("partitions are an int, or a list of ints with at least one of them")
        return self._add_step("select_partitions", chosen)

    def save(
        self,
        path: str | None = None,
        overwrite: bool | str | MLTableSaveOverwriteOption = True,
        colocated: bool = False,
        show_progress: bool = False,
        if_err_remove_files: bool = True,
    ) -> MLTable:
        """Write the MLTable file into the folder `path`; with `colocated` its data too."""
        table_writer.save_table(
            self._make_document(), self._load["paths"], path, MLTableSaveOverwriteOption._parse(overwrite), colocated,
            if_err_remove_files,
        )  # fmt: skip
        return self

    def _with_partition_size(self, partition_size: int, partition_size_unit: Any = "b") -> MLTable:
        size = MLTablePartitionSize._parse(partition_size, partition_size_unit)
        made = copy.deepcopy(self)
        for each in made._load["transformations"]:
            for arguments in each.values():
                if isinstance(arguments, dict) and "partition_size" in arguments:
                    arguments["partition_size"] = size
                    return made
        raise UserErrorException("the size of partitions is that of read_delimited or read_json_lines; add one of them")

    def _get_partition_key_values(self, partition_keys: list[str] | None = None) -> list[dict[str, Any]]:
        keys = partition_keys or self.partition_keys
        unknown = [key for key in keys if key not in self.partition_keys]
        if not self.partition_keys or unknown:
            raise UserErrorException(f"{unknown or keys} are not partition keys; they are {self.partition_keys}")
        frame = self.keep_columns(keys).to_pandas_dataframe().drop_duplicates()
        found: list[dict[str, Any]] = frame.to_dict(orient="records")
        return found

    def _to_yaml_dict(self) -> dict[str, Any]:
        return self._make_document()

    @property
    def _is_tabular(self) -> bool:
        return document.is_tabular(self._load)

    def _make_document(self) -> dict[str, Any]:
        """Return the document as it is saved, without defaults."""
        return {key: value for key, value in self._load.items() if value not in ([], {})}

    def _add_step(self, name: str, arguments: Any, index: int | None = None) -> MLTable:
        """Return the table with one more transformation."""
        arguments = _remove_none(arguments)
        document.check_document({"paths": [], "transformations": [{name: arguments}]})
        made = copy.deepcopy(self)
        steps = made._load["transformations"]
        steps.insert(len(steps) if index is None else index, {name: document.complete_arguments(name, arguments)})
        return made


def _remove_none(arguments: Any) -> Any:
    if not isinstance(arguments, dict):
        return arguments
    return {key: value for key, value in arguments.items() if value is not None}


def _check_probability(value: object, name: str) -> None:
    if not isinstance(value, float) or not 0 < value < 1:
        raise UserErrorException(f"{name} must be a float greater than 0 and less than 1, not {value!r}")


def _check_seed(seed: Any) -> int:
    if seed is None:
        return random.randint(1, 1000)
    if type(seed) is not int or seed < 0:
        raise UserErrorException(f"a random seed must be an integer from 0, not {seed!r}")
    return seed


def _check_columns(columns: Any) -> str | list[str]:
    if isinstance(columns, str):
        return columns
    if not isinstance(columns, (list, tuple, set)) or not all(isinstance(each, str) for each in columns):
        raise UserErrorException("columns are a string, or a list, tuple or set of strings")
    listed = list(columns) if not isinstance(columns, set) else sorted(columns)
    twice = sorted({each for each in listed if listed.count(each) > 1})
    if twice:
        raise UserErrorException(f"these columns are named twice: {', '.join(twice)}")
    return listed
