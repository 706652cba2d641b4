"""The view of a followed job on a terminal: the log scrolls above a tree of the pipeline's steps, states and times."""

from __future__ import annotations

import sys
import time
from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from smalt.cli.jobs.log_output import is_detail, split_lines
from smalt.cli.jobs.sweep_screen import render_progress
from smalt.cli.jobs.trial_ends import MOST_TAILS, describe_trial_end
from smalt.cli.jobs.watch import FollowedJob, JobWatch, format_duration

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {"Completed": ("✓", "green"), "Failed": ("✗", "bold red"), "Canceled": ("–", "yellow")}
_WAITING = frozenset({"NotStarted", "Queued"})
_LEAST_ROWS = 3
_MOST_UNENDED = 4


class StepTree:
    """A live view, which leaves the final tree behind when it is closed."""

    def __init__(self, watch: JobWatch, quiet: bool = False, console: Console | None = None) -> None:
        self.watch = watch
        self._quiet = quiet
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._plain = (self._console.encoding or "").lower().replace("-", "") != "utf8"
        self._pending: dict[str, str] = {}
        self._live = Live(
            get_renderable=self.render_tree,
            console=self._console,
            transient=True,
            refresh_per_second=5,
            redirect_stderr=False,
        )

    def show_status(self, job: FollowedJob, before: str) -> None:
        """Print the first trials that fail, with the ends of their logs: the live part shows all else itself."""
        above = self.watch.jobs.get(job.parent or "")
        progress = above.progress if above is not None and not above.sweep else None
        if progress is None or self._quiet or job.status != "Failed" or before == "Failed":
            return
        if progress.shown_tails < MOST_TAILS:
            for line in describe_trial_end(self.watch, job):
                self._console.print(Text(line, style="red" if line[0] != " " else ""))

    def show_log(self, job: FollowedJob, text: str) -> None:
        if job.sweep:  # kept for the case that the trial fails
            job.tail.extend(split_lines(self._pending, job.name, text))
            return
        self._print_lines(job, text, job.name, dim=False)

    def show_note(self, job: FollowedJob, text: str) -> None:
        if self._quiet:
            for line in split_lines(self._pending, f"{job.name}\n", text):
                job.notes.append(line)
            return
        self._print_lines(job, text, f"{job.name}\n", dim=True)

    def show_wait(self, line: str) -> None:
        """Do nothing: the live part shows what each job waits for."""

    def tick(self) -> None:
        """Do nothing: the live part counts the seconds itself."""

    def __enter__(self) -> StepTree:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        for key, rest in list(self._pending.items()):
            if rest:
                self._print_lines(self.watch.jobs[key.rstrip("\n")], "\n", key, dim=key.endswith("\n"))
        self._live.stop()
        if self.watch.is_composite:
            self._console.print(self.render_tree())
        sys.stdout.flush()

    def render_tree(self) -> RenderableType:
        """Return the tree, or at most half a screen of it."""
        room = max(_LEAST_ROWS, self._console.size.height // 2 - 2)
        rows = self._build_rows(self.watch.root, "", "")
        shown = rows if len(rows) <= room else _select_rows(rows, room - 1)
        lines: list[RenderableType] = [*self._render_unended(), *(self._render_row(job, start) for job, start in shown)]
        if self.watch.root.progress is not None:
            lines += render_progress(self.watch, room, plain=self._plain)
        left = Counter(job.status for job, _ in rows) - Counter(job.status for job, _ in shown)
        if left:
            rest = ", ".join(f"{number} {status}" for status, number in left.most_common())
            lines.append(Text(f"{'...' if self._plain else '…'} and {rest}", style="dim"))
        return Group(*lines)

    def _render_unended(self) -> list[Text]:
        """Return the log lines that are redrawn with carriage returns and have no end yet: progress bars."""
        found = []
        for key, text in self._pending.items():
            drawn = text.rstrip("\r").rpartition("\r")[2]
            if "\r" in text and drawn.strip():
                line = self._add_prefix(self.watch.jobs[key.rstrip("\n")], drawn, dim=key.endswith("\n"))
                line.no_wrap, line.overflow = True, "ellipsis"
                found.append(line)
        return found[:_MOST_UNENDED]

    def _build_rows(self, job: FollowedJob, start: str, indent: str) -> list[tuple[FollowedJob, str]]:
        rows = [(job, start)]
        branch, last, bar = ("|-- ", "`-- ", "|   ") if self._plain else ("├── ", "└── ", "│   ")
        children = [name for name in job.children if not self.watch.jobs[name].sweep]
        for number, name in enumerate(children, 1):
            final = number == len(children)
            child = self.watch.jobs[name]
            rows += self._build_rows(child, indent + (last if final else branch), indent + ("    " if final else bar))
        return rows

    def _render_row(self, job: FollowedJob, start: str) -> Text:
        mark, colour = self._get_mark(job)
        title = job.name if job is self.watch.root else job.node
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(start, style="dim")
        line.append(f"{mark} ", style=colour)
        line.append(f"{title}  ", style="bold" if job is self.watch.root else "")
        line.append(job.status, style=colour)
        if job.reused:
            line.append(f"  reused {job.reused}", style="dim")
        elif job.start is not None:
            line.append(f"  {format_duration(job.seconds)}", style="dim")
        if job.waits_for:
            line.append(f"  waits for {job.waits_for}", style="dim")
        if job.progress is not None and job is not self.watch.root:
            line.append(f"  {job.progress.describe()}")
        if job.status in ("Failed", "Canceled") and not job.children and job.reason:
            line.append(f"  {job.reason.splitlines()[0]}", style=colour)
        return line

    def _get_mark(self, job: FollowedJob) -> tuple[str, str]:
        if job.status in _MARKS:
            mark, colour = _MARKS[job.status]
            return ({"✓": "+", "✗": "x", "–": "-"}[mark] if self._plain else mark), colour
        if job.status in _WAITING:
            return ("." if self._plain else "○"), "dim"
        frame = int(time.monotonic() * 8)
        return ("*" if self._plain else _SPINNER[frame % len(_SPINNER)]), "cyan"

    def _print_lines(self, job: FollowedJob, text: str, key: str, dim: bool) -> None:
        for line in split_lines(self._pending, key, text):
            if dim:
                job.notes.append(line)
                if job.progress is not None and job.progress.is_repetition(line):
                    continue
            else:
                self.watch.record_line(job, line)
            if not dim or not is_detail(line):
                self._console.print(self._add_prefix(job, line, dim))

    def _add_prefix(self, job: FollowedJob, line: str, dim: bool) -> Text:
        body = Text.from_ansi(line, style="dim" if dim else "")
        label = self.watch.get_label(job) if self.watch.is_composite else ""
        if not label:
            return body
        colour = _COLOURS[sum(label.encode()) % len(_COLOURS)]
        return Text.assemble((f"{label} | ", colour), body)


def _select_rows(rows: list[tuple[FollowedJob, str]], room: int) -> list[tuple[FollowedJob, str]]:
    """Return the rows that matter most (failed, then running, then waiting, then ended), in their order."""

    def weight(index: int) -> tuple[int, int]:
        job = rows[index][0]
        if index == 0:
            return (0, 0)
        order = {"Failed": 1, "Canceled": 4, "Completed": 5}
        return (order.get(job.status, 3 if job.status in _WAITING else 2), index)

    chosen = sorted(sorted(range(len(rows)), key=weight)[: max(1, room)])
    return [rows[index] for index in chosen]
