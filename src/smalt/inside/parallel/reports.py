"""Progress and failures of a parallel job: lines for its log, and the files in its folder `logs`."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

_FIRST = 1.0
_SLOWEST = 30.0
_MOST_SHOWN = 20
_MOST_ITEMS = 5
_TAIL_LINES = 15


class Failure(NamedTuple):
    """A call of `run` that did not succeed."""

    number: int
    """The number of the mini-batch."""
    items: list[str]
    attempt: int
    sentence: str
    trace: str
    process: str
    node: str

    def describe_items(self) -> str:
        more = f" and {len(self.items) - _MOST_ITEMS} more" if len(self.items) > _MOST_ITEMS else ""
        return ", ".join(self.items[:_MOST_ITEMS]) + more


class Reports:
    """Writes what a person is told while the job runs, and what is left to read afterwards."""

    def __init__(self, workdir: str, total: int) -> None:
        self._logs = os.path.join(workdir, "logs")
        os.makedirs(os.path.join(self._logs, "user"), exist_ok=True)
        self._total = total
        self._began = self._shown_at = time.monotonic()
        self._shown = ""
        self._failures = 0
        self._took = 0.0
        """The seconds that all mini-batches took; 0 while some have not ended."""
        self.taken_over = 0
        self.done = 0
        self.failed = 0
        self.retried = 0
        self.last: list[Failure] = []
        """The last failure of each mini-batch that failed for good."""

    def say(self, line: str) -> None:
        print(line, flush=True)
        with open(os.path.join(self._logs, "job_progress_overview.txt"), "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")

    @property
    def next_at(self) -> float:
        """The time of the next line of progress."""
        since = self._shown_at - self._began
        return self._shown_at + min(_SLOWEST, max(_FIRST, since / 5))

    def show_progress(self, *, now: bool = False) -> None:
        """Write a line of progress, if it is time for one and something has changed."""
        if not now and time.monotonic() < self.next_at:
            return
        self._shown_at = time.monotonic()
        line = self._make_line()
        if line != self._shown:
            self._shown = line
            self.say(line)

    def _make_line(self) -> str:
        ended = self.done + self.failed
        took = max(self._shown_at - self._began, 1e-6)
        parts = [f"{ended + self.taken_over} of {format_count(self._total, 'mini-batch')}"]
        parts += [f"{self.taken_over} taken over"] if self.taken_over else []
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.retried} retried"] if self.retried else []
        left = self._total - ended - self.taken_over
        if not left:
            took = self._took = self._took or took
        if ended:
            parts.append(f"{_format_rate(ended / took)} a second")
            parts += [f"{_format_seconds(left * took / ended)} left"] if left else []
        return ", ".join(parts)

    def note_failure(self, failure: Failure, *, is_final: bool, retries: int) -> None:
        """Write a failed call of `run` to the log and to logs/user/error."""
        self._failures += 1
        what = "failed" if is_final else f"failed, try {failure.attempt} of {retries + 1}"
        head = f"mini-batch {failure.number} {what}: {failure.sentence} [{failure.process}; {failure.describe_items()}]"
        trace = "\n".join(failure.trace.strip().splitlines()[-_TAIL_LINES:])
        if self._failures <= _MOST_SHOWN:
            self.say(head)
            if trace:
                print(trace, flush=True)
            if self._failures == _MOST_SHOWN:
                self.say("further failures are written to logs/user/error.txt only")
        self.write_error(failure.node, failure.process, f"{head}\n{failure.trace}".rstrip())
        if is_final:
            self.last.append(failure)

    def write_error(self, node: str, process: str, text: str) -> None:
        """Append to logs/user/error.txt, and to the process's own file of errors."""
        folder = os.path.join(self._logs, "user", "error", node)
        os.makedirs(folder, exist_ok=True)
        for path in (os.path.join(self._logs, "user", "error.txt"), os.path.join(folder, f"{process}.txt")):
            with open(path, "a", encoding="utf-8", errors="replace") as file:
                file.write(f"{text}\n\n")

    def list_failed(self) -> None:
        """Write the mini-batches that failed for good, each with its items and its error."""
        for failure in sorted(self.last)[:_MOST_SHOWN]:
            self.say(f"failed: mini-batch {failure.number} ({failure.describe_items()}): {failure.sentence}")
        if len(self.last) > _MOST_SHOWN:
            self.say(f"{len(self.last) - _MOST_SHOWN} more failed: see logs/user/error.txt")

    def write_result(self, line: str) -> None:
        """Write the last line; the server reads why a job failed there."""
        self.say(line)
        write_result(os.path.dirname(self._logs), line)


def write_result(workdir: str, line: str) -> None:
    """Write logs/job_result.txt."""
    os.makedirs(os.path.join(workdir, "logs"), exist_ok=True)
    with open(os.path.join(workdir, "logs", "job_result.txt"), "w", encoding="utf-8") as file:
        file.write(f"{line}\n")


def format_count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith(("ch", "ss")) else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _format_rate(rate: float) -> str:
    """Return a rate with three digits, or as a whole number."""
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"


def _format_seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
