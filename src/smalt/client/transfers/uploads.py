"""Uploads of local data into a datastore, over HTTP."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smalt.client.connection.http1 import BodyParts
from smalt.client.transfers import file_hashes
from smalt.client.transfers.file_hashes import HashedFile, HashedTree, check_unchanged, read_pieces, read_whole
from smalt.client.transfers.progress import TransferProgress
from smalt.exceptions import NotFound
from smalt.machine.ignore_rules import walk_folders

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

DEFAULT_DATASTORE = "workspaceblobstore"
Request = tuple[BodyParts, int, int]
"""The body, and how many files and bytes are done with it."""
_HEAD = struct.Struct(">IQQ")  # as service/data/uploads reads it
_REQUEST = 8_000_000
_SENDERS = 2


def upload_content(session: ClientSession, path: str, datastore: str | None = None) -> str:
    """Upload a file or folder under the hash of its content, unless it is there, and return its URI."""
    store = datastore or DEFAULT_DATASTORE
    tree, digest = file_hashes.hash_tree(path, ignore=True), hashlib.sha256()
    for file in tree.files:
        mark = "x" if file.is_executable else ""
        digest.update(f"{file.path}\0{file.sha256}{mark}\0".encode("utf-8", "surrogateescape"))
    for folder in sorted(tree.folders):
        digest.update(f"{folder}/\0\0".encode("utf-8", "surrogateescape"))
    target = f"LocalUpload/{digest.hexdigest()}/{os.path.basename(path)}"
    _Upload(session, store, target, tree).run()
    return f"azureml://datastores/{store}/paths/{target}"


class _Upload:
    """An upload of the missing files, in requests of many small files or of a part of a large one."""

    def __init__(self, session: ClientSession, store: str, target: str, tree: HashedTree) -> None:
        self._session = session
        self._base = _build_path(session, store)
        self._target = target
        self._files = tree.files
        self._folders = tree.folders

    def run(self) -> None:
        route = f"{self._base}/uploads"
        answer = self._post_json(route, {"target": self._target})
        if answer.get("done"):
            return
        if not answer["bulk"]:
            return self._send_one_by_one()
        asked = [[file.path, file.size] for file in self._files]
        answer = self._post_json(route, {"target": self._target, "files": asked})
        if not answer["done"]:
            self._send_missing([(self._files[index], there) for index, there in answer["missing"]])
            executable = [file.path for file in self._files if file.is_executable]
            body = {"target": self._target, "files": asked, "folders": self._folders, "executable": executable}
            self._post_json(f"{route}/finish", body)

    def _post_json(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.connection.post(route, body)
        return answer

    def _send_missing(self, missing: list[tuple[HashedFile, int]]) -> None:
        progress = self._make_progress(missing)
        route = f"{self._base}/uploads/content?{urlencode({'target': self._target})}"
        small = [file for file, there in missing if not there and file.size <= _REQUEST]
        large = [(file, there) for file, there in missing if there or file.size > _REQUEST]
        work: list[Iterable[Request]] = [_build_batch_request(batch) for batch in _split_batches(small)]
        work += [_split_file(file, there) for file, there in large]
        work.reverse()
        try:
            _Sender(self._session, route, progress, work).send_all()
        finally:
            progress.close()

    def _send_one_by_one(self) -> None:
        """Send each file by itself to a cloud's datastore, where a file is complete or absent."""
        present = _list_present(self._session, self._base, os.path.dirname(self._target))
        places = {f"{self._target}/{file.path}" if file.path else self._target: file for file in self._files}
        missing = {place: file for place, file in places.items() if present.get(place) != file.size}
        progress = self._make_progress([(file, 0) for file in missing.values()])
        for place, file in missing.items():
            self._session.connection.request("PUT", f"{self._base}/files/{place}", _read_checked(file))
            progress.add_sent(1, file.size)
        progress.close()

    def _make_progress(self, missing: list[tuple[HashedFile, int]]) -> TransferProgress:
        total = sum(file.size for file in self._files)
        name = os.path.basename(self._target)
        progress = TransferProgress(name, len(self._files), total, self._session.show_progress)
        left = sum(file.size - there for file, there in missing)
        progress.skip_present(len(self._files) - len(missing), total - left)
        return progress


