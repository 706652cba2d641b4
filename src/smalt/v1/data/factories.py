"""`azureml.data.dataset_factory`: datasets from paths, `Dataset.File` and `Dataset.Tabular`."""

from __future__ import annotations

import enum
import os
from typing import TYPE_CHECKING, Any

from smalt.v1.data import documents
from smalt.v1.data.datasets import FileDataset
from smalt.v1.data.locations import list_uris
from smalt.v1.data.tables import TabularDataset
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace


_TIMES = [
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y/%m/%d",
]  # fmt: skip
"""The formats of times where a program names none, which v1 guesses."""


class PromoteHeadersBehavior(enum.Enum):
    """The files of separated values that have a first line of names."""

    NO_HEADERS = "no_header"
    ONLY_FIRST_FILE_HAS_HEADERS = "from_first_file"
    COMBINE_ALL_FILES_HEADERS = "all_files_different_headers"
    ALL_FILES_HAVE_SAME_HEADERS = "all_files_same_headers"


class DataType:
    """The type to which the values of a column are converted."""

    def __init__(self, kind: str, settings: Any = None) -> None:
        self.kind, self._settings = kind, settings

    def __repr__(self) -> str:
        return f"DataType.to_{self.kind}()"

    def to_document(self) -> Any:
        return self.kind if self._settings is None else {self.kind: self._settings}

    @staticmethod
    def to_string() -> DataType:
        return DataType("string")

    @staticmethod
    def to_long() -> DataType:
        return DataType("int")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        if decimal_mark != ".":
            raise UserErrorException(
                f"numbers are read with '.', not with {decimal_mark!r}; convert the column yourself"
            )
        return DataType("float")

    @staticmethod
    def to_bool() -> DataType:
        return DataType("boolean")

    @staticmethod
    def to_datetime(formats: str | list[str] | None = None) -> DataType:
        listed = [formats] if isinstance(formats, str) else formats
        return DataType("datetime", {"formats": listed or _TIMES})

    @staticmethod
    def to_stream(workspace: Workspace, escaped: bool = False) -> DataType:
        tell_no_effect("DataType.to_stream", {"escaped": escaped}, "paths are read as they are")
        return DataType("stream_info")


class FileDatasetFactory:
    @staticmethod
    def from_files(
        path: Any, validate: bool = True, partition_format: str | None = None, is_file: bool = False
    ) -> FileDataset:
        """Return the dataset of files and folders; `path` is text, a (datastore, path) pair, or a list of them."""
        workspace = find_workspace(path)
        client = None if workspace is None else workspace.client
        document = documents.make_document(list_uris(path), client, _make_partitions(partition_format))
        documents.check_document(document)
        made: FileDataset = FileDataset.from_document(document, workspace)
        if validate:
            _check_there(made)
        return made

    @staticmethod
    def upload_directory(
        src_dir: str, target: Any, pattern: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> FileDataset:
        """Upload a folder to a datastore, and return its files as a dataset."""
        from smalt.v1.data.fetching import list_local_files

        store, path = split_target(target)
        if not os.path.isdir(src_dir):
            raise UserErrorException(f"there is no folder '{src_dir}' to upload; correct src_dir")
        files = list_local_files(src_dir, pattern)
        if not files:
            raise UserErrorException(f"no file of '{src_dir}' matches {pattern or '**'!r}, so nothing is uploaded")
        store.upload_files(
            files, relative_root=src_dir, target_path=path, overwrite=overwrite, show_progress=show_progress
        )
        return FileDatasetFactory.from_files((store, path), validate=False)


class TabularDatasetFactory:
    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: Any = None,
        separator: str = ",",
        header: Any = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return the table of files of separated values."""
        headers = {True: "all_files_same_headers", False: "no_header"}
        options = {
            "delimiter": separator,
            "header": header.value if isinstance(header, PromoteHeadersBehavior) else headers.get(header, header),
            "encoding": encoding,
            "support_multi_line": support_multi_line,
            "empty_as_string": empty_as_string,
            "include_path_column": include_path,
            "infer_column_types": infer_column_types,
        }
        return _make_table(path, "read_delimited", options, partition_format, set_column_types, validate)

    @staticmethod
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Any = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        options = {"include_path_column": include_path}
        return _make_table(path, "read_parquet", options, partition_format, set_column_types, validate)

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Any = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        options = {"invalid_lines": invalid_lines, "encoding": encoding, "include_path_column": include_path}
        return _make_table(path, "read_json_lines", options, partition_format, set_column_types, validate)

    @staticmethod
    def from_sql_query(
        query: Any, validate: bool = True, set_column_types: Any = None, query_timeout: int = 30
    ) -> TabularDataset:
        raise UserErrorException(
            "a dataset of a database is not served; export the query to files by a data transfer job "
            "(docs/data-transfer.md)"
        )

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: Any = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a data frame to a datastore as Parquet, and register it as a table."""
        from smalt.v1.data.fetching import upload_frame

        store, path = split_target(target)
        place = upload_frame(dataframe, store, path, make_target_path_unique, row_group_size)
        made = TabularDatasetFactory.from_parquet_files((store, f"{place}/"), validate=False)
        registered: TabularDataset = made.register(store.workspace, name, description, tags, create_new_version=True)
        return registered

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any, target: Any, name: str, description: str | None = None, tags: Any = None,
        show_progress: bool = True,
    ) -> TabularDataset:  # fmt: skip
        frame = dataframe.toPandas()
        return TabularDatasetFactory.register_pandas_dataframe(frame, target, name, description, tags, show_progress)

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any, target: Any, name: str, description: str | None = None, tags: Any = None,
        show_progress: bool = True,
    ) -> TabularDataset:  # fmt: skip
        frame = dataframe.compute()
        return TabularDatasetFactory.register_pandas_dataframe(frame, target, name, description, tags, show_progress)


