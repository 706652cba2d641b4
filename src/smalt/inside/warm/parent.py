"""The warm parent's loop: it imports what it is told to, and then makes children. It calls into no package."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import ctypes
import gc
import marshal
import os
import sys
import time

from . import examination, imported_files, keeper, placeholder, program, teardown

_LONGEST = 1 << 20
_SET_DEATH_SIGNAL = 1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def serve(control: int, known: frozenset[str]) -> None:
    """Serve the launcher at the other end of `control`; return in the process that is to be a step's program.

    `known` are the modules that every Python of a job has imported before its program.
    """
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, control)
    plan, _ = receive(channel)
    if plan is None:
        os._exit(0)
    _end_with_launcher(channel)
    inherited = dict(os.environ)
    begun, listed = time.time_ns(), imported_files.list_folders()
    report = examination.import_modules(plan["modules"])
    # What a program of the step's folder is called must not be the name of what is here before it.
    tops = {name.partition(".")[0] for name in sys.modules if name not in known}
    report["names"] = sorted(tops.difference(sys.builtin_module_names, {"_smalt_warm"}))
    added = {name: value for name, value in os.environ.items() if inherited.get(name) != value}
    stamps = imported_files.read_stamps(begun, listed)
    placeholder.install()
    program.list_modules()
    teardown.keep_modules()
    gc.collect()
    gc.freeze()
    channel.send(examination.encode_report(report))
    while True:
        message, descriptors = receive(channel)
        if message is None:
            os._exit(0)
        if _make_child(channel, descriptors[0]):
            break
    child = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, descriptors[0])
    keeper.run_step(child, plan, added, stamps)


def receive(channel: Any) -> tuple[Any, list[int]]:
    """Return the next message and the descriptors that came with it; None once the other end is closed."""
    text, extra, _, _ = channel.recvmsg(_LONGEST, _socket.CMSG_SPACE(8))
    descriptors = [
        int.from_bytes(data[place : place + 4], sys.byteorder)
        for _, kind, data in extra
        if kind == _socket.SCM_RIGHTS
        for place in range(0, len(data), 4)
    ]
    return (marshal.loads(text) if text else None), descriptors


def _end_with_launcher(channel: Any) -> None:
    """Let the kernel end this process with the launcher: while an import hangs, nobody sees that the channel closed.

    Children that are forked later do not inherit this.
    """
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, _signal.SIGKILL)
    try:
        is_gone = not channel.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)  # since before the call
    except BlockingIOError:
        is_gone = False
    if is_gone:
        os._exit(0)


def _make_child(channel: Any, descriptor: int) -> bool:
    """Fork a child whose parent is the launcher, which adopts orphans; return True in that child."""
    middle = os.fork()
    if middle:
        os.close(descriptor)
        os.waitpid(middle, 0)
        return False
    middle = os.getpid()
    if os.fork():
        os._exit(0)
    channel.close()
    while os.getppid() == middle:  # the launcher can do nothing with a child that is not its own yet
        time.sleep(0.0005)
    return True
