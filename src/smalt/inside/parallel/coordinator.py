"""The coordinator of a parallel job: it hands mini-batches to workers, and journals what they returned."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from .channel import Message
from .cutting import CutInput
from .errors import StopRequested
from .items import MiniBatch
from .journal import BatchJournal
from .processes import WorkerProcess, describe_end
from .reports import Failure, Reports, format_count
from .rows import ReturnedRows
from .settings import ParallelSettings, get_port
from .worker import WorkerPlace

_AHEAD_SECONDS = 0.02
"""Seconds of work that a worker is sent ahead, so that it need not wait for the disk."""
_MOST_AHEAD = 256
_INIT_FAILURES = 3
"""Failures of init() in a row, per worker of an instance, after which no more are started; the service's number."""
_LEAVE_SECONDS = 60.0
"""Seconds that a worker has to end after its last call, while threads of the script go on in it."""


class Coordinator:
    """Runs the mini-batches of one job."""

    def __init__(self, settings: ParallelSettings, cut: CutInput, journal: BatchJournal, reports: Reports) -> None:
        self._settings = settings
        self._cut = cut
        self._batches: Sequence[MiniBatch] = cut.batches
        self._journal = journal
        self._reports = reports
        self._workdir = os.getcwd()
        self._todo = deque(number for number in range(len(cut.batches)) if number not in journal.records)
        self._tries: dict[int, int] = {}
        self._workers: dict[int, WorkerProcess] = {}
        self._started = 0
        self._init_failures = 0
        self._failed_items = 0
        self._short: dict[int, int] = {}
        self._error = ""
        self._last_end = time.monotonic()
        self._has_died = self._is_stopped = False
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._alarm = socket.socketpair()
        self._output_dir = _find_output_dir(settings)
        reports.taken_over = len(journal.records)

    def run_all(self) -> str:
        """Run what is left to run; return why the job failed, or an empty text."""
        self._listen_for_signals()
        try:
            self._fill_workers()
            while not self._error and (self._todo or self._is_busy()):
                self._wait_for_news()
                self._fill_workers()
            if not self._error:
                self._stop_workers()
        finally:
            for worker in self._workers.values():
                worker.kill("the job ended")
            for worker in self._workers.values():
                worker.wait()
            self._journal.commit()
        return self._error or self._judge_end()

    def _listen_for_signals(self) -> None:
        for end in (self._wakeup, self._alarm):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._note_stop)
        signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, None)

    def _note_stop(self, *_: Any) -> None:
        self._is_stopped = True

    def _is_busy(self) -> bool:
        return any(worker.queue for worker in self._workers.values())

    def _fill_workers(self) -> None:
        """Start workers in the place of those that ended, as many as there is work for, and hand out mini-batches."""
        wanted = self._settings.count_workers()
        while not self._error and len(self._workers) < min(wanted, len(self._todo) + len(self._workers)):
            spare = sum(1 for worker in self._workers.values() if worker.phase in ("init", "idle"))
            if spare >= len(self._todo):
                break
            self._start_worker(next(slot for slot in range(wanted) if slot not in self._workers))
        for worker in self._workers.values():
            if worker.phase in ("idle", "loading", "running"):
                self._hand_out(worker)

    def _start_worker(self, slot: int) -> None:
        settings = self._settings
        gpu = settings.gpus[slot % len(settings.gpus)] if settings.gpus else None
        place = WorkerPlace(self._workdir, f"node{settings.find_instance(slot)}", f"process{self._started:03d}", gpu)
        self._started += 1
        worker = WorkerProcess.start(settings, slot, place, self._output_dir, self._close_in_child)
        self._workers[slot] = worker
        self._selector.register(worker.connection, selectors.EVENT_READ, worker)  # type: ignore[arg-type]

    def _close_in_child(self) -> None:
        self._selector.close()
        os.close(self._journal.descriptor)
        for end in (self._wakeup, self._alarm):
            end.close()
        for worker in self._workers.values():
            if worker.connection is not None:
                worker.connection.close()

    def _hand_out(self, worker: WorkerProcess) -> None:
        """Send a worker mini-batches: more ahead the quicker they are, and none that another could begin at once."""
        ahead = 1 if worker.took >= 1 or not worker.done else min(_MOST_AHEAD, 2 + int(_AHEAD_SECONDS / worker.took))
        ahead = min(ahead, max(1, len(self._todo) // max(1, len(self._workers))))
        while self._todo and len(worker.queue) < ahead:
            number = self._todo.popleft()
            batch = self._batches[number]
            worker.queue.append(number)
            if worker.phase == "idle":
                worker.set_phase("loading" if batch.is_table else "running")
            worker.send(
                {
                    "n": number, "items": batch.items, "keys": batch.keys, "table": batch.is_table,
                    "retries": self._tries.get(number, 0),
                }
            )  # fmt: skip
            if worker.has_unsent:
                self._watch_connection(worker)
                break

    def _watch_connection(self, worker: WorkerProcess) -> None:
        if worker.connection is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.has_unsent else 0)
            self._selector.modify(worker.connection, events, worker)

    def _wait_for_news(self) -> None:
        """Wait for news, take all of it, and bring to the disk what it brought."""
        for key, mask in self._selector.select(self._find_patience()):
            worker = key.data
            if worker is None:
                self._drain_alarm()
                continue
            if self._is_stopped:
                break
            if mask & selectors.EVENT_WRITE:
                worker.flush()
                self._watch_connection(worker)
            if mask & selectors.EVENT_READ:
                self._receive_messages(worker)
        if self._is_stopped:
            raise StopRequested
        for worker in list(self._workers.values()):
            if worker.connection is None or worker.phase == "over" or self._has_died:
                self._take_end(worker)
        self._has_died = False
        self._check_time()
        self._fill_workers()
        for _ in self._journal.commit():
            self._reports.done += 1
            self._last_end = time.monotonic()
        self._reports.show_progress()

    def _drain_alarm(self) -> None:
        try:
            while self._wakeup.recv(4096):
                self._has_died = True
        except BlockingIOError:
            pass

    def _receive_messages(self, worker: WorkerProcess) -> None:
        connection = worker.connection
        for message in worker.receive_messages():
            self._take_message(worker, message)
        if worker.connection is None and connection is not None:
            self._selector.unregister(connection)

    def _take_message(self, worker: WorkerProcess, message: Message) -> None:
        header = message.header
        if "done" in header:
            self._end_batch(worker, header)
            self._count_returned(header["done"], ReturnedRows(header["returned"], message.payload, header["head"]))
        elif "loaded" in header:
            worker.set_phase("running")
        elif header.get("ready"):
            self._init_failures = 0
            worker.set_phase("idle")
        elif header.get("stopped"):
            self._let_leave(worker, header["threads"])
        elif header["failed"] == "run":
            self._end_batch(worker, header)
            self._note_failure(worker, header["n"], header["error"], header["trace"])
        else:
            self._fail_phase(worker, header["failed"], header["error"], header["trace"])

    def _let_leave(self, worker: WorkerProcess, threads: Sequence[str]) -> None:
        """Give a worker that has worked the time to end, and say what it waits for."""
        worker.set_phase("over")
        if threads:
            self._reports.say(
                f"{worker.place.name} is done and waits for threads that the script has left running: "
                f"{', '.join(threads)}; it is ended after {self._find_limit(worker):g} s"
            )

    def _end_batch(self, worker: WorkerProcess, header: dict[str, Any]) -> None:
        worker.queue.popleft()
        worker.done += 1
        worker.took = max(header["took"], 1e-6)
        is_table = bool(worker.queue) and self._batches[worker.queue[0]].is_table
        worker.set_phase("idle" if not worker.queue else "loading" if is_table else "running")

    def _count_returned(self, number: int, rows: ReturnedRows) -> None:
        """Record a mini-batch; one that returned too few elements has failed items."""
        self._journal.add_batch(number, rows)
        missing = self._batches[number].item_count - rows.row_count
        if missing > 0 and self._settings.append_row_check:
            self._short[number] = missing
            if self._settings.error_threshold >= 0:
                self._failed_items += missing
                self._check_items()

    def _fail_phase(self, worker: WorkerProcess, phase: str, sentence: str, trace: str) -> None:
        """Take the failure of a worker outside of `run`."""
        reports, place = self._reports, worker.place
        worker.set_phase("over")
        reports.write_error(place.node, place.name, f"{sentence}\n{trace}".rstrip())
        if phase == "shutdown":
            self._error = self._error or f"{sentence} [{place.name}]: what it had to bring to an end may be lost"
            return
        self._init_failures += 1
        limit = _INIT_FAILURES * max(1, self._settings.count_workers() // self._settings.instances)
        if self._init_failures == 1:
            reports.say(f"{sentence} [{place.name}]")
            if trace:
                print(trace.rstrip(), flush=True)
        if self._init_failures >= limit:
            self._error = f"no worker could start: {sentence} ({self._init_failures} times in a row)"

    def _note_failure(self, worker: WorkerProcess, number: int, sentence: str, trace: str) -> None:
        """Take a failed call of `run`: the mini-batch is tried again, or has failed for good."""
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        is_final = tries > self._settings.max_retries
        batch = self._batches[number]
        failure = Failure(
            number, batch.list_item_names(self._cut.root), tries, sentence, trace, worker.place.name, worker.place.node
        )
        self._reports.note_failure(failure, is_final=is_final, retries=self._settings.max_retries)
        if not is_final:
            self._reports.retried += 1
            self._todo.append(number)
            return
        self._reports.failed += 1
        self._last_end = time.monotonic()
        self._failed_items += batch.item_count
        self._check_items()
        self._check_batches()

    def _check_items(self) -> None:
        allowed = self._settings.error_threshold
        if 0 <= allowed < self._failed_items:
            self._error = self._error or (
                f"{format_count(self._failed_items, 'item')} failed, more than the {allowed} that error_threshold "
                f"allows{self._describe_cause()}"
            )

    def _describe_cause(self) -> str:
        cause = self._find_cause()
        return f": {cause}" if cause else self._describe_short()

    def _describe_short(self) -> str:
        if not self._short:
            return ""
        number, missing = next(iter(self._short.items()))
        count = self._batches[number].item_count
        return (
            f": {format_count(len(self._short), 'mini-batch')} returned fewer elements than items, "
            f"such as mini-batch {number}, which returned {count - missing} for {format_count(count, 'item')}; each "
            "element stands for an item that succeeded, unless append_row_check is off"
        )

    def _check_batches(self) -> None:
        counts_short = self._settings.error_threshold >= 0 and self._settings.append_row_check
        failed, total = self._reports.failed + (len(self._short) if counts_short else 0), len(self._batches)
        allowed, percent = self._settings.mini_batch_error_threshold, self._settings.allowed_failed_percent
        if 0 <= allowed < failed:
            count = format_count(failed, "mini-batch")
            words = f"{count} failed, more than the {allowed} that mini_batch_error_threshold allows"
        elif failed * 100 > percent * total:
            words = f"{failed} of {total} mini-batches failed, more than the {percent:g} % that are allowed"
        else:
            return
        self._error = self._error or f"{words}{self._describe_cause()}"

    def _find_cause(self) -> str:
        """Return the error that most mini-batches failed of."""
        counts: dict[str, int] = {}
        for failure in self._reports.last:
            counts[failure.sentence] = counts.get(failure.sentence, 0) + 1
        return max(counts, key=lambda sentence: counts[sentence]) if counts else ""

    def _take_end(self, worker: WorkerProcess) -> None:
        """Take the end of a worker that has ended: its first mini-batch failed, and others get the rest."""
        status = worker.poll()
        if status is None:
            return
        self._receive_messages(worker)  # what it sent before it ended counts
        if worker.connection is not None:
            self._selector.unregister(worker.connection)
            worker.connection.close()
            worker.connection = None
        del self._workers[worker.slot]
        if worker.phase == "over":
            return
        why = worker.killed_for or describe_end(status)
        trace = worker.read_error_log() if worker.killed_for else ""
        if worker.phase in ("init", "shutdown"):
            self._fail_phase(worker, worker.phase, f"{worker.phase}() did not return: {why}", trace)
            return
        numbers = list(worker.queue)
        self._todo.extendleft(reversed(numbers[1:]))
        if numbers:
            self._note_failure(worker, numbers[0], why, trace)
        if worker.done and self._cut.has_shutdown:
            self._reports.say(
                f"{worker.place.name} ended after {worker.done} mini-batches without shutdown(): what it kept in "
                "memory is lost"
            )

    def _find_limit(self, worker: WorkerProcess) -> float | None:
        """Return the seconds that a worker may stay in its phase."""
        settings = self._settings
        return {
            "init": settings.start_timeout, "shutdown": settings.start_timeout, "loading": settings.load_timeout,
            "running": settings.timeout, "over": min(settings.start_timeout, _LEAVE_SECONDS),
        }.get(worker.phase)  # fmt: skip

    def _find_patience(self) -> float:
        """Return the seconds until something is to be done without news."""
        times = [self._reports.next_at]
        for worker in self._workers.values():
            limit = self._find_limit(worker)
            times += [worker.since + limit] if limit is not None else []
        times += [self._last_end + self._settings.progress_timeout] if self._settings.progress_timeout else []
        return max(0.0, min(times) - time.monotonic())

    def _check_time(self) -> None:
        now, settings = time.monotonic(), self._settings
        for worker in self._workers.values():
            limit = self._find_limit(worker)
            if limit is None or worker.killed_for or now < worker.since + limit:
                continue
            if worker.phase == "over":
                worker.kill("it did not end")
                self._reports.say(
                    f"{worker.place.name} was ended by force {limit:g} s after its last call had returned: what the "
                    "script has left running in it did not end"
                )
                continue
            setting = {"running": "retry_settings.timeout", "loading": "--task_overhead_timeout"}
            name = setting.get(worker.phase, "--first_task_creation_timeout")
            what = {"running": "run()", "loading": "loading its rows"}.get(worker.phase, f"{worker.phase}()")
            worker.kill(f"{what} took longer than the {limit:g} s of {name}", dump=True)
        if settings.progress_timeout and now > self._last_end + settings.progress_timeout:
            self._error = self._error or (
                f"no mini-batch ended within the {settings.progress_timeout:g} s of --progress_update_timeout"
            )

    def _stop_workers(self) -> None:
        """Let each worker that has worked call `shutdown`, and wait for its end."""
        for worker in list(self._workers.values()):
            if worker.phase != "idle":
                worker.set_phase("over")
                worker.kill("there is nothing left to do")
            else:
                worker.set_phase("shutdown")
                worker.send({"stop": True})
        while self._workers and not self._error:
            self._wait_for_news()

    def _judge_end(self) -> str:
        """Return why the job failed when all its mini-batches have ended; an empty text if it did not."""
        self._check_batches()
        reports = self._reports
        if not self._error and self._batches and not self._journal.records:
            self._error = f"no mini-batch succeeded: {self._find_cause()}"
        returned = sum(record.returned for record in self._journal.records.values())
        if not self._error and self._short and not returned and self._settings.append_row_to:
            self._error = (
                "no call of run() returned an element: return one for each item that succeeded, or turn "
                "append_row_check off"
            )
        if not self._error and self._short and self._settings.error_threshold < 0:
            missing = sum(self._short.values())
            reports.say(
                f"{format_count(len(self._short), 'mini-batch')} returned "
                f"{format_count(missing, 'element')} fewer than items; that is no error, as error_threshold is -1"
            )
        return self._error


def _find_output_dir(settings: ParallelSettings) -> str:
    """Return the folder that `EntryScript().output_dir` names."""
    names = [settings.append_row_to] if settings.append_row_to else list(settings.outputs)
    if not names:
        return os.path.join(os.getcwd(), "outputs")
    path = get_port(os.environ, "outputs", names[0])
    return path if os.path.isdir(path) else os.path.dirname(path)
