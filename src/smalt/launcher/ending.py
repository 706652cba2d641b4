"""The end of a step, to its last process."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from smalt.launcher import marks, tree
from smalt.launcher.record import StepRecord
from smalt.launcher.timers import Timers
from smalt.launcher.tree import ProcessTree

LEFTOVER_GRACE = 1.0  # for what a command that ended by itself left running
GIVE_UP = 10.0  # after SIGKILL: a process that is still there hangs in the kernel
YOUNG, SOON = 1.0, 0.2  # a step younger than this is told twice to end, so long apart
AGAIN = 0.25  # between two SIGKILLs


class StepEnding:
    """Calls `over` when nothing of a step is left. `running` are the steps' first processes."""

    def __init__(
        self, tree: ProcessTree, timers: Timers, running: dict[int, StepRecord], over: Callable[[StepRecord], None]
    ) -> None:
        self._tree = tree
        self._timers = timers
        self._running = running
        self._over = over
        self._remains: set[StepRecord] = set()  # their first process is gone, something is left to end
        self._strangers: set[int] = set()  # children that are no step's
        self._alone = True  # whether all that is below us comes from steps

    @property
    def is_busy(self) -> bool:
        return bool(self._remains)

    def start_termination(self, record: StepRecord) -> None:
        """SIGTERM to all of it now, SIGKILL to what is left at its `kill_at`."""
        assert record.kill_at is not None
        if record.ended is None:
            self._timers.add_at(record.kill_at, partial(self._send_kill, record))
            self._send_term(record)
            if time.monotonic() - record.monotonic < YOUNG:
                self._timers.add_after(SOON, partial(self._send_term_again, record))

    def end_leftovers(self, record: StepRecord) -> None:
        """End the processes that a step left running, whose first process is gone."""
        record.ended = record.ended or time.time()
        left = self._list_left(record)
        if not left:
            self._over(record)
            return
        contained = {pid for pid in left if marks.is_signalled_by_parent(pid)}
        if record.kill_at is None:
            record.kill_at = time.monotonic() + (record.grace if contained else LEFTOVER_GRACE)
            tree.send_signal([pid for pid in left if pid not in contained], tree.TERM)
        # The supervisor of a container was killed if its PID 1 still runs. Whether that had SIGTERM is unknown;
        # it passes on the first one only.
        tree.send_signal([pid for pid in contained if marks.is_first_in_namespace(pid)], tree.TERM)
        self._remains.add(record)
        self._timers.add_after(0.003, partial(self._check_left, record, 0.006))

    def start_kill(self, record: StepRecord) -> None:
        tree.send_signal(self._tree.list_members(record), tree.KILL)

    def add_stranger(self, child: int) -> None:
        """Take note of a child that is no step's."""
        self._strangers.add(child)

    def remove_stranger(self, child: int) -> None:
        """Take note that a child is a step's from now on."""
        self._strangers.discard(child)

    def remove_child(self, child: int) -> None:
        self._strangers.discard(child)

    def set_server(self, server: int) -> None:
        """Record the server's pid. If it is below this process, an orphan without a mark may be the server's too."""
        if server in (self._tree.list_children() or ()):
            self._strangers.add(server)
            self._alone = False

    def _send_term(self, record: StepRecord) -> None:
        """The shell's group at once, since what is forked while we look would escape; then what has left the group."""
        group = record.pid if record.pid in self._running and tree.send_group(record.pid, tree.TERM) else 0
        others = [pid for pid in self._tree.list_members(record) if not group or tree.get_group(pid) != group]
        tree.send_signal([pid for pid in others if not marks.is_signalled_by_parent(pid)], tree.TERM)

    def _send_term_again(self, record: StepRecord) -> None:
        """A shell that is just forking the command loses a SIGTERM of that moment for it."""
        if record.exit is None and record.ended is None:
            self._send_term(record)

    def _send_kill(self, record: StepRecord) -> None:
        if record.exit is None and record.ended is None:
            self.start_kill(record)
            self._timers.add_after(AGAIN, partial(self._send_kill, record))  # something forked meanwhile

    def _check_left(self, record: StepRecord, wait: float) -> None:
        assert record.kill_at is not None
        left = self._list_left(record)
        late = time.monotonic() - record.kill_at
        if left and late > GIVE_UP:
            record.message = f"could not end the processes {', '.join(map(str, sorted(left)))} that it left"
        elif left:
            if late > 0:
                tree.send_signal(left, tree.KILL)
            self._timers.add_after(min(wait, 0.1), partial(self._check_left, record, wait * 2))
            return
        self._remains.discard(record)
        self._over(record)

    def _list_left(self, record: StepRecord) -> list[int]:
        """List what still runs of a step whose first process is gone. Nearly always nothing: that must be cheap."""
        if not record.own:
            return self._tree.list_members(record)
        orphans = self._list_orphans()
        if orphans is None:
            return self._tree.list_members(record)
        owned = {pid: self._tree.is_owned(record, pid) for pid in orphans if tree.is_alive(pid)}
        unmarked = {pid for pid, own in owned.items() if own is None}
        if not self._alone:
            self._strangers |= unmarked
            unmarked.clear()
        marked = [pid for pid, own in owned.items() if own]
        if not unmarked and not marked:
            return []
        if self._running or self._remains - {record}:  # without a mark it may be another's as well
            unmarked.clear()
        return self._tree.list_members(record, unmarked) or marked  # what forks fast may slip through the list

    def _list_orphans(self) -> set[int] | None:
        children = self._tree.list_children()
        return None if children is None else children - self._running.keys() - self._strangers
