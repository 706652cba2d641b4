"""MLTable documents: what a v1 dataset is, as v2 describes it: paths, and what is done to what they hold."""

from __future__ import annotations

import copy
import os
import random
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

from smalt.v1.data.locations import has_pattern
from smalt.v1.exceptions import UserErrorException

Document = dict[str, Any]
PARTITIONS = "extract_columns_from_partition_format"


def make_document(uris: list[str], client: Any = None, transformations: list[Any] | None = None) -> Document:
    from smalt.v1.data.locations import find_type

    entries = []
    for uri in uris:
        kind = "pattern" if has_pattern(uri) else "file" if find_type(uri, client) == "uri_file" else "folder"
        entries.append({kind: uri})
    return {"paths": entries, "transformations": list(transformations or [])}


def get_uri(entry: Mapping[str, str]) -> str:
    return next(iter(entry.values()))


def add_step(document: Document, name: str, arguments: Any) -> Document:
    """Return the document with one more transformation."""
    made = copy.deepcopy(document)
    made["transformations"].append({name: arguments})
    check_document(made)
    return made


def check_document(document: Document) -> None:
    """Raise UserErrorException if the document is not valid."""
    from smalt.mltable import document as documents
    from smalt.mltable import errors

    try:
        documents.check_document(copy.deepcopy({"paths": [], "transformations": document["transformations"]}))
    except errors.UserErrorException as error:
        raise UserErrorException(error.message) from None


def split_document(document: Document, percentage: float, seed: int | None) -> tuple[Document, Document]:
    """Return two documents that share all rows or files between them."""
    if not isinstance(percentage, float) or not 0 < percentage < 1:
        raise UserErrorException(f"percentage must be a float greater than 0 and less than 1, not {percentage!r}")
    seed = random.randint(1, 1000) if seed is None else seed
    parts = []
    for low, high in ((0.0, percentage), (percentage, 1.0)):
        chances = {"probability": high, "probability_lower_bound": low, "seed": seed}
        parts.append(add_step(document, "sample", {"sampler": "random_percent", "sampler_arguments": chances}))
    return parts[0], parts[1]


def is_table(document: Document) -> bool:
    """Return True if the files are read as rows."""
    return any(name.startswith("read_") for step in document["transformations"] for name in step)


def upload_document(document: Document, client: Any) -> str:
    """Store the MLTable of a document in the workspace, under a name by its content, and return its URI."""
    from smalt.client.transfers.uploads import DEFAULT_DATASTORE, upload_content

    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as scratch:
        folder = os.path.join(scratch, "dataset")
        os.mkdir(folder)
        write_document(document, folder)
        return upload_content(client if client is not None else _make_client(), folder, DEFAULT_DATASTORE)


def _make_client() -> Any:
    from smalt.client import MLClient

    return MLClient()


def write_document(document: Document, folder: str) -> None:
    """Write the file MLTable into a folder; data of this machine is copied beside it."""
    import yaml

    traits = document.get("v1_traits") or {}
    time = traits.get("timestamp") or traits.get("partition_timestamp")
    written: Document = {"paths": [_copy_beside(entry, folder) for entry in document["paths"]]}
    if document["transformations"]:
        written["transformations"] = document["transformations"]
    if time is not None:
        written["traits"] = {"timestamp_column": time}
    with open(os.path.join(folder, "MLTable"), "w", encoding="utf-8") as file:
        yaml.safe_dump(written, file, sort_keys=False, allow_unicode=True)


def _copy_beside(entry: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return the entry; data of this machine is copied into `folder`, and its path is relative to it."""
    from smalt.v1.data.fetching import list_files

    kind, uri = next(iter(entry.items()))
    if "://" in uri or uri.startswith("azureml:"):
        return {kind: uri}
    inner = os.path.normpath(uri).lstrip("/") if ".." not in os.path.normpath(uri) else os.path.abspath(uri).lstrip("/")
    for file in list_files({kind: uri}, None):
        relative = file.relative if kind == "folder" else None
        base = inner.rpartition("/")[0] if kind == "file" else inner
        if kind == "pattern":
            base, relative = "", os.path.relpath(file.uri, uri[: len(uri) - len(inner)] or ".")
        target = os.path.join(folder, base, relative or os.path.basename(file.uri))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(file.uri, target)
    return {kind: f"./{inner}"}


def read_document(text: str) -> Document:
    """Return the document of an MLTable file; raises UserErrorException."""
    from smalt.mltable import document as documents
    from smalt.mltable import errors

    try:
        return documents.parse_document(text, "MLTable")
    except errors.UserErrorException as error:
        raise UserErrorException(error.message) from None


def list_partition_keys(document: Document) -> list[str]:
    """Return the columns that the paths of the files make."""
    from smalt.mltable import partitions

    for step in document["transformations"]:
        if PARTITIONS in step:
            return list(partitions.parse_format(step[PARTITIONS]["partition_format"]).columns)
    return []
