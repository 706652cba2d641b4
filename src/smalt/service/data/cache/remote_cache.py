"""The cache of data from remote datastores, which jobs read in place.

`trees/<id>/content` is what a path of a store held at one time: read-only files, hard links to `objects`, so
that an unchanged file is fetched once, however often the rest changes. A tree is made in `incoming` and renamed
when it is complete: leftovers of a crash are there only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import NotFound, RefusedError, Unavailable
from smalt.service.data.cache import cache_leases
from smalt.service.data.cache.cache_leases import IsBusy
from smalt.service.data.datastores.remote_store import RemoteFile, RemoteStore, run_concurrently
from smalt.service.data.files.copying import Log, copy_file, format_bytes, make_write_error, remove_tree
from smalt.service.data.files.durable_files import sync_files

_SAY_EVERY = 5.0
_JUST_USED = 60.0
"""Seconds in which requested data is not removed, whoever requested it."""


class CachedTree(NamedTuple):
    id: str
    used: float
    size: int


class RemoteCache:
    def __init__(self, folder: Path, limit: Callable[[], int], is_busy: IsBusy) -> None:
        self.folder = folder
        self._limit = limit
        self._is_busy = is_busy
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._is_swept = False

    def fetch_tree(self, store: RemoteStore, path: str, user: Path | None = None, log: Log | None = None) -> Path:
        """Return what is at `path` of the store now, as read-only files; every call asks the store.

        The files stay at least as long as the job that works in the folder `user` is unfinished.
        """
        listed = store.find_files(path)
        if not listed:
            raise NotFound(f"{store.name} has no {path or 'data'!r} ({store.address})")
        id = _make_tree_id(store, path, listed)
        with self._hold_lock(id):
            self._remove_left_over()
            home = self.folder / "trees" / id
            content = _make_content_path(home, path)
            if not self._use_existing(home, content, path, listed, user):
                self._make_tree(store, path, listed, home, user, log)
        return content

    def list_trees(self) -> list[CachedTree]:
        """Return the cached trees, least recently used first."""
        found = []
        for home in _list_folder(self.folder / "trees"):
            with contextlib.suppress(OSError, ValueError):
                size = json.loads((home / "about.json").read_text())["size"]
                found.append(CachedTree(home.name, home.stat().st_mtime, size))
        return sorted(found, key=lambda tree: tree.used)

    def trim(self, room: int = 0) -> int:
        """Remove the trees unused for longest until `room` fits below the limit; return the bytes that stay."""
        with self._guard:
            kept = self._get_size()
            limit = self._limit() - room
            if kept > limit:
                for tree in self._list_unused(_JUST_USED):
                    remove_tree(self.folder / "trees" / tree.id)
                    kept = self._remove_unlinked()
                    if kept <= limit:
                        break
        return kept

    def prune(self, older_than: float, dry_run: bool) -> list[tuple[str, int]]:
        """Remove the trees not used in that many seconds; return their names and bytes."""
        freed = []
        with self._guard:
            for tree in self._list_unused(older_than):
                home = self.folder / "trees" / tree.id
                about = json.loads((home / "about.json").read_text())
                freed.append((f"{about['store']}: {about['path'] or '/'}", tree.size))
                if not dry_run:
                    remove_tree(home)
            if not dry_run:
                self._remove_unlinked()
        return freed

    def find_damaged(self) -> Iterator[tuple[Path, str]]:
        """Yield the trees that differ from what was fetched, and the source of each."""
        for home in _list_folder(self.folder / "trees"):
            try:
                about = json.loads((home / "about.json").read_text())
                sizes = [file.lstat().st_size for file in home.joinpath("content").rglob("*") if not file.is_dir()]
                if (len(sizes), sum(sizes)) == (about["files"], about["size"]):
                    continue
                yield home, f"{about['store']}: {about['path'] or '/'}"
            except (OSError, ValueError, KeyError):
                yield home, home.name

    def remove_damaged(self, home: Path) -> None:
        """Remove a tree, unless an unfinished job uses it: that one is mended when a job requests it again."""
        with self._guard:
            if cache_leases.is_leased(home, self._is_busy):
                raise RefusedError("an unfinished job uses it")
            remove_tree(home)
            self._remove_unlinked()

    def make_incoming(self) -> Path:
        """Return a new folder for incoming files; the caller removes it."""
        self._remove_left_over()
        made = self.folder / "incoming" / os.urandom(8).hex()
        try:
            made.mkdir(parents=True)
        except OSError as error:
            raise make_write_error(made, error) from None
        return made

    def _use_existing(self, home: Path, content: Path, path: str, listed: list[RemoteFile], user: Path | None) -> bool:
        """Use the existing tree if it is complete; it cannot be removed between this check and the note of its use."""
        with self._guard:
            is_there = _is_complete(content, path, listed)
            if is_there:
                self._note_use(home, user)
            return is_there

    def _make_tree(
        self, store: RemoteStore, path: str, listed: list[RemoteFile], home: Path, user: Path | None, log: Log | None
    ) -> None:
        size = sum(found.size for found in listed)
        room = sum(found.size for found in listed if not self._get_object(store, found).exists())
        if self.trim(room) + room > self._limit() and log:
            log(
                f"{store.name}: the cache of remote data grows beyond its limit ({format_bytes(self._limit())}, "
                "setting remote-cache-max-bytes), because everything in it is in use"
            )
        incoming = self.make_incoming()
        try:
            self._fill_tree(store, path, listed, incoming, log)
            about = {"store": store.name, "path": path, "size": size, "files": len(listed)}
            (incoming / "about.json").write_text(json.dumps(about))
            with self._guard:
                self._put_in_place(incoming, home, path, listed, user)
        except OSError as error:
            raise make_write_error(home, error) from None
        finally:
            remove_tree(incoming)

    def _put_in_place(self, incoming: Path, home: Path, path: str, listed: list[RemoteFile], user: Path | None) -> None:
        """Rename a tree into place; a damaged one that a job reads is mended file by file, so no path is gone at
        any moment.
        """
        if cache_leases.is_leased(home, self._is_busy):
            _mend_files(_make_content_path(incoming, path), _make_content_path(home, path), path, listed)
            self._note_use(home, user)
            return
        self._note_use(incoming, user)
        remove_tree(home)
        home.parent.mkdir(parents=True, exist_ok=True)
        os.rename(incoming, home)

    def _fill_tree(
        self, store: RemoteStore, path: str, listed: list[RemoteFile], incoming: Path, log: Log | None
    ) -> None:
        content = _make_content_path(incoming, path)
        files = {found: _make_file_path(content, path, found) for found in listed}
        folders = sorted({os.path.dirname(file) for file in files.values()})
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        missing = [found for found in listed if not self._link_object(store, found, files[found])]
        total, done, said = sum(found.size for found in missing), 0, time.monotonic()
        if log and missing:
            count = f"{len(missing)} file{'s' * (len(missing) > 1)}"
            log(f"downloading {path or '/'} of {store.name} ({count}, {format_bytes(total)})")
        for size in run_concurrently(lambda found: self._download(store, found, files[found]), missing):
            done += size
            if log and time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                log(f"downloading {path or '/'} of {store.name}: {format_bytes(done)} of {format_bytes(total)}")
        sync_files([files[found] for found in missing])
        for found in missing:
            self._save_object(store, found, files[found])
        for folder in folders:
            os.chmod(folder, 0o555)

    def _download(self, store: RemoteStore, found: RemoteFile, target: str) -> int:
        store.download(found, target)
        status = os.stat(target)
        if status.st_size != found.size:
            raise Unavailable(f"{found.path} of {store.name} changed while it was being read; try again")
        if found.md5 and found.md5 != _hash_md5(target) and store.has_true_md5(found):
            raise Unavailable(f"{found.path} of {store.name} arrived incomplete (its MD5 differs); try again")
        os.chmod(target, 0o444)
        os.utime(target, ns=(_get_modified(found), _get_modified(found)))
        return found.size

    def _link_object(self, store: RemoteStore, found: RemoteFile, target: str) -> bool:
        """Use the existing copy, if it is as it was made."""
        try:
            os.link(self._get_object(store, found), target)
        except OSError:
            return False
        status = os.stat(target)
        if (status.st_size, status.st_mtime_ns) == (found.size, _get_modified(found)):
            return True
        os.unlink(target)
        self._get_object(store, found).unlink(missing_ok=True)
        return False

    def _save_object(self, store: RemoteStore, found: RemoteFile, file: str) -> None:
        object = self._get_object(store, found)
        object.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, object)
        except FileExistsError:
            pass  # another tree was quicker
        except OSError:  # no hard links here: trees share nothing, and the object counts
            copy_file(file, object, 0o444)
            os.utime(object, ns=(_get_modified(found), _get_modified(found)))

    def _get_object(self, store: RemoteStore, found: RemoteFile) -> Path:
        name = _hash_parts([*store.address.place, found.path, found.version, found.size])
        return self.folder / "objects" / name[:2] / name[2:]

    def _note_use(self, home: Path, user: Path | None) -> None:
        if user is not None:
            cache_leases.add_lease(home, user, self._is_busy)
        os.utime(home)

    def _list_unused(self, older_than: float) -> Iterator[CachedTree]:
        """Yield the trees that no unfinished job uses and that were not requested lately."""
        before = time.time() - older_than
        for tree in self.list_trees():
            if tree.used < before and not cache_leases.is_leased(self.folder / "trees" / tree.id, self._is_busy):
                yield tree

    def _get_size(self) -> int:
        return sum(
            entry.stat().st_size for shelf in _list_folder(self.folder / "objects") for entry in _list_folder(shelf)
        )

    def _remove_unlinked(self) -> int:
        """Remove objects that no tree links to; return the size of the rest. A tree being made holds links already."""
        kept = 0
        for shelf in _list_folder(self.folder / "objects"):
            for object in _list_folder(shelf):
                status = object.stat()
                if status.st_nlink == 1:
                    object.unlink(missing_ok=True)
                else:
                    kept += status.st_size
        return kept

    def _remove_left_over(self) -> None:
        """Remove what an earlier server left half made."""
        with self._guard:
            if self._is_swept:
                return
            self._is_swept = True
            for left in _list_folder(self.folder / "incoming"):
                remove_tree(left)

    @contextlib.contextmanager
    def _hold_lock(self, id: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(id, threading.Lock())
        with lock:
            yield


def _make_content_path(home: Path, path: str) -> Path:
    """Return the path of a tree's content, named as the path ends, since scripts look at the name."""
    name = "_".join(path.rpartition("/")[2].split())[:150]  # commands hand it on unquoted
    return home / "content" / (name or "data")


