"""Data of the job's workspace: data assets by name, and paths on its datastores, fetched when they are read.

The server records that the job read them, and never lets a later step reuse what it wrote.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import re
import shutil
import tempfile
from urllib.parse import quote

from . import workspace_routes as routes
from .data import FileDataset, LocalMount, TabularDataset
from .errors import make_user_error
from .notices import tell_no_effect
from .tables import MLTABLE, find_mltable, read_files, read_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NamedTuple

    class StoredFile(NamedTuple):
        """A file of a datastore; one of this machine has no datastore."""

        store: str
        path: str
        relative: str

else:
    from collections import namedtuple

    StoredFile = namedtuple("StoredFile", "store path relative")

AS_INPUT = "make the data one of the job's inputs, and read run.input_datasets['its name'] or pass its path"
_DOCUMENT = "azureml.v1.dataset"
"""The property in which programs of SDK v1 keep what their datasets are: v1/data/registration.py."""
_PLACE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/)?"
    r"datastores/(?P<store>[^/]+)/paths/?(?P<path>.*)"
)
_PARTITIONS = "extract_columns_from_partition_format"


def find_asset(name: str, version: object) -> Any:
    """Return the dataset of a data asset by its name."""
    cleaned = re.sub(r"[^\w.-]+", "_", str(name), flags=re.ASCII).lstrip("_.-")[:255] or str(name)
    which = "labels/latest" if version in (None, "latest") else "versions/" + quote(str(version), safe="")
    try:
        found = routes.get_json(f"/data/{quote(cleaned, safe='')}/{which}", routes.ARM)
    except FileNotFoundError as problem:
        raise make_user_error(f"the workspace has no such dataset: {problem}") from None
    return make_dataset(cleaned, found)


def list_asset_names() -> list[str]:
    """Return the names of the workspace's data assets."""
    names, target = [], "/data"
    while target:
        page = routes.get_json(target, routes.ARM)
        names += [str(one["name"]) for one in page["value"]]
        following = page.get("nextLink") or ""
        target = "/data?" + following.partition("?")[2] if following else ""
    return names


def make_dataset(name: str, found: dict[str, Any]) -> Any:
    """Return the dataset of an asset as the API shows it: rows, files, or both where nothing says which."""
    said = found["properties"]
    uri, kind = str(said["dataUri"]), said.get("dataType")
    text = (said.get("properties") or {}).get(_DOCUMENT)
    document = json.loads(text) if text else {"paths": [{_GUESSED: uri}], "transformations": []}
    made: Any
    if text and is_table(document):
        made = StoredTable(document)
    elif text:
        made = StoredFiles(document)
    elif kind == "mltable":
        made = TabularDataset(lambda: _load_table_folder(StoredFiles(document)))
    else:
        made = StoredData(document)
    made.name, made.version = name, int(found["name"]) if str(found["name"]).isdigit() else found["name"]
    made.id = f"{name}:{found['name']}"
    made.description, made.tags = said.get("description"), dict(said.get("tags") or {})
    return made


def is_table(document: dict[str, Any]) -> bool:
    return any(name.startswith("read_") for step in document["transformations"] for name in step)


_GUESSED = "path"
"""The kind of a path that is a file or a folder, whichever is there."""


class StoredPath:
    """A path on a datastore, as `datastore.path(…)` returns it."""

    def __init__(self, store: str, path: str) -> None:
        self.datastore_name = store
        self.path_on_datastore = path

    @property
    def uri(self) -> str:
        return f"azureml://datastores/{self.datastore_name}/paths/{self.path_on_datastore.strip('/')}"


class StoredFiles(FileDataset):
    """Files of datastores, which are fetched when they are asked for."""

    name: str | None = None

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__([])
        self._document = document
        for step in document["transformations"]:
            for name in step:
                if name not in ("take", "skip", "sample", _PARTITIONS):
                    raise make_user_error(f"files chosen by '{name}' cannot be listed inside a smalt job; {AS_INPUT}")

    def to_path(self) -> list[str]:
        return ["/" + one.relative for one in self.list_chosen()]

    def list_chosen(self) -> list[StoredFile]:
        """Return the files that are left after the dataset's takes, skips and samples."""
        files = [file for entry in self._document["paths"] for file in list_stored(entry)]
        for step in self._document["transformations"]:
            ((name, given),) = step.items()
            if name == "take":
                files = files[:given]
            elif name == "skip":
                files = files[given:]
            elif name == "sample":
                chances = given["sampler_arguments"]
                generator = random.Random(chances["seed"])
                low, high = chances["probability_lower_bound"], chances["probability"]
                files = [one for one in files if low <= generator.random() < high]
        return files

    def download(
        self, target_path: str | None = None, overwrite: bool = False, ignore_not_found: bool = False, **more: Any
    ) -> list[str]:
        """Copy the files into a folder, and return their paths; a folder that was not given ends with the process."""
        tell_no_effect("FileDataset.download", more)
        files = self.list_chosen()
        if not files and not ignore_not_found:
            raise make_user_error(f"the dataset '{self.name or self._document['paths']}' has no files to download")
        folder = target_path or make_scratch_folder()
        return [fetch_file(one, os.path.join(folder, *one.relative.split("/")), overwrite) for one in files]

    def mount(self, mount_point: str | None = None, **more: Any) -> StoredMount:
        tell_no_effect("FileDataset.mount", more, "the files are copied")
        return StoredMount(self, mount_point)

    def take(self, count: int) -> StoredFiles:
        return self._add_step("take", count)

    def skip(self, count: int) -> StoredFiles:
        return self._add_step("skip", count)

    def _add_step(self, name: str, given: Any) -> StoredFiles:
        return StoredFiles({**self._document, "transformations": [*self._document["transformations"], {name: given}]})


