"""The cache of remote datastores, before a store that is a folder of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import NotFound, Unavailable
from smalt.service.data.cache import remote_cache as store_cache
from smalt.service.data.cache.remote_cache import RemoteCache
from smalt.service.data.datastores.addresses import Address
from smalt.service.data.datastores.remote_store import RemoteFile, RemoteStore
from smalt.service.data.files.copying import format_bytes
from tests.helpers import eventually

SIZE = 1000


class Shelf(RemoteStore):
    """Answers from a folder as a cloud would; a version is what a file holds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Address("s3", "shelf"), "datastore shelf", lambda: False)
        self.folder = folder
        self.fetched: list[str] = []
        self.md5: str | None = None
        self.torn = False

    def find_files(self, path: str) -> list[RemoteFile]:
        files = sorted(file for file in (self.folder / path).rglob("*") if file.is_file())
        files = [self.folder / path] if (self.folder / path).is_file() else files
        return [self._of(file) for file in files]

    def _of(self, file: Path) -> RemoteFile:
        text = file.read_bytes()
        return RemoteFile(file.relative_to(self.folder).as_posix(), len(text), str(hash(text)), 1e9, self.md5)

    def download(self, found: RemoteFile, target: Any) -> None:
        self.fetched.append(found.path)
        Path(target).write_bytes((self.folder / found.path).read_bytes()[: -1 if self.torn else None])

    def has_true_md5(self, found: RemoteFile) -> bool:
        return True


class Cache(RemoteCache):
    """One whose limit and unfinished jobs a test changes."""

    def __init__(self, folder: Path) -> None:
        self.most = 10 * SIZE
        self.busy: set[str] = set()
        super().__init__(folder, lambda: self.most, lambda users: self.busy.intersection(users))

    def age(self, path: Path, seconds: float) -> None:
        """As if what holds `path` had been asked for so long ago."""
        tree = next(tree for tree in (self.folder / "trees").iterdir() if tree in path.parents)
        os.utime(tree, (time.time() - seconds,) * 2)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for name in ("a/x", "a/sub/y", "b/z"):
        file = tmp_path / "shelf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name[0] + name * (SIZE // len(name)))
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_path_of_a_store_is_a_folder_of_read_only_files(shelf: Shelf, cache: Cache) -> None:
    """Called as the path ends, fetched once, and the same folder for all who ask while nothing changes."""
    folder = cache.fetch_tree(shelf, "a")
    assert folder.name == "a"
    assert (folder / "sub/y").read_bytes() == (shelf.folder / "a/sub/y").read_bytes()
    assert (folder / "x").stat().st_mode & 0o222 == 0
    assert sorted(shelf.fetched) == ["a/sub/y", "a/x"]
    assert cache.fetch_tree(shelf, "a") == folder
    assert cache.fetch_tree(shelf, "a/x").read_bytes() == (shelf.folder / "a/x").read_bytes()
    assert len(shelf.fetched) == 2
    with pytest.raises(NotFound, match="datastore shelf has no 'none'"):
        cache.fetch_tree(shelf, "none")


def test_only_what_changed_is_fetched_again(shelf: Shelf, cache: Cache) -> None:
    """Who reads the old folder goes on reading the old content."""
    before = cache.fetch_tree(shelf, "a")
    (shelf.folder / "a/x").write_text("new")
    shelf.fetched.clear()
    after = cache.fetch_tree(shelf, "a")
    assert shelf.fetched == ["a/x"]
    assert (after / "x").read_text() == "new"
    assert (before / "x").read_text().startswith("aa/x")


def test_a_copy_that_was_changed_is_fetched_again(shelf: Shelf, cache: Cache) -> None:
    """Whoever may write there: what a job is handed is what the store has."""
    folder = cache.fetch_tree(shelf, "a")
    (folder / "x").chmod(0o600)
    (folder / "x").write_text("tampered")
    assert (cache.fetch_tree(shelf, "a") / "x").read_bytes() == (shelf.folder / "a/x").read_bytes()
    assert shelf.fetched.count("a/x") == 2


def test_a_damaged_copy_is_mended_under_the_job_that_reads_it(shelf: Shelf, cache: Cache, tmp_path: Path) -> None:
    """Its paths stay, what another job is given is whole, and the first one still counts as a user."""
    job = tmp_path / "jobs" / "j"
    cache.busy = {str(job)}
    folder = cache.fetch_tree(shelf, "a", job)
    inode = (folder / "sub/y").stat().st_ino
    (folder / "x").chmod(0o600)
    (folder / "x").write_text("tampered")
    assert [name for _, name in cache.find_damaged()] == ["datastore shelf: a"]
    with open(folder / "sub/y", "rb") as reading:
        assert cache.fetch_tree(shelf, "a", tmp_path / "jobs" / "other") == folder
        assert reading.read() == (shelf.folder / "a/sub/y").read_bytes()
    assert (folder / "x").read_bytes() == (shelf.folder / "a/x").read_bytes()
    assert (folder / "x").stat().st_mode & 0o222 == 0
    assert folder.stat().st_mode & 0o222 == 0
    assert (folder / "sub/y").stat().st_ino == inode
    assert list(cache.find_damaged()) == []
    cache.age(folder, 1000)
    assert cache.prune(0, dry_run=False) == []


