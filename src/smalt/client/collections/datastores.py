"""`ml_client.datastores`"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NoReturn

from smalt.client.collections.collection import Collection
from smalt.exceptions import NotFound


class DatastoreOperations(Collection):
    kind = "datastore"
    segment = "datastores"

    def create_or_update(self, datastore: Any) -> Any:
        return self._put_entity(datastore)

    def get(self, name: str, *, include_secrets: bool = False) -> Any:
        return self._parse_with_secrets(self._connection.get(self._build_path(name)), include_secrets)

    def list(self, *, include_secrets: bool = False) -> Iterator[Any]:
        bodies = self._connection.list_items(self._build_path())
        return (self._parse_with_secrets(body, include_secrets) for body in bodies)

    def get_default(self, *, include_secrets: bool = False) -> Any:
        for body in self._connection.list_items(self._build_path(), isDefault=True):
            if body["properties"].get("isDefault"):
                return self._parse_with_secrets(body, include_secrets)
        raise NotFound(f"workspace {self._session.workspace_name} has no default datastore")

    def delete(self, name: str) -> None:
        """Delete the datastore; its files stay."""
        self._connection.delete(self._build_path(name))

    def mount(
        self,
        path: str,
        *,
        mount_point: str | None = None,
        mode: str = "ro_mount",
        debug: bool = False,
        persistent: bool = False,
        **kwargs: Any,
    ) -> NoReturn:
        """Raise Refused: a datastore is a folder of this machine already."""
        from smalt.client.transfers.mounts import refuse_mount

        refuse_mount(path)

    def upload(self, name: str, source: str | os.PathLike[str], target: str = "") -> dict[str, Any]:
        """Upload a local file, or the content of a local folder, to a path of a datastore.

        For a file, a `target` that ends in `/` is the folder to put it in.
        """
        from smalt.client.transfers.uploads import upload_files

        path = os.path.abspath(os.path.expanduser(source))
        place = target.strip("/")
        if not os.path.isdir(path) and (not place or target.endswith("/")):
            place = "/".join(part for part in (place, os.path.basename(path)) if part)
        sent = upload_files(self._session, path, name, place)
        return {"uri": f"azureml://datastores/{name}/paths/{place}", "files": len(sent)}

    def download(self, name: str, path: str, target: str | os.PathLike[str] = ".") -> dict[str, Any]:
        """Download the file or the folder's content at a path of a datastore into a local folder."""
        from smalt.client.transfers.downloads import download_uri

        folder = os.path.abspath(os.path.expanduser(target))
        download_uri(self._session, f"azureml://datastores/{name}/paths/{path.strip('/')}", folder)
        return {"folder": folder}

    def ls(self, name: str, path: str = "", *, recursive: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the entries at a path of a datastore: `{"path", "size", "is_dir"}`, in lexicographic order."""
        route = f"/smalt/v1{self._build_path(name)}/list"
        return self._connection.list_items(route, path=path.strip("/"), recursive=recursive)

    def _parse_with_secrets(self, body: dict[str, Any], include: bool) -> Any:
        credentials = body["properties"].get("credentials") or {}
        if include and credentials.get("credentialsType") not in (None, "None"):
            secrets = self._connection.post(f"{self._build_path(body['name'])}/listSecrets", {})
            credentials["secrets"] = secrets
        return self._parse_entity(body)
