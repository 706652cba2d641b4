"""Integrity checks of stored data for `smalt doctor`: contents that differ from their ids, and leftovers of killed
processes.
"""

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
from smalt.machine.ignore_rules import walk_folders
from smalt.service.data.cache.remote_cache import RemoteCache
from smalt.service.data.files.copying import remove_tree
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, FOLDER, LINK, ManifestEntry
from smalt.service.data.snapshots.object_store import ObjectStore, hash_file
from smalt.service.data.snapshots.snapshots import Snapshots
from smalt.service.data.uploads.batch_uploads import is_left_over

_DAY = 86400.0
_BESIDE = re.compile(r"\..+\.\d+\.[0-9a-f]{8,16}\.tmp")
"""Names by copying.make_temporary_name."""
_COPY = re.compile(r"\.(\d+|meta)\.[0-9a-f]{8}")
"""Names by local_imports, in LocalUpload/<id>/, and by url_cache."""
_PUBLISHED = re.compile(r"\..+\.\d+\.[0-9a-f]{8}|\.[a-z]+\.yml\.\d+")
"""Names by a registry."""
_TREE = re.compile(r"[0-9a-f]{64}\.\d+\.[0-9a-f]{8}|\..+\.\d+\.[0-9a-f]{8}")
"""Names of manifests, and of stat caches, while they are written."""
_BATCH = re.compile(r"\d+-[0-9a-f]{12}|[0-9a-f]{24}")


class IntegrityProblem(NamedTuple):
    """A problem found on disk, with the repair if there is one."""

    check: str
    what: str
    problem: str
    advice: str
    """The effect of the repair; or what the user can do."""
    repair: Callable[[], None] | None = None


def check_snapshots(store: Snapshots, thorough: bool) -> Iterator[IntegrityProblem]:
    """Yield the problems of snapshots: damaged manifests, missing blobs; `thorough` reads every blob."""
    sound: dict[str, bool] = {}
    for tree in _list_files(store.folder / "trees"):
        if _TREE.fullmatch(tree.name):
            continue
        try:
            entries = _decode_tree(tree)
        except FileNotFoundError:
            continue  # pruned meanwhile
        if entries is None:
            advice = "it is removed; the next job with this code stores it again"
            damaged = functools.partial(store.remove_damaged, tree.name, [])
            yield IntegrityProblem("snapshot", tree.name, "its manifest is damaged", advice, damaged)
            continue
        bad = [entry for entry in entries if not _is_sound(store.objects, entry, thorough, sound)]
        if bad and tree.exists():
            problem = f"{len(bad)} of its {len(entries)} files are missing or damaged, {bad[0].path} for one"
            advice = "it is removed with them; the next job with this code stores it again"
            damaged = functools.partial(store.remove_damaged, tree.name, [entry.content for entry in bad])
            yield IntegrityProblem("snapshot", tree.name, problem, advice, damaged)
    if thorough:
        yield from _check_unnamed(store, sound)


def _check_unnamed(store: Snapshots, known: dict[str, bool]) -> Iterator[IntegrityProblem]:
    """Yield damaged blobs that belong to no tree: the next tree would trust them."""
    for shelf in _list_folder(store.objects.folder):
        for blob in _list_files(shelf) if len(shelf.name) == 2 else ():
            name = shelf.name + blob.name
            with contextlib.suppress(FileNotFoundError):
                if name not in known and hash_file(str(blob)) != name:
                    yield _make_removal("snapshot", blob, "it is damaged, and no snapshot uses it")


def check_left_overs(
    store: Snapshots, caches: Path, datastores: list[Path], since: float
) -> Iterator[IntegrityProblem]:
    """Yield the unfinished files of ended processes: those older than the server, which started at `since`."""
    shelves: list[tuple[Path, re.Pattern[str] | None]] = [
        (store.objects.folder / "incoming", _BATCH),
        (store.folder / "trees", _TREE),
        (store.folder / "stat", _TREE),
        (caches / "remote" / "incoming", None),
        (caches / "transfers", None),
        *((fetched, _COPY) for fetched in _list_folder(caches / "urls")),
    ]
    for shelf, pattern in shelves:
        for path in _list_folder(shelf):
            if (pattern is None or pattern.fullmatch(path.name)) and _get_change_time(path) < since:
                yield _make_removal("left over", path, _UNFINISHED)
    for root in datastores:
        yield from _check_datastore(root, since)


