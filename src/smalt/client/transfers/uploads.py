"""Local data into a datastore, by HTTP."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smalt.client.connection.http1 import Parts
from smalt.client.transfers import file_hashes
from smalt.client.transfers.file_hashes import File, Tree, check_same, pieces, whole
from smalt.client.transfers.progress import Progress
from smalt.exceptions import NotFound
from smalt.machine.ignore_rules import walk

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

DEFAULT_DATASTORE = "workspaceblobstore"
Request = tuple[Parts, int, int]
"""The body, and how many files and bytes are done with it."""
_HEAD = struct.Struct(">IQQ")  # as service/data/uploads reads it
_REQUEST = 8_000_000
_SENDERS = 2


def upload(session: ClientSession, path: str, datastore: str | None = None) -> str:
    """Upload a file or folder under the hash of its content, as far as it is not there; gives its URI."""
    store = datastore or DEFAULT_DATASTORE
    tree, digest = file_hashes.of(path, ignore=True), hashlib.sha256()
    for file in tree.files:
        mark = "x" if file.is_executable else ""
        digest.update(f"{file.path}\0{file.sha256}{mark}\0".encode("utf-8", "surrogateescape"))
    for folder in sorted(tree.folders):
        digest.update(f"{folder}/\0\0".encode("utf-8", "surrogateescape"))
    target = f"LocalUpload/{digest.hexdigest()}/{os.path.basename(path)}"
    _Sending(session, store, target, tree).run()
    return f"azureml://datastores/{store}/paths/{target}"


class _Sending:
    """One upload: what is missing of it, in requests of many small files or a part of a large one."""

    def __init__(self, session: ClientSession, store: str, target: str, tree: Tree) -> None:
        self._session = session
        self._base = _base(session, store)
        self._target = target
        self._files = tree.files
        self._folders = tree.folders

    def run(self) -> None:
        route = f"{self._base}/uploads"
        answer = self._ask(route, {"target": self._target})
        if answer.get("done"):
            return
        if not answer["bulk"]:
            return self._one_by_one()
        asked = [[file.path, file.size] for file in self._files]
        answer = self._ask(route, {"target": self._target, "files": asked})
        if not answer["done"]:
            self._send([(self._files[index], there) for index, there in answer["missing"]])
            executable = [file.path for file in self._files if file.is_executable]
            body = {"target": self._target, "files": asked, "folders": self._folders, "executable": executable}
            self._ask(f"{route}/finish", body)

    def _ask(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.connection.post(route, body)
        return answer

    def _send(self, missing: list[tuple[File, int]]) -> None:
        progress = self._progress(missing)
        route = f"{self._base}/uploads/content?{urlencode({'target': self._target})}"

        stopped = threading.Event()

        def send(requests: Iterable[Request]) -> None:
            for body, files, size in requests:
                if stopped.is_set():
                    return
                self._session.connection.request("POST", route, body)
                progress.add(files, size)

        def sender(_: int) -> None:
            """On a thread of its own, with a connection of its own, until nothing is left or another one failed."""
            try:
                while work and not stopped.is_set():
                    send(work.pop())
            except IndexError:
                pass
            except BaseException:
                stopped.set()
                raise
            finally:
                self._session.connection.close()

        small = [file for file, there in missing if not there and file.size <= _REQUEST]
        large = [(file, there) for file, there in missing if there or file.size > _REQUEST]
        work: list[Iterable[Request]] = [_together(batch) for batch in _batches(small)]
        work += [_parts(file, there) for file, there in large]
        work.reverse()
        try:
            if len(work) <= 1:
                for one in work:
                    send(one)
                return
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(_SENDERS) as pool:  # one reads while the other sends
                try:
                    list(pool.map(sender, range(_SENDERS)))
                finally:
                    stopped.set()  # an interrupt comes to this thread only
        finally:
            progress.close()

    def _one_by_one(self) -> None:
        """To a datastore of a cloud; a file there is whole or not at all."""
        present = _present(self._session, self._base, os.path.dirname(self._target))
        places = {f"{self._target}/{file.path}" if file.path else self._target: file for file in self._files}
        missing = {place: file for place, file in places.items() if present.get(place) != file.size}
        progress = self._progress([(file, 0) for file in missing.values()])
        for place, file in missing.items():
            self._session.connection.request("PUT", f"{self._base}/files/{place}", _checked(file))
            progress.add(1, file.size)
        progress.close()

    def _progress(self, missing: list[tuple[File, int]]) -> Progress:
        total = sum(file.size for file in self._files)
        name = os.path.basename(self._target)
        progress = Progress(name, len(self._files), total, self._session.show_progress)
        left = sum(file.size - there for file, there in missing)
        progress.skip(len(self._files) - len(missing), total - left)
        return progress


def put(session: ClientSession, path: str, datastore: str, target: str) -> list[str]:
    """Upload a file as `target`, or what a folder holds below it; the paths in the datastore."""
    base = _base(session, datastore)
    places = []
    for name, source in files(path).items():
        place = "/".join(part for part in (target, name) if part)
        query = {"executable": "true"} if os.stat(source).st_mode & stat.S_IXUSR else {}
        session.connection.request("PUT", f"{base}/files/{place}", pieces(source), query=query)
        places.append(place)
    return places


def files(path: str) -> dict[str, str]:
    """The files of a folder by their paths in it, in order; of a file itself under ""."""
    if not os.path.exists(path):
        raise NotFound(f"there is no file or folder {path}; correct the path")
    if not os.path.isdir(path):
        return {"": path}
    found = {
        folder.prefix + name: os.path.join(path, folder.prefix + name)
        for folder in walk(path, None)
        for name, _ in folder.files
    }
    return dict(sorted(found.items()))


def _batches(files: list[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    size = 0
    for file in files:
        if batch and size + file.size > _REQUEST:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _together(batch: list[File]) -> Iterator[Request]:
    parts = Parts()
    for file in batch:
        data = whole(file.source)
        check_same(file)
        path = file.path.encode("utf-8", "surrogateescape")
        parts += [_HEAD.pack(len(path), len(data), 0) + path, data]
    yield parts, len(batch), sum(file.size for file in batch)


def _parts(file: File, start: int) -> Iterator[Request]:
    path = file.path.encode("utf-8", "surrogateescape")
    try:
        with open(file.source, "rb", buffering=0) as source:
            source.seek(start)
            while data := source.read(_REQUEST):
                check_same(file)
                last = start + len(data) >= file.size
                yield Parts([_HEAD.pack(len(path), len(data), start) + path, data]), int(last), len(data)
                start += len(data)
    except OSError as error:
        raise NotFound(f"cannot read {file.source}: {error.strerror}; allow it, or correct the path") from None


def _checked(file: File) -> Iterator[bytes]:
    yield from pieces(file.source)
    check_same(file)  # a body that breaks off is not kept


def _base(session: ClientSession, datastore: str) -> str:
    return f"/smalt/v1{session.uploads_id}/datastores/{datastore}"


def _present(session: ClientSession, base: str, folder: str) -> dict[str, int]:
    """The files of a folder of the datastore, with their sizes."""
    try:
        found = session.connection.pages(f"{base}/list", path=folder, recursive=True)
        return {item["path"]: item["size"] for item in found if not item.get("is_dir")}
    except NotFound:
        return {}
