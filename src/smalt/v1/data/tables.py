"""`azureml.data.TabularDataset`: rows and columns, read from files when they are asked for."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from typing import Any

from smalt.entities.jobs.inputs import Input
from smalt.v1.data import documents
from smalt.v1.data.conditions import Column, format_time, to_filter
from smalt.v1.data.datasets import AbstractDataset, FileDataset
from smalt.v1.exceptions import DatasetTimestampMissingError, UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import MODES

_FINE, _COARSE = "timestamp", "partition_timestamp"


class TabularDataset(AbstractDataset):
    """A table, described as an MLTable."""

    is_table = True

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Return the table as a pandas data frame."""
        from smalt.v1.data.fetching import read_frame

        for name, value in (("on_error", on_error), ("out_of_range_datetime", out_of_range_datetime)):
            if value not in ("null", "fail"):
                raise UserErrorException(f"{name} is 'null' or 'fail', not {value!r}")
            if value == "fail":
                tell_no_effect(
                    "TabularDataset.to_pandas_dataframe", {name: value}, "values that cannot be read are null"
                )
        return read_frame(self)

    def to_dask_dataframe(
        self, sample_size: int = 10000, dtypes: Any = None, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> Any:
        try:
            import dask.dataframe as dask  # type: ignore[import-not-found]
        except ImportError:
            raise UserErrorException("a dask data frame needs dask: pip install 'dask[dataframe]'") from None
        given = {"dtypes": dtypes, "sample_size": None if sample_size == 10000 else sample_size}
        tell_no_effect("TabularDataset.to_dask_dataframe", given, "the whole table is read to tell its types")
        return dask.from_pandas(self.to_pandas_dataframe(on_error, out_of_range_datetime), npartitions=1)

    def to_spark_dataframe(self) -> Any:
        """Return the table as a data frame of the program's Spark session."""
        try:
            from pyspark.sql import SparkSession  # type: ignore[import-not-found]
        except ImportError:
            raise UserErrorException("a Spark data frame needs PySpark: pip install pyspark") from None
        return SparkSession.builder.getOrCreate().createDataFrame(self.to_pandas_dataframe())

    def to_csv_files(self, separator: str = ",") -> FileDataset:
        """Return the table as a file of separated values."""
        from smalt.v1.data.fetching import write_frame

        return write_frame(self, "csv", separator)

    def to_parquet_files(self) -> FileDataset:
        from smalt.v1.data.fetching import write_frame

        return write_frame(self, "parquet", ",")

    # Rows and columns

    def take(self, count: int) -> TabularDataset:
        """Return the first `count` rows."""
        return self._add_step("take", _check_rows(count))  # type: ignore[no-any-return]

    def skip(self, count: int) -> TabularDataset:
        return self._add_step("skip", _check_rows(count))  # type: ignore[no-any-return]

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Return each row with this probability."""
        return self._change(documents.split_document(self._document, probability, seed)[0])  # type: ignore[no-any-return]

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[TabularDataset, TabularDataset]:
        """Return two tables that share all rows between them; a seed always gives the same two."""
        first, second = documents.split_document(self._document, percentage, seed)
        return self._change(first), self._change(second)

    def keep_columns(self, columns: str | list[str], validate: bool = False) -> TabularDataset:
        """Return these columns only; traits of others are lost with them."""
        chosen = _list_columns(columns)
        made = self._add_step("keep_columns", chosen)
        made._set_traits({key: name for key, name in self._traits.items() if name in chosen})
        if validate:
            made.take(1).to_pandas_dataframe()
        return made  # type: ignore[no-any-return]

    def drop_columns(self, columns: str | list[str]) -> TabularDataset:
        """Return the other columns; times of a column that is dropped are lost with it."""
        chosen = _list_columns(columns)
        made = self._add_step("drop_columns", chosen)
        made._set_traits({key: name for key, name in self._traits.items() if name not in chosen})
        return made  # type: ignore[no-any-return]

    def filter(self, expression: Any) -> TabularDataset:
        """Return the rows for which a condition is true, such as `(dataset['age'] > 30) & (dataset['name'] == 'x')`."""
        return self._add_step("filter", to_filter(expression))  # type: ignore[no-any-return]

    def __getitem__(self, name: str) -> Any:
        if isinstance(name, list):
            return self.keep_columns(name)
        return Column(name)

    # Times

    @property
    def _traits(self) -> dict[str, str]:
        return dict(self._document.get("v1_traits") or {})

    def _set_traits(self, traits: dict[str, str]) -> None:
        self._document = {**self._document, "v1_traits": traits}

    @property
    def timestamp_columns(self) -> tuple[str | None, str | None]:
        return self._traits.get(_FINE), self._traits.get(_COARSE)

    def with_timestamp_columns(
        self,
        timestamp: str | None = None,
        partition_timestamp: str | None = None,
        validate: bool = False,
        **kwargs: Any,
    ) -> TabularDataset:
        """Return the table with its columns of times named, by which the time_… methods choose rows."""
        timestamp = timestamp or kwargs.pop("fine_grain_timestamp", None)
        partition_timestamp = partition_timestamp or kwargs.pop("coarse_grain_timestamp", None)
        tell_no_effect("TabularDataset.with_timestamp_columns", kwargs, "it has no such parameter")
        if timestamp is not None and timestamp == partition_timestamp:
            raise UserErrorException(f"'{timestamp}' cannot be both the timestamp and the partition_timestamp")
        given = {_FINE: timestamp, _COARSE: partition_timestamp}
        made = self._change(copy.deepcopy(self._document))
        made._set_traits({key: name for key, name in given.items() if name is not None})
        if validate:
            made._check_times([name for name in given.values() if name is not None])
        return made  # type: ignore[no-any-return]

    def _check_times(self, names: list[str]) -> None:
        frame = self.take(1).to_pandas_dataframe()
        wrong = [name for name in names if name not in frame.columns or frame[name].dtype.kind != "M"]
        if wrong:
            raise UserErrorException(f"'{wrong[0]}' is not a column of times of this table")

    def time_before(self, end_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        return self._choose_times(None, end_time, include_boundary)

    def time_after(self, start_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        return self._choose_times(start_time, None, include_boundary)

    def time_between(
        self, start_time: datetime, end_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        return self._choose_times(start_time, end_time, include_boundary)

    def time_recent(
        self, time_delta: timedelta, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows of this last stretch of time, until now."""
        return self._choose_times(datetime.now(timezone.utc) - time_delta, None, include_boundary)

    def _choose_times(self, start: datetime | None, end: datetime | None, include: bool) -> TabularDataset:
        column = self._traits.get(_FINE) or self._traits.get(_COARSE)
        if column is None:
            raise DatasetTimestampMissingError(
                "rows are chosen by time by a column that with_timestamp_columns(timestamp='NAME') names; call it first"
            )
        for moment in (start, end):
            if moment is not None and not isinstance(moment, datetime):
                raise UserErrorException(f"a time is a datetime, not {moment!r}")
        equal = "=" if include else ""
        parts = [
            f"col({column!r}) {sign}{equal} {format_time(moment)}"
            for sign, moment in ((">", start), ("<", end))
            if moment is not None
        ]
        return self._add_step("filter", " and ".join(f"({part})" for part in parts))  # type: ignore[no-any-return]

    # Elsewhere

    def partition_by(
        self,
        partition_keys: list[str],
        target: Any,
        name: str | None = None,
        show_progress: bool = True,
        partition_as_file_dataset: bool = False,
    ) -> Any:
        """Write the table into a folder for each value of the keys, and return the table that they make."""
        from smalt.v1.data.partitioning import write_partitions

        return write_partitions(self, partition_keys, target, name, partition_as_file_dataset)

    def submit_profile_run(self, compute_target: Any, experiment: Any, cache_datastore_name: Any = None) -> Any:
        raise UserErrorException("smalt makes no profiles of datasets; use to_pandas_dataframe().describe()")

    def get_profile(self, workspace: Any = None) -> Any:
        raise UserErrorException("smalt makes no profiles of datasets; use to_pandas_dataframe().describe()")

    get_profile_runs = get_profile

    def to_input(self, mode: str | None, client: Any) -> Input:
        """Return the input: an MLTable, which scripts read as Run.get_context().input_datasets['name']."""
        asset = self._asset
        known = f"azureml:{asset.name}:{asset.version}" if asset is not None else None
        path = known or documents.upload_document(self._document, client or self.client)
        return Input(type="mltable", path=path, mode=MODES.get(mode or "direct", mode))


def _check_rows(count: object) -> int:
    if type(count) is not int or count < 1:
        raise UserErrorException(f"the number of rows must be an int above 0, not {count!r}")
    return count


def _list_columns(columns: Any) -> list[str]:
    listed = [columns] if isinstance(columns, str) else list(columns or ())
    if not listed or not all(isinstance(one, str) for one in listed):
        raise UserErrorException(f"columns are the name of a column or a list of names, not {columns!r}")
    return listed
