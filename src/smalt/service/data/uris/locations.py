"""Where a URI leads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from smalt.service.data.datastores.remote_store import Store

ESCAPED = "file://"


@dataclass(frozen=True, slots=True)
class Location:
    uri: str
    """As it was asked for."""
    path: Path | None = None
    """The file or folder on this machine; None for what must be fetched first."""
    remote: str | None = None
    """The http(s) URL to fetch, where `path` is None."""
    store: Store | None = None
    """The remote datastore that `relative` is a path of, where `path` is None."""
    datastore: str | None = None
    """The datastore, for a path of one."""
    relative: str | None = None
    """The path in that datastore."""
    late: bool = False
    """It may still be made by an earlier step, so it need not exist before its step starts."""
    name: str | None = None
    """The last part of the path before links were followed, where `path` is a real path."""

    @property
    def place(self) -> str:
        """The path or URL itself, for the records."""
        if self.store is not None:
            return f"{self.store.address}/{self.relative or ''}".rstrip("/")
        return self.remote or _recorded(os.fspath(self.path or ""))

    @property
    def is_elsewhere(self) -> bool:
        """On the network, so that looking for it takes a while."""
        return self.remote is not None or self.store is not None

    @property
    def exists(self) -> bool:
        return self.path is not None and os.path.exists(self.path)


@dataclass(frozen=True, slots=True)
class AssetReference:
    """A registered asset as a URI names it; what is None the text does not say."""

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


def _recorded(path: str) -> str:
    """A path as records can hold it: one that is not UTF-8 is escaped, as in a URL of a file."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"{ESCAPED}{quote(os.fsencode(path))}"
    return path


def path_of(place: str) -> str | None:
    """The path on this machine that was recorded; None for a place elsewhere."""
    if place.startswith(ESCAPED):
        return os.fsdecode(unquote_to_bytes(place.removeprefix(ESCAPED)))
    return place if place.startswith("/") else None