class StoredTable(TabularDataset):
    """Rows of files of datastores, which are fetched when a data frame is asked for."""

    name: str | None = None

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(lambda: _load_frame(document))


class StoredData(TabularDataset):
    """A data asset of v2, which is files, and rows if they can be read as such; what is taken of it are rows."""

    name: str | None = None

    def __init__(self, document: dict[str, Any]) -> None:
        self._files = StoredFiles(document)
        super().__init__(self._read_rows)

    def _read_rows(self) -> Any:
        with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
            self._files.download(folder)
            return read_frame(folder)

    def to_path(self) -> list[str]:
        return self._files.to_path()

    def download(self, target_path: str | None = None, overwrite: bool = False, **more: Any) -> list[str]:
        return self._files.download(target_path, overwrite, **more)

    def mount(self, mount_point: str | None = None, **more: Any) -> StoredMount:
        return self._files.mount(mount_point, **more)


class StoredMount(LocalMount):
    """`with dataset.mount() as mount:` gives a folder, `mount.mount_point`, with copies of the files."""

    def __init__(self, dataset: StoredFiles, mount_point: str | None) -> None:
        super().__init__((), mount_point or make_scratch_folder())
        self._dataset = dataset

    def start(self) -> None:
        for one in self._dataset.list_chosen():
            target = os.path.join(self.mount_point, *one.relative.split("/"))
            if not os.path.exists(target):
                fetch_file(one, target, overwrite=False)


def list_stored(entry: dict[str, str]) -> Iterator[StoredFile]:
    """Yield the files of one path of a dataset, by name; all of them if it is a folder."""
    ((kind, uri),) = entry.items()
    place = _find_place(uri)
    if place is None:
        yield StoredFile("", uri, os.path.basename(uri))
        return
    store, path = place
    path = path.strip("/")
    base = re.split(r"[*?\[]", path, maxsplit=1)[0].rpartition("/")[0] if kind == "pattern" else path
    matches = re.compile(_translate_pattern(path[len(base) :].strip("/")) if kind == "pattern" else ".*", re.DOTALL)
    try:
        found = sorted(one["path"].strip("/") for one in routes.list_store(store, base, recursive=True)
                       if not one.get("is_dir"))  # fmt: skip
    except FileNotFoundError:
        raise make_user_error(f"there are no files at {uri}") from None
    for one in found:
        relative = os.path.basename(one) if one == base else one[len(base) :].lstrip("/")
        if matches.fullmatch(relative):
            yield StoredFile(store, one, relative)


def _find_place(uri: str) -> tuple[str, str] | None:
    """Return datastore and path of a URI; None for a path of this machine."""
    found = _PLACE.fullmatch(uri)
    if found is not None:
        return found["store"], found["path"]
    if "://" not in uri and not uri.startswith("azureml:"):
        return None
    try:
        return routes.resolve_uri(uri)
    except FileNotFoundError:
        raise make_user_error(f"the data at {uri} is on no datastore of the workspace; {AS_INPUT}") from None


def _translate_pattern(pattern: str) -> str:
    """Return a regular expression: * and ? within a folder, ** for any folders."""
    made, index = "", 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            made, index = made + "(?:[^/]+/)*", index + 3
            continue
        if pattern[index:] == "**":
            return made + ".*"
        letter = pattern[index]
        closing = pattern.find("]", index + 2) if letter == "[" else -1
        if closing > 0:
            inner = pattern[index + 1 : closing].replace("\\", "\\\\")
            made, index = made + "[" + ("^" + inner[1:] if inner[0] == "!" else inner) + "]", closing + 1
            continue
        made += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
        index += 1
    return made


def fetch_file(file: StoredFile, target: str, overwrite: bool) -> str:
    """Write a file to a path of this machine, whole or not at all, and return the path."""
    if os.path.exists(target) and not overwrite:
        raise make_user_error(f"'{target}' is there already; pass overwrite=True or another target_path")
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    partial = f"{target}.partial.{os.getpid()}"
    try:
        if file.store:
            with open(partial, "wb") as written:
                routes.fetch_store_file(file.store, file.path, written)
        else:
            shutil.copyfile(file.path, partial)
        os.replace(partial, target)
    except FileNotFoundError:
        raise make_user_error(f"'{file.path}' is no longer there") from None
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    return target


def make_scratch_folder() -> str:
    """Return a folder that is removed when this process ends."""
    folder, owner = tempfile.mkdtemp(prefix="smalt-dataset-"), os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return folder


def _load_frame(document: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
        files = []
        for index, entry in enumerate(document["paths"]):
            for one in list_stored(entry):
                target = one.path if not one.store else os.path.join(folder, str(index), *one.path.split("/"))
                files.append((fetch_file(one, target, overwrite=False) if one.store else target, "/" + one.relative))
        return read_files(files, document["transformations"], prefers_mltable=True)


def _load_table_folder(files: StoredFiles) -> Any:
    """A data frame of a folder with a file MLTable, which only mltable reads."""
    if find_mltable() is None:
        raise make_user_error(f"a table of v2 ({MLTABLE}) needs the package mltable; add it to the job's environment")
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
        files.download(folder)
        return read_frame(folder)
