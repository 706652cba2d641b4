"""`input_datasets`, `Dataset` and `Datastore`: what of them can be had in a job, where data comes by its inputs."""

from __future__ import annotations

import glob
import json
import os

from .errors import make_exception, make_user_error
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_AS_INPUT = "make the data one of the job's inputs, and read run.input_datasets['its name'] or pass its path"
_INPUT = ("AZURE_ML_INPUT_", "AZUREML_DATAREFERENCE_")
_OUTPUT = "AZURE_ML_OUTPUT_"
_TABLES = "SMALT_V1_TABLES"
"""The variable in which a program of SDK v1 says how a job's inputs are tables: v1/pipeline/steps/script_steps.py."""


class TabularDataset:
    """Rows and columns, read with pandas when they are asked for."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        return self._load()

    def take(self, count: int) -> TabularDataset:
        return self._add_change(lambda frame: frame.head(count))

    def skip(self, count: int) -> TabularDataset:
        return self._add_change(lambda frame: frame.iloc[count:].reset_index(drop=True))

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        return self._add_change(lambda frame: frame.drop(columns=_list_names(columns)))

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        return self._add_change(lambda frame: frame[_list_names(columns)])

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[TabularDataset, TabularDataset]:
        """Return two parts; a seed always gives the same two, which are not those of the service."""

        def first(frame: Any) -> Any:
            return frame.sample(frac=percentage, random_state=0 if seed is None else seed)

        return (
            self._add_change(lambda frame: first(frame).sort_index().reset_index(drop=True)),
            self._add_change(lambda frame: frame.drop(first(frame).index).reset_index(drop=True)),
        )

    def with_timestamp_columns(self, *_: Any, **__: Any) -> TabularDataset:
        return self

    def as_named_input(self, name: str) -> TabularDataset:
        return self

    def _add_change(self, change: Callable[[Any], Any]) -> TabularDataset:
        return TabularDataset(lambda: change(self.to_pandas_dataframe()))


add_unsupported_members(
    TabularDataset,
    {
        "register": "use 'smalt data create', or a named output of the job",
        "to_spark_dataframe": "read the input's path with Spark",
        **dict.fromkeys(("time_before", "time_after", "time_between", "time_recent", "filter"), "use the data frame"),
    },
)


class FileDataset:
    """Files of this machine."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = list(paths)

    def to_path(self) -> list[str]:
        return [found for path in self._paths for found in list_files(path)]

    def download(self, target_path: str | None = None, overwrite: bool = False, **_: Any) -> list[str]:
        """They are here already."""
        return self.to_path()

    def mount(self, mount_point: str | None = None, **_: Any) -> _Mount:
        return _Mount(self._paths[0])

    def as_named_input(self, name: str) -> FileDataset:
        return self


add_unsupported_members(FileDataset, {"register": "use 'smalt data create', or a named output of the job"})


class _Mount:
    """A dataset that `with dataset.mount() as m` gives: its files are already on this machine."""

    def __init__(self, path: str) -> None:
        self.mount_point = path

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def __enter__(self) -> _Mount:
        return self

    def __exit__(self, *_: object) -> None: ...


class InputDataset(str, TabularDataset):
    """An input of the job: its path, and what can be read there."""

    name: str

    def __new__(cls, path: str, name: str) -> InputDataset:
        made = str.__new__(cls, path)
        made.name = name
        return made

    def __init__(self, path: str, name: str) -> None:
        TabularDataset.__init__(self, lambda: read_frame(str(self), find_changes(name)))

    def to_path(self) -> list[str]:
        return list_files(str(self))

    def download(self, target_path: str | None = None, overwrite: bool = False, **_: Any) -> list[str]:
        return self.to_path()

    def mount(self, mount_point: str | None = None, **_: Any) -> _Mount:
        return _Mount(str(self))


class InputDatasets(dict):  # type: ignore[type-arg]
    """The job's inputs, by name."""

    def __init__(self) -> None:
        super().__init__(list_datasets())

    def __missing__(self, name: str) -> Any:
        raise KeyError("the job has no input '{}'; its inputs: {}".format(name, ", ".join(sorted(self)) or "none"))


