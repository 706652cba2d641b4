"""Copies of what is in remote datastores, for jobs to read in place.

`trees/<id>/content` is what a path of a store held at one time: read-only files, hard links to `objects`, so that a
file which did not change is fetched once however often the rest does. A tree is made in `incoming` and renamed when
it is whole: what a crash leaves lies there only.
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

from smalt.exceptions import NotFound, Refused, Unavailable
from smalt.service.data.cache import cache_leases
from smalt.service.data.cache.cache_leases import IsBusy
from smalt.service.data.datastores.remote_store import Found, Store, each_at_once
from smalt.service.data.files.copying import Log, cannot_write, copy_file, human, remove_tree
from smalt.service.data.files.durable_files import sync_files

_SAY_EVERY = 5.0
_JUST_USED = 60.0
"""Seconds in which what was asked for is not given up, whoever asked."""


class Tree(NamedTuple):
    id: str
    used: float
    size: int


class StoreCache:
    def __init__(self, folder: Path, limit: Callable[[], int], is_busy: IsBusy) -> None:
        self.folder = folder
        self._limit = limit
        self._is_busy = is_busy
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._is_swept = False

    def tree(self, store: Store, path: str, user: Path | None = None, log: Log | None = None) -> Path:
        """What is at `path` of the store now, as read-only files; the store is asked what that is at each call.

        It stays at least as long as the job that works in the folder `user` is unfinished.
        """
        listed = store.find_version(path)
        if not listed:
            raise NotFound(f"{store.name} has no {path or 'data'!r} ({store.address})")
        id = _id(store, path, listed)
        with self._alone(id):
            self._sweep()
            home = self.folder / "trees" / id
            content = _content(home, path)
            if not self._take(home, content, path, listed, user):
                self._make(store, path, listed, home, user, log)
        return content

    def trees(self) -> list[Tree]:
        """Least recently used first."""
        found = []
        for home in _entries(self.folder / "trees"):
            with contextlib.suppress(OSError, ValueError):
                size = json.loads((home / "about.json").read_text())["size"]
                found.append(Tree(home.name, home.stat().st_mtime, size))
        return sorted(found, key=lambda tree: tree.used)

    def trim(self, room: int = 0) -> int:
        """Give up what was not used for longest until `room` fits below the limit; gives the bytes that are kept."""
        with self._guard:
            kept = self._size()
            limit = self._limit() - room
            if kept > limit:
                for tree in self._unused(_JUST_USED):
                    remove_tree(self.folder / "trees" / tree.id)
                    kept = self._drop_unnamed()
                    if kept <= limit:
                        break
        return kept

    def prune(self, older_than: float, dry_run: bool) -> list[tuple[str, int]]:
        """Give up what was not used in that many seconds; gives what it was and its bytes."""
        freed = []
        with self._guard:
            for tree in self._unused(older_than):
                home = self.folder / "trees" / tree.id
                about = json.loads((home / "about.json").read_text())
                freed.append((f"{about['store']}: {about['path'] or '/'}", tree.size))
                if not dry_run:
                    remove_tree(home)
            if not dry_run:
                self._drop_unnamed()
        return freed

    def damaged(self) -> Iterator[tuple[Path, str]]:
        """Trees that hold other than what was fetched, and what each was fetched from."""
        for home in _entries(self.folder / "trees"):
            try:
                about = json.loads((home / "about.json").read_text())
                sizes = [file.lstat().st_size for file in home.joinpath("content").rglob("*") if not file.is_dir()]
                if (len(sizes), sum(sizes)) == (about["files"], about["size"]):
                    continue
                yield home, f"{about['store']}: {about['path'] or '/'}"
            except (OSError, ValueError, KeyError):
                yield home, home.name

    def forget(self, home: Path) -> None:
        """Give up a tree; one that an unfinished job uses stays, and is mended when a job asks for it again."""
        with self._guard:
            if cache_leases.is_used(home, self._is_busy):
                raise Refused("an unfinished job uses it")
            remove_tree(home)
            self._drop_unnamed()

    def incoming(self) -> Path:
        """A fresh folder for what is on its way; its maker removes it."""
        self._sweep()
        made = self.folder / "incoming" / os.urandom(8).hex()
        try:
            made.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(made, error) from None
        return made

    def _take(self, home: Path, content: Path, path: str, listed: list[Found], user: Path | None) -> bool:
        """Use the tree that is there, if it is whole; nobody gives it up between the look and the note of its use."""
        with self._guard:
            is_there = _is_whole(content, path, listed)
            if is_there:
                self._note_use(home, user)
            return is_there

    def _make(
        self, store: Store, path: str, listed: list[Found], home: Path, user: Path | None, log: Log | None
    ) -> None:
        size = sum(found.size for found in listed)
        room = sum(found.size for found in listed if not self._object(store, found).exists())
        if self.trim(room) + room > self._limit() and log:
            log(
                f"{store.name}: the cache of remote data grows beyond its limit ({human(self._limit())}, setting "
                "remote-cache-max-bytes), as all that it holds is in use"
            )
        incoming = self.incoming()
        try:
            self._fill(store, path, listed, incoming, log)
            about = {"store": store.name, "path": path, "size": size, "files": len(listed)}
            (incoming / "about.json").write_text(json.dumps(about))
            with self._guard:
                self._place(incoming, home, path, listed, user)
        except OSError as error:
            raise cannot_write(home, error) from None
        finally:
            remove_tree(incoming)

    def _place(self, incoming: Path, home: Path, path: str, listed: list[Found], user: Path | None) -> None:
        """What was damaged is mended file by file where a job reads it: no path of an input is gone at any moment."""
        if cache_leases.is_used(home, self._is_busy):
            _mend(_content(incoming, path), _content(home, path), path, listed)
            self._note_use(home, user)
            return
        self._note_use(incoming, user)
        remove_tree(home)
        home.parent.mkdir(parents=True, exist_ok=True)
        os.rename(incoming, home)

    def _fill(self, store: Store, path: str, listed: list[Found], incoming: Path, log: Log | None) -> None:
        content = _content(incoming, path)
        files = {found: _file(content, path, found) for found in listed}
        folders = sorted({os.path.dirname(file) for file in files.values()})
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        missing = [found for found in listed if not self._link(store, found, files[found])]
        total, done, said = sum(found.size for found in missing), 0, time.monotonic()
        if log and missing:
            count = f"{len(missing)} file{'s' * (len(missing) > 1)}"
            log(f"downloading {path or '/'} of {store.name} ({count}, {human(total)})")
        for size in each_at_once(lambda found: self._fetch(store, found, files[found]), missing):
            done += size
            if log and time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                log(f"downloading {path or '/'} of {store.name}: {human(done)} of {human(total)}")
        sync_files([files[found] for found in missing])
        for found in missing:
            self._keep(store, found, files[found])
        for folder in folders:
            os.chmod(folder, 0o555)

    def _fetch(self, store: Store, found: Found, target: str) -> int:
        store.fetch(found, target)
        status = os.stat(target)
        if status.st_size != found.size:
            raise Unavailable(f"{found.path} of {store.name} changed while it was being read; try again")
        if found.md5 and found.md5 != _md5(target) and store.has_true_md5(found):
            raise Unavailable(f"{found.path} of {store.name} did not arrive whole (its MD5 differs); try again")
        os.chmod(target, 0o444)
        os.utime(target, ns=(_when(found), _when(found)))
        return found.size

    def _link(self, store: Store, found: Found, target: str) -> bool:
        """Use the copy that is there, if it is as it was made."""
        try:
            os.link(self._object(store, found), target)
        except OSError:
            return False
        status = os.stat(target)
        if (status.st_size, status.st_mtime_ns) == (found.size, _when(found)):
            return True
        os.unlink(target)
        self._object(store, found).unlink(missing_ok=True)
        return False

    def _keep(self, store: Store, found: Found, file: str) -> None:
        object = self._object(store, found)
        object.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, object)
        except FileExistsError:
            pass  # another tree was quicker
        except OSError:  # no hard links here: trees share nothing, and the object counts
            copy_file(file, object, 0o444)
            os.utime(object, ns=(_when(found), _when(found)))

    def _object(self, store: Store, found: Found) -> Path:
        name = _hashed([*store.address.place, found.path, found.version, found.size])
        return self.folder / "objects" / name[:2] / name[2:]

    def _note_use(self, home: Path, user: Path | None) -> None:
        if user is not None:
            cache_leases.note(home, user, self._is_busy)
        os.utime(home)

    def _unused(self, older_than: float) -> Iterator[Tree]:
        """Trees that no unfinished job uses, and nobody asked for lately."""
        before = time.time() - older_than
        for tree in self.trees():
            if tree.used < before and not cache_leases.is_used(self.folder / "trees" / tree.id, self._is_busy):
                yield tree

    def _size(self) -> int:
        return sum(entry.stat().st_size for shelf in _entries(self.folder / "objects") for entry in _entries(shelf))

    def _drop_unnamed(self) -> int:
        """Objects of which no tree holds a link; gives the size of those that stay. A tree that is being made holds its
        own already."""
        kept = 0
        for shelf in _entries(self.folder / "objects"):
            for object in _entries(shelf):
                status = object.stat()
                if status.st_nlink == 1:
                    object.unlink(missing_ok=True)
                else:
                    kept += status.st_size
        return kept

    def _sweep(self) -> None:
        """What an earlier server left half made."""
        with self._guard:
            if self._is_swept:
                return
            self._is_swept = True
            for left in _entries(self.folder / "incoming"):
                remove_tree(left)

    @contextlib.contextmanager
    def _alone(self, id: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(id, threading.Lock())
        with lock:
            yield


def _content(home: Path, path: str) -> Path:
    """Named as the path ends: scripts look at it."""
    name = "_".join(path.rpartition("/")[2].split())[:150]  # commands hand it on unquoted
    return home / "content" / (name or "data")


def _file(content: Path, path: str, found: Found) -> str:
    if found.path == path:
        return str(content)
    return f"{content}/{found.path[len(path) + 1 if path else 0 :]}"


def _mend(new: Path, old: Path, path: str, listed: list[Found]) -> None:
    """The files of `new` in the places of those in `old` that are other ones."""
    folders = sorted({os.path.dirname(_file(old, path, found)) for found in listed})
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
    for found in listed:
        source, target = _file(new, path, found), _file(old, path, found)
        os.chmod(os.path.dirname(source), 0o755)
        if not (os.path.exists(target) and os.path.samefile(source, target)):
            os.replace(source, target)
    for folder in folders:
        os.chmod(folder, 0o555)


def _is_whole(content: Path, path: str, listed: list[Found]) -> bool:
    """Whether every file is there as it was made."""
    try:
        statuses = [os.stat(_file(content, path, found)) for found in listed]
    except OSError:
        return False
    return all(
        (status.st_size, status.st_mtime_ns) == (found.size, _when(found))
        for status, found in zip(statuses, listed, strict=True)
    )


def _id(store: Store, path: str, listed: list[Found]) -> str:
    return _hashed([*store.address.place, path, [[found.path, found.version, found.size] for found in listed]])


def _when(found: Found) -> int:
    return int(found.modified) * 1_000_000_000


def _hashed(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _md5(path: str) -> str:
    with open(path, "rb") as file:
        digest = hashlib.md5(usedforsecurity=False)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
