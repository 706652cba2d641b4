"""Copies of files and folders: by reflink if the file system can, else by the kernel; never a hard link."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import NotFound, RefusedError, SmaltError, Unavailable
from smalt.machine.mounts import list_mount_points
from smalt.service.data.files.copy_cancellation import check_stop
from smalt.service.data.files.path_containment import make_length_error

Log = Callable[[str], None]

_FICLONE = 0x40049409
_SMALL = 1 << 16  # below this one read and one write beat any cleverer call
_CHUNK = 1 << 27
_NO_REFLINK = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM}
_SAY_EVERY = 5.0

_cannot_reflink: set[tuple[int, int]] = set()


def copy_file(source: str | os.PathLike[str], target: str | os.PathLike[str], mode: int = 0o666) -> int:
    """Copy the bytes of `source` to the new file `target`, made with `mode` less the umask; return their number."""
    read_end = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        write_end = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            return _copy_bytes(read_end, write_end)
        finally:
            os.close(write_end)
    finally:
        os.close(read_end)


def copy_tree(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    log: Log | None = None,
    *,
    read_only: bool = False,
) -> int:
    """Copy a file or folder to `target`, following links, merging into an existing folder; return the bytes copied."""
    copier = _TreeCopier(os.fspath(source), log, read_only)
    try:
        if os.path.isdir(source):
            copier.copy_folder(os.fspath(source), os.fspath(target), ())
        else:
            os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
            copier.copy_file(os.fspath(source), os.fspath(target))
    except FileNotFoundError as error:
        raise NotFound(f"{error.filename} does not exist and cannot be copied") from None
    except PermissionError as error:
        raise RefusedError(f"no permission to copy {error.filename}") from None
    except OSError as error:
        raise make_write_error(target, error) from None
    return copier.copied


def link_files(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make `target` a link to a file, or a folder of real folders with links to the files of a folder."""
    if not os.path.isdir(source):
        os.symlink(source, target)
        return
    os.mkdir(target)
    for entry in os.scandir(source):
        link_files(entry.path, os.path.join(target, entry.name))


def move_tree(source: str | os.PathLike[str], target: str | os.PathLike[str], log: Log | None = None) -> None:
    """Move a file or folder into place, merging with what is there; a second call after a crash completes the move."""
    try:
        _move_into(os.fspath(source), os.fspath(target), log)
    except OSError as error:
        raise make_write_error(target, error) from None


def remove_tree(path: str | os.PathLike[str]) -> None:
    """Delete a file or folder, read-only ones included; a missing one is fine.

    Mount points at or below it belong to others, and stay.
    """
    path = os.path.abspath(path)  # a slash at its end would follow a link
    if not os.path.isdir(path) or os.path.islink(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    if mounted := list_mount_points(path):
        _remove_around(os.path.realpath(path), mounted)
        return
    os.chmod(path, 0o700)
    for folder, folders, _files in os.walk(path):
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(folder, name))]
        for name in folders:
            os.chmod(os.path.join(folder, name), 0o700)  # before it is listed
    shutil.rmtree(path)


def _remove_around(folder: str, mounted: list[str]) -> None:
    """Delete everything in a folder except mount points in it, and the folders above these."""
    if folder in mounted:
        return
    if not any(point.startswith(f"{folder}/") for point in mounted):
        remove_tree(folder)
        return
    os.chmod(folder, 0o700)
    for name in os.listdir(folder):
        inner = os.path.join(folder, name)
        if os.path.islink(inner):
            os.unlink(inner)
        else:
            _remove_around(inner, mounted)


def make_write_error(path: str | os.PathLike[str], error: OSError) -> SmaltError:
    """Return the error, in one sentence, for a write that failed."""
    if error.errno == errno.ENAMETOOLONG:
        return make_length_error(path)
    if error.errno == errno.EISDIR:
        return RefusedError(f"{os.fspath(path)} is a folder; choose another name for the file")
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return RefusedError(f"{os.path.dirname(path)} cannot be a folder, as it is a file or lies below one")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(f"the disk that holds {os.fspath(path)} is full; free space (smalt prune) and try again")
    return Unavailable(f"cannot write {os.fspath(path)}: {error.strerror or error}")


