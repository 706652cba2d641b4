"""One warm parent process, and its children that wait for a step."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from smalt.launcher import marks
from smalt.launcher.marks import StepMark
from smalt.launcher.spawn import CHANGED_SIGNALS

VARIABLE = "_SMALT_WARM"
"""The variable by which `inside/site/sitecustomize.py` knows a parent; its value is the descriptor of the channel."""


class WarmChild:
    """A child that waits for a step. Its parent is the launcher."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.pid = 0
        """0 until it has greeted."""
        self.asked = time.monotonic()

    def close(self) -> None:
        self.channel.close()


class WarmParent:
    """A process that imports what its plan names; `is_ready` once it has."""

    def __init__(self, plan: dict[str, Any], log: str, mark: StepMark) -> None:
        self.plan = plan
        self.modules = frozenset(plan["modules"])
        self.children: list[WarmChild] = []
        self.names: frozenset[str] = frozenset()
        """The top-level modules that a child has from the beginning, and another Python has not."""
        self.missing: frozenset[str] = frozenset()
        """The top-level modules that its imports looked for and did not find."""
        self.reads: dict[str, str | None] = {}
        """The variables that its imports read, each with its value there."""
        self.unsafe: dict[str, str] = {}
        self.cpu = 0.0
        """Seconds that its imports took: what each child saves."""
        self.is_ready = False
        self.is_hanging = False
        """True if it does nothing although it is not ready."""
        self._cpu_seen = -1
        self.started = self.used = time.monotonic()
        self.seconds = 0.0
        """The time that it took to be ready: no cold start takes less."""
        self.steps = 0
        self.note_use: Callable[[], None] = lambda: None
        self.note_unused: Callable[[float], None] = lambda lived: None
        """Called where it ends without a step, with the seconds that it lived."""
        self.channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.setblocking(False)
        with other, mark.apply_number():
            self.pid = _start_process(plan, other.fileno(), log)
        self._send(plan)

    @property
    def is_forking(self) -> bool:
        """True if a child will wait before a step could import by itself what the child has."""
        soon = time.monotonic() - self.seconds
        return any(not child.pid and child.asked > soon for child in self.children)

    def look_at_progress(self) -> None:
        """Take note of whether it has used the processor since the last look."""
        stat = (marks.read_proc_file(self.pid, "stat") or b"").rpartition(b")")[2].split()
        used = sum(map(int, stat[11:13]))
        self.is_hanging, self._cpu_seen = used == self._cpu_seen, used

    def read_report(self) -> bool:
        """Read what the parent sends when it has imported; False where it is gone."""
        try:
            text = self.channel.recv(1 << 20)
            if not text:
                return False
            report = json.loads(text)
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        variables: dict[str, str] = self.plan["env"]
        self.names = frozenset(report["names"])
        self.missing = frozenset(report["missing"])
        self.reads = {name: variables.get(name) for name in report["reads"] if name != VARIABLE}
        self.unsafe, self.cpu = report["unsafe"], report["cpu"]
        self.is_ready, self.seconds = True, time.monotonic() - self.started
        return True

    def add_child(self) -> WarmChild | None:
        """Ask for another child; it greets by its channel."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with its:
            if not self._send("child", [its.fileno()]):
                ours.close()
                return None
        child = WarmChild(ours)
        self.children.append(child)
        return child

    def close(self) -> None:
        """Let the parent and the children that wait end: each sees its channel closed."""
        self.channel.close()
        for child in self.children:
            child.close()
        self.children.clear()

    def _send(self, message: Any, descriptors: list[int] | None = None) -> bool:
        return send_message(self.channel, message, descriptors or [])


def send_message(channel: socket.socket, message: Any, descriptors: list[int]) -> bool:
    """Send a message as a whole, or nothing: then return False."""
    import marshal  # what the other end can read without importing a module that a program would find

    try:
        socket.send_fds(channel, [marshal.dumps(message, 2)], descriptors)
    except OSError:  # gone, or too large a message
        return False
    return True


def _start_process(plan: dict[str, Any], descriptor: int, log: str) -> int:
    """Return the pid of an interpreter that waits for its plan."""
    os.set_inheritable(descriptor, True)
    program = f"{plan['folder']}/bin/python"
    return os.posix_spawn(
        program,
        ["python", "-m", "_smalt_warm"],
        {**plan["env"], VARIABLE: str(descriptor)},
        file_actions=(
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ),
        setpgroup=0,
        setsigmask=(),
        setsigdef=CHANGED_SIGNALS,
    )
