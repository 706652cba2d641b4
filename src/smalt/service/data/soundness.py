"""Whether what lies on the disk is what its names say, and what was left by processes that were killed."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from smalt import processes
from smalt.service.data import manifest
from smalt.service.data.cache import StoreCache
from smalt.service.data.copying import remove_tree
from smalt.service.data.manifest import EXECUTABLE, FILE, Entry
from smalt.service.data.objects import Objects, hash_file
from smalt.service.data.snapshots import Snapshots
from smalt.service.data.uploads import is_left_over

_DAY = 86400.0
_TEMPORARY = re.compile(r"\..+\.\d+\.[0-9a-f]+\.tmp|\.(.+\.)?\d+\.[0-9a-f]{8}")
"""Of temporary_beside, of importing, of a registry."""
_TREE = re.compile(r"[0-9a-f]{64}\.\d+\.[0-9a-f]{8}")


class Trouble(NamedTuple):
    check: str
    what: str
    problem: str
    advice: str
    """What happens to it when it is repaired; or what its user can do."""
    repair: Callable[[], None] | None = None


def snapshots(store: Snapshots, thorough: bool) -> Iterator[Trouble]:
    """Trees that are what their names say, whose blobs are all there; `thorough` reads every blob."""
    trees, objects = store.folder / "trees", store.objects
    sound: dict[str, bool] = {}
    for tree in _files(trees):
        if _TREE.fullmatch(tree.name):
            continue
        entries = _entries(tree)
        if entries is None:
            advice = "it is removed; the next job with this code stores it again"
            yield Trouble("snapshot", tree.name, "its manifest is damaged", advice, _forget(store, tree))
            continue
        bad = [entry for entry in entries if not _is_sound(objects, entry, thorough, sound)]
        if bad:
            problem = f"{len(bad)} of its {len(entries)} files are missing or damaged, {bad[0].path} for one"
            advice = "it is removed with them; the next job with this code stores it again"
            yield Trouble("snapshot", tree.name, problem, advice, _forget(store, tree, bad))


def left_overs(store: Snapshots, own: list[Path], shared: list[Path], since: float) -> Iterator[Trouble]:
    """What was being written by processes that are gone: of this home all that is older than its server, which began
    `since` then; in folders that others write to as well, what is older than a day."""
    for shelf in (store.objects.folder / "incoming", store.folder / "trees", store.folder / "stat"):
        for path in _all(shelf):
            is_temporary = shelf.name == "incoming" or _TREE.fullmatch(path.name) or path.name.startswith(".")
            if is_temporary and _changed(path) < since:
                yield _left(path)
    now = time.time()
    for root in own:
        yield from _below(root, since, now)
    for root in shared:
        yield from _below(root, now - _DAY, now)


def _below(root: Path, before: float, now: float) -> Iterator[Trouble]:
    boot = processes.boot_id()[:8]
    for folder, folders, files in os.walk(root):
        inner = []
        for name in [*folders, *files]:
            path = Path(folder, name)
            if is_left_over(name):  # of this boot it may still go on
                stale = not name.endswith(f"-{boot}") or _changed(path) < now - 7 * _DAY
            elif _TEMPORARY.fullmatch(name):
                stale = _changed(path) < before
            else:
                inner.append(name)
                continue
            if stale:
                yield _left(path)
        folders[:] = [name for name in folders if name in inner]


def fetched(cache: StoreCache, since: float) -> Iterator[Trouble]:
    """The copies of what is in remote datastores, and what a server before this one, which began `since` then, had on
    its way there."""
    for path in _all(cache.folder / "incoming"):
        if _changed(path) < since:
            yield _left(path)
    for home, name in cache.damaged():
        advice = "it is removed, and fetched again when a job needs it"
        yield Trouble("cache", name, "it is not what was fetched", advice, functools.partial(cache.forget, home))


def leftover_folders(folders: list[Path], problem: str) -> Iterator[Trouble]:
    for folder in folders:
        yield Trouble("left over", str(folder), problem, "it is removed", functools.partial(remove_tree, folder))


def permissions(private: list[Path]) -> Iterator[Trouble]:
    """What only its owner may read."""
    for path in private:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & 0o077:
            wanted = 0o700 if path.is_dir() else 0o600
            problem = f"others of this machine may read it (mode {mode & 0o777:o})"
            repair = functools.partial(path.chmod, wanted)
            yield Trouble("permission", str(path), problem, f"its mode becomes {wanted:o}", repair)


def content_differs(store: Snapshots, path: Path, digest: str) -> bool:
    """Whether an asset's copy in `LocalUpload/<digest>/` is other than what was registered.

    The server names it by its content id, a client that uploads by a hash of its own (client/uploads)."""
    snapshot, _ = store.identify(path)
    if snapshot.hash == digest:
        return False
    own = hashlib.sha256()
    _, entries = store.identify(path, ignore=False)
    for entry in sorted(entries):
        if entry.kind in (FILE, EXECUTABLE):
            name = entry.path if path.is_dir() else ""
            own.update(f"{name}\0{entry.content}\0".encode("utf-8", "surrogateescape"))
    return own.hexdigest() != digest


def _entries(tree: Path) -> list[Entry] | None:
    try:
        text = tree.read_bytes()
        return manifest.decode(text) if manifest.content_id(text) == tree.name else None
    except (OSError, ValueError):
        return None


def _is_sound(objects: Objects, entry: Entry, thorough: bool, known: dict[str, bool]) -> bool:
    if entry.kind not in (FILE, EXECUTABLE):
        return True
    if entry.content not in known:
        sound = objects.has(entry.content, entry.size)
        if sound and thorough:
            sound = hash_file(objects.path(entry.content)) == entry.content
        known[entry.content] = sound
    return known[entry.content]


def _forget(store: Snapshots, tree: Path, bad: list[Entry] | None = None) -> Callable[[], None]:
    def forget() -> None:
        store.forget(tree.name)
        for entry in bad or ():
            Path(store.objects.path(entry.content)).unlink(missing_ok=True)

    return forget


def _left(path: Path) -> Trouble:
    problem = "a process that is gone did not finish it"
    return Trouble("left over", str(path), problem, "it is removed", functools.partial(remove_tree, path))


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return time.time()


def _files(folder: Path) -> list[Path]:
    return [path for path in _all(folder) if path.is_file()]


def _all(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
