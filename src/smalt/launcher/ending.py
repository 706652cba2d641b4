"""The end of a step, to its last process."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from smalt.launcher import tree
from smalt.launcher.record import Record
from smalt.launcher.timers import Timers
from smalt.launcher.tree import Tree

LEFTOVER_GRACE = 1.0  # for what a command that ended by itself left running
GIVE_UP = 10.0  # after SIGKILL: a process that is still there hangs in the kernel
YOUNG, SOON = 1.0, 0.2  # a step younger than this is told twice to end, so long apart
AGAIN = 0.25  # between two SIGKILLs


class Ending:
    """Calls `over` when nothing of a step is left. `running` are the steps' first processes."""

    def __init__(self, tree: Tree, timers: Timers, running: dict[int, Record], over: Callable[[Record], None]) -> None:
        self._tree = tree
        self._timers = timers
        self._running = running
        self._over = over
        self._remains: set[Record] = set()  # their first process is gone, something is left to end
        self._strangers: set[int] = set()  # children that are no step's
        self._alone = True  # whether all that is below us comes from steps

    @property
    def busy(self) -> bool:
        return bool(self._remains)

    def terminate(self, record: Record, grace: float) -> None:
        """SIGTERM to all of it now, SIGKILL to what is left after `grace` seconds."""
        when = time.monotonic() + grace
        if record.kill_at is not None and record.kill_at <= when:
            return
        record.kill_at = when
        if record.ended is None:
            self._timers.at(when, partial(self._kill, record))
            self._terminate(record)
            if time.monotonic() - record.monotonic < YOUNG:
                self._timers.after(SOON, partial(self._terminate_again, record))

    def finish(self, record: Record) -> None:
        """Its first process is gone: end what it left."""
        record.ended = record.ended or time.time()
        left = self._left(record)
        if not left:
            self._over(record)
            return
        if record.kill_at is None:
            record.kill_at = time.monotonic() + LEFTOVER_GRACE
            tree.send(left, tree.TERM)
        self._remains.add(record)
        self._timers.after(0.003, partial(self._check, record, 0.006))

    def kill(self, record: Record) -> None:
        tree.send(self._tree.members(record), tree.KILL)

    def forget(self, child: int) -> None:
        self._strangers.discard(child)

    def beside(self, server: int) -> None:
        """That process is the server's. If it is below us, an orphan without a mark may be the server's too."""
        if server in (self._tree.children() or ()):
            self._strangers.add(server)
            self._alone = False

    def _terminate(self, record: Record) -> None:
        """The shell's group at once, since what is forked while we look would escape; then what has left the group."""
        group = record.pid if record.pid in self._running and tree.send_group(record.pid, tree.TERM) else 0
        tree.send([pid for pid in self._tree.members(record) if not group or tree.group(pid) != group], tree.TERM)

    def _terminate_again(self, record: Record) -> None:
        """A shell that is just forking the command loses a SIGTERM of that moment for it."""
        if record.exit is None and record.ended is None:
            self._terminate(record)

    def _kill(self, record: Record) -> None:
        if record.exit is None and record.ended is None:
            self.kill(record)
            self._timers.after(AGAIN, partial(self._kill, record))  # something forked meanwhile

    def _check(self, record: Record, wait: float) -> None:
        assert record.kill_at is not None
        left = self._left(record)
        late = time.monotonic() - record.kill_at
        if left and late > GIVE_UP:
            record.message = f"could not end the processes {', '.join(map(str, sorted(left)))} that it left"
        elif left:
            if late > 0:
                tree.send(left, tree.KILL)
            self._timers.after(min(wait, 0.1), partial(self._check, record, wait * 2))
            return
        self._remains.discard(record)
        self._over(record)

    def _left(self, record: Record) -> list[int]:
        """What still runs of a step whose first process is gone. Nothing, nearly always: that must be cheap."""
        if not record.own:
            return self._tree.members(record)
        orphans = self._orphans()
        if orphans is None:
            return self._tree.members(record)
        owned = {pid: self._tree.owns(record, pid) for pid in orphans if tree.is_alive(pid)}
        unmarked = {pid for pid, own in owned.items() if own is None}
        if not self._alone:
            self._strangers |= unmarked
            unmarked.clear()
        marked = [pid for pid, own in owned.items() if own]
        if not unmarked and not marked:
            return []
        if self._running or self._remains - {record}:  # without a mark it may be another's as well
            unmarked.clear()
        return self._tree.members(record, unmarked) or marked  # what forks fast may slip through the list

    def _orphans(self) -> set[int] | None:
        children = self._tree.children()
        return None if children is None else children - self._running.keys() - self._strangers
