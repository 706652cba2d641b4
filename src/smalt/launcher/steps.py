"""The steps of a home: started, watched, stopped, ended to the last process, and what became of them."""

from __future__ import annotations

import os
import resource
import selectors
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from smalt.launcher import claims, journal, marks, recovery, watching
from smalt.launcher.background_sync import BackgroundSync
from smalt.launcher.ending import StepEnding
from smalt.launcher.journal import Journal
from smalt.launcher.record import StepRecord
from smalt.launcher.sealing import MountSealer
from smalt.launcher.spawn import start_process
from smalt.launcher.start_times import StartTimes
from smalt.launcher.timers import Timers
from smalt.launcher.tree import ProcessTree
from smalt.launcher.warm.held_steps import HeldSteps
from smalt.launcher.warm.parents import MARK, WarmParents
from smalt.machine import processes

SYNC_AFTER = 0.005
SYNC_AGAIN = 1.0
_MAXRSS_UNIT = 1024 if processes.LINUX else 1  # bytes in what wait4 counts memory by
_COUNTED_LATE = 1 << 20  # bytes by which the kernel's two ways to count memory may differ
POLL = 0.25  # for a process that is not our child where there are no pidfds


class RunningSteps:
    """`started` and `exited` are news: the owner writes them down, then tells the server."""

    def __init__(
        self,
        home: str,
        journal: Journal,
        timers: Timers,
        selector: selectors.BaseSelector,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._journal = journal
        self._timers = timers
        self._selector = selector
        self._tree = ProcessTree(home)
        self._sealing = MountSealer()
        self._machine = processes.read_machine()
        self.records: dict[str, StepRecord] = {}
        self.running: dict[int, StepRecord] = {}
        self.started: list[StepRecord] = []
        self.exited: list[StepRecord] = []
        self._waiting: dict[str, dict[str, Any]] = {}  # steps to start when another ends well, oldest first
        self._coming: dict[str, dict[str, Any]] = {}  # steps that are to wait once those that they need ended well
        self._unasked: set[str] = set()  # what started without being named, until its end is acknowledged
        self._deadline = float("inf")
        self._syncing = False
        self._sync = BackgroundSync(say)
        self._is_repeating = False
        self._left_namespaces: list[int] = []
        self._start_times = StartTimes()
        self._own_peak = 0  # bytes of memory that we had at most, when it was last looked at
        self._ending = StepEnding(self._tree, timers, self.running, self._send_exit)
        self.beside = self._ending.set_server
        self.warm = WarmParents(
            Path(home, "run", "warm"), self._tree.make_mark(MARK), timers, selector, self._ending.add_stranger, say
        )
        self._held = HeldSteps(self.warm, timers, self._start_now)

    @property
    def is_busy(self) -> bool:
        return bool(self.running) or bool(self._held) or self._ending.is_busy

    def recover_steps(self) -> None:
        """Take over what an earlier launcher left."""
        self.warm.end_earlier_parents(self._tree)
        self.records = self._journal.load_records()
        for record in list(self.records.values()):
            if record.exit is None:
                self._recover_record(record)

    def start_steps(self, steps: list[dict[str, Any]]) -> None:
        """Now or, where a step says `after`, in the place of one that ends well once all of those did."""
        now = []
        for step in {step["id"]: step for step in steps}.values():  # a start may be said twice in one message
            known = self.records.get(step["id"])
            if step["id"] in self._held:
                continue
            if known is None and "after" in step:
                self.warm.expect_step(step)
                step["after"] = [needed for needed in step["after"] if not self._is_well(needed)]
                (self._coming if step["after"] else self._waiting)[step["id"]] = step
            elif known is None:
                self._take_waiting(step["id"])
                now.append(step)
            elif known.exit is not None:
                self.exited.append(known)
            elif known.pid:
                self.started.append(known)
        self._start_now(now)

    def start_waiting(self, step_id: str) -> None:
        """A slot is free for that step; where another's end made room for it meanwhile, for the next that waits."""
        if step_id in self._unasked:
            self._unasked.discard(step_id)
            self._start_next()
        elif step := self._take_waiting(step_id):
            self._start_now([step])

    def _start_next(self) -> None:
        """The oldest that waits."""
        if self._waiting:
            step_id = next(iter(self._waiting))
            self._unasked.add(step_id)
            self._start_now([self._waiting.pop(step_id)])

    def _take_waiting(self, step_id: str) -> dict[str, Any] | None:
        """A step that waits no more."""
        return self._waiting.pop(step_id, None) or self._coming.pop(step_id, None) or self._held.take_step(step_id)

    def _is_well(self, step_id: str) -> bool:
        known = self.records.get(step_id)
        return known is not None and known.is_well

    def _release_followers(self, step_id: str) -> None:
        """Queue the steps that waited for this one to succeed, behind those that were queued before."""
        for coming in [step for step in self._coming.values() if step_id in step["after"]]:
            coming["after"].remove(step_id)
            if not coming["after"]:
                self._waiting[coming["id"]] = self._coming.pop(coming["id"])

    def remove_waiting(self) -> None:
        """A server greets and says again which steps wait, or leaves and wants none begun."""
        self._waiting.clear()
        self._coming.clear()
        self._unasked.difference_update(self._held.take_all())

    def stop_step(self, step_id: str, grace: float, reason: str = "stopped") -> None:
        """SIGTERM to all of it now, SIGKILL to what is left after `grace` seconds."""
        record = self.records.get(step_id)
        self._take_waiting(step_id)
        if record is None or record.exit is not None:
            if record is None:
                record = StepRecord(step_id, "", None, 0)
                record.set_exit("never started", None, time.time())
            self.exited.append(record)
            return
        kill_at = time.monotonic() + grace
        is_earlier = record.kill_at is None or kill_at < record.kill_at
        if is_earlier:
            record.kill_at = kill_at
        if record.reason is None:  # even if only what it left still runs: nothing is to follow it
            record.reason, record.grace = reason, grace
            is_earlier = True
        if is_earlier:
            self._write_if_possible([journal.make_stop_entry(record)])
            self._ending.start_termination(record)

    def acknowledge(self, step_ids: list[str]) -> None:
        """The server has these exits on its disk; they may be forgotten."""
        done = [step_id for step_id in step_ids if (known := self.records.get(step_id)) and known.exit]
        for step_id in done:
            del self.records[step_id]
            self._unasked.discard(step_id)
        if done:
            self._journal.add_entries([{"t": "ack", "ids": done}])

    def handle_child_exit(self, pid: int, status: int, usage: resource.struct_rusage) -> bool:
        """A child ended: True when it was a step's first process. `usage` is of it and all that it waited for."""
        record = self.running.pop(pid, None)
        self._ending.remove_child(pid)
        if record is None:
            self.warm.handle_exit(pid)
            return False
        if record.turn and (begin := claims.read_begin(record.claim)) is not None:  # before anybody reads the claim
            record.first_line = round(max(0.0, begin - record.turn), 4)
        code = os.waitstatus_to_exitcode(status)
        if self._start_again(record, code):
            return True
        if code == claims.TAKEN and claims.read_code(record.claim) != code:
            self._handle_foreign_claim(record)
            return True
        record.code, record.signal = (code, None) if code >= 0 else (None, -code)
        record.cpu = usage.ru_utime + usage.ru_stime
        record.peak = self._to_peak_bytes(usage)
        self._ending.end_leftovers(record)
        return True

    def kill_all(self) -> None:
        """End everything, at once, with nobody to tell."""
        for record in self.records.values():
            if record.exit is None:
                self._ending.start_kill(record)

    def _write_if_possible(self, entries: list[dict[str, Any]]) -> None:
        """Write down what can be found out again if the disk is full just now."""
        try:
            self._journal.write_entries(entries)
        except OSError as error:
            self._say(f"cannot write the journal: {error}")

    def _to_peak_bytes(self, usage: resource.struct_rusage) -> int | None:
        """Return the memory of the largest process in bytes; None where it was no larger than the launcher itself.

        Linux counts for a process what the one that spawned it had, so that nothing smaller can be told.
        """
        peak = usage.ru_maxrss * _MAXRSS_UNIT
        if peak > self._own_peak + _COUNTED_LATE:  # ours only grows: what was seen of it can be too little only
            self._own_peak = processes.read_peak_memory()
        return peak if peak > self._own_peak + _COUNTED_LATE else None

    # Starting

    def _start_now(self, steps: list[dict[str, Any]]) -> None:
        fresh = []
        for step in steps:
            self.warm.expect_step(step)  # before a namespace is entered, which is the step's own
        for step in self._held.hold_back(steps):
            record = StepRecord(step["id"], step["folder"], step["timeout"], step["grace"])
            record.machine = list(self._machine)
            self.records[record.id] = record
            if self._is_unclaimed(record):
                fresh.append((step, record))
        if not fresh:
            return
        try:
            self._journal.write_entries([journal.make_intent_entry(record) for _, record in fresh])
        except OSError as error:
            for _, record in fresh:
                self._record_refusal(record, f"cannot write the launcher's journal: {error.strerror}")
            return
        for _, record in fresh:
            record.noted = True
        begun = [record for step, record in fresh if self._start_process(step, record)]
        self.started += begun
        if not processes.LINUX:  # elsewhere a step whose pid is not written down cannot be found by its mark
            self._write_if_possible([journal.make_start_entry(record) for record in begun])
        if begun and not self._syncing:
            self._syncing = True
            self._timers.add_after(SYNC_AFTER, self._sync_journal)

    def _sync_journal(self) -> None:
        """A power cut must not make a step look as never started. What has ended by now needs no such care."""
        records, covered = self.running.values(), self._sync.covered
        since = [record.monotonic for record in records if record.own and record.monotonic > covered]
        now = time.monotonic()
        self._syncing = bool(since)
        if not since:
            return
        if (due := min(since) + SYNC_AFTER) > now:  # not each time that one of many quick steps runs
            self._timers.add_at(due, self._sync_journal)
            return
        self._syncing = False
        try:
            self._sync.request_sync(self._journal.fileno(), now)
        except OSError as error:
            self._say(f"cannot sync the journal: {error}")
        if not self._is_repeating:
            self._is_repeating = True
            self._timers.add_after(SYNC_AGAIN, self._repeat_sync)

    def _repeat_sync(self) -> None:
        """Sync the journal again where the disk refused it; look again while it has not answered."""
        self._is_repeating = self._sync.is_pending()
        if self._is_repeating:
            self._timers.add_after(SYNC_AGAIN, self._repeat_sync)
        elif not self._syncing:
            self._sync_journal()

    def _start_process(self, step: dict[str, Any], record: StepRecord) -> bool:
        if claims.VARIABLE in step["env"]:
            record.turn = step.get("turn", time.time())
        mark = self._tree.make_mark(record.id)
        environment = {**step["env"], marks.VARIABLE: mark.text}
        reads: dict[str, str] = step.get("reads", {})
        try:
            writes: list[str] = step.get("writes", [])
            sealed = [*reads, *step.get("seals", ())]
            with self._sealing.seal_inputs(sealed, writes) as unsealed:
                if watched := {path: reads[path] for path in unsealed if path in reads}:
                    watching.write_input_facts(record.claim, watched, writes)
                self._start_shell(step, record, environment, mark, is_sealed=len(unsealed) < len(sealed))
        except (OSError, ValueError) as error:
            self._record_refusal(record, f"cannot start the step: {error}")
            return False
        record.started, record.monotonic = time.time(), time.monotonic()
        self.running[record.pid] = record
        self._set_deadline(record)
        return True

    def _start_shell(
        self,
        step: dict[str, Any],
        record: StepRecord,
        environment: dict[str, str],
        mark: marks.StepMark,
        is_sealed: bool,
    ) -> None:
        """Start the step's first process: a warm child, or a shell."""
        record.step, record.mode, record.imported, record.saved = None, "cold", None, None
        record.cold_reason = None
        record.namespace = self._sealing.open_namespace() if is_sealed else None
        if "warm" in step and (record.namespace is not None or not is_sealed):
            given = self.warm.start_step(step, record.claim, environment, mark, record.namespace)
            if isinstance(given, str):
                record.cold_reason = given
            else:
                record.pid, record.step, record.mode, record.parent = given.pid, step, "warm", given.parent
                record.imported, record.saved = list(given.parent.plan["modules"]), round(given.parent.cpu, 3)
                stat = processes.read_stat(given.pid)
                record.start_time = stat.start_time if stat else 0
                self._ending.remove_stranger(given.pid)
                return
        before = self._start_times.read_clock()
        with mark.apply_number():
            record.pid = start_process(step, record.claim, environment)
        record.start_time = self._start_times.find_start(record.pid, before)

    def _start_again(self, record: StepRecord, code: int) -> bool:
        """Start a step cold whose warm child ended, with `code`, before it claimed the step."""
        step, record.step = record.step, None
        parent, record.parent = record.parent, None
        self._leave_namespace(record)
        if step is None or parent is None or record.reason is not None or claims.read_claim(record.claim) is not None:
            return False
        reason = self.warm.take_back(step["warm"], parent, code)
        step = {name: value for name, value in step.items() if name != "warm"}
        if self._start_process(step, record):
            record.cold_reason = reason
            self.started.append(record)
        return True

    def _leave_namespace(self, record: StepRecord) -> None:
        """Let the namespace of a step that has ended be closed soon."""
        if record.namespace is not None:
            self._left_namespaces.append(record.namespace)
            record.namespace = None

    def close_namespaces(self) -> None:
        """Take down the namespaces of steps that have ended."""
        while self._left_namespaces:
            os.close(self._left_namespaces.pop())

    def _record_refusal(self, record: StepRecord, message: str) -> None:
        self._leave_namespace(record)
        record.set_exit("refused", message, time.time())
        self.exited.append(record)

    def _set_deadline(self, record: StepRecord) -> None:
        if record.timeout is not None:
            self._plan_deadline(record.monotonic + record.timeout)

    def _plan_deadline(self, when: float) -> None:
        # One timer for all, not one each: most steps end long before.
        if when < self._deadline:
            self._deadline = when
            self._timers.add_at(when, self._stop_expired)

    def _stop_expired(self) -> None:
        self._deadline = float("inf")
        now = time.monotonic()
        for record in list(self.running.values()):
            if record.timeout is None or record.reason is not None:
                continue
            if record.monotonic + record.timeout > now:
                self._set_deadline(record)
            elif not _has_ended(record):  # else in time, for all we know: its exit is the next that we hear of
                self.stop_step(record.id, record.grace, "timeout")

    # What an earlier launcher, or one beside us that is gone, has started

    def _is_unclaimed(self, record: StepRecord) -> bool:
        """Return True if nobody began the step before; otherwise find out its exit."""
        word = claims.read_claim(record.claim)
        if word is None:
            return True
        if word == claims.VOID and self._tree.find_shell(record) is None and claims.remove_void(record.claim):
            return True
        self._write_if_possible([journal.make_intent_entry(record)])
        record.noted = True
        self._recover_record(record)
        return False

    def _handle_foreign_claim(self, record: StepRecord) -> None:
        record.pid = record.start_time = 0
        self._recover_record(record)

    def _recover_record(self, record: StepRecord) -> None:
        if recovery.recover_record(record, self._machine, self._tree):
            self._adopt_step(record)
            return
        exit = record.exit
        if exit and exit["message"] in recovery.NOT_OURS:
            self.exited.append(record)
        elif exit:
            record.exit = None  # until what it left is ended too
            record.reason, record.message, record.ended = exit["reason"], exit["message"], exit["ended"]
            self._ending.end_leftovers(record)

    def _adopt_step(self, record: StepRecord) -> None:
        self.running[record.pid] = record
        self.started.append(record)
        self._watch_process(record)
        if record.reason:
            if record.kill_at is None:  # written down by an earlier version
                record.kill_at = time.monotonic() + record.grace
            self._ending.start_termination(record)
        self._set_deadline(record)

    def _watch_process(self, record: StepRecord) -> None:
        try:
            record.watch = os.pidfd_open(record.pid)
        except (AttributeError, OSError):
            self._timers.add_after(POLL, partial(self._check_process, record))
            return
        self._selector.register(record.watch, selectors.EVENT_READ, partial(self._check_process, record))
        self._check_process(record)  # whether the pidfd is that of the very process

    def _check_process(self, record: StepRecord) -> None:
        """See whether an adopted process lives; a pidfd is readable when it does not."""
        stat = processes.read_stat(record.pid)
        if stat is not None and not stat.is_dead and stat.start_time == record.start_time:
            if record.watch is None:
                self._timers.add_after(POLL, partial(self._check_process, record))
            return
        if record.watch is not None:
            self._selector.unregister(record.watch)
            os.close(record.watch)
            record.watch = None
        self.running.pop(record.pid, None)
        record.code = claims.read_code(record.claim)
        if record.code is None:
            record.message = recovery.UNSEEN
            record.reason = record.reason or "lost"
        self._ending.end_leftovers(record)

    def _send_exit(self, record: StepRecord) -> None:
        record.set_exit(record.reason or "exited", record.message, record.ended or time.time())
        self.exited.append(record)
        self._leave_namespace(record)
        # After any other end it is the server's to decide what comes next.
        if record.is_well:
            self._release_followers(record.id)
            self._start_next()


def _has_ended(record: StepRecord) -> bool:
    stat = processes.read_stat(record.pid)
    return stat is None or stat.is_dead
