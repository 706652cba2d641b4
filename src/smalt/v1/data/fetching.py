"""Data of datasets on this machine: listings, copies and data frames."""

from __future__ import annotations

import importlib.util
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.exceptions import NotFound, SmaltError
from smalt.v1.data import documents
from smalt.v1.data.locations import split_uri
from smalt.v1.exceptions import UserErrorException

if TYPE_CHECKING:
    from smalt.v1.data.datasets import AbstractDataset, FileDataset
    from smalt.v1.data.tables import TabularDataset


class ListedFile(NamedTuple):
    """A file of a dataset."""

    uri: str
    relative: str
    """The path below the folder, or the folder in which a pattern looks."""
    place: str
    """The whole path, for partition formats."""


def list_files(entry: dict[str, str], client: Any) -> list[ListedFile]:
    """Return the files of one path of a dataset, by name; of the web only files can be listed."""
    kind, uri = next(iter(entry.items()))
    place = split_uri(uri)
    if place is not None:
        store, path = place
        base, matches = _split_pattern(path, kind)
        found = [str(one["path"]).strip("/") for one in _list_store(client, store, base) if not one.get("is_dir")]
        if kind == "file":
            return [_make_listed(store, path, posixpath.basename(path))] if path in found or not found else []
        chosen = [one for one in found if matches(_get_relative(one, base))]
        return [_make_listed(store, one, _get_relative(one, base)) for one in sorted(chosen)]
    if "://" in uri or uri.startswith("azureml:"):
        if kind == "pattern":
            raise UserErrorException(f"{uri} has a pattern, which can be listed on a datastore or this machine only")
        name = posixpath.basename(uri.partition("?")[0].rstrip("/"))
        return [ListedFile(uri, name, uri)]
    return _list_local(uri, kind)


def _list_local(path: str, kind: str) -> list[ListedFile]:
    base, matches = _split_pattern(path, kind)
    if kind == "file":
        return [ListedFile(path, os.path.basename(path), path)] if os.path.isfile(path) else []
    found = []
    for parent, folders, names in os.walk(base or "."):
        folders.sort()
        for name in sorted(names):
            whole = os.path.join(parent, name)
            relative = os.path.relpath(whole, base or ".")
            if matches(relative):
                found.append(ListedFile(whole, relative, whole))
    return found


def _split_pattern(path: str, kind: str) -> tuple[str, Any]:
    """Return the folder to list, and a function that tells which paths below it are meant."""
    if kind != "pattern":
        return path.rstrip("/") if kind == "folder" else path, lambda relative: True
    from smalt.mltable import locations

    base = re.split(r"[*?\[]", path, maxsplit=1)[0].rpartition("/")[0]
    expression = re.compile(locations.translate_pattern(path[len(base) :].lstrip("/")))
    return base, lambda relative: expression.fullmatch(relative) is not None


def _list_store(client: Any, store: str, path: str) -> list[dict[str, Any]]:
    if client is None:
        raise UserErrorException(
            f"azureml://datastores/{store} is listed by a workspace; make the dataset from a datastore"
        )
    try:
        return list(client.datastores.ls(store, path, recursive=True))
    except NotFound:
        return []
    except SmaltError as error:
        raise UserErrorException(str(error)) from None


def _get_relative(path: str, base: str) -> str:
    return path[len(base) :].lstrip("/") if base and path.startswith(base) else path


def _make_listed(store: str, path: str, relative: str) -> ListedFile:
    return ListedFile(f"azureml://datastores/{store}/paths/{path}", relative, path)


def list_chosen_files(dataset: FileDataset, client: Any) -> list[dict[str, str]]:
    """Return the paths of the files that are left after the dataset's takes, skips, samples and filters."""
    steps = [step for step in dataset._document["transformations"] if documents.PARTITIONS not in step]
    paths: list[dict[str, str]] = dataset._document["paths"]
    if not steps:
        return paths
    return [{"file": one.uri} for one in _choose_files(dataset, client)]


def _choose_files(dataset: AbstractDataset, client: Any) -> list[ListedFile]:
    files = [one for entry in dataset._document["paths"] for one in list_files(entry, client)]
    for step in dataset._document["transformations"]:
        (name, arguments) = next(iter(step.items()))
        if name == "take":
            files = files[:arguments]
        elif name == "skip":
            files = files[arguments:]
        elif name == "sample":
            files = _sample_files(files, arguments["sampler_arguments"])
        elif name == "filter":
            files = _filter_files(dataset, files, arguments)
    return files


def _sample_files(files: list[ListedFile], chances: dict[str, Any]) -> list[ListedFile]:
    import random

    generator = random.Random(chances["seed"])
    low, high = chances["probability_lower_bound"], chances["probability"]
    return [one for one in files if low <= generator.random() < high]


def _filter_files(dataset: AbstractDataset, files: list[ListedFile], expression: str) -> list[ListedFile]:
    import polars

    from smalt.mltable import filters

    rows = [_get_partition_values(dataset, one) for one in files]
    table = polars.DataFrame(rows).with_row_index("smalt_row")
    chosen = table.filter(filters.compile_expression(expression, table.schema))["smalt_row"]
    return [files[index] for index in chosen]


