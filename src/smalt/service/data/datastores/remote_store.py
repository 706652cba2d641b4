"""A remote datastore: listed, read and written through fsspec's driver of its cloud. All of it blocks."""

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

from smalt.exceptions import NotFound, Refused, SmaltError, Unavailable
from smalt.service.data.datastores.addresses import Address
from smalt.service.data.datastores.drivers import open_driver
from smalt.service.data.files.copy_cancellation import check_stop
from smalt.service.data.files.copying import Log, human
from smalt.service.data.files.path_containment import inside

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


class Found(NamedTuple):
    """A file of the store."""

    path: str
    """Below the container."""
    size: int
    version: str
    """Another one whenever the content is."""
    modified: float
    md5: str | None
    """Of the content, in hex, where the store tells it."""


class Store:
    def __init__(self, address: Address, name: str, as_environment: Callable[[], bool]) -> None:
        """`name` is what messages call it."""
        self.address = address
        self.name = name
        self._as_environment = as_environment
        self._guard = threading.Lock()
        self._driver: tuple[bool, Any] | None = None
        self._answered = float("-inf")

    def find_version(self, path: str) -> list[Found]:
        """All files at or below a path, in lexicographic order; none where nothing is."""
        listed = self._ask(lambda driver: _details(driver, self._key(path)))
        if not listed:
            self._ask(lambda driver: driver.ls(self.address.container, detail=False), f"{self.name} has no container")
        return _usable([self._found(key, facts) for key, facts in listed.items()])

    def list_files(self, path: str, *, recursive: bool) -> Iterator[tuple[str, int, bool]]:
        """Path, size and whether it is a folder, in lexicographic order; with `recursive` files only."""
        if recursive:
            yield from ((found.path, found.size, False) for found in self.find_version(path))
            return
        entries = self._ask(lambda driver: driver.ls(self._key(path), detail=True), f"{self.name} has no {path!r}")
        rows = []
        for facts in entries:
            is_folder = facts["type"] == "directory"
            relative = inside(self._relative(facts["name"]))
            if relative and (is_folder or relative != path or facts.get("size")):
                rows.append((relative, 0 if is_folder else int(facts.get("size") or 0), is_folder))
        yield from sorted(rows, key=lambda row: f"{row[0]}/" if row[2] else row[0])

    def fetch(self, found: Found, target: str | os.PathLike[str]) -> None:
        """Copy the content of a file to the new file `target`."""
        where = f"{self.name} has no {found.path!r} any more"
        self._ask(lambda driver: driver.get_file(self._key(found.path), os.fspath(target)), where)

    def has_true_md5(self, found: Found) -> bool:
        """Whether its MD5 is that of the bytes: an S3 object that a key of KMS encrypts has another's."""
        if self.address.kind != "s3":
            return True

        def ask(driver: Any) -> bool:
            answer = driver.call_s3("head_object", Bucket=self.address.container, Key=found.path)
            return not str(answer.get("ServerSideEncryption") or "").startswith("aws:kms")

        return self._ask(ask)

    def put(self, source: str | os.PathLike[str], path: str) -> None:
        """Write a local file as `path`; whole or not at all, as clouds do."""
        self._ask(lambda driver: driver.put_file(os.fspath(source), self._key(path)))

    def put_tree(self, source: Path, path: str, log: Log | None = None) -> int:
        """Write a local file as `path`, or what a folder holds below it; gives the number of files."""
        files = _files(source) if source.is_dir() else {"": str(source)} if source.exists() else {}
        total, said, done = sum(os.path.getsize(file) for file in files.values()), time.monotonic(), 0
        places = {inner: "/".join(part for part in (path, inner) if part) for inner in files}
        for size in each_at_once(lambda inner: self._put_one(files[inner], places[inner]), list(files)):
            done += size
            check_stop()
            if log and time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                log(f"uploading to {self.name}: {human(done)} of {human(total)}")
        if log and files:
            log(f"uploaded {len(files)} file{'s' * (len(files) > 1)} ({human(total)}) to {self.name}: {path or '/'}")
        return len(files)

    def _put_one(self, source: str, path: str) -> int:
        self.put(source, path)
        return os.path.getsize(source)

    def _key(self, path: str) -> str:
        return f"{self.address.container}/{path}" if path else self.address.container

    def _relative(self, key: str) -> str:
        return key.strip("/").removeprefix(self.address.container).strip("/")

    def _found(self, key: str, facts: dict[str, Any]) -> Found:
        modified = facts.get("last_modified") or facts.get("LastModified") or facts.get("mtime")
        etag = facts.get("etag") or facts.get("ETag") or facts.get("generation") or ""
        when = modified.timestamp() if isinstance(modified, datetime) else 0.0
        size = int(facts.get("size") or 0)
        return Found(self._relative(key), size, str(etag).strip('"') or str(modified), when, _md5(facts))

    def _ask(self, question: Callable[[Any], Result], missing: str | None = None) -> Result:
        """What the driver answers; whatever goes wrong is one sentence, without secrets."""
        try:
            answer = question(self._opened())
        except SmaltError:
            raise
        except FileNotFoundError:
            raise NotFound(f"{missing or self.name + ' has no such path'} ({self.address})") from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise self._error(error) from None
        except Exception as error:
            raise self._error(error) from None
        self._answered = time.monotonic()
        return answer

    def _opened(self) -> Any:
        with self._guard:
            if time.monotonic() - self._answered > _ANSWERED:
                self._knock()
            way = self._as_environment()
            if self._driver is None or self._driver[0] != way:
                self._driver = (way, open_driver(self.address, as_environment=way))
            return self._driver[1]

    def _knock(self) -> None:
        """The clouds' clients try for minutes to reach what is not there."""
        parts = urlsplit(self.address.endpoint or "")
        if not parts.hostname or any(os.environ.get(name) for name in _PROXIES):
            return
        try:
            port = parts.port or (80 if parts.scheme == "http" else 443)
            socket.create_connection((parts.hostname, port), timeout=_PATIENCE).close()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unavailable(f"{self.name} ({self.address}) cannot be reached: {why}") from None

    def _error(self, error: Exception) -> SmaltError:
        names = {kind.__name__ for kind in type(error).__mro__}
        said = str(error).partition("RequestId:")[0]  # Azure's go on for a page
        text = self.address.without_secrets(" ".join(said.split())[:300]) or type(error).__name__
        if not names.isdisjoint(_UNREACHABLE):
            return Unavailable(f"{self.name} ({self.address}) cannot be reached: {text}")
        code = getattr(error, "status_code", None) or getattr(error, "code", None)  # Azure's, Google's
        if not names.isdisjoint(_NO_ACCESS) or str(code) in ("401", "403"):
            how = "check its credentials" if self.address.login else (
                "register a datastore with credentials for it, or let smalt use those of its user with "
                "`smalt config set remote-login environment`"
            )  # fmt: skip
            return Refused(f"{self.name} ({self.address}) does not let smalt in: {text}; {how}")
        return Unavailable(f"{self.name} ({self.address}) failed: {text}")