def test_what_is_asked_for_is_not_given_up_between_look_and_note(
    shelf: Shelf, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another step needs room just when an old tree has been found whole for this one."""
    job = tmp_path / "jobs" / "j"
    cache.age(cache.fetch_tree(shelf, "a"), 1000)
    cache.most, cache.busy = SIZE, {str(job)}
    trims: list[threading.Thread] = []
    look = store_cache._is_complete

    def look_and_be_overtaken(*arguments: Any) -> bool:
        is_whole = look(*arguments)
        trims.append(threading.Thread(target=cache.trim))
        trims[-1].start()
        trims[-1].join(0.1)
        return is_whole

    monkeypatch.setattr(store_cache, "_is_complete", look_and_be_overtaken)
    folder = cache.fetch_tree(shelf, "a", job)
    trims[-1].join()
    assert (folder / "x").exists()


@pytest.mark.parametrize("wrong", ["md5", "torn"])
def test_what_arrives_is_compared_with_what_was_listed(shelf: Shelf, cache: Cache, wrong: str) -> None:
    """Content of another MD5 or size is not kept, and nothing of it stays."""
    setattr(shelf, wrong, "0" * 32 if wrong == "md5" else True)
    with pytest.raises(Unavailable, match="MD5 differs" if wrong == "md5" else "changed while it was being read"):
        cache.fetch_tree(shelf, "a")
    assert cache.list_trees() == []
    assert list((cache.folder / "incoming").iterdir()) == []


def test_the_least_recently_used_goes_first(shelf: Shelf, cache: Cache) -> None:
    """When room is needed, and only as much as is."""
    cache.most = 3 * SIZE + 100
    old, newer = cache.fetch_tree(shelf, "a/x"), cache.fetch_tree(shelf, "a/sub")
    cache.age(old, 2000)
    cache.age(newer, 1000)
    cache.fetch_tree(shelf, "b")
    assert old.exists()
    (shelf.folder / "b/more").write_text("m" * SIZE)
    cache.fetch_tree(shelf, "b")
    assert not old.exists()
    assert newer.exists()


def test_what_an_unfinished_job_uses_is_never_given_up(shelf: Shelf, cache: Cache, tmp_path: Path) -> None:
    """The cache rather grows beyond its limit, and says so; when the job is over it shrinks."""
    job = tmp_path / "jobs" / "j"
    cache.most, cache.busy = SIZE, {str(job)}
    used = cache.fetch_tree(shelf, "a", job)
    cache.age(used, 1000)
    said: list[str] = []
    other = cache.fetch_tree(shelf, "b", None, said.append)
    assert used.exists()
    assert any(f"beyond its limit ({format_bytes(SIZE)}" in line for line in said)
    cache.age(other, 500)
    assert cache.prune(100, dry_run=True)[0][0] == "datastore shelf: b"
    cache.busy.clear()
    assert cache.trim() <= SIZE
    assert not used.exists()


def test_many_at_once_fetch_once(shelf: Shelf, cache: Cache) -> None:
    """The steps of a pipeline that start together with one input."""
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(cache.fetch_tree(shelf, "a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert len(shelf.fetched) == 2


SLOW = """
import sys, time
from pathlib import Path
from tests.data.test_store_cache import Cache, Shelf

class Slow(Shelf):
    def download(self, found, target):
        if found.path == "a/x":
            Path(target).write_bytes(b"half")
            print("half", flush=True)
            time.sleep(60)
        super().download(found, target)

Cache(Path(sys.argv[2])).fetch_tree(Slow(Path(sys.argv[1])), "a")
"""


def test_a_kill_while_it_is_filled_leaves_it_sound(shelf: Shelf, cache: Cache) -> None:
    """SIGKILL in the middle of a file: the next server finds no half of it, and clears what was on its way."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, shelf.folder, cache.folder], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    incoming = cache.folder / "incoming"
    assert eventually(lambda: list(incoming.iterdir()))
    assert cache.list_trees() == []
    folder = cache.fetch_tree(shelf, "a")
    assert (folder / "x").read_bytes() == (shelf.folder / "a/x").read_bytes()
    assert list(incoming.iterdir()) == []