def check_registry(folder: Path) -> Iterator[IntegrityProblem]:
    """Yield unfinished files of a registry, where other machines write too: those older than a day."""
    for place in (*folder.glob("*/*/.*"), *folder.glob("*/*/*/.*.yml.*")):
        if _PUBLISHED.fullmatch(place.name) and _get_change_time(place) < time.time() - _DAY:
            yield _make_removal("left over", place, _UNFINISHED)


def check_fetched(cache: RemoteCache) -> Iterator[IntegrityProblem]:
    """Yield the damaged copies of data from remote datastores."""
    for home, name in cache.find_damaged():
        advice = "it is removed, and fetched again when a job needs it"
        if home.exists():  # else it was given up meanwhile
            yield IntegrityProblem(
                "cache", name, "it is not what was fetched", advice, functools.partial(cache.remove_damaged, home)
            )


def _check_datastore(root: Path, since: float) -> Iterator[IntegrityProblem]:
    """Yield leftovers only where smalt makes them, and by the names it gives them: jobs may write any other name."""
    boot, now = processes.read_boot_id()[:8], time.time()
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
                        if not name.endswith(f"-{boot}") or _get_change_time(path) < now - 7 * _DAY:
                            yield _make_removal("left over", path, "an upload was not finished")
                        continue
                    is_copy = copies.fullmatch(folder) and _COPY.fullmatch(name)
                    if is_copy or (not is_folder and _BESIDE.fullmatch(name)):
                        if _get_change_time(path) < since:
                            yield _make_removal("left over", path, _UNFINISHED)
                        continue
                if is_folder:
                    pending.append(entry.path)


def check_permissions(private: list[Path]) -> Iterator[IntegrityProblem]:
    """Yield files that others may read though only their owner should."""
    for path in private:
        with contextlib.suppress(OSError):
            mode = path.stat().st_mode
            if mode & 0o077:
                wanted = 0o700 if path.is_dir() else 0o600
                problem = f"others of this machine may read it (mode {mode & 0o777:o})"
                repair = functools.partial(path.chmod, wanted)
                yield IntegrityProblem("permission", str(path), problem, f"its mode becomes {wanted:o}", repair)


def content_differs(path: Path, digest: str) -> bool:
    """True if an asset's copy in `LocalUpload/<digest>/` is not what was registered; reads every byte.

    The server names the folder by the content id, an uploading client by a hash of its own (client/uploads).
    """
    try:
        entries = _read_entries(path)
    except (OSError, SmaltError):
        return True
    if manifest.make_content_id(manifest.encode_manifest(entries)) == digest:
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


def _read_entries(path: Path) -> list[ManifestEntry]:
    """Return the entries of a path by reading every file: cached hashes would hide a decaying disk."""
    if not path.is_dir():
        return [_make_entry(path.name, str(path), path.stat())]
    found = []
    for folder in walk_folders(str(path), None):
        found += [
            _make_entry(folder.prefix + name, f"{path}/{folder.prefix}{name}", status) for name, status in folder.files
        ]
        found += [ManifestEntry(folder.prefix + name, LINK, target, 0) for name, target in folder.links]
        if folder.empty and folder.prefix:
            found.append(ManifestEntry(folder.prefix[:-1], FOLDER, "", 0))
    return found


def _make_entry(name: str, path: str, status: os.stat_result) -> ManifestEntry:
    return ManifestEntry(name, EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE, hash_file(path), status.st_size)


def _decode_tree(tree: Path) -> list[ManifestEntry] | None:
    """Return the entries of a manifest; None if it is damaged."""
    try:
        text = tree.read_bytes()
        return manifest.decode_manifest(text) if manifest.make_content_id(text) == tree.name else None
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        return None


def _is_sound(objects: ObjectStore, entry: ManifestEntry, thorough: bool, known: dict[str, bool]) -> bool:
    if entry.kind not in (FILE, EXECUTABLE):
        return True
    if entry.content not in known:
        sound = objects.has(entry.content, entry.size)
        if sound and thorough:
            with contextlib.suppress(OSError):
                sound = hash_file(objects.get_path(entry.content)) == entry.content
        known[entry.content] = sound
    return known[entry.content]


_UNFINISHED = "a process that has ended did not finish it"


def _make_removal(check: str, path: Path, problem: str) -> IntegrityProblem:
    return IntegrityProblem(check, str(path), problem, "it is removed", functools.partial(remove_tree, path))


def _get_change_time(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return time.time()


def _list_files(folder: Path) -> list[Path]:
    return [path for path in _list_folder(folder) if path.is_file()]


def _list_folder(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
