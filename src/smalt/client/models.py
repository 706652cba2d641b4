"""`ml_client.models`"""

from __future__ import annotations

import os

from smalt.client.versioned import Versioned


class ModelOperations(Versioned):
    kind = "model"
    segment = "models"

    def download(
        self,
        name: str,
        version: str | None = None,
        *,
        download_path: str | os.PathLike[str] = ".",
        label: str | None = None,
    ) -> None:
        """The model's files into a folder of its name."""
        from smalt.client.downloads import fetch

        uri = self._get(name, version, label)["properties"]["modelUri"]
        fetch(self._client, uri, os.path.join(os.path.abspath(download_path), name))