class _Sender:
    """Sends work, of which the last comes first, by as many threads as help."""

    def __init__(
        self, session: ClientSession, route: str, progress: TransferProgress, work: list[Iterable[Request]]
    ) -> None:
        self._session = session
        self._route = route
        self._progress = progress
        self._work = work
        self._stopped = threading.Event()

    def send_all(self) -> None:
        if len(self._work) <= 1:
            for one in self._work:
                self._send_requests(one)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_SENDERS) as pool:  # one reads while the other sends
            try:
                list(pool.map(self._send_until_done, range(_SENDERS)))
            finally:
                self._stopped.set()  # an interrupt comes to this thread only

    def _send_until_done(self, _: int) -> None:
        """Send work on a thread and connection of its own, until none is left or another thread failed."""
        try:
            while self._work and not self._stopped.is_set():
                self._send_requests(self._work.pop())
        except IndexError:
            pass
        except BaseException:
            self._stopped.set()
            raise
        finally:
            self._session.connection.close()

    def _send_requests(self, requests: Iterable[Request]) -> None:
        for body, files, size in requests:
            if self._stopped.is_set():
                return
            self._session.connection.request("POST", self._route, body)
            self._progress.add_sent(files, size)


def upload_files(session: ClientSession, path: str, datastore: str, target: str) -> list[str]:
    """Upload a file as `target`, or the files of a folder below it; return their paths in the datastore."""
    base = _build_path(session, datastore)
    places = []
    for name, source in list_files(path).items():
        place = "/".join(part for part in (target, name) if part)
        query = {"executable": "true"} if os.stat(source).st_mode & stat.S_IXUSR else {}
        session.connection.request("PUT", f"{base}/files/{place}", read_pieces(source), query=query)
        places.append(place)
    return places


def list_files(path: str) -> dict[str, str]:
    """Return the files of a folder by their paths in it, sorted; for a single file, its path under ""."""
    if not os.path.exists(path):
        raise NotFound(f"there is no file or folder {path}; correct the path")
    if not os.path.isdir(path):
        return {"": path}
    found = {
        folder.prefix + name: os.path.join(path, folder.prefix + name)
        for folder in walk_folders(path, None)
        for name, _ in folder.files
    }
    return dict(sorted(found.items()))


def _split_batches(files: list[HashedFile]) -> Iterator[list[HashedFile]]:
    batch: list[HashedFile] = []
    size = 0
    for file in files:
        if batch and size + file.size > _REQUEST:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _build_batch_request(batch: list[HashedFile]) -> Iterator[Request]:
    parts = BodyParts()
    for file in batch:
        data = read_whole(file.source)
        check_unchanged(file)
        path = file.path.encode("utf-8", "surrogateescape")
        parts += [_HEAD.pack(len(path), len(data), 0) + path, data]
    yield parts, len(batch), sum(file.size for file in batch)


def _split_file(file: HashedFile, start: int) -> Iterator[Request]:
    path = file.path.encode("utf-8", "surrogateescape")
    try:
        with open(file.source, "rb", buffering=0) as source:
            source.seek(start)
            while data := source.read(_REQUEST):
                check_unchanged(file)
                last = start + len(data) >= file.size
                yield BodyParts([_HEAD.pack(len(path), len(data), start) + path, data]), int(last), len(data)
                start += len(data)
    except OSError as error:
        raise NotFound(f"cannot read {file.source}: {error.strerror}; allow it, or correct the path") from None


def _read_checked(file: HashedFile) -> Iterator[bytes]:
    yield from read_pieces(file.source)
    check_unchanged(file)  # a body that breaks off is not kept


def _build_path(session: ClientSession, datastore: str) -> str:
    return f"/smalt/v1{session.uploads_id}/datastores/{datastore}"


def _list_present(session: ClientSession, base: str, folder: str) -> dict[str, int]:
    """Return the sizes of the files in a folder of the datastore, by path."""
    try:
        found = session.connection.list_items(f"{base}/list", path=folder, recursive=True)
        return {item["path"]: item["size"] for item in found if not item.get("is_dir")}
    except NotFound:
        return {}
