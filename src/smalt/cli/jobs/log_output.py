"""A followed job as plain lines, for a pipe or a file: the log on one stream, what happens on another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from smalt.cli.jobs.watch import Followed, Watch, duration

_LONGEST = 65536
_TOLD = frozenset({"Running", "Completed", "Failed", "Canceled"})


class Lines:
    """`train | epoch 1` for a step of a pipeline; the log of a single job is passed on as it is."""

    def __init__(self, watch: Watch, log: TextIO, news: TextIO | None) -> None:
        self.watch = watch
        self._log = log
        self._news = news
        self._pending: dict[str, str] = {}

    def changed(self, job: Followed, before: str) -> None:
        """Say that a step of a pipeline has a new status."""
        if self._news is None or job.status == before or job is self.watch.root or job.status not in _TOLD:
            return
        took = f" in {duration(job.seconds)}" if job.is_over and job.start is not None else ""
        took = ", reused" if job.reused else took
        self._news.write(f"{self.watch.label(job)}: {job.status}{took}\n")
        self._news.flush()

    def log(self, job: Followed, text: str) -> None:
        """What the user's program wrote."""
        if not self.watch.is_composite:
            for line in text.splitlines():
                self.watch.show(job, line)
            self._log.write(text)
            self._log.flush()
            return
        prefix = f"{self.watch.label(job)} | "
        for line in self._lines(job.name, text):
            self.watch.show(job, line)
            self._log.write(f"{prefix}{line}\n")
        self._log.flush()

    def note(self, job: Followed, text: str) -> None:
        """What smalt wrote about the job: the building of its environment and the like."""
        label = self.watch.label(job)
        for line in self._lines(f"{job.name}\n", text):
            job.notes.append(line)
            if self._news is not None and not is_detail(line):
                self._news.write(f"{label} | {line}\n" if label else f"{line}\n")
        if self._news is not None:
            self._news.flush()

    def tick(self) -> None:
        """Nothing happened for a while."""

    def close(self) -> None:
        """Write out what did not end with a newline."""
        for key, rest in self._pending.items():
            job = self.watch.jobs[key.rstrip("\n")]
            if rest and not key.endswith("\n"):
                self.log(job, "\n")
            elif rest:
                self.note(job, "\n")

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lines(self, key: str, text: str) -> Iterator[str]:
        return whole_lines(self._pending, key, text)


def is_detail(line: str) -> bool:
    """Whether a line of smalt's own log belongs to the one before: it is indented, as is each package installed."""
    return line.startswith(" ")


def whole_lines(pending: dict[str, str], key: str, text: str) -> Iterator[str]:
    """The lines that `text` completes; of one redrawn with carriage returns (a progress bar) the last drawing."""
    *lines, rest = (pending.get(key, "") + text).split("\n")
    if len(rest) > _LONGEST:
        lines.append(rest)
        rest = ""
    pending[key] = rest
    for line in lines:
        yield line.rstrip("\r").rpartition("\r")[2]
