"""Locations: the files, folders and remote data that URIs lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from smalt.service.data.datastores.remote_store import RemoteStore

ESCAPED = "file://"


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a URI."""

    uri: str
    """The URI as it was requested."""
    path: Path | None = None
    """The file or folder on this machine; None for what must be fetched first."""
    remote: str | None = None
    """The http(s) URL to fetch, where `path` is None."""
    store: RemoteStore | None = None
    """The remote datastore that `relative` is a path of, where `path` is None."""
    datastore: str | None = None
    """The datastore, for a path of one."""
    relative: str | None = None
    """The path in that datastore."""
    late: bool = False
    """True if an earlier step may still create it, so it need not exist before its step starts."""
    name: str | None = None
    """The last part of the path before links were followed, where `path` is a real path."""

    @property
    def place(self) -> str:
        """The path or URL itself, as recorded."""
        if self.store is not None:
            return f"{self.store.address}/{self.relative or ''}".rstrip("/")
        return self.remote or _escape_path(os.fspath(self.path or ""))

    @property
    def is_remote(self) -> bool:
        """True for data on the network, which takes a while to examine."""
        return self.remote is not None or self.store is not None

    @property
    def exists(self) -> bool:
        return self.path is not None and os.path.exists(self.path)


@dataclass(frozen=True, slots=True)
class AssetReference:
    """A registered asset as named in a URI; what the text does not say is None."""

    text: str
    name: str
    version: str | None = None
    label: str | None = None
    kind: str | None = None
    """"data" or "models"."""
    registry: str | None = None
    workspace: tuple[str, str, str] | None = None
    """Subscription, resource group and workspace."""
    stage: str | None = None
    """MLflow's: the newest version that is in this stage."""


def _escape_path(path: str) -> str:
    """Return a path as records can hold it: one that is not UTF-8 is escaped, as in a file URL."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"{ESCAPED}{quote(os.fsencode(path))}"
    return path


def parse_place(place: str) -> str | None:
    """Return the recorded path on this machine; None for a remote place."""
    if place.startswith(ESCAPED):
        return os.fsdecode(unquote_to_bytes(place.removeprefix(ESCAPED)))
    return place if place.startswith("/") else None
