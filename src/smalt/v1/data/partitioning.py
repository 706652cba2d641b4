"""`TabularDataset.partition_by`: a table as a folder for each value of some columns."""

from __future__ import annotations

import os
import posixpath
import tempfile
import uuid
from typing import Any

from smalt.v1.exceptions import UserErrorException


def write_partitions(dataset: Any, keys: list[str], target: Any, name: str | None, as_files: bool) -> Any:
    """Write the partitions as Parquet to `target`, and return the dataset that they make, registered if named."""
    from smalt.v1.data.factories import FileDatasetFactory, TabularDatasetFactory, split_target
    from smalt.v1.data.fetching import write_parquet

    if not isinstance(keys, list) or not keys:
        raise UserErrorException("partition_keys is a list with the name of at least one column")
    frame = dataset.to_pandas_dataframe()
    unknown = [key for key in keys if key not in frame.columns]
    if unknown:
        known = ", ".join(map(str, frame.columns))
        raise UserErrorException(f"the table has no column '{unknown[0]}' to partition by; it has {known}")
    store, path = split_target(target)
    place = posixpath.join(path, str(uuid.uuid4()))
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
        for values, part in frame.groupby(keys, sort=True):
            below = os.path.join(folder, *(_make_folder_name(value) for value in values))
            os.makedirs(below, exist_ok=True)
            write_parquet(part.drop(columns=keys), os.path.join(below, "data.parquet"))
        store.workspace.client.datastores.upload(store.name, folder, place)
    format = "/".join([posixpath.basename(place), *(f"{{{key}}}" for key in keys), "*.parquet"])
    where = (store, f"{place}/**/*.parquet")
    if as_files:
        made: Any = FileDatasetFactory.from_files(where, validate=False, partition_format=format)
    else:
        made = TabularDatasetFactory.from_parquet_files(where, validate=False, partition_format=format)
    return made.register(store.workspace, name, create_new_version=True) if name else made


def _make_folder_name(value: Any) -> str:
    text = str(value)
    if not text or text in (".", "..") or "/" in text:
        raise UserErrorException(
            f"the value {text!r} cannot be the name of a folder, so the table is not partitioned by it"
        )
    return text