def each_at_once(work: Callable[[Any], Result], items: list[Any]) -> Iterator[Result]:
    """The results as the items are, some at a time; after an error nothing more is begun."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield from pool.map(work, items)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _details(driver: Any, key: str) -> dict[str, Any]:
    """adlfs answers with the bare name where the path is that of a file."""
    listed = driver.find(key, detail=True)
    return listed if isinstance(listed, dict) else {name: driver.info(name) for name in listed}


def _usable(listed: list[Found]) -> list[Found]:
    """What can be a file of a folder: no markers of folders, and no names that a disk cannot hold or that climb."""
    folders = {found.path[:end] for found in listed for end in _slashes(found.path)}
    return sorted(
        (found for found in listed if found.path and inside(found.path) == found.path and found.path not in folders),
        key=lambda found: found.path,
    )


def _slashes(path: str) -> Iterator[int]:
    at = path.find("/")
    while at >= 0:
        yield at
        at = path.find("/", at + 1)


def _files(folder: Path) -> dict[str, str]:
    found = {}
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                found[os.path.relpath(path, folder)] = path
    return dict(sorted(found.items()))


def _md5(facts: dict[str, Any]) -> str | None:
    """Azure tells it as bytes, GCS in base64, S3 as the ETag of what was sent in one piece."""
    given = (facts.get("content_settings") or {}).get("content_md5")
    if given:
        return bytes(given).hex()
    if facts.get("md5Hash"):
        with contextlib.suppress(ValueError):
            return base64.b64decode(facts["md5Hash"]).hex()
    etag = str(facts.get("ETag") or "").strip('"').lower()
    return etag if len(etag) == 32 and set(etag) <= set("0123456789abcdef") else None
