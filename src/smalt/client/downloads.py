"""Outputs and logs of jobs, and models, from the server into a local folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.exceptions import NotFound, Refused

if TYPE_CHECKING:
    from smalt.client.client import MLClient
    from smalt.entities.job import Job

ARTIFACTS = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/"


def download_job(client: MLClient, job: Job, folder: str, output_name: str | None, everything: bool) -> None:
    """In `az`'s layout: `artifacts/…` by default, `named-outputs/NAME/…` for one output, both for all."""
    outputs = getattr(job, "outputs", None) or {}
    if output_name is not None:
        if output_name not in outputs and output_name != "default":
            known = f"its outputs are {', '.join(outputs)}" if outputs else "it has none"
            raise NotFound(f"job {job.name} has no output '{output_name}'; {known}")
        names = [output_name]
    else:
        names = list(outputs) if everything else []
    if output_name is None:
        made = (job.properties or {}).get("azureml.reusedrunid") or job.name  # a reused step has no files of its own
        fetch(client, ARTIFACTS.format(job=made), os.path.join(folder, "artifacts"), optional=True)
    for name in names:
        uri = f"azureml://jobs/{job.name}/outputs/{name}/paths/"
        fetch(client, uri, os.path.join(folder, "named-outputs", name), optional=output_name is None)


def download_component(client: MLClient, component: Any, folder: str) -> None:
    """`component_spec.yaml`, and what its code is in `code/`."""
    import yaml

    document = component.to_dict()
    code = document.get("code")
    if code:
        download_code(client, str(code), os.path.join(folder, "code"))
        document["code"] = "./code"
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "component_spec.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False, allow_unicode=True)


def download_code(client: MLClient, id: str, folder: str) -> None:
    """A snapshot's content into a folder."""
    unpack(client, f"/smalt/v1{id.removeprefix('azureml:')}/archive", folder, f"the code of {id}")


def restore(client: MLClient, found: dict[str, Any], folder: str) -> dict[str, Any]:
    """The snapshots of a job into a folder; which went where."""
    if os.path.isdir(folder) and os.listdir(folder):
        raise Refused(f"{folder} is not empty; name a new folder, so that nothing in it is overwritten")
    snapshots = found["snapshots"]
    if not snapshots:
        raise NotFound(f"job {found['name']} has no code, so there is nothing to restore")
    for one in snapshots:
        one["folder"] = folder if len(snapshots) == 1 else os.path.join(folder, one["steps"][0] or one["jobs"][0])
        download_code(client, one["id"], one["folder"])
    return found


def unpack(client: MLClient, path: str, folder: str, what: str) -> None:
    """The tar that the server answers, as a folder."""
    import tarfile

    answer = client.connection.stream(path)
    stream: Any = Pieces(answer.pieces())
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            for member in archive:
                if not _is_inside(member.name) or not (member.isfile() or member.isdir() or member.issym()):
                    raise Refused(f"'{member.name}' in {what} is no file of it")
                archive.extract(member, folder)
    finally:
        answer.close()


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


class Pieces:
    """What comes in pieces, read as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def fetch(client: MLClient, uri: str, folder: str, *, optional: bool = False) -> None:
    """All files at a URI into a folder; a file keeps its name."""
    try:
        place = client.connection.post(f"/smalt/v1{client.uploads_id}/resolve", {"uri": uri})
    except NotFound:
        if optional:
            return
        raise
    local = place.get("local")
    if client.connection.local and local and os.path.exists(local):
        _copy(local, folder)
        return
    if not _fetch_remote(client, place, folder) and not optional:
        raise NotFound(f"there is nothing at {uri}")


def _copy(source: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    try:
        if os.path.isdir(source):
            shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, folder)
    except (OSError, shutil.Error) as error:
        raise Refused(f"cannot write to {folder}: {error}") from None


def _fetch_remote(client: MLClient, place: dict[str, Any], folder: str) -> int:
    base = f"/smalt/v1{client.workspace_id}/datastores/{place['datastore']}"
    path = str(place["path"]).strip("/")
    try:
        listing = client.connection.pages(f"{base}/list", path=path, recursive=True)
        found = [str(item["path"]) for item in listing if not item.get("is_dir")]
    except NotFound:
        return 0
    for name in found:
        inside = name[len(path) :].lstrip("/") if name.startswith(f"{path}/") or not path else os.path.basename(name)
        save(client, f"{base}/files/{name}", os.path.join(folder, *inside.split("/")))
    return len(found)


def save(client: MLClient, path: str, target: str) -> None:
    """A file of the server as a local one, which is whole or not there."""
    answer = client.connection.stream(path)
    temporary = f"{target}.part"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(temporary, "wb") as file:
            for piece in answer.pieces():
                file.write(piece)
        os.replace(temporary, target)
    finally:
        answer.close()
