"""Content-addressed snapshots of folders and files. docs/internals/content-ids.md says what an id is."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, Refused, Unavailable
from smalt.ignore import FILES, Folder, Ignore, walk
from smalt.service.data import manifest, statcache
from smalt.service.data.copying import cannot_write, human
from smalt.service.data.durable import sync_files, sync_folders
from smalt.service.data.manifest import EXECUTABLE, FILE, FOLDER, LINK, Entry
from smalt.service.data.materialise import Tree, make
from smalt.service.data.objects import Batch, Objects
from smalt.service.data.statcache import Cache, Known

_TRIES = 3
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

    def __init__(self, folder: str | os.PathLike[str], limits: Limits | None = None) -> None:
        self.folder = Path(folder)
        self.limits = limits or Limits()
        self.objects = Objects(self.folder / "objects")
        self._trees: dict[str, Tree] = {}

    def add(self, path: str | os.PathLike[str], *, ignore: bool = True) -> Snapshot:
        """Take a snapshot of a folder (less what its ignore file names) or of one file."""
        root = os.path.abspath(path)
        try:
            if os.path.isdir(root):
                return _Addition(self, root, ignore).run()
            return self._add_file(root)
        except OSError as error:
            raise cannot_write(self.folder, error) from None

    def materialise(self, hash: str, target: str | os.PathLike[str]) -> None:
        """Write a snapshot's content into `target`, a new or empty folder, as files of its own."""
        make(self.tree(hash), self.objects, os.fspath(target))

    def has(self, hash: str) -> bool:
        return hash in self._trees or self._place(hash).exists()

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
        wanted = {entry.content: entry.size for entry in self._read(items) if entry.kind in (FILE, EXECUTABLE)}
        return [sha for sha, size in wanted.items() if not self.objects.has(sha, size)]

    def put_blob(self, sha: str, blocks: Iterable[bytes]) -> int:
        """Store one blob that a client sends, if its bytes have that sha256."""
        return self.objects.put(manifest.sha256(sha), blocks)

    def add_manifest(self, items: Sequence[Mapping[str, Any]]) -> Snapshot:
        """Take a client's manifest whose blobs are all here."""
        entries = self._read(items)
        absent = self.missing(items)
        if absent:
            raise Unavailable(
                f"{len(absent)} files of the manifest were not uploaded, {absent[0]} for one; upload them first"
            )
        return self._publish(entries)

    def _read(self, items: Sequence[Mapping[str, Any]]) -> list[Entry]:
        entries = manifest.read(items)
        self.guard("the upload", len(entries), sum(entry.size for entry in entries))
        return entries

    def guard(self, what: str, files: int, size: int) -> None:
        hint = f"name what the job does not need in {FILES[0]}, or raise the setting"
        if files > self.limits.files:
            raise Refused(f"{what} holds more than {self.limits.files} files; {hint} snapshot-max-files")
        if size > self.limits.bytes:
            raise Refused(f"{what} holds more than {human(self.limits.bytes)}; {hint} snapshot-max-bytes")

    def _add_file(self, root: str) -> Snapshot:
        try:
            status = os.stat(root)
        except FileNotFoundError:
            raise NotFound(f"{root} does not exist") from None
        self.guard(root, 1, status.st_size)
        with self.objects.batch() as batch:
            sha, status = store(batch, root)
        kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
        return self._publish([Entry(os.path.basename(root), kind, sha, status.st_size)])

    def _publish(self, entries: list[Entry]) -> Snapshot:
        """Write the manifest, durably, after everything that it names."""
        text = manifest.encode(entries)
        hash = manifest.content_id(text)
        files = [entry for entry in entries if entry.kind in (FILE, EXECUTABLE)]
        place = self._place(hash)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = f"{place}.{os.getpid()}.{os.urandom(4).hex()}"
            with open(temporary, "xb") as file:
                file.write(text)
            sync_files([temporary])
            os.replace(temporary, place)
            sync_folders([str(place.parent)])
        return Snapshot(hash, len(files), sum(entry.size for entry in files))

    def _place(self, hash: str) -> Path:
        return self.folder / "trees" / manifest.sha256(hash)


