"""Remote datastores: listed, read and written through fsspec's driver of their cloud. Every call blocks."""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from smalt.exceptions import NotFound, RefusedError, SmaltError, Unavailable
from smalt.service.data.datastores.addresses import Address
from smalt.service.data.datastores.drivers import open_driver
from smalt.service.data.files.copy_cancellation import check_stop
from smalt.service.data.files.copying import Log, format_bytes
from smalt.service.data.files.path_containment import normalize_relative

Result = TypeVar("Result")

_AT_ONCE = 8
_SAY_EVERY = 5.0
_ANSWERED = 60.0
"""An answer so young tells that the server can be reached."""
_PATIENCE = 10.0
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_NO_ACCESS = ("PermissionError", "NoCredentialsError", "PartialCredentialsError", "ClientAuthenticationError",
              "CredentialUnavailableError", "DefaultCredentialsError", "RefreshError")  # fmt: skip
_UNREACHABLE = ("ServiceRequestError", "ServiceResponseError", "EndpointConnectionError", "ConnectTimeoutError",
                "ReadTimeoutError", "ClientConnectorError", "ClientConnectionError", "TimeoutError")  # fmt: skip


class RemoteFile(NamedTuple):
    """A file of a remote datastore."""

    path: str
    """The path below the container."""
    size: int
    version: str
    """Another one whenever the content is."""
    modified: float
    md5: str | None
    """The MD5 of the content, in hex, if the store provides it."""


class RemoteStore:
    """A container or bucket, through the driver of its cloud."""

    def __init__(self, address: Address, name: str, as_environment: Callable[[], bool]) -> None:
        """`name` is what messages call it."""
        self.address = address
        self.name = name
        self._as_environment = as_environment
        self._guard = threading.Lock()
        self._driver: tuple[bool, Any] | None = None
        self._answered = float("-inf")

    def find_files(self, path: str) -> list[RemoteFile]:
        """Return all files at or below a path, in lexicographic order; an empty list if there are none."""
        listed = self._call_driver(lambda driver: _list_details(driver, self._make_key(path)))
        if not listed:
            self._call_driver(
                lambda driver: driver.ls(self.address.container, detail=False), f"{self.name} has no container"
            )
        return _keep_usable([self._make_file(key, facts) for key, facts in listed.items()])

    def list_files(self, path: str, *, recursive: bool) -> Iterator[tuple[str, int, bool]]:
        """Yield (path, size, is it a folder) in lexicographic order; with `recursive` files only."""
        if recursive:
            yield from ((found.path, found.size, False) for found in self.find_files(path))
            return
        entries = self._call_driver(
            lambda driver: driver.ls(self._make_key(path), detail=True), f"{self.name} has no {path!r}"
        )
        rows = []
        for facts in entries:
            is_folder = facts["type"] == "directory"
            relative = normalize_relative(self._make_relative(facts["name"]))
            if relative and (is_folder or relative != path or facts.get("size")):
                rows.append((relative, 0 if is_folder else int(facts.get("size") or 0), is_folder))
        yield from sorted(rows, key=lambda row: f"{row[0]}/" if row[2] else row[0])

    def download(self, found: RemoteFile, target: str | os.PathLike[str]) -> None:
        """Copy the content of a file to the new file `target`."""
        where = f"{self.name} has no {found.path!r} any more"
        self._call_driver(lambda driver: driver.get_file(self._make_key(found.path), os.fspath(target)), where)

    def has_true_md5(self, found: RemoteFile) -> bool:
        """True if the file's MD5 is that of its bytes: an S3 object encrypted by a key of KMS has another."""
        if self.address.kind != "s3":
            return True

        def ask(driver: Any) -> bool:
            answer = driver.call_s3("head_object", Bucket=self.address.container, Key=found.path)
            return not str(answer.get("ServerSideEncryption") or "").startswith("aws:kms")

        return self._call_driver(ask)

    def upload(self, source: str | os.PathLike[str], path: str) -> None:
        """Write a local file as `path`; whole or not at all, as clouds do."""
        self._call_driver(lambda driver: driver.put_file(os.fspath(source), self._make_key(path)))

    def upload_tree(self, source: Path, path: str, log: Log | None = None) -> int:
        """Write a local file as `path`, or what a folder holds below it; return the number of files."""
        files = _list_local_files(source) if source.is_dir() else {"": str(source)} if source.exists() else {}
        total, said, done = sum(os.path.getsize(file) for file in files.values()), time.monotonic(), 0
        places = {inner: "/".join(part for part in (path, inner) if part) for inner in files}
        for size in run_concurrently(lambda inner: self._upload_one(files[inner], places[inner]), list(files)):
            done += size
            check_stop()
            if log and time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                log(f"uploading to {self.name}: {format_bytes(done)} of {format_bytes(total)}")
        if log and files:
            log(
                f"uploaded {len(files)} file{'s' * (len(files) > 1)} ({format_bytes(total)}) "
                f"to {self.name}: {path or '/'}"
            )
        return len(files)

    def _upload_one(self, source: str, path: str) -> int:
        self.upload(source, path)
        return os.path.getsize(source)

    def _make_key(self, path: str) -> str:
        return f"{self.address.container}/{path}" if path else self.address.container

    def _make_relative(self, key: str) -> str:
        return key.strip("/").removeprefix(self.address.container).strip("/")

    def _make_file(self, key: str, facts: dict[str, Any]) -> RemoteFile:
        modified = facts.get("last_modified") or facts.get("LastModified") or facts.get("mtime")
        etag = facts.get("etag") or facts.get("ETag") or facts.get("generation") or ""
        when = modified.timestamp() if isinstance(modified, datetime) else 0.0
        size = int(facts.get("size") or 0)
        return RemoteFile(self._make_relative(key), size, str(etag).strip('"') or str(modified), when, _read_md5(facts))

    def _call_driver(self, question: Callable[[Any], Result], missing: str | None = None) -> Result:
        """Return what the driver answers; any error becomes one sentence, without secrets."""
        try:
            answer = question(self._get_driver())
        except SmaltError:
            raise
        except FileNotFoundError:
            raise NotFound(f"{missing or self.name + ' has no such path'} ({self.address})") from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise self._make_error(error) from None
        except Exception as error:
            raise self._make_error(error) from None
        self._answered = time.monotonic()
        return answer

    def _get_driver(self) -> Any:
        with self._guard:
            if time.monotonic() - self._answered > _ANSWERED:
                self._check_reachable()
            way = self._as_environment()
            if self._driver is None or self._driver[0] != way:
                self._driver = (way, open_driver(self.address, as_environment=way))
            return self._driver[1]

    def _check_reachable(self) -> None:
        """Raise Unavailable if the server does not answer: the clouds' clients would retry for minutes."""
        parts = urlsplit(self.address.endpoint or "")
        if not parts.hostname or any(os.environ.get(name) for name in _PROXIES):
            return
        try:
            port = parts.port or (80 if parts.scheme == "http" else 443)
            socket.create_connection((parts.hostname, port), timeout=_PATIENCE).close()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unavailable(f"{self.name} ({self.address}) cannot be reached: {why}") from None

    def _make_error(self, error: Exception) -> SmaltError:
        names = {kind.__name__ for kind in type(error).__mro__}
        said = str(error).partition("RequestId:")[0]  # Azure's go on for a page
        text = self.address.mask_secrets(" ".join(said.split())[:300]) or type(error).__name__
        if not names.isdisjoint(_UNREACHABLE):
            return Unavailable(f"{self.name} ({self.address}) cannot be reached: {text}")
        code = getattr(error, "status_code", None) or getattr(error, "code", None)  # Azure's, Google's
        if not names.isdisjoint(_NO_ACCESS) or str(code) in ("401", "403"):
            how = "check its credentials" if self.address.login else (
                "register a datastore with credentials for it, or let smalt use those of its user with "
                "`smalt config set remote-login environment`"
            )  # fmt: skip
            return RefusedError(f"{self.name} ({self.address}) denies access: {text}; {how}")
        return Unavailable(f"{self.name} ({self.address}) failed: {text}")


