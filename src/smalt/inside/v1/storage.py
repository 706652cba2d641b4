"""A run's files, inputs and models, under v1's names."""

from __future__ import annotations

import os

from .data import InputDatasets, list_output_datasets
from .errors import make_user_error
from .notices import tell_no_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .files import RunFiles


_IN_RUN = "files of a run are kept with the run"


class Storage:
    _files: RunFiles

    @property
    def input_datasets(self) -> InputDatasets:
        return InputDatasets()

    @property
    def output_datasets(self) -> dict[str, str]:
        return list_output_datasets()

    def upload_file(self, name: str, path_or_stream: str | BinaryIO, datastore_name: str | None = None) -> None:
        tell_no_effect("Run.upload_file", {"datastore_name": datastore_name}, _IN_RUN)
        self._files.put_file(name, path_or_stream)

    def upload_files(
        self, names: list[str], paths: list[str], return_artifacts: bool = False, timeout_seconds: object = None,
        datastore_name: str | None = None,
    ) -> None:  # fmt: skip
        given = {"datastore_name": datastore_name, "return_artifacts": return_artifacts}
        tell_no_effect("Run.upload_files", given, _IN_RUN)
        if len(names) != len(paths):
            raise make_user_error(f"upload_files has {len(names)} names and {len(paths)} paths")
        for index, name in enumerate(names):
            self._files.put_file(name, paths[index])

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:
        tell_no_effect("Run.upload_folder", {"datastore_name": datastore_name}, _IN_RUN)
        self._files.put_folder(name, path)

    def get_file_names(self) -> list[str]:
        return self._files.list_names()

    def download_file(self, name: str, output_file_path: str | None = None, _validate_checksum: bool = False) -> None:
        target = os.fspath(output_file_path) if output_file_path is not None else os.path.basename(name)
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(name))
        self._files.fetch_file(name, target)

    def download_files(
        self, prefix: str | None = None, output_directory: str | None = None, output_paths: list[str] | None = None,
        batch_size: int = 100, append_prefix: bool = True, timeout_seconds: object = None,
    ) -> None:  # fmt: skip
        start = (prefix or "").rstrip("/")
        chosen = [
            name for name in self._files.list_names() if not start or name == start or name.startswith(start + "/")
        ]
        if not chosen:
            raise make_user_error("the run has no file below '{}'".format(prefix or "its root"))
        if output_paths is not None and len(output_paths) != len(chosen):
            raise make_user_error(f"output_paths has {len(output_paths)} paths for {len(chosen)} files")
        for index, name in enumerate(chosen):
            own = name if append_prefix or not start else name[len(start) :].strip("/") or os.path.basename(name)
            target = output_paths[index] if output_paths is not None else own
            self._files.fetch_file(name, os.path.join(output_directory or "", target))