class _Addition:
    """One walk over one folder, with what the last one knew."""

    def __init__(self, snapshots: Snapshots, root: str, ignore: bool) -> None:
        self.snapshots = snapshots
        self.root = root
        self.began = time.time_ns()
        self.rules = Ignore.of(root) if ignore else None
        self.place = statcache.place(snapshots.folder / "stat", root, ignore)
        self.last = statcache.load(self.place)
        self.files: dict[str, dict[str, Known]] = {}
        self.rest: dict[str, str] = {}
        self.count = 0
        self.size = 0
        self.changed: list[tuple[str, str]] = []

    def run(self) -> Snapshot:
        for folder in walk(self.root, self.rules):
            self._compare(folder)
        last = self.last
        if last is not None and self._unchanged(last) and self.snapshots.has(last.hash):
            return Snapshot(last.hash, last.total, last.size)
        with self.snapshots.objects.batch() as batch:
            self._store_all(batch)
        self.snapshots.guard(f"folder {self.root}", self.count, self.size)
        snapshot = self.snapshots._publish(self._entries())
        self._remember(snapshot)
        return snapshot

    def _compare(self, folder: Folder) -> None:
        prefix = folder.prefix
        last = self.last.files.get(prefix) if self.last else None
        here: dict[str, Known] = {}
        for name, status in folder.files:
            was = last.get(name) if last else None
            if (
                was is not None
                and was[1] == status.st_mtime_ns
                and was[0] == status.st_size
                and was[2] == status.st_ctime_ns
                and was[3] == status.st_ino
                and was[4] == status.st_mode
            ):
                here[name] = was
            else:
                self.changed.append((prefix, name))
            self.size += status.st_size
        if folder.files:
            self.files[prefix] = here
            self.count += len(folder.files)
        for name, target in folder.links:
            self.rest[prefix + name] = target
        if folder.empty and prefix:
            self.rest[prefix] = ""
        if self.count > self.snapshots.limits.files or self.size > self.snapshots.limits.bytes:
            self.snapshots.guard(f"folder {self.root}", self.count, self.size)

    def _unchanged(self, last: Cache) -> bool:
        return not self.changed and self.count == last.total and self.rest == last.rest

    def _store_all(self, batch: Batch) -> None:
        """Store what is new; and what is known but no longer in the store, after it was pruned."""
        known = [(prefix, name) for prefix, names in self.files.items() for name in names]
        lost = [(prefix, name) for prefix, name in known if not self._stored(self.files[prefix][name])]
        for prefix, name in [*self.changed, *lost]:
            try:
                sha, status = store(batch, os.path.join(self.root, prefix + name))
            except FileNotFoundError:
                self.files[prefix].pop(name, None)  # deleted since the walk
                continue
            self.files[prefix][name] = statcache.known(status, sha)

    def _stored(self, file: Known) -> bool:
        return self.snapshots.objects.has(file[5], file[0])

    def _entries(self) -> list[Entry]:
        entries = [
            Entry(prefix + name, EXECUTABLE if file[4] & stat.S_IXUSR else FILE, file[5], file[0])
            for prefix, names in self.files.items()
            for name, file in names.items()
        ]
        for path, target in self.rest.items():
            entries.append(Entry(path, LINK, target, 0) if target else Entry(path[:-1], FOLDER, "", 0))
        return entries

    def _remember(self, snapshot: Snapshot) -> None:
        safe = {
            prefix: {name: file for name, file in names.items() if not statcache.racy(file, self.began)}
            for prefix, names in self.files.items()
        }
        statcache.save(self.place, Cache(safe, self.rest, snapshot.files, snapshot.bytes, snapshot.hash))


def store(batch: Batch, path: str) -> tuple[str, os.stat_result]:
    """Store a file, with the status that belongs to the bytes: read again while it is being written."""
    for _ in range(_TRIES):
        try:
            before = os.stat(path)
            sha = batch.store(path, before.st_size)
            after = os.stat(path)
        except PermissionError:
            raise Refused(f"no permission to read {path}; allow it or name it in {FILES[0]}") from None
        if (before.st_size, before.st_mtime_ns, before.st_ino) == (
            after.st_size,
            after.st_mtime_ns,
            after.st_ino,
        ):
            return sha, after
    raise Unavailable(f"{path} changes while it is being read; wait until it is written or name it in {FILES[0]}")
