"""`Dataset`: datasets of this machine's files, of the job's inputs, and of the workspace's data."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping

from . import stored_data
from .data import FileDataset, TabularDataset, list_datasets
from .errors import make_user_error
from .notices import tell_no_effect
from .stored_data import AS_INPUT, StoredFiles, StoredPath, StoredTable
from .tables import list_files, read_files
from .unsupported import add_unsupported_members
from .workspace_routes import can_ask_workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Step = dict[str, Any]

_CREATE = "use 'smalt data create'"
_HEADERS = {True: "all_files_same_headers", False: "no_header"}


class FileDatasetFactory:
    @staticmethod
    def from_files(path: Any, validate: bool = True, partition_format: str | None = None, is_file: bool = False) -> Any:
        tell_no_effect("Dataset.File.from_files", {"partition_format": partition_format}, "all files are listed")
        entries = _list_entries(path)
        if any(isinstance(entry, dict) for entry in entries):
            return StoredFiles({"paths": _complete_entries(entries), "transformations": []})
        return FileDataset([str(entry) for entry in entries])


class TabularDatasetFactory:
    @staticmethod
    def from_delimited_files(
        path: Any, validate: bool = True, include_path: bool = False, infer_column_types: bool = True,
        set_column_types: Any = None, separator: str = ",", header: Any = True, partition_format: str | None = None,
        support_multi_line: bool = False, empty_as_string: bool = False, encoding: str = "utf8",
    ) -> TabularDataset:  # fmt: skip
        options = {
            "delimiter": separator,
            "header": _HEADERS.get(header, header),
            "encoding": encoding,
            "support_multi_line": support_multi_line,
            "empty_as_string": empty_as_string,
            "include_path_column": include_path,
            "infer_column_types": infer_column_types,
        }
        return _make_table(path, {"read_delimited": options}, set_column_types, partition_format)

    @staticmethod
    def from_parquet_files(
        path: Any, validate: bool = True, include_path: bool = False, set_column_types: Any = None,
        partition_format: str | None = None,
    ) -> TabularDataset:  # fmt: skip
        options = {"include_path_column": include_path}
        return _make_table(path, {"read_parquet": options}, set_column_types, partition_format)

    @staticmethod
    def from_json_lines_files(
        path: Any, validate: bool = True, include_path: bool = False, set_column_types: Any = None,
        partition_format: str | None = None, invalid_lines: str = "error", encoding: str = "utf8",
    ) -> TabularDataset:  # fmt: skip
        options = {"invalid_lines": invalid_lines, "encoding": encoding, "include_path_column": include_path}
        return _make_table(path, {"read_json_lines": options}, set_column_types, partition_format)


add_unsupported_members(TabularDatasetFactory, {"register_pandas_dataframe": _CREATE, "from_sql_query": AS_INPUT})
add_unsupported_members(FileDatasetFactory, {"upload_directory": _CREATE})


def _make_table(path: Any, reader: Step, types: Any, partition_format: str | None) -> TabularDataset:
    if types is not None:
        raise make_user_error("set_column_types does not work inside a smalt job; convert the data frame's columns")
    before = [{"extract_columns_from_partition_format": {"partition_format": partition_format}}]
    steps = [*(before if partition_format else []), reader]
    entries = _list_entries(path)
    if any(isinstance(entry, dict) for entry in entries):
        return StoredTable({"paths": _complete_entries(entries), "transformations": steps})
    paths = [str(entry) for entry in entries]
    return TabularDataset(lambda: read_files([(file, file) for one in paths for file in list_files(one)], steps))


def _list_entries(path: Any) -> list[Any]:
    """Return paths and addresses that this machine can read as text, and paths on datastores as entries of a
    document."""
    listed = path if isinstance(path, list) else [path]
    found: list[Any] = []
    for one in listed:
        if isinstance(one, (str, os.PathLike)):
            text = os.fspath(one)
            if text.startswith("azureml:"):
                found.append(_make_entry(text))
            else:
                is_pattern = "://" not in text and glob.has_magic(text)
                found += sorted(glob.glob(text, recursive=True)) if is_pattern else [text]
        elif isinstance(one, StoredPath):
            found.append(_make_entry(one.uri))
        elif isinstance(one, tuple) and len(one) == 2 and hasattr(one[0], "name"):
            inner = one[1] if isinstance(one[1], list) else [one[1]]
            found += [_make_entry(StoredPath(one[0].name, str(each)).uri) for each in inner]
        else:
            raise make_user_error(
                f"a dataset's path is text, a (datastore, path) pair, or a list of them, not {type(one).__name__}"
            )
    return found


def _make_entry(uri: str) -> dict[str, str]:
    if not can_ask_workspace():
        raise make_user_error(f"this job cannot ask for data of its workspace; {AS_INPUT}")
    return {"pattern" if glob.has_magic(uri) else "path": uri.replace("/./", "/")}


def _complete_entries(entries: list[Any]) -> list[dict[str, str]]:
    """Return the entries of a document; paths of this machine become those of their files."""
    found: list[dict[str, str]] = []
    for entry in entries:
        found += [entry] if isinstance(entry, dict) else [{"file": file} for file in list_files(str(entry))]
    return found


class Dataset:
    """`Tabular` and `File` read files; by name there are the job's inputs, then the data assets of its workspace."""

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    @staticmethod
    def get_by_name(workspace: object, name: str, version: object = "latest") -> Any:
        found = list_datasets()
        if name in found and (version in (None, "latest") or not can_ask_workspace()):
            return found[name]
        if not can_ask_workspace():
            raise make_user_error(
                f"this job cannot ask for data of its workspace, and has no input '{name}'; add '{name}: {{path: "
                f"azureml:{name}@latest}}' to the job's inputs"
            )
        return stored_data.find_asset(name, version)

    get = get_by_name

    @staticmethod
    def get_by_id(workspace: object, id: str, **more: Any) -> Any:
        """The input whose path that is, as a script is given a path where v1 gave the id of a table; else the data
        asset with that name and version."""
        tell_no_effect("Dataset.get_by_id", more)
        for found in list_datasets().values():
            if str(found) == str(id):
                return found
        name, _sep, version = str(id).partition(":")
        if not version or not can_ask_workspace():
            raise make_user_error(f"'{id}' is neither an input of the job nor the id of a data asset; {AS_INPUT}")
        return stored_data.find_asset(name, version)

    @staticmethod
    def get_all(workspace: object) -> WorkspaceDatasets:
        return WorkspaceDatasets()


add_unsupported_members(
    Dataset,
    dict.fromkeys(("list", "from_delimited_files", "auto_read_files"), AS_INPUT),
)


class WorkspaceDatasets(Mapping):  # type: ignore[type-arg]
    """`workspace.datasets`: the job's inputs, and the newest versions of the workspace's data assets, by name."""

    def __getitem__(self, name: str) -> Any:
        try:
            return Dataset.get_by_name(None, name)
        except Exception as problem:
            raise KeyError(str(problem)) from None

    def __iter__(self) -> Iterator[str]:
        names = set(list_datasets())
        return iter(sorted(names.union(stored_data.list_asset_names() if can_ask_workspace() else ())))

    def __len__(self) -> int:
        return len(list(iter(self)))
