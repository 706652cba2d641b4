"""`azureml.data`: datasets, and those of files."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Input
from smalt.v1.command_ports import PortBinding
from smalt.v1.data import documents
from smalt.v1.data.consumption import DatasetConsumptionConfig
from smalt.v1.data.locations import find_type
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import MODES, DataPort

if TYPE_CHECKING:
    from datetime import datetime

    from smalt.v1.workspace import Workspace


class AbstractDataset(PortBinding):
    """A dataset: where its data is, and what is done to it when it is read.

    Datasets never change; methods return new ones.
    """

    is_table = False

    def __init__(self) -> None:
        raise UserErrorException(
            f"a {type(self).__name__} is made by Dataset.File.from_files or Dataset.Tabular.from_…, or by "
            "Dataset.get_by_name"
        )

    @classmethod
    def from_document(cls, document: documents.Document, workspace: Workspace | None = None) -> Any:
        """Return the dataset of an MLTable document."""
        made = cls.__new__(cls)
        made._set_document(document, workspace)
        return made

    def _set_document(self, document: documents.Document, workspace: Workspace | None) -> None:
        self._document, self._workspace = document, workspace
        self._asset: Any = None

    def _change(self, document: documents.Document) -> Any:
        return type(self).from_document(document, self._workspace)

    def _add_step(self, name: str, arguments: Any) -> Any:
        return self._change(documents.add_step(self._document, name, arguments))

    def with_asset(self, asset: Any) -> Any:
        """Return the dataset as the registered one that the asset is."""
        made = copy.copy(self)
        made._asset = asset
        return made

    def __repr__(self) -> str:
        uris = [documents.get_uri(entry) for entry in self._document["paths"]]
        known = f", name={self.name!r}, version={self.version}" if self.name else ""
        return f"{type(self).__name__}(source={uris}{known})"

    @property
    def client(self) -> Any:
        return None if self._workspace is None else self._workspace.client

    @property
    def id(self) -> str:
        """The name and version by which `Dataset.get_by_id` finds it; one that is not registered yet gets them."""
        if self._asset is None:
            from smalt.v1.data.registration import save_unnamed

            self._asset = save_unnamed(self)
        return f"{self._asset.name}:{self._asset.version}"

    @property
    def name(self) -> str | None:
        from smalt.v1.data.registration import is_named

        return str(self._asset.name) if self._asset is not None and is_named(self._asset) else None

    @property
    def version(self) -> int | None:
        if self.name is None:
            return None
        version = str(self._asset.version)
        return int(version) if version.isdigit() else version  # type: ignore[return-value]

    @property
    def description(self) -> str | None:
        return None if self._asset is None else self._asset.description

    @property
    def tags(self) -> dict[str, str]:
        return {} if self._asset is None else dict(self._asset.tags or {})

    @property
    def data_changed_time(self) -> datetime | None:
        """The time of the newest change of a file of it."""
        from smalt.v1.data.fetching import find_changed_time

        return find_changed_time(self)

    @property
    def partition_keys(self) -> list[str]:
        return documents.list_partition_keys(self._document)

    def get_partition_key_values(self, partition_keys: list[str] | None = None) -> list[dict[str, Any]]:
        from smalt.v1.data.fetching import list_partition_values

        return list_partition_values(self, partition_keys)

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """Return the dataset under the name by which a script finds it in its run's input_datasets."""
        return DatasetConsumptionConfig(name, self)

    def register(
        self,
        workspace: Workspace,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        create_new_version: bool = False,
    ) -> Any:
        """Register the dataset as a data asset, and return it as the registered one."""
        from smalt.v1.data.registration import register_dataset

        return register_dataset(self, workspace, name, description, tags, create_new_version)

    def update(self, description: str | None = None, tags: Mapping[str, str] | None = None) -> Any:
        """Set the description or the tags of the registered dataset."""
        from smalt.v1.data.registration import update_dataset

        return update_dataset(self, description, tags)

    def add_tags(self, tags: Mapping[str, str] | None = None) -> Any:
        return self.update(tags={**self.tags, **(tags or {})})

    def remove_tags(self, tags: list[str] | None = None) -> Any:
        return self.update(tags={key: value for key, value in self.tags.items() if key not in (tags or ())})

    def unregister_all_versions(self) -> None:
        from smalt.v1.data.registration import unregister_dataset

        unregister_dataset(self)

    def to_port(self) -> DataPort:
        return DataPort("inputs", self, None, "direct" if self.is_table else "mount")

    def to_input(self, mode: str | None, client: Any) -> Input:
        raise NotImplementedError