def _get_partition_values(dataset: AbstractDataset, file: ListedFile) -> dict[str, Any]:
    """Return what a file's path says, by the names of the partition format."""
    from smalt.mltable import partitions

    for step in dataset._document["transformations"]:
        if documents.PARTITIONS in step:
            format = partitions.parse_format(step[documents.PARTITIONS]["partition_format"])
            found = format.pattern.search(file.place)
            if found is None:
                raise UserErrorException(f"the path '{file.place}' does not have the partition_format of its dataset")
            return {name: found[f"c{index}"] for index, name in enumerate(format.columns) if name != format.date}
    return {}


def list_partition_values(dataset: AbstractDataset, keys: list[str] | None) -> list[dict[str, Any]]:
    """Return the values of the partition keys that there are, each once."""
    known = dataset.partition_keys
    unknown = [key for key in keys or known if key not in known]
    if unknown or not known:
        has = f"they are {', '.join(known)}" if known else "it has none; give from_files a partition_format"
        raise UserErrorException(f"'{(unknown or ['?'])[0]}' is not a partition key of the dataset; {has}")
    found: list[dict[str, Any]] = []
    for file in _choose_files(dataset, dataset.client):
        values = _get_partition_values(dataset, file)
        chosen = {key: values[key] for key in keys or known}
        if chosen not in found:
            found.append(chosen)
    return found


def list_relative_files(dataset: FileDataset) -> list[str]:
    """Return the paths of the files, each from the root of the dataset."""
    return ["/" + one.relative for one in _choose_files(dataset, dataset.client)]


def find_missing(dataset: AbstractDataset) -> str | None:
    """Return the sentence about the first path without a file; the web is not asked."""
    for entry in dataset._document["paths"]:
        uri = documents.get_uri(entry)
        is_remote = split_uri(uri) is None and ("://" in uri or uri.startswith("azureml:"))
        if is_remote or list_files(entry, dataset.client):
            continue
        return f"there are no files at {uri}"
    return None


def find_changed_time(dataset: AbstractDataset) -> datetime | None:
    """Return the time of the newest registration of the dataset; None for one that is not registered."""
    asset = dataset._asset
    context = None if asset is None else asset.creation_context
    return None if context is None else context.last_modified_at or context.created_at


# Copies


def download_files(
    dataset: FileDataset, target: str | None, overwrite: bool, ignore_missing: bool = False
) -> list[str]:
    """Copy the files into a folder, and return their paths."""
    folder = target or tempfile.mkdtemp(prefix="smalt-dataset-")
    files = _choose_files(dataset, dataset.client)
    if not files and not ignore_missing:
        raise UserErrorException(f"{dataset!r} has no files to download")
    made = []
    for file in files:
        path = os.path.join(folder, file.relative)
        if os.path.exists(path) and not overwrite:
            raise UserErrorException(f"'{path}' is there already; pass overwrite=True or another target_path")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        fetch_file(file.uri, path, dataset.client)
        made.append(path)
    return made


def fetch_file(uri: str, path: str, client: Any) -> None:
    """Write the file of a URI to a path."""
    place = split_uri(uri)
    if "://" not in uri and not uri.startswith("azureml:"):
        shutil.copyfile(uri, path)
    elif uri.startswith("azureml:"):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
            if place is not None:
                client.datastores.download(*place, folder)
            else:
                from smalt.client.transfers.downloads import download_uri

                download_uri(client, uri, folder)
            name = posixpath.basename(uri)
            os.replace(os.path.join(folder, name), path)
    else:
        with find_web_files(client):
            from smalt.mltable import errors, locations

            try:
                shutil.copyfile(locations.get_readable(uri), path)
            except errors.UserErrorException as error:
                raise UserErrorException(error.message) from None


@contextmanager
def find_web_files(client: Any) -> Iterator[None]:
    """Let URLs be read from where the server's URL map has them, within the block."""
    import json

    from smalt.mltable import locations

    if client is None:
        from smalt.client import MLClient

        client = MLClient()
    before = os.environ.get(locations.VARIABLE)
    mapped = client.connection.get("/smalt/v1/config").get("url-map") or {}
    os.environ[locations.VARIABLE] = json.dumps({"url-map": mapped})
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(locations.VARIABLE, None)
        else:
            os.environ[locations.VARIABLE] = before


class DatasetMount:
    """`with dataset.mount() as mount:` gives a folder, `mount.mount_point`, that has the files."""

    def __init__(self, dataset: FileDataset, mount_point: str | None) -> None:
        self._dataset = dataset
        self.mount_point = mount_point or tempfile.mkdtemp(prefix="smalt-dataset-")

    def start(self) -> None:
        """Copy the files there; those that are there already stay."""
        for file in _choose_files(self._dataset, self._dataset.client):
            path = os.path.join(self.mount_point, file.relative)
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                fetch_file(file.uri, path, self._dataset.client)

    def stop(self) -> None:
        """Do nothing: the copies stay until their folder is removed."""

    def __enter__(self) -> DatasetMount:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def list_local_files(folder: str, pattern: str | None = None) -> list[str]:
    """Return the files below a folder of this machine that match, by name."""
    entry = {"pattern": os.path.join(folder, pattern)} if pattern else {"folder": folder}
    return [one.uri for one in list_files(entry, None)]