def list_datasets() -> dict[str, InputDataset]:
    found = {
        variable[len(prefix) :]: value
        for prefix in reversed(_INPUT)
        for variable, value in os.environ.items()
        if variable.startswith(prefix)
    }
    return {name: InputDataset(value, name) for name, value in found.items()}


def list_output_datasets() -> dict[str, str]:
    return {name[len(_OUTPUT) :]: path for name, path in os.environ.items() if name.startswith(_OUTPUT)}


def list_files(path: str) -> list[str]:
    """The file of that path, or all below the folder, but hidden ones."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for parent, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        found += [os.path.join(parent, name) for name in sorted(names) if not name.startswith((".", "_"))]
    return found


def find_changes(name: str) -> list[dict[str, Any]]:
    """Return how the program that submitted the job reads this input as a table, in the words of MLTable."""
    try:
        found: Any = json.loads(os.environ.get(_TABLES) or "{}")
    except ValueError:
        return []
    return found.get(name, []) if isinstance(found, dict) else []


def _change_frame(path: str, changes: list[dict[str, Any]]) -> Any:
    """A data frame of the files of an input, read and changed as the submitting program says."""
    pandas = _import_pandas()
    frames: list[Any] = []
    frame: Any = None
    for change in changes:
        (name, given) = next(iter(change.items()))
        if name in ("read_parquet", "read_delimited"):
            for file in list_files(path):
                if name == "read_parquet":
                    frames.append(pandas.read_parquet(file))
                else:
                    header = None if given.get("header") == "no_header" else 0
                    frames.append(pandas.read_csv(file, sep=given.get("delimiter", ","), header=header))
                if given.get("include_path_column"):
                    frames[-1].insert(0, "Path", "/" + os.path.relpath(file, path))
            if not frames:
                raise make_user_error(f"there are no files at '{path}' to read as a table")
            frame = pandas.concat(frames, ignore_index=True)
        elif name == "keep_columns":
            frame = frame[_list_names(given)]
        elif name == "drop_columns":
            frame = frame.drop(columns=_list_names(given))
        elif name == "sample":
            frame = _sample_rows(frame, given["sampler_arguments"])
    return frame


def _sample_rows(frame: Any, chances: dict[str, Any]) -> Any:
    """One of the two parts that share the rows of a frame between them."""
    low, high, seed = chances["probability_lower_bound"], chances["probability"], chances["seed"]
    first = frame.sample(frac=low or high, random_state=seed)
    part = frame.drop(first.index) if low else first.sort_index()
    return part.reset_index(drop=True)


def read_frame(path: str, changes: list[dict[str, Any]] | None = None) -> Any:
    """A data frame of a file, a folder of files of one kind, or an MLTable; `changes` say how, where they are given."""
    if changes:
        return _change_frame(path, changes)
    if os.path.isfile(os.path.join(path, "MLTable")):
        try:
            import mltable  # type: ignore[import-not-found]
        except ImportError:
            pass
        else:
            return mltable.load(path).to_pandas_dataframe()
    pandas = _import_pandas()
    found = [file for file in list_files(path) if _get_ending(file) in _READERS]
    if not found:
        raise make_user_error(
            "nothing at '{}' can be read as a table; files must end in {}".format(path, ", ".join(sorted(_READERS)))
        )
    frames = [_READERS[_get_ending(file)](pandas, file) for file in found]
    return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)


_READERS: dict[str, Callable[[Any, str], Any]] = {
    ".csv": lambda pandas, file: pandas.read_csv(file),
    ".tsv": lambda pandas, file: pandas.read_csv(file, sep="\t"),
    ".txt": lambda pandas, file: pandas.read_csv(file, sep=None, engine="python"),
    ".parquet": lambda pandas, file: pandas.read_parquet(file),
    ".json": lambda pandas, file: pandas.read_json(file),
    ".jsonl": lambda pandas, file: pandas.read_json(file, lines=True),
    ".xlsx": lambda pandas, file: pandas.read_excel(file),
}


def _get_ending(file: str) -> str:
    return os.path.splitext(file[: -len(".gz")] if file.endswith(".gz") else file)[1].lower()


def _import_pandas() -> Any:
    try:
        import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise make_exception("a data frame needs pandas; add it to the job's environment") from None
    return pandas


def _list_names(columns: str | Sequence[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _resolve_paths(path: Any) -> list[str]:
    """Paths and addresses that this machine can read; v1's pairs of datastore and path are not."""
    listed = path if isinstance(path, list) else [path]
    found: list[str] = []
    for one in listed:
        if not isinstance(one, (str, os.PathLike)):
            raise make_user_error(f"a path on a datastore does not work inside a smalt job; {_AS_INPUT}")
        text = os.fspath(one)
        found += sorted(glob.glob(text, recursive=True)) if "://" not in text and glob.has_magic(text) else [text]
    return found


