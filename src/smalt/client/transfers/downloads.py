"""Downloads of job outputs, logs, code and models into a local folder."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from smalt.exceptions import NotFound, RefusedError
from smalt.wire.encoding import artifact_paths

if TYPE_CHECKING:
    from smalt.client.session import ClientSession
    from smalt.entities.jobs.job import Job


def download_job(session: ClientSession, job: Job, folder: str, output_name: str | None, everything: bool) -> int:
    """Download a job's files in `az`'s layout: `artifacts/`, and `named-outputs/NAME/` for one or all outputs.

    Of a sweep these are the files of its best trial; its own are in `hd-artifacts/`. Return the number of files; if it
    is 0, no folder was made. Raises NotFound for an unknown output.
    """
    if getattr(job, "type", None) == "sweep":
        return _download_sweep(session, job, folder, output_name, everything)
    outputs = getattr(job, "outputs", None) or {}
    if output_name is not None:
        if output_name not in outputs and output_name != "default":
            known = f"its outputs are {', '.join(outputs)}" if outputs else "it has none"
            raise NotFound(f"job {job.name} has no output '{output_name}'; {known}")
        names = [output_name]
    else:
        names = list(outputs) if everything else []
    count = 0
    if output_name is None:
        made = (job.properties or {}).get("azureml.reusedrunid") or job.name  # a reused step has no files of its own
        count += download_uri(
            session, artifact_paths.URI.format(job=made), os.path.join(folder, "artifacts"), optional=True
        )
    for name in names:
        uri = f"azureml://jobs/{job.name}/outputs/{name}/paths/"
        count += download_uri(session, uri, os.path.join(folder, "named-outputs", name), optional=output_name is None)
    return count


def _download_sweep(session: ClientSession, job: Job, folder: str, output_name: str | None, everything: bool) -> int:
    from smalt.client.jobs.lookup import fetch_job

    best, count = (job.properties or {}).get("best_child_run_id"), 0
    if best:
        count += download_job(session, fetch_job(session, best), folder, output_name, everything)
    elif output_name is not None:
        raise NotFound(f"sweep {job.name} has no best trial, and so no output '{output_name}': it is {job.status}")
    if output_name is None:
        uri = artifact_paths.URI.format(job=job.name)
        count += download_uri(session, uri, os.path.join(folder, "hd-artifacts"), optional=True)
    return count


def download_steps(session: ClientSession, steps: Iterable[tuple[str, Job]], folder: str) -> int:
    """Download the files of each step into `steps/STEP/`, or `steps/OUTER/steps/INNER/` where steps are nested.

    `steps` has the label (`OUTER/INNER`) and the job of each. The folder `steps` between the names keeps a step
    called `artifacts` apart from the files of its parent. Return the number of files.
    """
    count = 0
    for label, job in steps:
        place = os.path.join(folder, *(part for node in label.split("/") for part in ("steps", node)))
        count += download_job(session, job, place, None, True)
    return count


def download_component(session: ClientSession, component: Any, folder: str) -> None:
    """Write `component_spec.yaml`, and the component's code into `code/`."""
    import yaml

    document = component.to_dict()
    code = document.get("code")
    if code:
        download_code(session, str(code), os.path.join(folder, "code"))
        document["code"] = "./code"
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "component_spec.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False, allow_unicode=True)


def download_code(session: ClientSession, id: str, folder: str) -> None:
    """Download the files of a code snapshot into a folder."""
    unpack_archive(session, f"/smalt/v1{id.removeprefix('azureml:')}/archive", folder, f"the code of {id}")


def restore_snapshots(session: ClientSession, found: dict[str, Any], folder: str) -> dict[str, Any]:
    """Download a job's code snapshots into a folder, and return them with their folders."""
    if os.path.isdir(folder) and os.listdir(folder):
        raise RefusedError(f"{folder} is not empty; name a new folder, so that nothing in it is overwritten")
    snapshots = found["snapshots"]
    if not snapshots:
        raise NotFound(f"job {found['name']} has no code, so there is nothing to restore")
    for one in snapshots:
        one["folder"] = folder if len(snapshots) == 1 else os.path.join(folder, one["steps"][0] or one["jobs"][0])
        download_code(session, one["id"], one["folder"])
    return found