class FileDataset(AbstractDataset):
    """Files, by the paths of files and folders."""

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(None, self, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(None, self, "download", path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(None, self, "hdfs")

    def as_direct(self) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(None, self, "direct")

    def as_cache(self, datacache_store: object) -> FileDataset:
        tell_no_effect("FileDataset.as_cache", {"datacache_store": datacache_store}, "what is fetched is kept anyway")
        return self

    def to_path(self) -> list[str]:
        """Return the files, each as a path from the root of the dataset."""
        from smalt.v1.data.fetching import list_relative_files

        return list_relative_files(self)

    def download(
        self, target_path: str | None = None, overwrite: bool = False, ignore_not_found: bool = False
    ) -> list[str]:
        """Copy the files into a folder, a temporary one where none is given, and return their paths."""
        from smalt.v1.data.fetching import download_files

        return download_files(self, target_path, overwrite, ignore_not_found)

    def mount(self, mount_point: str | None = None, **kwargs: Any) -> Any:
        """Return the context in which the files are at `mount_point`, to which they are copied."""
        from smalt.v1.data.fetching import DatasetMount

        tell_no_effect("FileDataset.mount", kwargs, "the files are copied")
        return DatasetMount(self, mount_point)

    def take(self, count: int) -> FileDataset:
        """Return the first `count` files."""
        _check_count(count)
        return self._add_step("take", count)  # type: ignore[no-any-return]

    def skip(self, count: int) -> FileDataset:
        _check_count(count)
        return self._add_step("skip", count)  # type: ignore[no-any-return]

    def take_sample(self, probability: float, seed: int | None = None) -> FileDataset:
        """Return each file with this probability."""
        return self._change(documents.split_document(self._document, probability, seed)[0])  # type: ignore[no-any-return]

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[FileDataset, FileDataset]:
        first, second = documents.split_document(self._document, percentage, seed)
        return self._change(first), self._change(second)

    def filter(self, expression: Any) -> FileDataset:
        """Return the files whose partition values fulfil a condition, such as `dataset['year'] == '2020'`."""
        from smalt.v1.data.conditions import to_filter

        return self._add_step("filter", to_filter(expression, self.partition_keys))  # type: ignore[no-any-return]

    def __getitem__(self, name: str) -> Any:
        from smalt.v1.data.conditions import Column

        return Column(name)

    def file_metadata(self, col: str) -> Any:
        raise UserErrorException("file_metadata is not served; choose files by their paths or by partition_format")

    def hydrate(self, datacache_store: object, replica_count: int | None = None) -> None:
        given = {"datacache_store": datacache_store, "replica_count": replica_count}
        tell_no_effect("FileDataset.hydrate", given, "what is fetched is kept anyway")

    def to_input(self, mode: str | None, client: Any) -> Input:
        """Return the input: the file or folder itself; of several, or of a part, an MLTable of their paths."""
        client = client or self.client
        mode = MODES.get(mode or "mount", mode)
        paths, steps = self._document["paths"], self._document["transformations"]
        if len(paths) > 1 or "pattern" in paths[0] or steps:
            from smalt.v1.data.fetching import list_chosen_files

            kept = [step for step in steps if documents.PARTITIONS in step]
            chosen = {"paths": list_chosen_files(self, client), "transformations": kept}
            mode = "eval_download" if mode == "download" else "eval_mount"
            return Input(type="mltable", path=documents.upload_document(chosen, client), mode=mode)
        uri = documents.get_uri(paths[0])
        made = Input(type=find_type(uri, client), path=uri if "://" in uri else os.path.abspath(uri))
        if mode not in (None, "ro_mount"):
            made.mode = mode
        return made


def _check_count(count: object) -> None:
    if type(count) is not int or count < 1:
        raise UserErrorException(f"the number of files or rows must be an int above 0, not {count!r}")
