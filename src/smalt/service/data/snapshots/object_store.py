"""The object store: blobs by the sha256 of their bytes. A blob under its name is complete."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from smalt.exceptions import ValidationException
from smalt.service.data.files.copying import copy_file, make_write_error
from smalt.service.data.files.durable_files import NewFile, sync_files, sync_folders

_IN_MEMORY = 1 << 20


class ObjectStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"

    def get_path(self, sha: str) -> str:
        return f"{self.folder}/{sha[:2]}/{sha[2:]}"

    def has(self, sha: str, size: int) -> bool:
        """True if the blob is there in its full length (a crash can leave none, or an empty one)."""
        try:
            return os.stat(self.get_path(sha)).st_size == size
        except OSError:
            return False

    def put(self, sha: str, blocks: Iterable[bytes]) -> int:
        """Store a blob from a client; raise ValidationException if its bytes do not have that sha256."""
        digest, size = hashlib.sha256(), 0
        with NewFile(self._incoming / os.urandom(12).hex(), 0o444) as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
                size += len(block)
            if digest.hexdigest() != sha:
                raise _make_mismatch_error(sha)
            file.finish(self.get_path(sha))
        return size

    def open_batch(self) -> ObjectBatch:
        return ObjectBatch(self, self._incoming)


class ObjectBatch:
    """Blobs that become visible together, durably, when the `with` block ends without an error."""

    def __init__(self, objects: ObjectStore, incoming: Path) -> None:
        self._objects = objects
        self._incoming = incoming / f"{os.getpid()}-{os.urandom(6).hex()}"
        self._temporary = 0
        self._arrived: dict[str, str] = {}

    def __enter__(self) -> ObjectBatch:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None and self._arrived:
                self._publish()
        except OSError as error:
            raise make_write_error(self._objects.folder, error) from None
        finally:
            self._clear_incoming()

    def store_file(self, path: str, size: int) -> str:
        """Store a file of the disk and return the sha256 of the stored bytes.

        OSError means that the file cannot be read; errors of the store are other ones.
        """
        if size > _IN_MEMORY:
            return self._store_large(path)
        with open(path, "rb", buffering=0) as file:
            data = file.read(_IN_MEMORY + 1)
        if len(data) > _IN_MEMORY:
            return self._store_large(path)  # it grew meanwhile
        return self._store_bytes(hashlib.sha256(data).hexdigest(), data)

    def put(self, sha: str, data: bytes) -> None:
        """Store a blob from a client; raise ValidationException if its bytes do not have that sha256."""
        if hashlib.sha256(data).hexdigest() != sha:
            raise _make_mismatch_error(sha)
        self._store_bytes(sha, data)

    def _store_bytes(self, sha: str, data: bytes) -> str:
        if sha not in self._arrived and not self._objects.has(sha, len(data)):
            try:
                temporary = self._make_temporary_name()
                with open(temporary, "xb", buffering=0) as file:
                    file.write(data)
            except OSError as error:
                raise make_write_error(self._objects.folder, error) from None
            self._arrived[sha] = temporary
        return sha

    def _store_large(self, path: str) -> str:
        """Store a large file: copy first and hash the copy, so that what is stored is what was hashed."""
        try:
            temporary = self._make_temporary_name()
            size = copy_file(path, temporary)
            sha = hash_file(temporary)
        except OSError as error:
            if error.filename == path:
                raise
            raise make_write_error(self._objects.folder, error) from None
        if sha in self._arrived or self._objects.has(sha, size):
            os.unlink(temporary)
        else:
            self._arrived[sha] = temporary
        return sha

    def _make_temporary_name(self) -> str:
        if not self._temporary:
            self._incoming.mkdir(parents=True, exist_ok=True)
        self._temporary += 1
        return f"{self._incoming}/{self._temporary}"

    def _publish(self) -> None:
        sync_files(self._arrived.values())
        folders = {os.path.dirname(self._objects.get_path(sha)) for sha in self._arrived}
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        for sha, temporary in self._arrived.items():
            os.chmod(temporary, 0o444)
            os.replace(temporary, self._objects.get_path(sha))
        sync_folders(folders)

    def _clear_incoming(self) -> None:
        if not self._temporary:
            return
        for number in range(1, self._temporary + 1):
            with contextlib.suppress(OSError):
                os.unlink(f"{self._incoming}/{number}")
        with contextlib.suppress(OSError):
            self._incoming.rmdir()


def _make_mismatch_error(sha: str) -> ValidationException:
    return ValidationException(f"the bytes sent as {sha} have another sha256; send them again")


def hash_file(path: str) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(_IN_MEMORY)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()