class _TabularFactory:
    @staticmethod
    def from_delimited_files(
        path: Any, validate: bool = True, include_path: bool = False, infer_column_types: object = True,
        set_column_types: object = None, separator: str = ",", header: object = True, **_: Any,
    ) -> TabularDataset:  # fmt: skip
        return _make_tabular(
            path, lambda pandas, file: pandas.read_csv(file, sep=separator, header=0 if header else None)
        )

    @staticmethod
    def from_parquet_files(path: Any, *_: Any, **__: Any) -> TabularDataset:
        return _make_tabular(path, _READERS[".parquet"])

    @staticmethod
    def from_json_lines_files(path: Any, *_: Any, **__: Any) -> TabularDataset:
        return _make_tabular(path, _READERS[".jsonl"])


def _make_tabular(path: Any, reader: Callable[[Any, str], Any]) -> TabularDataset:
    paths = _resolve_paths(path)

    def load() -> Any:
        pandas = _import_pandas()
        frames = [reader(pandas, file) for one in paths for file in list_files(one)]
        return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)

    return TabularDataset(load)


class _FileFactory:
    @staticmethod
    def from_files(path: Any, *_: Any, **__: Any) -> FileDataset:
        return FileDataset(_resolve_paths(path))


_CREATE = "use 'smalt data create'"
add_unsupported_members(_TabularFactory, {"register_pandas_dataframe": _CREATE, "from_sql_query": _AS_INPUT})
add_unsupported_members(_FileFactory, {"upload_directory": _CREATE})


class Dataset:
    """`Tabular` and `File` read this machine's files; by name there are the job's inputs."""

    Tabular = _TabularFactory
    File = _FileFactory

    @staticmethod
    def get_by_name(workspace: object, name: str, version: object = "latest") -> InputDataset:
        found = list_datasets()
        if name not in found:
            raise make_user_error(
                f"a job reaches data by its inputs only, and it has no input '{name}'; add '{name}: {{path: "
                f"azureml:{name}@latest}}' to the job's inputs"
            )
        return found[name]

    get = get_by_name

    @staticmethod
    def get_by_id(workspace: object, id: str, **_: Any) -> InputDataset:
        """The input whose path that is: a script is given a path where v1 gave the id of a table."""
        for found in list_datasets().values():
            if str(found) == str(id):
                return found
        raise make_user_error(f"a job reaches data by its inputs only, and '{id}' is none of them; {_AS_INPUT}")


add_unsupported_members(
    Dataset,
    dict.fromkeys(("get_all", "list", "from_delimited_files", "auto_read_files"), _AS_INPUT),
)


class Datastore:
    """A datastore that has only a name: a job's paths are those of its inputs and outputs."""

    def __init__(self, workspace: object, name: str | None = None) -> None:
        self.workspace = workspace
        self.name = name or "workspaceblobstore"

    @staticmethod
    def get(workspace: object, datastore_name: str) -> Datastore:
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: object) -> Datastore:
        return Datastore(workspace)


add_unsupported_members(
    Datastore,
    {
        "path": _AS_INPUT,
        "download": _AS_INPUT,
        "upload": "write to one of the job's outputs",
        "upload_files": "write to one of the job's outputs",
        **{
            "register_azure_" + name: "use 'smalt datastore create'"
            for name in ("blob_container", "file_share", "data_lake", "data_lake_gen2", "sql_database")
        },
    },
    dict.fromkeys(("account_name", "account_key", "container_name", "sas_token", "as_mount"), _AS_INPUT),
)
