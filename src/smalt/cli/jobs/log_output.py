"""The output of a followed job as plain lines, for a pipe or a file: the log on one stream, the progress on another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from smalt.cli.jobs.trial_ends import describe_trial_end
from smalt.cli.jobs.watch import FollowedJob, JobWatch, format_duration

_LONGEST = 65536
_TOLD = frozenset({"Running", "Completed", "Failed", "Canceled"})


class LineView:
    """A view that prints `train | epoch 1` for a step of a pipeline, and the log of a single job unchanged."""

    def __init__(self, watch: JobWatch, log: TextIO, news: TextIO | None, *, shares_lines: bool = False) -> None:
        """Make the view; `shares_lines` means that log and news are read in one place."""
        self.watch = watch
        self._log = log
        self._news = news
        self._pending: dict[str, str] = {}
        self._shares_lines = shares_lines
        self._is_mid_line = False

    def show_status(self, job: FollowedJob, before: str) -> None:
        """Print the new status of a step of a pipeline; of a trial of a sweep, only its end."""
        if self._news is None or job.status == before or job is self.watch.root or job.status not in _TOLD:
            return
        if job.sweep:
            if job.is_over and job.parent == job.sweep:
                self._news.writelines(f"{line}\n" for line in describe_trial_end(self.watch, job))
                self._news.flush()
            return
        took = f" in {format_duration(job.seconds)}" if job.is_over and job.start is not None else ""
        took = ", reused" if job.reused else took
        trials = f", {job.progress.describe()}" if job.progress is not None and job.is_over else ""
        why = f" ({job.reason})" if job.status == "Canceled" and job.reason else ""
        self._news.write(f"{self.watch.get_label(job)}: {job.status}{took}{trials}{why}\n")
        self._news.flush()

    def show_log(self, job: FollowedJob, text: str) -> None:
        """Print the output of the user's program; that of a trial of a sweep is kept for the case that it fails."""
        if job.sweep:
            job.tail.extend(self._split_lines(job.name, text))
            return
        if not self.watch.is_composite:
            for line in text.splitlines():
                self.watch.record_line(job, line)
            self._log.write(text)
            self._log.flush()
            self._is_mid_line = bool(text) and not text.endswith("\n")
            return
        prefix = f"{self.watch.get_label(job)} | "
        for line in self._split_lines(job.name, text):
            self.watch.record_line(job, line)
            self._log.write(f"{prefix}{line}\n")
        self._log.flush()

    def show_note(self, job: FollowedJob, text: str) -> None:
        """Print smalt's own log of the job, such as the building of its environment."""
        label = self.watch.get_label(job)
        for line in self._split_lines(f"{job.name}\n", text):
            job.notes.append(line)
            if job.progress is not None and job.progress.is_repetition(line):
                continue
            if self._news is not None and not is_detail(line):
                self._news.write(f"{label} | {line}\n" if label else f"{line}\n")
        if self._news is not None:
            self._news.flush()

    def show_wait(self, line: str) -> None:
        """Print what a job waits for."""
        if self._news is not None:
            self._news.write(f"{line}\n")
            self._news.flush()

    def tick(self) -> None:
        """Do nothing while no event comes."""

    def close(self) -> None:
        """Print the text that did not end with a newline."""
        for key, rest in self._pending.items():
            job = self.watch.jobs[key.rstrip("\n")]
            if rest and not key.endswith("\n"):
                self.show_log(job, "\n")
            elif rest:
                self.show_note(job, "\n")
        if self._is_mid_line and self._shares_lines and self._news is not None:
            self._news.write("\n")  # the summary begins a line
            self._news.flush()

    def __enter__(self) -> LineView:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _split_lines(self, key: str, text: str) -> Iterator[str]:
        return split_lines(self._pending, key, text)


def is_detail(line: str) -> bool:
    """Return True if a line of smalt's own log is indented, and so belongs to the line before."""
    return line.startswith(" ")


def split_lines(pending: dict[str, str], key: str, text: str) -> Iterator[str]:
    """Yield the lines that `text` completes.

    Of a line redrawn with carriage returns (a progress bar) the last drawing.
    """
    *lines, rest = (pending.get(key, "") + text).split("\n")
    if len(rest) > _LONGEST:
        lines.append(rest)
        rest = ""
    pending[key] = rest
    for line in lines:
        yield line.rstrip("\r").rpartition("\r")[2]
