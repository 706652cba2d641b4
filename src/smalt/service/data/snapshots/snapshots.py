"""Content-addressed snapshots of folders and files. docs/internals/content-ids.md specifies the ids."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, RefusedError, Unavailable
from smalt.machine import stat_cache
from smalt.machine.ignore_rules import FILES
from smalt.service.data.files.copying import format_bytes, make_write_error
from smalt.service.data.files.durable_files import sync_files, sync_folders
from smalt.service.data.snapshots import manifest, pruning
from smalt.service.data.snapshots.folder_scan import FolderScan, Reader, read_steady
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, ManifestEntry
from smalt.service.data.snapshots.materialisation import FolderLayout, write_folder
from smalt.service.data.snapshots.object_store import ObjectStore, hash_file
from smalt.service.data.snapshots.shared_lock import SharedLock

_KEPT_TREES = 128
_KEPT_ENTRIES = 2000


class Snapshot(NamedTuple):
    hash: str
    files: int
    bytes: int


class SnapshotLimits(NamedTuple):
    """The largest folder that is not taken for a mistake."""

    files: int = 200_000
    bytes: int = 20_000_000_000


class Snapshots:
    """The store below one folder; every method may be called from any thread."""

    def __init__(self, folder: str | os.PathLike[str], limits: Callable[[], SnapshotLimits] = SnapshotLimits) -> None:
        self.folder = Path(folder)
        self.objects = ObjectStore(self.folder / "objects")
        self._limits = limits
        self._trees: dict[str, FolderLayout] = {}
        self._sharing = SharedLock()

    def add(self, path: str | os.PathLike[str], *, ignore: bool = True) -> Snapshot:
        """Take a snapshot of a folder (less what its ignore file names) or of one file."""
        root = os.path.abspath(path)
        with self._sharing.hold_shared():
            try:
                return self._add_folder(root, ignore) if os.path.isdir(root) else self._add_file(root)
            except OSError as error:
                raise make_write_error(self.folder, error) from None

    def identify(self, path: str | os.PathLike[str], *, ignore: bool = True) -> tuple[Snapshot, list[ManifestEntry]]:
        """Return the id and the entries of what is at `path`, of any size; nothing is stored."""
        root = os.path.abspath(path)
        if not os.path.isdir(root):
            return _make_snapshot([_make_file_entry(root, _hash_file)])
        scan = FolderScan(
            root, ignore, stat_cache.find_path(self.folder / "stat", root, ignore), lambda files, size: None
        )
        scan.read_changed(_hash_file, lambda sha, size: True)
        snapshot, entries = _make_snapshot(scan.list_entries())
        scan.save(*snapshot)
        return snapshot, entries

    def write_to(self, hash: str, target: str | os.PathLike[str]) -> None:
        """Write a snapshot's content into `target`, a new or empty folder, as files of its own."""
        with self._sharing.hold_shared():
            try:
                write_folder(self.load_layout(hash), lambda path, sha: self.objects.get_path(sha), os.fspath(target))
            except FileNotFoundError as error:
                self.remove_manifest(hash)
                raise Unavailable(f"the store of snapshots has lost {error.filename}; submit the job again") from None

    def has(self, hash: str) -> bool:
        return self._get_place(hash).exists()

    def is_small(self, hash: str, files: int, bytes: int) -> bool:
        """True if the snapshot can be written out within a turn, without being noticed."""
        tree = self.load_layout(hash)
        return len(tree.files) + len(tree.folders) <= files and tree.size <= bytes

    def read_entries(self, hash: str) -> list[ManifestEntry]:
        try:
            return manifest.decode_manifest(self._get_place(hash).read_bytes())
        except FileNotFoundError:
            raise NotFound(f"snapshot {hash} is not in this home; submit the job again") from None

    def load_layout(self, hash: str) -> FolderLayout:
        known = self._trees.get(hash)
        if known is None:
            known = FolderLayout.from_entries(self.read_entries(hash))
            if len(known.files) <= _KEPT_ENTRIES:
                if len(self._trees) >= _KEPT_TREES:
                    self._trees.pop(next(iter(self._trees)), None)
                self._trees[hash] = known
        return known

    def find_missing(self, items: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the blobs of a client's manifest that are not here yet."""
        return self._find_missing(self._parse_received(items))

    def put_blob(self, sha: str, blocks: Iterable[bytes]) -> int:
        """Store one blob from a client, if its bytes have that sha256; return its size."""
        with self._sharing.hold_shared():
            return self.objects.put(manifest.check_sha256(sha), blocks)

    def put_blobs(self, blobs: Sequence[tuple[str, bytes]]) -> None:
        """Store many small blobs from a client, durable together."""
        with self._sharing.hold_shared(), self.objects.open_batch() as batch:
            for sha, data in blobs:
                batch.put(manifest.check_sha256(sha), data)

    def add_manifest(self, items: Sequence[Mapping[str, Any]]) -> Snapshot:
        """Add a client's manifest whose blobs are all here."""
        entries = self._parse_received(items)
        with self._sharing.hold_shared():
            if absent := self._find_missing(entries):
                raise Unavailable(f"{len(absent)} files of the manifest were not uploaded, {absent[0]} for one")
            try:
                return self._publish_manifest(entries)
            except OSError as error:
                raise make_write_error(self.folder, error) from None

    def prune(self, keep: Collection[str], older_than: float, dry_run: bool) -> list[tuple[str, int]]:
        """Remove the snapshots not in `keep` and not used for that many seconds; return ids and the bytes freed."""
        with self._sharing.hold_exclusive():
            dropped = pruning.prune_snapshots(self.folder, self.objects, keep, older_than, dry_run)
            if not dry_run:
                self._trees.clear()
        return dropped

    def remove_manifest(self, hash: str) -> None:
        """Remove a snapshot's manifest, so that the next `add` stores everything again."""
        self._trees.pop(hash, None)
        self._get_place(hash).unlink(missing_ok=True)

    def remove_damaged(self, hash: str, contents: Iterable[str]) -> None:
        """Remove a snapshot, with those of its blobs that are damaged."""
        with self._sharing.hold_exclusive():
            self.remove_manifest(hash)
            for sha in contents:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.objects.get_path(sha))

    def _add_folder(self, root: str, ignore: bool) -> Snapshot:
        place = stat_cache.find_path(self.folder / "stat", root, ignore)
        scan = FolderScan(root, ignore, place, lambda files, size: self._check_limits(f"folder {root}", files, size))
        is_whole = scan.last is not None and self._mark_used(scan.last.hash)  # then its blobs are all here
        if scan.last is not None and is_whole and scan.is_unchanged:
            return Snapshot(scan.last.hash, scan.last.total, scan.last.size)
        with self.objects.open_batch() as batch:
            scan.read_changed(batch.store_file, lambda sha, size: is_whole or self.objects.has(sha, size))
        snapshot = self._publish_manifest(scan.list_entries())
        scan.save(*snapshot)
        return snapshot

    def _add_file(self, root: str) -> Snapshot:
        with self.objects.open_batch() as batch:
            entry = _make_file_entry(root, batch.store_file)
            self._check_limits(root, 1, entry.size)
        return self._publish_manifest([entry])

    def _publish_manifest(self, entries: list[ManifestEntry]) -> Snapshot:
        """Write the manifest, durably, after everything that it names."""
        snapshot, entries = _make_snapshot(entries)
        if not self._mark_used(snapshot.hash):
            place = self._get_place(snapshot.hash)
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = f"{place}.{os.getpid()}.{os.urandom(4).hex()}"
            with open(temporary, "xb") as file:
                file.write(manifest.encode_manifest(entries))
            sync_files([temporary])
            os.replace(temporary, place)
            sync_folders([str(place.parent)])
        return snapshot

    def _parse_received(self, items: Sequence[Mapping[str, Any]]) -> list[ManifestEntry]:
        entries = manifest.parse_entries(items)
        self._check_limits("the upload", len(entries), sum(entry.size for entry in entries))
        return entries

    def _find_missing(self, entries: list[ManifestEntry]) -> list[str]:
        wanted = {entry.content: entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)}
        return [sha for sha, size in wanted.items() if not self.objects.has(sha, size)]

    def _check_limits(self, what: str, files: int, size: int) -> None:
        limits = self._limits()
        if files <= limits.files and size <= limits.bytes:
            return
        much, setting = (
            (f"{limits.files} files", "files") if files > limits.files else (format_bytes(limits.bytes), "bytes")
        )
        raise RefusedError(
            f"{what} holds more than {much}; name what the job does not need in {FILES[0]}, "
            f"or raise the setting snapshot-max-{setting}"
        )

    def _mark_used(self, hash: str) -> bool:
        """Return True if the snapshot is there; its age counts from now on."""
        try:
            os.utime(self._get_place(hash))
        except FileNotFoundError:
            return False
        return True

    def _get_place(self, hash: str) -> Path:
        return self.folder / "trees" / manifest.check_sha256(hash)


def _make_snapshot(entries: list[ManifestEntry]) -> tuple[Snapshot, list[ManifestEntry]]:
    sizes = [entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)]
    return Snapshot(manifest.make_content_id(manifest.encode_manifest(entries)), len(sizes), sum(sizes)), entries


def _make_file_entry(path: str, reader: Reader) -> ManifestEntry:
    try:
        sha, status = read_steady(path, reader)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
    return ManifestEntry(os.path.basename(path), kind, sha, status.st_size)


def _hash_file(path: str, size: int) -> str:
    return hash_file(path)
