"""Content-addressed snapshots of folders and files. docs/internals/content-ids.md says what an id is."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, Refused, Unavailable
from smalt.machine import stat_cache
from smalt.machine.ignore_rules import FILES
from smalt.service.data.files.copying import cannot_write, human
from smalt.service.data.files.durable_files import sync_files, sync_folders
from smalt.service.data.snapshots import manifest, pruning
from smalt.service.data.snapshots.folder_scan import Reader, Scan, read_steady
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, Entry
from smalt.service.data.snapshots.materialisation import Tree, make
from smalt.service.data.snapshots.object_store import Objects, hash_file
from smalt.service.data.snapshots.shared_lock import Sharing

_KEPT_TREES = 128
_KEPT_ENTRIES = 2000


class Snapshot(NamedTuple):
    hash: str
    files: int
    bytes: int


class Limits(NamedTuple):
    """How large a folder may be before it is taken for a mistake."""

    files: int = 200_000
    bytes: int = 20_000_000_000


class Snapshots:
    """The store below one folder; every method may be called from any thread."""

    def __init__(self, folder: str | os.PathLike[str], limits: Callable[[], Limits] = Limits) -> None:
        self.folder = Path(folder)
        self.objects = Objects(self.folder / "objects")
        self._limits = limits
        self._trees: dict[str, Tree] = {}
        self._sharing = Sharing()

    def add(self, path: str | os.PathLike[str], *, ignore: bool = True) -> Snapshot:
        """Take a snapshot of a folder (less what its ignore file names) or of one file."""
        root = os.path.abspath(path)
        with self._sharing.shared():
            try:
                return self._add_folder(root, ignore) if os.path.isdir(root) else self._add_file(root)
            except OSError as error:
                raise cannot_write(self.folder, error) from None

    def identify(self, path: str | os.PathLike[str], *, ignore: bool = True) -> tuple[Snapshot, list[Entry]]:
        """The id and the entries of what is at `path`, storing nothing; of any size."""
        root = os.path.abspath(path)
        if not os.path.isdir(root):
            return _summed([_file_entry(root, _hash)])
        scan = Scan(root, ignore, stat_cache.place(self.folder / "stat", root, ignore), lambda files, size: None)
        scan.read(_hash, lambda sha, size: True)
        snapshot, entries = _summed(scan.entries())
        scan.remember(*snapshot)
        return snapshot, entries

    def materialise(self, hash: str, target: str | os.PathLike[str]) -> None:
        """Write a snapshot's content into `target`, a new or empty folder, as files of its own."""
        with self._sharing.shared():
            try:
                make(self.tree(hash), lambda path, sha: self.objects.path(sha), os.fspath(target))
            except FileNotFoundError as error:
                self.forget(hash)
                raise Unavailable(f"the store of snapshots has lost {error.filename}; submit the job again") from None

    def has(self, hash: str) -> bool:
        return self._place(hash).exists()

    def is_small(self, hash: str, files: int, bytes: int) -> bool:
        """Whether it can be materialised at once, without being noticed."""
        tree = self.tree(hash)
        return len(tree.files) + len(tree.folders) <= files and tree.size <= bytes

    def entries(self, hash: str) -> list[Entry]:
        try:
            return manifest.decode(self._place(hash).read_bytes())
        except FileNotFoundError:
            raise NotFound(f"snapshot {hash} is not in this home; submit the job again") from None

    def tree(self, hash: str) -> Tree:
        known = self._trees.get(hash)
        if known is None:
            known = Tree.of(self.entries(hash))
            if len(known.files) <= _KEPT_ENTRIES:
                if len(self._trees) >= _KEPT_TREES:
                    self._trees.pop(next(iter(self._trees)), None)
                self._trees[hash] = known
        return known

    def missing(self, items: Sequence[Mapping[str, Any]]) -> list[str]:
        """The blobs of a client's manifest that are not here yet."""
        return self._missing(self._received(items))

    def put_blob(self, sha: str, blocks: Iterable[bytes]) -> int:
        """Store one blob that a client sends, if its bytes have that sha256; gives its size."""
        with self._sharing.shared():
            return self.objects.put(manifest.sha256(sha), blocks)

    def put_blobs(self, blobs: Sequence[tuple[str, bytes]]) -> None:
        """The same for many small ones, durable together."""
        with self._sharing.shared(), self.objects.batch() as batch:
            for sha, data in blobs:
                batch.put(manifest.sha256(sha), data)

    def add_manifest(self, items: Sequence[Mapping[str, Any]]) -> Snapshot:
        """Take a client's manifest whose blobs are all here."""
        entries = self._received(items)
        with self._sharing.shared():
            if absent := self._missing(entries):
                raise Unavailable(f"{len(absent)} files of the manifest were not uploaded, {absent[0]} for one")
            try:
                return self._publish(entries)
            except OSError as error:
                raise cannot_write(self.folder, error) from None

    def prune(self, keep: Collection[str], older_than: float, dry_run: bool) -> list[tuple[str, int]]:
        """Drop the snapshots not in `keep` and not used for that many seconds; gives ids and the bytes freed."""
        with self._sharing.alone():
            dropped = pruning.prune(self.folder, self.objects, keep, older_than, dry_run)
            if not dry_run:
                self._trees.clear()
        return dropped

    def forget(self, hash: str) -> None:
        """Take a snapshot's manifest out of the store, so that the next `add` stores everything again."""
        self._trees.pop(hash, None)
        self._place(hash).unlink(missing_ok=True)

    def drop_damaged(self, hash: str, contents: Iterable[str]) -> None:
        """Take a snapshot out of the store, with those of its blobs that are not what they should be."""
        with self._sharing.alone():
            self.forget(hash)
            for sha in contents:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.objects.path(sha))

    def _add_folder(self, root: str, ignore: bool) -> Snapshot:
        place = stat_cache.place(self.folder / "stat", root, ignore)
        scan = Scan(root, ignore, place, lambda files, size: self._guard(f"folder {root}", files, size))
        is_whole = scan.last is not None and self._touch(scan.last.hash)  # then its blobs are all here
        if scan.last is not None and is_whole and scan.unchanged:
            return Snapshot(scan.last.hash, scan.last.total, scan.last.size)
        with self.objects.batch() as batch:
            scan.read(batch.store, lambda sha, size: is_whole or self.objects.has(sha, size))
        snapshot = self._publish(scan.entries())
        scan.remember(*snapshot)
        return snapshot

    def _add_file(self, root: str) -> Snapshot:
        with self.objects.batch() as batch:
            entry = _file_entry(root, batch.store)
            self._guard(root, 1, entry.size)
        return self._publish([entry])

    def _publish(self, entries: list[Entry]) -> Snapshot:
        """Write the manifest, durably, after everything that it names."""
        snapshot, entries = _summed(entries)
        if not self._touch(snapshot.hash):
            place = self._place(snapshot.hash)
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = f"{place}.{os.getpid()}.{os.urandom(4).hex()}"
            with open(temporary, "xb") as file:
                file.write(manifest.encode(entries))
            sync_files([temporary])
            os.replace(temporary, place)
            sync_folders([str(place.parent)])
        return snapshot

    def _received(self, items: Sequence[Mapping[str, Any]]) -> list[Entry]:
        entries = manifest.read(items)
        self._guard("the upload", len(entries), sum(entry.size for entry in entries))
        return entries

    def _missing(self, entries: list[Entry]) -> list[str]:
        wanted = {entry.content: entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)}
        return [sha for sha, size in wanted.items() if not self.objects.has(sha, size)]

    def _guard(self, what: str, files: int, size: int) -> None:
        limits = self._limits()
        if files <= limits.files and size <= limits.bytes:
            return
        much, setting = (f"{limits.files} files", "files") if files > limits.files else (human(limits.bytes), "bytes")
        raise Refused(
            f"{what} holds more than {much}; name what the job does not need in {FILES[0]}, "
            f"or raise the setting snapshot-max-{setting}"
        )

    def _touch(self, hash: str) -> bool:
        """Whether the snapshot is there; its age counts from now on."""
        try:
            os.utime(self._place(hash))
        except FileNotFoundError:
            return False
        return True

    def _place(self, hash: str) -> Path:
        return self.folder / "trees" / manifest.sha256(hash)


def _summed(entries: list[Entry]) -> tuple[Snapshot, list[Entry]]:
    sizes = [entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)]
    return Snapshot(manifest.content_id(manifest.encode(entries)), len(sizes), sum(sizes)), entries


def _file_entry(path: str, reader: Reader) -> Entry:
    try:
        sha, status = read_steady(path, reader)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
    return Entry(os.path.basename(path), kind, sha, status.st_size)


def _hash(path: str, size: int) -> str:
    return hash_file(path)
