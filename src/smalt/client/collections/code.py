"""`ml_client._code`, here without its underscore: snapshots of code."""

from __future__ import annotations

import os
from typing import Any

from smalt.client.collections.collection import Collection
from smalt.client.transfers.snapshots import create_snapshot


class CodeOperations(Collection):
    kind = "code"
    segment = "codes"

    def create_or_update(self, path: str | os.PathLike[str]) -> str:
        """Take a snapshot of a folder or file, and return its id."""
        return create_snapshot(self._session, os.path.abspath(path))

    def get(self, name: str, version: str = "1") -> dict[str, Any]:
        """Return the code's REST resource."""
        body: dict[str, Any] = self._connection.get(self._build_path(name, version))
        return body