def unpack_archive(session: ClientSession, path: str, folder: str, what: str) -> None:
    """Unpack a tar archive that the server sends into a folder; raises Refused for a member that leads outside."""
    import tarfile

    answer = session.connection.stream(path)
    stream: Any = ChunkReader(answer.read_pieces())
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            for member in archive:
                if not _is_inside(member.name) or not (member.isfile() or member.isdir() or member.issym()):
                    raise RefusedError(f"'{member.name}' in {what} is not a file of it")
                archive.extract(member, folder)
    finally:
        answer.close()


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


class ChunkReader:
    """A file object that reads from an iterator of bytes."""

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


def download_uri(session: ClientSession, uri: str, folder: str, *, optional: bool = False) -> int:
    """Download all files at a URI into a folder, a single file under its own name; return their number.

    Without files no folder is made, and NotFound is raised unless `optional`.
    """
    try:
        place = session.connection.post(f"/smalt/v1{session.uploads_id}/resolve", {"uri": uri})
    except NotFound:
        if optional:
            return 0
        raise
    local = place.get("local")
    is_here = session.connection.is_local and local and os.path.exists(local)
    count = copy_files(local, folder) if is_here else _download_remote(session, place, folder)
    if not count and not optional:
        raise NotFound(f"there is nothing at {uri}")
    return count


def copy_files(source: str, folder: str) -> int:
    """Copy a file or the files of a folder into a folder, as writable files; return their number.

    Links are followed. Dangling links, loops, FIFOs, sockets and devices are left out.
    """
    try:
        found = dict(_find_files(source)) if os.path.isdir(source) else {os.path.basename(source): source}
        for name, path in found.items():
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            temporary = f"{target}.part"
            shutil.copyfile(path, temporary)
            if os.stat(path).st_mode & stat.S_IXUSR:
                os.chmod(temporary, os.stat(temporary).st_mode | 0o111)
            os.replace(temporary, target)
    except OSError as error:
        raise RefusedError(f"cannot copy {error.filename or source} to {folder}: {error.strerror or error}") from None
    return len(found)


def _find_files(top: str) -> Iterator[tuple[str, str]]:
    """Yield each file of a folder: its path in the folder, and its path."""
    pending: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(top),))]
    while pending:
        prefix, above = pending.pop()
        with os.scandir(os.path.join(top, prefix)) as entries:
            for entry in entries:
                name, real = prefix + entry.name, os.path.realpath(entry.path)
                if os.path.isfile(real):
                    yield name, entry.path
                elif os.path.isdir(real) and not any(f"{one}/".startswith(f"{real}/") for one in above):
                    pending.append((f"{name}/", (*above, real)))


def _download_remote(session: ClientSession, place: dict[str, Any], folder: str) -> int:
    base = f"/smalt/v1{session.workspace_id}/datastores/{place['datastore']}"
    path = str(place["path"]).strip("/")
    try:
        listing = session.connection.list_items(f"{base}/list", path=path, recursive=True)
        found = [item for item in listing if not item.get("is_dir")]
    except NotFound:
        return 0
    for item in found:
        name = str(item["path"])
        inside = name[len(path) :].lstrip("/") if name.startswith(f"{path}/") or not path else os.path.basename(name)
        target = os.path.join(folder, *inside.split("/"))
        save_file(session, f"{base}/files/{name}", target)
        if item.get("executable"):
            os.chmod(target, os.stat(target).st_mode | 0o111)
    return len(found)


def save_file(session: ClientSession, path: str, target: str) -> None:
    """Download a file of the server; the local file appears only when it is complete."""
    answer = session.connection.stream(path)
    temporary = f"{target}.part"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(temporary, "wb") as file:
            for piece in answer.read_pieces():
                file.write(piece)
        os.replace(temporary, target)
    finally:
        answer.close()
