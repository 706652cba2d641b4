"""Datasets of files that are on this machine, and `input_datasets`: those of the job's inputs."""

from __future__ import annotations

import json
import os
import shutil

from .errors import make_user_error
from .notices import tell_no_effect
from .tables import list_files, list_names, read_frame
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_INPUT = ("AZURE_ML_INPUT_", "AZUREML_DATAREFERENCE_")
_OUTPUT = "AZURE_ML_OUTPUT_"
_TABLES = "SMALT_V1_TABLES"
"""The variable in which a program of SDK v1 says how a job's inputs are tables: v1/pipeline/steps/script_steps.py."""


class TabularDataset:
    """Rows and columns, read with pandas when they are asked for."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        given = {"on_error": on_error != "null", "out_of_range_datetime": out_of_range_datetime != "null"}
        tell_no_effect("to_pandas_dataframe", given, "values that cannot be read are null")
        return self._load()

    def take(self, count: int) -> TabularDataset:
        return self._add_change(lambda frame: frame.head(count))

    def skip(self, count: int) -> TabularDataset:
        return self._add_change(lambda frame: frame.iloc[count:].reset_index(drop=True))

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        return self._add_change(lambda frame: frame.drop(columns=list_names(columns)))

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        return self._add_change(lambda frame: frame[list_names(columns)])

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

    def download(
        self, target_path: str | None = None, overwrite: bool = False, ignore_not_found: bool = False, **more: Any
    ) -> list[str]:
        """Return the paths of the files, which are here already, or those of their copies in `target_path`."""
        tell_no_effect("FileDataset.download", more)
        return copy_files(self._paths, target_path, overwrite, ignore_not_found)

    def mount(self, mount_point: str | None = None, **more: Any) -> LocalMount:
        tell_no_effect("FileDataset.mount", more, "the files are on this machine")
        return LocalMount(self._paths, mount_point)

    def as_named_input(self, name: str) -> FileDataset:
        return self


add_unsupported_members(FileDataset, {"register": "use 'smalt data create', or a named output of the job"})


class LocalMount:
    """A dataset that `with dataset.mount() as m` gives: its files are already on this machine."""

    def __init__(self, paths: Sequence[str], mount_point: str | None) -> None:
        self._paths, self._copies_to = paths, mount_point
        self.mount_point = mount_point or paths[0]

    def start(self) -> None:
        """Copy the files to the mount point, if one was given."""
        if self._copies_to is not None:
            copy_files(self._paths, self._copies_to, True, False)

    def stop(self) -> None: ...

    def __enter__(self) -> LocalMount:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


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

    def download(self, target_path: str | None = None, overwrite: bool = False, **more: Any) -> list[str]:
        return FileDataset([str(self)]).download(target_path, overwrite, **more)

    def mount(self, mount_point: str | None = None, **more: Any) -> LocalMount:
        return FileDataset([str(self)]).mount(mount_point, **more)


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


def find_changes(name: str) -> list[dict[str, Any]]:
    """Return how the program that submitted the job reads this input as a table, in the words of MLTable."""
    try:
        found: Any = json.loads(os.environ.get(_TABLES) or "{}")
    except ValueError:
        return []
    return found.get(name, []) if isinstance(found, dict) else []


def copy_files(paths: Sequence[str], target: str | None, overwrite: bool, ignores_missing: bool) -> list[str]:
    """Return the paths of the files at and below `paths`, or of their copies in a folder."""
    made = []
    for path in paths:
        for file in list_files(path):
            if not os.path.exists(file) and (target is not None or ignores_missing):
                if ignores_missing:
                    continue
                raise make_user_error(f"there is no file '{file}'")
            if target is None:
                made.append(file)
                continue
            relative = os.path.relpath(file, path) if file != path else os.path.basename(file)
            copy = os.path.join(target, relative)
            if os.path.exists(copy) and not overwrite:
                raise make_user_error(f"'{copy}' is there already; pass overwrite=True or another target_path")
            os.makedirs(os.path.dirname(os.path.abspath(copy)), exist_ok=True)
            shutil.copyfile(file, copy)
            made.append(copy)
    return made