def find_workspace(path: Any) -> Any:
    """Return the workspace of the first datastore in a path; None where there is none."""
    if isinstance(path, (list, tuple)):
        return next((found for one in path if (found := find_workspace(one)) is not None), None)
    workspace = getattr(path, "workspace", None)
    return workspace if workspace is not None else getattr(getattr(path, "datastore", None), "workspace", None)


def split_target(target: Any) -> tuple[Any, str]:
    """Return the datastore and path of a `target`: a DataPath, a datastore, or a pair."""
    if isinstance(target, tuple) and len(target) == 2:
        return target[0], str(target[1]).strip("/")
    if hasattr(target, "path_on_datastore"):
        return target.datastore, str(target.path_on_datastore).strip("/")
    if hasattr(target, "upload_files"):
        return target, ""
    raise UserErrorException(
        f"a target is a datastore, a (datastore, path) pair or a DataPath, not {type(target).__name__}"
    )


def _make_table(
    path: Any, reader: str, options: dict[str, Any], partition_format: str | None, types: Any, validate: bool
) -> TabularDataset:
    workspace = find_workspace(path)
    client = None if workspace is None else workspace.client
    steps = [*_make_partitions(partition_format), {reader: options}]
    if types:
        steps.append({"convert_column_types": [_make_conversion(name, kind) for name, kind in types.items()]})
    document = documents.make_document(list_uris(path), client, steps)
    documents.check_document(document)
    made: TabularDataset = TabularDataset.from_document(document, workspace)
    if validate:
        _check_there(made)
    return made


def _make_conversion(name: str, kind: Any) -> dict[str, Any]:
    if not hasattr(kind, "to_document"):
        raise UserErrorException(f"the type of column '{name}' is a DataType, such as DataType.to_long(), not {kind!r}")
    return {"columns": name, "column_type": kind.to_document()}


def _make_partitions(partition_format: str | None) -> list[Any]:
    return [] if partition_format is None else [{documents.PARTITIONS: {"partition_format": partition_format}}]


def _check_there(dataset: Any) -> None:
    """Raise UserErrorException if a path of a datastore or of this machine has no files."""
    from smalt.v1.data.fetching import find_missing

    missing = find_missing(dataset)
    if missing is not None:
        raise UserErrorException(f"{missing}; correct the path, or pass validate=False where the data comes later")