def format_bytes(size: float) -> str:
    """Format a number of bytes for people."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


class _TreeCopier:
    def __init__(self, source: str, log: Log | None, read_only: bool) -> None:
        self.source = source
        self.log = log
        self.read_only = read_only
        self.copied = 0
        self._said = time.monotonic()

    def copy_folder(self, source: str, target: str, above: tuple[tuple[int, int], ...]) -> None:
        status = os.stat(source)
        me = (status.st_dev, status.st_ino)
        if me in above:
            raise RefusedError(f"cannot copy {self.source}: the link {source} leads back to a folder that holds it")
        os.makedirs(target, exist_ok=True)
        with os.scandir(source) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                inner = os.path.join(target, entry.name)
                if entry.is_dir():
                    self.copy_folder(entry.path, inner, (*above, me))
                elif entry.is_file() or entry.is_symlink():
                    self.copy_file(entry.path, inner)
        if self.read_only:
            os.chmod(target, 0o555)

    def copy_file(self, source: str, target: str) -> None:
        if os.path.islink(source) and not os.path.exists(source):
            return  # a dangling link has no content to copy
        check_stop()
        executable = bool(os.stat(source).st_mode & stat.S_IXUSR)
        mode = (0o555 if executable else 0o444) if self.read_only else (0o777 if executable else 0o666)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        self.copied += copy_file(source, target, mode)
        if self.log and time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            self.log(f"copying {self.source}: {format_bytes(self.copied)} so far")


def _move_into(source: str, target: str, log: Log | None) -> None:
    if not os.path.lexists(source):
        return
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    is_folder = os.path.isdir(source) and not os.path.islink(source)
    if is_folder and os.path.isdir(target):
        for name in sorted(os.listdir(source)):
            _move_into(os.path.join(source, name), os.path.join(target, name), log)
        os.rmdir(source)
        return
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EBUSY):  # busy is what something is mounted on
            raise
        copy_tree(source, target, log)
        remove_tree(source)


def _copy_bytes(read_end: int, write_end: int) -> int:
    status = os.fstat(read_end)
    if status.st_size <= _SMALL:
        return _read_and_write(read_end, write_end)
    pair = (status.st_dev, os.fstat(write_end).st_dev)
    if pair not in _cannot_reflink and _try_reflink(read_end, write_end, pair):
        return status.st_size
    copied = 0
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            while count := os.copy_file_range(read_end, write_end, _CHUNK):
                copied += count
                check_stop()
    return copied + _read_and_write(read_end, write_end)  # the rest, where the kernel could not or stopped early


def _try_reflink(read_end: int, write_end: int, pair: tuple[int, int]) -> bool:
    try:
        import fcntl

        fcntl.ioctl(write_end, _FICLONE, read_end)
    except OSError as error:
        if error.errno not in _NO_REFLINK:
            raise
        _cannot_reflink.add(pair)
        return False
    return True


def can_reflink(folder: str | os.PathLike[str]) -> bool:
    """Return True if files of the folder's file system can share their content until one is written."""
    with tempfile.TemporaryFile(dir=folder) as source, tempfile.TemporaryFile(dir=folder) as target:
        source.write(b"x")
        source.flush()
        device = os.fstat(source.fileno()).st_dev
        pair = (device, device)
        return pair not in _cannot_reflink and _try_reflink(source.fileno(), target.fileno(), pair)


def _read_and_write(read_end: int, write_end: int) -> int:
    copied = 0
    while block := os.read(read_end, _SMALL if not copied else 1 << 20):
        view = memoryview(block)
        while view:
            view = view[os.write(write_end, view) :]
        copied += len(block)
        if len(block) > _SMALL:
            check_stop()
    return copied


def make_temporary_name(path: str | os.PathLike[str]) -> Path:
    """Return a name for a file to be renamed to `path` when it is complete."""
    target = Path(path)
    return target.with_name(f".{target.name[:100]}.{os.getpid()}.{time.monotonic_ns():x}.tmp")
