"""The cache of files from the web, fetched once and kept as long as the server says that they are unchanged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from smalt._version import __version__
from smalt.exceptions import NotFound, RefusedError, SmaltError, Unavailable
from smalt.service.data.cache import cache_leases
from smalt.service.data.cache.cache_leases import IsBusy
from smalt.service.data.files.copying import Log, format_bytes, make_write_error, remove_tree
from smalt.service.data.files.durable_files import write_durably

_TIMEOUT = 60.0
_BLOCK = 1 << 18
_SAY_EVERY = 5.0
_NOT_THERE = (404, 410)
_JUST_ASKED = 60.0
"""Seconds in which requested data is not removed, whoever requested it."""
_GIVEN = "given.json"
_RUNS_KEPT = 100
"""The number of finished runs whose files are remembered; those of unfinished runs always are."""
_NO_HEAD = (400, 403, 405, 501)

Unfinished = Callable[[list[int]], set[int]]
"""A function from job ids to those of unfinished jobs."""

HINT = "map it to a local copy with `smalt config set url-map PREFIX=FOLDER`"


class UrlCache:
    """A cache with one folder per URL, as old as the server's last answer: `meta.json`, and the content below its
    sha256.

    `given.json` records what each run was given, {id of its top job: path in the folder}, so that all its steps
    read the same, even those that start after the server was killed.
    """

    def __init__(self, folder: Path, limit: Callable[[], int], is_busy: IsBusy, unfinished: Unfinished) -> None:
        self.folder = folder
        self._limit = limit
        self._is_busy = is_busy
        self._unfinished = unfinished
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def fetch(self, url: str, user: Path | None = None, log: Log | None = None, run: int = 0) -> Path:
        """Return the content of `url` as a read-only file, named as the URL ends; block until it is here.

        The server is asked whether it is unchanged, once for all steps of the pipeline `run`. The file stays at
        least as long as the job that works in the folder `user` is unfinished.
        """
        say, home = log or _ignore_line, self._get_home(url)
        with self._hold_lock(home):
            given = self._read_given(home) if run else {}
            found = home / given[run] if run in given else None
            is_new = found is None or not found.exists()
            if found is None or is_new:
                found = self._download(url, say)
            answered = home.stat().st_mtime_ns
            if run and is_new:
                self._note_given(home, given, run, found)
            if user is not None:
                cache_leases.add_lease(home, user, self._is_busy)
            os.utime(home, ns=(answered, answered))
        self._trim_content()
        return found

    def find_cached(self, url: str) -> Path | None:
        """Return what was fetched last, without asking the server."""
        meta = self._read_meta(self._get_home(url))
        if not meta:
            return None
        path = self._get_home(url) / str(meta["sha256"]) / str(meta["name"])
        return path if path.exists() and path.stat().st_size == meta["size"] else None

    def check(self, url: str) -> str | None:
        """Return an error sentence if the server does not have `url`, or cannot be asked and there is no copy."""
        try:
            with _open_url(url, {}, "HEAD"):
                return None
        except _HttpStatusError as status:
            if status.code in _NO_HEAD:
                return self._check_by_get(url)
            return str(status.to_error(url))
        except _NoAnswerError as reason:
            return None if self.find_cached(url) else str(reason.to_error(url))

    def prune(self, older_than: float, dry_run: bool) -> list[tuple[str, int]]:
        """Remove what was not requested in that many seconds and no unfinished job uses; return URLs and bytes."""
        dropped = []
        for home in self._list_homes():
            with self._hold_lock(home):
                if not self._is_idle(home, older_than):
                    continue
                size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
                url = self._read_meta(home).get("url")
                dropped.append((mask_url(url) if url else home.name, size))
                if not dry_run:
                    remove_tree(home)
        return dropped

    def _read_given(self, home: Path) -> dict[int, str]:
        try:
            return {int(run): str(path) for run, path in json.loads((home / _GIVEN).read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _note_given(self, home: Path, given: Mapping[int, str], run: int, found: Path) -> None:
        old = list(given)[: 1 - _RUNS_KEPT]
        goes = set(old) - self._unfinished(old) if old else set()
        kept = {one: path for one, path in given.items() if one not in goes}
        text = json.dumps({**kept, run: str(found.relative_to(home))})
        write_durably(home / f".given.{os.urandom(4).hex()}", home / _GIVEN, [text.encode()])

    def _trim_content(self) -> None:
        """Remove content down to the limit, least recently requested first."""
        sizes = {home: int(self._read_meta(home).get("size") or 0) for home in self._list_homes()}
        kept = sum(sizes.values())
        for home, size in sizes.items():
            if kept <= self._limit():
                return
            with self._hold_lock(home):
                if self._is_idle(home, _JUST_ASKED):
                    remove_tree(home)
                    kept -= size

    def _is_idle(self, home: Path, seconds: float) -> bool:
        """True if it was not requested in that time, and no unfinished job, or other step of its run, may use it."""
        if time.time() - _get_request_time(home) < seconds or cache_leases.is_leased(home, self._is_busy):
            return False
        given = list(self._read_given(home))
        return not given or not self._unfinished(given)

    def _list_homes(self) -> list[Path]:
        """Return the folders, least recently requested first."""
        return sorted(self.folder.glob("*"), key=_get_request_time)

    def _check_by_get(self, url: str) -> str | None:
        try:
            with _open_url(url, {"Range": "bytes=0-0"}, "GET"):
                return None
        except (_HttpStatusError, _NoAnswerError) as problem:
            return str(problem.to_error(url))

    def _download(self, url: str, say: Log) -> Path:
        have = self.find_cached(url)
        meta = self._read_meta(self._get_home(url))
        headers = {}
        if have and meta.get("etag"):
            headers["If-None-Match"] = meta["etag"]
        elif have and meta.get("modified"):
            headers["If-Modified-Since"] = meta["modified"]
        try:
            with _open_url(url, headers, "GET") as response:
                return self._receive_content(url, response, say)
        except _HttpStatusError as status:
            if status.code != 304 or not have:
                raise status.to_error(url) from None
            os.utime(self._get_home(url))
            return have
        except _NoAnswerError as reason:
            if not have:
                raise reason.to_error(url) from None
            say(f"{mask_url(url)} cannot be reached ({reason}); the copy fetched before is used")
            return have

    def _receive_content(self, url: str, response: HTTPResponse, say: Log) -> Path:
        home = self._get_home(url)
        total = int(response.headers.get("Content-Length") or -1)
        say(f"downloading {mask_url(url)}" + (f" ({format_bytes(total)})" if total >= 0 else ""))
        temporary = home / f".{os.getpid()}.{os.urandom(4).hex()}"
        try:
            home.mkdir(parents=True, exist_ok=True)
            sha, size = _save_response(response, temporary, total, url, say)
            target = home / sha / _make_file_name(url)
            target.parent.mkdir(exist_ok=True)
            os.replace(temporary, target)
            self._write_meta(home, url, response, target.name, sha, size)
        except OSError as error:
            raise make_write_error(home, error) from None
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        say(f"downloaded {mask_url(url)} ({format_bytes(size)})")
        return target

    def _write_meta(self, home: Path, url: str, response: HTTPResponse, name: str, sha: str, size: int) -> None:
        meta = {
            "url": url,
            "name": name,
            "sha256": sha,
            "size": size,
            "etag": response.headers.get("ETag"),
            "modified": response.headers.get("Last-Modified"),
        }
        temporary = home / f".meta.{os.urandom(4).hex()}"
        temporary.write_text(json.dumps(meta))
        os.replace(temporary, home / "meta.json")

    def _read_meta(self, home: Path) -> dict[str, Any]:
        """Return what is known of the content in a folder; empty if none arrived complete."""
        try:
            meta = json.loads((home / "meta.json").read_text())
        except (OSError, ValueError):
            return {}
        return meta if isinstance(meta, dict) else {}

    def _get_home(self, url: str) -> Path:
        return self.folder / hashlib.sha256(url.encode()).hexdigest()[:40]

    @contextlib.contextmanager
    def _hold_lock(self, home: Path) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(home.name, threading.Lock())
        with lock:
            yield


def _get_request_time(home: Path) -> float:
    try:
        return home.stat().st_mtime
    except FileNotFoundError:  # given up meanwhile
        return time.time()


def mask_url(url: str) -> str:
    """Return a URL for logs: without the parts that may be secret."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class _HttpStatusError(Exception):
    """An answer of the server other than the content."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code

    def to_error(self, url: str) -> SmaltError:
        if self.code in _NOT_THERE:
            return NotFound(f"{mask_url(url)} does not exist: the server answers {self}; check the URL, or {HINT}")
        return RefusedError(f"{mask_url(url)} cannot be fetched: the server answers {self}; {HINT}")


class _NoAnswerError(Exception):
    """A request that got no answer."""

    def to_error(self, url: str) -> SmaltError:
        return Unavailable(f"{mask_url(url)} cannot be reached: {self}; {HINT}")


@contextlib.contextmanager
def _open_url(url: str, headers: dict[str, str], method: str) -> Iterator[HTTPResponse]:
    from urllib import request
    from urllib.error import HTTPError, URLError

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
        request.HTTPDefaultErrorHandler,
        request.UnknownHandler,  # so a redirect to file:// or ftp:// is refused
    ):
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", f"smalt/{__version__}")]
    try:
        asked = request.Request(url, headers=headers, method=method)
        response = opener.open(asked, timeout=_TIMEOUT)
    except HTTPError as error:
        error.close()
        raise _HttpStatusError(error.code, str(error.reason)) from None
    except URLError as error:
        raise _NoAnswerError(str(error.reason)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _NoAnswerError(str(error) or type(error).__name__) from None
    with response:
        yield response


def _save_response(response: HTTPResponse, target: Path, total: int, url: str, say: Log) -> tuple[str, int]:
    digest, size, said = hashlib.sha256(), 0, time.monotonic()
    with open(target, "xb") as file:
        while block := _read_block(response):
            digest.update(block)
            file.write(block)
            size += len(block)
            if time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                say(
                    f"downloading {mask_url(url)}: {format_bytes(size)}"
                    + (f" of {format_bytes(total)}" if total >= 0 else "")
                )
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    if 0 <= total != size:
        raise _NoAnswerError(f"the connection ended after {format_bytes(size)} of {format_bytes(total)}")
    return digest.hexdigest(), size


def _read_block(response: HTTPResponse) -> bytes:
    """Read the next block; network errors must not be taken for a disk that cannot be written."""
    try:
        return response.read(_BLOCK)
    except (OSError, HTTPException) as error:
        raise _NoAnswerError(str(error) or type(error).__name__) from None


def _make_file_name(url: str) -> str:
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]).replace("/", "_").replace("\0", "_")
    name = "_".join(name.split())  # commands hand it on unquoted
    return name[:150] if name not in ("", ".", "..") else "data"


def _ignore_line(line: str) -> None:
    """Ignore a log line, for callers without a log."""
