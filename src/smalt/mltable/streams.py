"""Streams: files that a table refers to, to be opened."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from . import locations

_DATASTORE = re.compile(r"azureml://.*datastores/(?P<store>[^/]+)/paths/(?P<path>.*)", re.IGNORECASE)


class StreamInfo:
    """A file by its location; `open()` returns its bytes."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @property
    def handler(self) -> str:
        """The kind of location, in the official words."""
        scheme = self.uri.partition("://")[0].lower() if "://" in self.uri else ""
        kinds = {"": "Local", "file": "Local", "azureml": "AmlDatastore", "http": "Http", "https": "Http"}
        kinds.update(dict.fromkeys(("wasb", "wasbs"), "AzureBlobStorage"))
        kinds.update(dict.fromkeys(("abfs", "abfss"), "ADLSGen2"), adl="AzureDataLakeStorage")
        return kinds.get(scheme, scheme)

    @property
    def resource_identifier(self) -> str:
        """The path, or the URI without the prefix that says where to look for it."""
        found = _DATASTORE.fullmatch(self.uri)
        if found is not None:
            return f"{found['store']}/{found['path']}"
        return locations.to_https(self.uri) or locations.strip_scheme(self.uri)

    resource_id = resource_identifier

    @property
    def arguments(self) -> dict[str, Any]:
        return {}

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return open(locations.resolve_local(self.uri), "rb")

    def __fspath__(self) -> str:
        return locations.resolve_local(self.uri)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamInfo) and self.uri == other.uri

    def __hash__(self) -> int:
        return hash(self.uri)

    def __str__(self) -> str:
        return self.resource_identifier

    def __repr__(self) -> str:
        return f"StreamInfo[{self.handler}]({self.resource_identifier})"


def is_stream(uri: str | None) -> bool:
    """True if a text is a URI of a kind that can be a stream."""
    return uri is not None and uri.partition("://")[0].lower() in (
        "http", "https", "azureml", "wasb", "wasbs", "abfs", "abfss", "adl", "file",
    )  # fmt: skip
