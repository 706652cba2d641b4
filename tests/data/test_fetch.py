"""Files of the web, from a server on the loopback."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smalt.exceptions import NotFound, RefusedError, SmaltError, Unavailable
from smalt.service.data import DataAccess
from smalt.service.data.cache.url_cache import UrlCache
from smalt.service.records.workspaces import Workspace


class Web(ThreadingHTTPServer):
    """Serves `files` (path → content, ETag) and writes down what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, tuple[bytes, str | None]] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/elsewhere":
            return self.answer(302, location="/iris.csv")
        if path == "/local":
            return self.answer(302, location="file:///etc/passwd")
        if path == "/private":
            return self.answer(409)
        if path == "/torn":
            return self.answer(200, b"half", length=1000)
        if path not in self.server.files:
            return self.answer(404)
        content, etag = self.server.files[path]
        if etag and self.headers.get("If-None-Match") == etag:
            return self.answer(304)
        return self.answer(200, content, etag=etag)

    do_HEAD = do_GET

    def answer(
        self, code: int, content: bytes = b"", *, location: str = "", etag: str | None = None, length: int = -1
    ) -> None:
        self.server.asked.append(f"{self.command} {self.path} {code}")
        self.send_response(code)
        self.send_header("Content-Length", str(length if length >= 0 else len(content)))
        if location:
            self.send_header("Location", location)
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test says what it must."""


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    server.files["/iris.csv"] = (b"5.1,3.5", '"1"')
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def age(cache: UrlCache, seconds: float) -> None:
    """As if the server had last answered that long ago."""
    for home in cache.folder.iterdir():
        then = home.stat().st_mtime - seconds
        os.utime(home, (then, then))


@pytest.fixture
def cache(tmp_path: Path) -> UrlCache:
    return reopened(tmp_path / "cache", set())


def reopened(folder: Path, over: set[int]) -> UrlCache:
    """The cache as another server finds it; all runs go on but those that are `over`."""

    def busy(users: list[str]) -> set[str]:
        return {user for user in users if user.endswith("/unfinished")}

    return UrlCache(folder, lambda: 1000, busy, lambda runs: set(runs) - over)


def test_a_file_is_fetched_once(web: Web, cache: UrlCache) -> None:
    """Later the server is only asked whether it is still the same: each time, but once for the steps of one run."""
    said: list[str] = []
    first = cache.fetch(f"{web.url}/iris.csv", None, said.append)
    assert (first.name, first.read_bytes(), first.stat().st_mode & 0o222) == ("iris.csv", b"5.1,3.5", 0)
    for run in (0, 0, 1, 1, 2, 1):
        assert cache.fetch(f"{web.url}/iris.csv", run=run) == first
    assert web.asked == ["GET /iris.csv 200", *["GET /iris.csv 304"] * 4]
    assert said == [f"downloading {web.url}/iris.csv (7 bytes)", f"downloaded {web.url}/iris.csv (7 bytes)"]


def test_a_run_goes_on_with_what_it_was_given(web: Web, cache: UrlCache) -> None:
    """Whatever the URL gives meanwhile, however many others ask for it, and when the server was started again."""
    url, over = f"{web.url}/iris.csv", set(range(2, 300))
    assert cache.fetch(url, run=1).read_bytes() == b"5.1,3.5"
    web.files["/iris.csv"] = (b"new", '"2"')
    for run in range(2, 300):
        cache.fetch(url, run=run)
    again = reopened(cache.folder, over)
    assert again.fetch(url, run=1).read_bytes() == b"5.1,3.5"
    assert again.fetch(url, run=300).read_bytes() == b"new"
    assert len(json.loads((again._get_home(url) / "given.json").read_text())) <= 102
    age(again, 100)
    assert again.prune(10, False) == []
    over |= {1, 300}
    assert len(again.prune(10, False)) == 1


def test_a_new_version_does_not_change_the_old_one(web: Web, cache: UrlCache) -> None:
    """A job that still reads the old content keeps it."""
    old = cache.fetch(f"{web.url}/iris.csv")
    web.files["/iris.csv"] = (b"new", '"2"')
    age(cache, 100)
    new = cache.fetch(f"{web.url}/iris.csv")
    assert (old.read_bytes(), new.read_bytes(), new.name) == (b"5.1,3.5", b"new", "iris.csv")


def test_what_was_fetched_serves_while_the_server_is_away(web: Web, cache: UrlCache) -> None:
    """On a plane the copy is used, and the log says so."""
    first = cache.fetch(f"{web.url}/iris.csv")
    web.shutdown()
    web.server_close()
    age(cache, 100)
    said: list[str] = []
    assert cache.fetch(f"{web.url}/iris.csv", None, said.append) == first
    assert "the copy fetched before is used" in said[0]
    assert cache.check(f"{web.url}/iris.csv") is None
    assert "cannot be reached" in str(cache.check(f"{web.url}/other.csv"))
    with pytest.raises(Unavailable, match=r"cannot be reached: .*url-map"):
        cache.fetch(f"{web.url}/other.csv")


def test_many_who_want_the_same_file_fetch_it_once(web: Web, cache: UrlCache) -> None:
    """Ten steps that start at once make one download."""
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(cache.fetch(f"{web.url}/iris.csv"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert web.asked.count("GET /iris.csv 200") == 1


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("/gone", NotFound, "does not exist: the server answers 404"),
        ("/private", RefusedError, "the server answers 409"),
        ("/torn", Unavailable, r"the connection ended after 4 bytes of 1.0 KB|IncompleteRead"),
        ("/local", SmaltError, "file"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(
    web: Web, cache: UrlCache, path: str, error: type[SmaltError], says: str
) -> None:
    """The sentence names the URL, the reason and the URL map, and nothing half is left."""
    with pytest.raises(error, match=says) as raised:
        cache.fetch(f"{web.url}{path}")
    assert "url-map" in str(raised.value)
    assert cache.find_cached(f"{web.url}{path}") is None
    assert not [left for left in cache.folder.rglob("*") if left.is_file()]


def test_a_secret_in_the_query_is_not_said(web: Web, cache: UrlCache) -> None:
    """A SAS token works and stays out of the log and of errors."""
    said: list[str] = []
    cache.fetch(f"{web.url}/iris.csv?sig=SECRET", None, said.append)
    with pytest.raises(NotFound) as raised:
        cache.fetch(f"{web.url}/gone?sig=SECRET")
    assert "SECRET" not in str(raised.value) + "".join(said)


def test_redirects_are_followed_on_the_web_only(web: Web, cache: UrlCache) -> None:
    """A redirect to another URL works; its file is named as the URL that was asked for."""
    assert cache.fetch(f"{web.url}/elsewhere").read_bytes() == b"5.1,3.5"


def test_a_url_is_checked_without_fetching_it(web: Web, cache: UrlCache) -> None:
    """Before the first step only its existence is asked for."""
    assert cache.check(f"{web.url}/iris.csv") is None
    assert "404" in str(cache.check(f"{web.url}/gone"))
    assert web.asked == ["HEAD /iris.csv 200", "HEAD /gone 404"]


def test_pruning_drops_what_was_not_asked_for(web: Web, cache: UrlCache) -> None:
    """By age; a dry run only tells."""
    cache.fetch(f"{web.url}/iris.csv")
    assert cache.prune(3600, False) == []
    (item,) = cache.prune(0, True)
    assert item[0] == f"{web.url}/iris.csv"
    assert cache.find_cached(f"{web.url}/iris.csv")
    assert cache.prune(0, False) == [item]
    assert cache.find_cached(f"{web.url}/iris.csv") is None


def test_what_an_unfinished_job_uses_stays(web: Web, cache: UrlCache, tmp_path: Path) -> None:
    """Whatever is pruned, and however little room there is; and the server is asked no less often for it."""
    used = cache.fetch(f"{web.url}/iris.csv", tmp_path / "unfinished")
    age(cache, 100)
    web.files["/large.bin"] = (b"x" * 2000, '"1"')
    cache.fetch(f"{web.url}/large.bin", tmp_path / "over")
    assert used.exists()
    assert [name for name, _ in cache.prune(0, False)] == [f"{web.url}/large.bin"]
    assert used.exists()
    web.asked.clear()
    cache.fetch(f"{web.url}/iris.csv", tmp_path / "over")
    assert web.asked == ["GET /iris.csv 304"]


def test_the_least_recently_asked_for_goes_first(web: Web, cache: UrlCache) -> None:
    """When there is more than the limit; what was asked for a moment ago stays."""
    for name in ("old", "older"):
        web.files[f"/{name}"] = (b"x" * 600, '"1"')
    old = cache.fetch(f"{web.url}/old")
    age(cache, 100)
    older = cache.fetch(f"{web.url}/older")
    assert older.exists()
    assert not old.exists()


def test_a_url_as_an_input(web: Web, data: DataAccess, workspace: Workspace, tmp_path: Path) -> None:
    """It is checked, fetched and handed over like a local file; a folder of the web is refused."""
    url = f"{web.url}/iris.csv"
    assert data.check_exists(url, workspace, "uri_file") is None
    assert not data.is_quick(data.locate(url, workspace), None)
    path = data.prepare_input(data.locate(url, workspace), "uri_file", "ro_mount", tmp_path / "x")
    assert path.read_bytes() == b"5.1,3.5"
    own = data.prepare_input(data.locate(url, workspace), "uri_file", "download", tmp_path / "y")
    assert own == tmp_path / "y" / "iris.csv"
    assert asyncio.run(data.fetch(data.resolve(url, workspace))) == path
    with pytest.raises(RefusedError, match="smalt fetches single files only; map it"):
        data.prepare_input(data.locate(web.url + "/", workspace), "uri_folder", None, tmp_path / "z")


def test_all_steps_of_a_run_read_the_same(web: Web, cache: UrlCache) -> None:
    """Another run is given what the server has by then; the first one goes on with what it was given."""
    first = cache.fetch(f"{web.url}/iris.csv", run=1)
    web.files["/iris.csv"] = (b"6.0,3.0", '"2"')
    second = cache.fetch(f"{web.url}/iris.csv", run=2)
    assert (first.read_bytes(), second.read_bytes()) == (b"5.1,3.5", b"6.0,3.0")
    assert cache.fetch(f"{web.url}/iris.csv", run=1) == first
