"""Whether what lies on the disk is what its names say, and what was left by processes that were killed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import SmaltError
from smalt.machine import processes
from smalt.machine.ignore_rules import walk
from smalt.service.data.cache.remote_cache import StoreCache
from smalt.service.data.files.copying import remove_tree
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, FOLDER, LINK, Entry
from smalt.service.data.snapshots.object_store import Objects, hash_file
from smalt.service.data.snapshots.snapshots import Snapshots
from smalt.service.data.uploads.batch_uploads import is_left_over

_DAY = 86400.0
_BESIDE = re.compile(r"\..+\.\d+\.[0-9a-f]{8,16}\.tmp")
"""Of copying.temporary_beside."""
_COPY = re.compile(r"\.(\d+|meta)\.[0-9a-f]{8}")
"""Of importing, in LocalUpload/<id>/, and of fetch."""
_PUBLISHED = re.compile(r"\..+\.\d+\.[0-9a-f]{8}|\.[a-z]+\.yml\.\d+")
"""Of a registry."""
_TREE = re.compile(r"[0-9a-f]{64}\.\d+\.[0-9a-f]{8}|\..+\.\d+\.[0-9a-f]{8}")
"""Of a manifest, and of what is known of a folder."""
_BATCH = re.compile(r"\d+-[0-9a-f]{12}|[0-9a-f]{24}")


class Trouble(NamedTuple):
    check: str
    what: str
    problem: str
    advice: str
    """What happens to it when it is repaired; or what its user can do."""
    repair: Callable[[], None] | None = None


def snapshots(store: Snapshots, thorough: bool) -> Iterator[Trouble]:
    """Trees that are what their names say, whose blobs are all there; `thorough` reads every blob."""
    sound: dict[str, bool] = {}
    for tree in _files(store.folder / "trees"):
        if _TREE.fullmatch(tree.name):
            continue
        try:
            entries = _entries(tree)
        except FileNotFoundError:
            continue  # pruned meanwhile
        if entries is None:
            advice = "it is removed; the next job with this code stores it again"
            damaged = functools.partial(store.drop_damaged, tree.name, [])
            yield Trouble("snapshot", tree.name, "its manifest is damaged", advice, damaged)
            continue
        bad = [entry for entry in entries if not _is_sound(store.objects, entry, thorough, sound)]
        if bad and tree.exists():
            problem = f"{len(bad)} of its {len(entries)} files are missing or damaged, {bad[0].path} for one"
            advice = "it is removed with them; the next job with this code stores it again"
            damaged = functools.partial(store.drop_damaged, tree.name, [entry.content for entry in bad])
            yield Trouble("snapshot", tree.name, problem, advice, damaged)
    if thorough:
        yield from _unnamed(store, sound)


def _unnamed(store: Snapshots, known: dict[str, bool]) -> Iterator[Trouble]:
    """Blobs of no tree, which the next one would trust."""
    for shelf in _all(store.objects.folder):
        for blob in _files(shelf) if len(shelf.name) == 2 else ():
            name = shelf.name + blob.name
            with contextlib.suppress(FileNotFoundError):
                if name not in known and hash_file(str(blob)) != name:
                    yield _removed("snapshot", blob, "it is damaged, and no snapshot uses it")


def left_overs(store: Snapshots, caches: Path, datastores: list[Path], since: float) -> Iterator[Trouble]:
    """What was being written in this home by processes that are gone: it is older than the server, which began `since`
    then."""
    shelves: list[tuple[Path, re.Pattern[str] | None]] = [
        (store.objects.folder / "incoming", _BATCH),
        (store.folder / "trees", _TREE),
        (store.folder / "stat", _TREE),
        (caches / "remote" / "incoming", None),
        (caches / "transfers", None),
        *((fetched, _COPY) for fetched in _all(caches / "urls")),
    ]
    for shelf, pattern in shelves:
        for path in _all(shelf):
            if (pattern is None or pattern.fullmatch(path.name)) and _changed(path) < since:
                yield _removed("left over", path, _UNFINISHED)
    for root in datastores:
        yield from _in_datastore(root, since)


def in_registry(folder: Path) -> Iterator[Trouble]:
    """The same, where other machines write, too: what is older than a day."""
    for place in (*folder.glob("*/*/.*"), *folder.glob("*/*/*/.*.yml.*")):
        if _PUBLISHED.fullmatch(place.name) and _changed(place) < time.time() - _DAY:
            yield _removed("left over", place, _UNFINISHED)


def fetched(cache: StoreCache) -> Iterator[Trouble]:
    """The copies of what is in remote datastores."""
    for home, name in cache.damaged():
        advice = "it is removed, and fetched again when a job needs it"
        if home.exists():  # else it was given up meanwhile
            yield Trouble("cache", name, "it is not what was fetched", advice, functools.partial(cache.forget, home))


def _in_datastore(root: Path, since: float) -> Iterator[Trouble]:
    """Only where they are made, and by the names that they are given there: jobs write here whatever they like."""
    boot, now = processes.boot_id()[:8], time.time()
    copies = re.compile(re.escape(f"{root}/LocalUpload/") + r"[^/]+")
    pending = [str(root)]
    while pending:
        folder = pending.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                name, is_folder = entry.name, entry.is_dir(follow_symlinks=False)
                if name.startswith("."):
                    path = Path(entry.path)
                    if is_left_over(name):  # one of this boot may still go on
                        if not name.endswith(f"-{boot}") or _changed(path) < now - 7 * _DAY:
                            yield _removed("left over", path, "an upload was not finished")
                        continue
                    is_copy = copies.fullmatch(folder) and _COPY.fullmatch(name)
                    if is_copy or (not is_folder and _BESIDE.fullmatch(name)):
                        if _changed(path) < since:
                            yield _removed("left over", path, _UNFINISHED)
                        continue
                if is_folder:
                    pending.append(entry.path)


def permissions(private: list[Path]) -> Iterator[Trouble]:
    """What only its owner may read."""
    for path in private:
        with contextlib.suppress(OSError):
            mode = path.stat().st_mode
            if mode & 0o077:
                wanted = 0o700 if path.is_dir() else 0o600
                problem = f"others of this machine may read it (mode {mode & 0o777:o})"
                repair = functools.partial(path.chmod, wanted)
                yield Trouble("permission", str(path), problem, f"its mode becomes {wanted:o}", repair)


def content_differs(path: Path, digest: str) -> bool:
    """Whether an asset's copy in `LocalUpload/<digest>/` is other than what was registered; every byte is read.

    The server names it by its content id, a client that uploads by a hash of its own (client/uploads)."""
    try:
        entries = _read(path)
    except (OSError, SmaltError):
        return True
    if manifest.content_id(manifest.encode(entries)) == digest:
        return False
    own = hashlib.sha256()
    files = sorted(entry for entry in entries if entry.kind in (FILE, EXECUTABLE))
    lines = [
        f"{entry.path if path.is_dir() else ''}\0{entry.content}{'x' if entry.kind == EXECUTABLE else ''}\0"
        for entry in files
    ]
    lines += [f"{entry.path}/\0\0" for entry in sorted(entries) if entry.kind == FOLDER]
    for line in lines:
        own.update(line.encode("utf-8", "surrogateescape"))
    return own.hexdigest() != digest


def _read(path: Path) -> list[Entry]:
    """Without what is known from earlier, which a disk that decays does not change."""
    if not path.is_dir():
        return [_file(path.name, str(path), path.stat())]
    found = []
    for folder in walk(str(path), None):
        found += [_file(folder.prefix + name, f"{path}/{folder.prefix}{name}", status) for name, status in folder.files]
        found += [Entry(folder.prefix + name, LINK, target, 0) for name, target in folder.links]
        if folder.empty and folder.prefix:
            found.append(Entry(folder.prefix[:-1], FOLDER, "", 0))
    return found


def _file(name: str, path: str, status: os.stat_result) -> Entry:
    return Entry(name, EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE, hash_file(path), status.st_size)


def _entries(tree: Path) -> list[Entry] | None:
    """None where it is damaged."""
    try:
        text = tree.read_bytes()
        return manifest.decode(text) if manifest.content_id(text) == tree.name else None
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        return None


def _is_sound(objects: Objects, entry: Entry, thorough: bool, known: dict[str, bool]) -> bool:
    if entry.kind not in (FILE, EXECUTABLE):
        return True
    if entry.content not in known:
        sound = objects.has(entry.content, entry.size)
        if sound and thorough:
            with contextlib.suppress(OSError):
                sound = hash_file(objects.path(entry.content)) == entry.content
        known[entry.content] = sound
    return known[entry.content]


_UNFINISHED = "a process that is gone did not finish it"


def _removed(check: str, path: Path, problem: str) -> Trouble:
    return Trouble(check, str(path), problem, "it is removed", functools.partial(remove_tree, path))


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return time.time()


def _files(folder: Path) -> list[Path]:
    return [path for path in _all(folder) if path.is_file()]


def _all(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