def run_concurrently(work: Callable[[Any], Result], items: list[Any]) -> Iterator[Result]:
    """Yield the results in the order of the items, some at a time; after an error no further item is started."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield from pool.map(work, items)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _list_details(driver: Any, key: str) -> dict[str, Any]:
    """Return the files below a key; adlfs answers with the bare name if the path is that of a file."""
    listed = driver.find(key, detail=True)
    return listed if isinstance(listed, dict) else {name: driver.info(name) for name in listed}


def _keep_usable(listed: list[RemoteFile]) -> list[RemoteFile]:
    """Return those that can be files of a folder: no folder markers, and no names that climb or that a disk cannot
    hold.
    """
    folders = {found.path[:end] for found in listed for end in _find_slashes(found.path)}
    return sorted(
        (
            found
            for found in listed
            if found.path and normalize_relative(found.path) == found.path and found.path not in folders
        ),
        key=lambda found: found.path,
    )


def _find_slashes(path: str) -> Iterator[int]:
    at = path.find("/")
    while at >= 0:
        yield at
        at = path.find("/", at + 1)


def _list_local_files(folder: Path) -> dict[str, str]:
    found = {}
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                found[os.path.relpath(path, folder)] = path
    return dict(sorted(found.items()))


def _read_md5(facts: dict[str, Any]) -> str | None:
    """Return a file's MD5 in hex: Azure gives it as bytes, GCS in base64, S3 as the ETag of an upload in one part."""
    given = (facts.get("content_settings") or {}).get("content_md5")
    if given:
        return bytes(given).hex()
    if facts.get("md5Hash"):
        with contextlib.suppress(ValueError):
            return base64.b64decode(facts["md5Hash"]).hex()
    etag = str(facts.get("ETag") or "").strip('"').lower()
    return etag if len(etag) == 32 and set(etag) <= set("0123456789abcdef") else None
