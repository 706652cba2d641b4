"""The output of a followed job for a program or a notebook: logs unchanged, and the progress beside them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any, TextIO

from smalt.client.jobs.sweep_progress import SweepTracker
from smalt.client.jobs.trials import is_terminated
from smalt.client.jobs.wait_lines import WaitLines
from smalt.client.transfers.progress import format_duration

Event = dict[str, Any]

_TOLD = ("Running", "Completed", "Failed", "Canceled")
_OVER = _TOLD[1:]
_MOST_TAILS = 3
"""As many failed trials of a sweep as show the ends of their logs."""


class StreamPrinter:
    """Print the job's own log unchanged, each step's log below a line with its name, and the progress.

    Progress is what the job waits for, the building of environments, each step's start, end and reuse, and the totals.
    It goes to standard error; in a notebook, where that looks like a failure, to standard output. Of a sweep's trials
    it is each one's end; a sweep that is one step among others has a line for a tenth of them.
    """

    def __init__(self, *, shows_progress: bool = True) -> None:
        self._shows_progress = shows_progress
        self._root = ""
        self._last = ""
        self._is_open = False
        """The last line of the log has no end yet."""
        self._jobs: dict[str, Event] = {}
        self._notes: dict[str, str] = {}
        """The beginning of a line of smalt's own log, by job."""
        self._tracker = SweepTracker()
        self._wait_lines = WaitLines()

    def __call__(self, event: Event) -> None:
        kind = event.get("t")
        self._root = self._root or str(event.get("name") or "")  # what is followed comes before its steps
        if kind == "job":
            self._print_change(event)
        elif kind == "log" and str(event.get("file", "")).startswith("user_logs"):
            self._print_log(str(event["name"]), str(event["text"]))
        elif kind == "log":
            self._print_notes(str(event["name"]), str(event["text"]))
        elif kind == "wait":
            line = self._wait_lines.make_line(event, self._get_label(self._jobs.get(event["name"], event)))
            if line:
                self._print_progress(line)
        elif kind == "end":
            self._print_end(str(event.get("status")))
        elif line := self._wait_lines.make_delayed_line():
            self._print_progress(line)

    def _print_log(self, name: str, text: str) -> None:
        sweep = self._tracker.sweeps.get(self._tracker.get_sweep(name))
        if sweep is not None:
            sweep.shown_tails += 1
            if sweep.shown_tails > _MOST_TAILS:
                return
        if name != (self._last or self._root):
            newline = "\n" if self._is_open else ""
            sys.stdout.write(f"{newline}--- {name}\n")
        self._last, self._is_open = name, not text.endswith("\n")
        sys.stdout.write(text)
        sys.stdout.flush()

    def _print_change(self, event: Event) -> None:
        before = self._jobs.get(event["name"], {})
        self._jobs[event["name"]] = event
        self._tracker.add_event(event)
        status = event.get("status")
        if sweep := self._tracker.get_sweep(event["name"]):
            if event["parent"] == sweep and status in _OVER and status != before.get("status"):
                self._print_trial_end(event, sweep)
            return
        if event["name"] == self._root or status == before.get("status") or status not in _TOLD:
            return
        how = f", reused from {event['reused']}" if event.get("reused") else self._format_duration(event, " in ")
        progress = self._tracker.sweeps.get(event["name"])
        trials = f", {progress.describe()}" if progress is not None and status in _OVER else ""
        why = f" ({event['error']['message']})" if status == "Canceled" and event.get("error") else ""
        self._print_progress(f"{self._get_label(event)}: {status}{how}{trials}{why}")

    def _print_trial_end(self, event: Event, sweep: str) -> None:
        progress = self._tracker.sweeps[sweep]
        if sweep != self._root:
            if progress.is_worth_a_line():
                self._print_progress(f"{self._get_label(self._jobs[sweep])}: {progress.describe()}")
            return
        how = ", reused" if event.get("reused") else self._format_duration(event, " in ")
        status = "Terminated" if is_terminated(event) else event["status"]
        end = progress.describe_end(progress.get_trial(event["name"]))
        self._print_progress(f"{self._get_label(event)}: {status}{how}{end}")

    def _print_notes(self, name: str, text: str) -> None:
        """Print whole lines of smalt's own log of a job; indented lines are details and left out."""
        *lines, self._notes[name] = (self._notes.get(name, "") + text).split("\n")
        label, sweep = self._get_label(self._jobs.get(name, {"name": name})), self._tracker.sweeps.get(name)
        for line in lines:
            if line and not line.startswith(" ") and not (sweep is not None and sweep.is_repetition(line)):
                self._print_progress(f"{label} | {line}" if label else line)

    def _print_end(self, status: str) -> None:
        steps = [job for job in self._jobs.values() if job["name"] != self._root and self._is_counted(job)]
        parents = {job.get("parent") for job in steps}
        counts = Counter(str(job.get("status")) for job in steps if job["name"] not in parents)
        reused = sum(bool(job.get("reused")) for job in steps)
        told = [
            f"{number} {state}{f' ({reused} reused)' if reused and state == 'Completed' else ''}"
            for state, number in counts.most_common()
        ]
        totals = f" ({', '.join(told)})" if told else ""
        if self._is_open and self._last != self._root:
            sys.stdout.write("\n")
            self._is_open = False
        self._print_progress(
            f"job {self._root} {status}{self._format_duration(self._jobs.get(self._root, {}), ' after ')}{totals}"
        )
        progress = self._tracker.sweeps.get(self._root)
        if progress is not None and progress.best is not None:
            self._print_progress(f"best trial: {progress.describe_best()}")
            if status == "Completed" or self._jobs.get(self._root, {}).get("type") != "automl":
                self._print_progress(f"to get its files: ml_client.jobs.download('{self._root}', all=True)")

    def _is_counted(self, job: Event) -> bool:
        """Return True for the trials of a followed sweep, and for all jobs that are no part of a trial."""
        sweep = self._tracker.get_sweep(job["name"])
        return not sweep or (sweep == self._root and job.get("parent") == sweep)

    def _get_label(self, job: Event) -> str:
        """Return the path of nodes from the followed job to this one; "" for the followed job itself."""
        names: list[str] = []
        while job and job.get("name") != self._root and job.get("name"):
            names.append(str(job.get("node") or job["name"]))
            job = self._jobs.get(str(job.get("parent") or ""), {})
        return "/".join(reversed(names))

    def _format_duration(self, job: Event, word: str) -> str:
        start, end = job.get("start"), job.get("end")
        if not isinstance(start, (int, float)) or not isinstance(end, (int, float)) or start == end:
            return ""
        return f"{word}{format_duration(end - start)}" if job.get("status") in _OVER else ""

    def _print_progress(self, line: str) -> None:
        if not self._shows_progress:
            return
        stream = _get_progress_stream()
        if self._is_open and stream is sys.stdout:
            stream.write("\n")
            self._is_open = False
        stream.write(f"{line}\n")
        stream.flush()


def _get_progress_stream() -> TextIO:
    ipython = sys.modules.get("IPython")
    in_notebook = ipython is not None and ipython.get_ipython() is not None
    ours: Any = sys.modules.get("smalt.python.display")
    return sys.stdout if in_notebook or (ours is not None and ours.shell is not None) else sys.stderr