def _make_file_path(content: Path, path: str, found: RemoteFile) -> str:
    if found.path == path:
        return str(content)
    return f"{content}/{found.path[len(path) + 1 if path else 0 :]}"


def _mend_files(new: Path, old: Path, path: str, listed: list[RemoteFile]) -> None:
    """Move the files of `new` over those of `old` that differ."""
    folders = sorted({os.path.dirname(_make_file_path(old, path, found)) for found in listed})
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
    for found in listed:
        source, target = _make_file_path(new, path, found), _make_file_path(old, path, found)
        os.chmod(os.path.dirname(source), 0o755)
        if not (os.path.exists(target) and os.path.samefile(source, target)):
            os.replace(source, target)
    for folder in folders:
        os.chmod(folder, 0o555)


def _is_complete(content: Path, path: str, listed: list[RemoteFile]) -> bool:
    """True if every file is there as it was made."""
    try:
        statuses = [os.stat(_make_file_path(content, path, found)) for found in listed]
    except OSError:
        return False
    return all(
        (status.st_size, status.st_mtime_ns) == (found.size, _get_modified(found))
        for status, found in zip(statuses, listed, strict=True)
    )


def _make_tree_id(store: RemoteStore, path: str, listed: list[RemoteFile]) -> str:
    return _hash_parts([*store.address.place, path, [[found.path, found.version, found.size] for found in listed]])


def _get_modified(found: RemoteFile) -> int:
    return int(found.modified) * 1_000_000_000


def _hash_parts(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _hash_md5(path: str) -> str:
    with open(path, "rb") as file:
        digest = hashlib.md5(usedforsecurity=False)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