# Tables


def read_frame(dataset: TabularDataset) -> Any:
    """Return the table as a pandas data frame; what lies on a datastore is copied for the time being."""
    try:
        from smalt.mltable import document, errors, mltable
    except ImportError:
        raise UserErrorException("a data frame needs polars and pandas: pip install polars pandas pyarrow") from None
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder, find_web_files(dataset.client):
        written = {key: value for key, value in dataset._document.items() if key != "v1_traits"}
        written["paths"] = [
            _bring_near(entry, os.path.join(folder, str(index)), dataset.client)
            for index, entry in enumerate(dataset._document["paths"])
        ]
        try:
            table = mltable._make_table(document.check_document(written), os.getcwd())
            return table.to_pandas_dataframe()
        except errors.UserErrorException as error:
            raise UserErrorException(error.message) from None


def _bring_near(entry: dict[str, str], folder: str, client: Any) -> dict[str, str]:
    """Return the entry as one of this machine, with the data copied into `folder` if it is on a datastore."""
    kind, uri = next(iter(entry.items()))
    place = split_uri(uri)
    if place is None:
        return entry
    store, path = place
    base = _split_pattern(path, kind)[0] if kind == "pattern" else path
    near = _find_local(client, f"azureml://datastores/{store}/paths/{base}")
    if near is not None:
        return {kind: near + path[len(base.rstrip("/")) :].rstrip("/") if kind == "pattern" else near}
    target = os.path.join(folder, posixpath.dirname(path) if kind == "file" else base)
    os.makedirs(target, exist_ok=True)
    client.datastores.download(store, base, target)
    return {kind: os.path.join(folder, path)}


def _find_local(client: Any, uri: str) -> str | None:
    """Return the path of a URI on this machine; None if nothing is there, or its datastore is elsewhere."""
    local = _resolve_uri(client, uri)
    return local if local and os.path.exists(local) else None


def add_missing_folder(client: Any, uri: str) -> bool:
    """Make the folder of a URI if its datastore is on this machine; return False if it is elsewhere, or is there."""
    try:
        local = _resolve_uri(client, uri)
    except SmaltError:
        return False  # the job says what is wrong with the URI
    if not local or os.path.lexists(local):
        return False
    os.makedirs(local)
    return True


def _resolve_uri(client: Any, uri: str) -> str | None:
    found = client.connection.post(f"/smalt/v1{client.workspace_id}/resolve", {"uri": uri})
    return found.get("local") or None


def write_frame(dataset: TabularDataset, kind: str, separator: str) -> FileDataset:
    """Write the table into a temporary file, and return that as a dataset."""
    from smalt.v1.data.datasets import FileDataset

    frame = dataset.to_pandas_dataframe()
    path = os.path.join(tempfile.mkdtemp(prefix="smalt-dataset-"), f"part-00000.{kind}")
    if kind == "csv":
        frame.to_csv(path, index=False, sep=separator)
    else:
        write_parquet(frame, path)
    made: FileDataset = FileDataset.from_document(documents.make_document([path]), dataset._workspace)
    return made


def save_frame(frame: Any) -> TabularDataset:
    """Write a data frame into a temporary file, and return that as a dataset."""
    from smalt.v1.data.tables import TabularDataset

    path = os.path.join(tempfile.mkdtemp(prefix="smalt-dataset-"), "part-00000.parquet")
    write_parquet(frame, path)
    steps = [{"read_parquet": {"include_path_column": False}}]
    made: TabularDataset = TabularDataset.from_document(documents.make_document([path], None, steps))
    return made


def write_parquet(frame: Any, path: str, row_group_size: int | None = None) -> None:
    """Write a data frame of pandas by pyarrow, or by polars where that is not there."""
    if importlib.util.find_spec("pyarrow") is not None:
        frame.to_parquet(path, index=False, **({"row_group_size": row_group_size} if row_group_size else {}))
        return
    import polars

    columns = {str(name): frame[name].to_list() for name in frame.columns}
    polars.DataFrame(columns, strict=False).write_parquet(path, row_group_size=row_group_size)


def upload_frame(frame: Any, store: Any, path: str, unique: bool, row_group_size: int | None = None) -> str:
    """Write a data frame to a datastore as Parquet, and return the folder it is in."""
    import uuid

    place = posixpath.join(path, str(uuid.uuid4())) if unique else path
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
        file = os.path.join(folder, "part-00000.parquet")
        write_parquet(frame, file, row_group_size)
        store.workspace.client.datastores.upload(store.name, file, f"{place.strip('/')}/")
    return place.strip("/")
