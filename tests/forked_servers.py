"""Servers forked from a process that has imported all that a server does before it is ready.

A server that imports it by itself takes a second of the processor until then, more than most tests of servers take.
`python -m tests.forked_servers SOCKET` is that process. `ForkedServer` is a `Popen` whose process comes from there:
a child of this process, as any that it starts, with the environment, folder, session and standard error given, the
default signal handlers and no other descriptors.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import inspect
import json
import os
import platform
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
MODULE = "smalt.service"
LONGEST = 300
"""Seconds in which the process must have imported all and forked."""

_CLONE_PARENT = 0x8000
_CLONE = {"x86_64": 56, "aarch64": 220}
"""The number of the system call `clone`, by machine."""
_MOST = 1024 * 1024
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "TZ", "HOME")
"""Beginnings of the names of variables that a process reads once, when it starts."""
_WITHOUT_EFFECT = "PYTHONUNBUFFERED"
"""A server writes to standard error only, line by line in any case."""


class ForkedServer(subprocess.Popen[bytes]):
    """`python -m smalt.service OPTIONS`, forked."""

    pid: int

    def _execute_child(self, *given: Any) -> None:
        bound = inspect.signature(subprocess.Popen._execute_child).bind(self, *given).arguments  # type: ignore[attr-defined]
        asked = {name: bound[name] for name in ("args", "env", "cwd", "start_new_session")}
        pipes = [bound[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        try:
            self.pid = _get_parent().fork({**asked, "cwd": str(asked["cwd"])}, [pipes[0], pipes[3], pipes[5]])
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def remember_environment() -> None:
    """Have servers forked that are to be started with the variables of this moment, as far as Python reads them."""
    _environment.clear()
    _environment.update(os.environ)


def can_fork(environment: Mapping[str, str]) -> bool:
    """Tell whether a server with this environment is the same forked as started."""

    def pick(variables: Mapping[str, str]) -> dict[str, str]:
        names = [name for name in variables if name.startswith(_READ_AT_START) and name != _WITHOUT_EFFECT]
        return {name: variables[name] for name in names}

    is_possible = sys.platform == "linux" and platform.machine() in _CLONE
    return is_possible and pick(environment) == pick(_environment)


_environment = dict(os.environ)
"""What the process from which servers are forked is started with."""


class _Parent:
    """The process from which servers are forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(LONGEST)
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                command,
                env=_environment,
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def fork(self, asked: dict[str, Any], descriptors: list[int]) -> int:
        """Return the pid of a new child of this process."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(asked).encode()], descriptors)
            answer = self._socket.recv(_MOST)
        assert answer, "the process from which servers are forked has ended"
        return int(answer)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(LONGEST)


@functools.cache
def _get_parent() -> _Parent:
    parent = _Parent()
    atexit.register(parent.close)
    return parent


def _serve(handle: int) -> None:
    import trustme  # noqa: F401
    import uvicorn.lifespan.off  # noqa: F401

    import smalt.service.engine.kinds.command
    import smalt.service.lifecycle
    import smalt.service.lock
    import smalt.service.server  # noqa: F401

    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads cannot be forked"
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=handle) as asker:
        while True:
            text, descriptors, _, _ = socket.recv_fds(asker, _MOST, 3)
            if not text:
                return
            pid = _fork_sibling()
            if pid == 0:
                _run_server(descriptors, **json.loads(text))
            for descriptor in descriptors:
                os.close(descriptor)
            asker.send(str(pid).encode())


def _fork_sibling() -> int:
    """Fork a process that is a child of this one's parent, which waits for it and signals it as its own."""
    python, system = ctypes.pythonapi, ctypes.PyDLL(None)
    for name in ("PyOS_BeforeFork", "PyOS_AfterFork_Child", "PyOS_AfterFork_Parent"):
        getattr(python, name).restype = None
    python.PyOS_BeforeFork()
    pid: int = system.syscall(_CLONE[platform.machine()], _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    if pid < 0:  # a signal to the process -1 would reach all processes
        raise OSError("no process could be forked")
    return pid


def _run_server(
    descriptors: list[int], args: list[str], env: dict[str, str], cwd: str, start_new_session: bool
) -> NoReturn:
    code = 1
    try:
        if start_new_session:
            os.setsid()
        os.chdir(cwd)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(env)
        sys.path[0] = cwd
        sys.argv = args[args.index(MODULE) :]
        runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
