"""A mount namespace in which a step cannot write what it reads; only who may make one (root) has it.

The launcher enters the namespace, starts the step's shell there and comes back. That costs 0.1 ms a step; a fork of
the launcher, in which the child would do the same, costs 1 ms. docs/internals/inputs.md has the reasons.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence

_OWN_NAMESPACE = "/proc/self/ns/mnt"
_NEW_NAMESPACE = 0x20000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x80000
_MOUNT_SETATTR = 442  # the same number on every architecture
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 0x1

_LIBC = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    """Linux's `struct mount_attr`."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace")]


class MountSealer:
    """Starts processes in mount namespaces of their own."""

    def __init__(self) -> None:
        self._own: int | None = None
        self._root = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError, AttributeError):
                self._check_namespaces()

    @property
    def is_available(self) -> bool:
        """True if this process may create mount namespaces."""
        return self._own is not None

    @staticmethod
    def open_namespace() -> int | None:
        """Return a descriptor of the namespace that was entered; None where no descriptor is left.

        A namespace whose last process ends is taken down while that process ends, for a quarter of a millisecond. With
        a descriptor of it that happens when the descriptor is closed.
        """
        try:
            return os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None

    @contextlib.contextmanager
    def seal_inputs(self, reads: Sequence[str], writes: Sequence[str]) -> Iterator[list[str]]:
        """A namespace in which `reads` cannot be written, but `writes` can; gives those of `reads` that still can be.

        Whatever is started inside the block stays in the namespace; the caller does not.
        """
        if not reads or not self.is_available or not self._enter_namespace():
            yield list(reads)
            return
        try:
            yield _seal_paths(reads, writes)
        finally:
            self._leave_namespace()

    def _enter_namespace(self) -> bool:
        """Enter a new namespace; False where the kernel gives none now, as each user may only have so many."""
        if _LIBC.unshare(_NEW_NAMESPACE):
            return False
        if _LIBC.mount(None, b"/", None, _RECURSIVE | _SLAVE, None):
            self._leave_namespace()
            return False
        return True

    def _leave_namespace(self) -> None:
        """Return to the launcher's namespace, or end: in a step's, it would start every later step wrongly.

        The server starts another launcher, which takes over the steps by the journal.
        """
        try:
            self._restore_namespace()
        except OSError as error:
            print(f"cannot leave the mount namespace of a step, so this launcher ends: {error}", file=sys.stderr)
            sys.stderr.flush()
            os._exit(1)

    def _check_namespaces(self) -> None:
        """Try the whole way once: whoever may enter a namespace must be able to come back."""
        own, root = os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC), os.open("/", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check_result(_LIBC.unshare(_NEW_NAMESPACE))
            self._own, self._root = own, root
            self._restore_namespace()
            _set_read_only(b"/", recursive=False, undo=None)
        except (OSError, AttributeError):
            self._own = None
            os.close(own)
            os.close(root)
            raise

    def _restore_namespace(self) -> None:
        _check_result(_LIBC.setns(self._own, _NEW_NAMESPACE))
        os.fchdir(self._root)  # setns forgets a chroot, and where we were
        os.chroot(".")
        os.chdir("/")


def _seal_paths(reads: Sequence[str], writes: Sequence[str]) -> list[str]:
    left = []
    reals = {path: _resolve_path(path) for path in reads}
    for path, real in reals.items():
        if real == b"/":  # which cannot be bound to itself, and holds all that the step needs
            continue
        try:
            _bind_mount(real)
            _set_read_only(real, recursive=True, undo=False)
        except FileNotFoundError:  # there is nothing that could be changed
            continue
        except OSError:
            left.append(path)
    for path in writes:
        if os.access(path, os.W_OK):
            continue
        if os.path.lexists(path):
            _open_again(path)
        elif (folder := _open_again(os.path.dirname(path))) is not None:  # with all else that it holds
            left += [read for read, real in reals.items() if read not in left and _is_below(os.fsdecode(real), folder)]
    return left


def _is_below(top: str, place: str) -> bool:
    return top != "/" and f"{place}/".startswith(f"{top}/")


def _open_again(place: str) -> str | None:
    """Make a place that lies in a read-only one writable; its real path, where that was necessary."""
    if not os.path.exists(place) or os.access(place, os.W_OK):
        return None
    real = _resolve_path(place)
    _bind_mount(real)
    _set_read_only(real, recursive=True, undo=True)
    return os.fsdecode(real)


def _resolve_path(path: str) -> bytes:
    """The path with all links followed, as os.path.realpath gives it, in a third of the time."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return os.fsencode(os.path.realpath(path))
    try:
        return os.fsencode(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return os.fsencode(os.path.realpath(path))
    finally:
        os.close(descriptor)


def _bind_mount(path: bytes) -> None:
    _check_result(_LIBC.mount(path, path, None, _BIND | _RECURSIVE, None))


def _set_read_only(path: bytes, *, recursive: bool, undo: bool | None) -> None:
    """Make the mount at `path` read-only, or writable again; with None for `undo` only ask whether the kernel can."""
    attributes = _MountAttributes(
        set=_READ_ONLY if undo is False else 0, clear=_READ_ONLY if undo else 0, propagation=0, user_namespace=0
    )
    flags = _AT_RECURSIVE if recursive else 0
    size = ctypes.sizeof(attributes)
    _check_result(
        _LIBC.syscall(_MOUNT_SETATTR, _AT_FDCWD, path, flags, ctypes.byref(attributes), ctypes.c_size_t(size))
    )


def _check_result(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
