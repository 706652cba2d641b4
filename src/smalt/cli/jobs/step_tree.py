"""A followed job on a terminal: the log scrolls, below it stands the tree of the pipeline with state and time."""

from __future__ import annotations

import sys
import time
from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from smalt.cli.jobs.log_output import is_detail, whole_lines
from smalt.cli.jobs.watch import Followed, Watch, duration

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {"Completed": ("✓", "green"), "Failed": ("✗", "bold red"), "Canceled": ("–", "yellow")}
_WAITING = frozenset({"NotStarted", "Queued"})
_LEAST_ROWS = 3
_MOST_UNENDED = 4


class Tree:
    """The live view; also what it leaves behind when it is closed."""

    def __init__(self, watch: Watch, quiet: bool = False, console: Console | None = None) -> None:
        self.watch = watch
        self._quiet = quiet
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._plain = (self._console.encoding or "").lower().replace("-", "") != "utf8"
        self._pending: dict[str, str] = {}
        self._live = Live(
            get_renderable=self.render,
            console=self._console,
            transient=True,
            refresh_per_second=5,
            redirect_stderr=False,
        )

    def changed(self, job: Followed, before: str) -> None:
        """The live part shows it by itself."""

    def log(self, job: Followed, text: str) -> None:
        self._print(job, text, job.name, dim=False)

    def note(self, job: Followed, text: str) -> None:
        if self._quiet:
            for line in whole_lines(self._pending, f"{job.name}\n", text):
                job.notes.append(line)
            return
        self._print(job, text, f"{job.name}\n", dim=True)

    def tick(self) -> None:
        """The live part counts the seconds by itself."""

    def __enter__(self) -> Tree:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        for key, rest in list(self._pending.items()):
            if rest:
                self._print(self.watch.jobs[key.rstrip("\n")], "\n", key, dim=key.endswith("\n"))
        self._live.stop()
        if self.watch.is_composite:
            self._console.print(self.render())
        sys.stdout.flush()

    def render(self) -> RenderableType:
        """The tree as it stands, at most half a screen of it."""
        room = max(_LEAST_ROWS, self._console.size.height // 2 - 2)
        rows = self._rows(self.watch.root, "", "")
        shown = rows if len(rows) <= room else _most_telling(rows, room - 1)
        lines: list[RenderableType] = [*self._unended(), *(self._row(job, start) for job, start in shown)]
        left = Counter(job.status for job, _ in rows) - Counter(job.status for job, _ in shown)
        if left:
            rest = ", ".join(f"{number} {status}" for status, number in left.most_common())
            lines.append(Text(f"{'...' if self._plain else '…'} and {rest}", style="dim"))
        return Group(*lines)

    def _unended(self) -> list[Text]:
        """Return the lines of logs that are redrawn with carriage returns and have no end yet: progress bars."""
        found = []
        for key, text in self._pending.items():
            drawn = text.rstrip("\r").rpartition("\r")[2]
            if "\r" in text and drawn.strip():
                line = self._prefixed(self.watch.jobs[key.rstrip("\n")], drawn, dim=key.endswith("\n"))
                line.no_wrap, line.overflow = True, "ellipsis"
                found.append(line)
        return found[:_MOST_UNENDED]

    def _rows(self, job: Followed, start: str, indent: str) -> list[tuple[Followed, str]]:
        rows = [(job, start)]
        branch, last, bar = ("|-- ", "`-- ", "|   ") if self._plain else ("├── ", "└── ", "│   ")
        children = list(job.children)
        for number, name in enumerate(children, 1):
            final = number == len(children)
            child = self.watch.jobs[name]
            rows += self._rows(child, indent + (last if final else branch), indent + ("    " if final else bar))
        return rows

    def _row(self, job: Followed, start: str) -> Text:
        mark, colour = self._mark(job)
        title = job.name if job is self.watch.root else job.node
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(start, style="dim")
        line.append(f"{mark} ", style=colour)
        line.append(f"{title}  ", style="bold" if job is self.watch.root else "")
        line.append(job.status, style=colour)
        if job.reused:
            line.append(f"  reused {job.reused}", style="dim")
        elif job.start is not None:
            line.append(f"  {duration(job.seconds)}", style="dim")
        if job.status == "Failed" and not job.children and job.reason:
            line.append(f"  {job.reason.splitlines()[0]}", style="red")
        return line

    def _mark(self, job: Followed) -> tuple[str, str]:
        if job.status in _MARKS:
            mark, colour = _MARKS[job.status]
            return ({"✓": "+", "✗": "x", "–": "-"}[mark] if self._plain else mark), colour
        if job.status in _WAITING:
            return ("." if self._plain else "○"), "dim"
        frame = int(time.monotonic() * 8)
        return ("*" if self._plain else _SPINNER[frame % len(_SPINNER)]), "cyan"

    def _print(self, job: Followed, text: str, key: str, dim: bool) -> None:
        for line in whole_lines(self._pending, key, text):
            if dim:
                job.notes.append(line)
            else:
                self.watch.show(job, line)
            if not dim or not is_detail(line):
                self._console.print(self._prefixed(job, line, dim))

    def _prefixed(self, job: Followed, line: str, dim: bool) -> Text:
        body = Text.from_ansi(line, style="dim" if dim else "")
        label = self.watch.label(job) if self.watch.is_composite else ""
        if not label:
            return body
        colour = _COLOURS[sum(label.encode()) % len(_COLOURS)]
        return Text.assemble((f"{label} | ", colour), body)


def _most_telling(rows: list[tuple[Followed, str]], room: int) -> list[tuple[Followed, str]]:
    """The rows that matter most (failed, then running, then waiting, then over), in their order."""

    def weight(index: int) -> tuple[int, int]:
        job = rows[index][0]
        if index == 0:
            return (0, 0)
        order = {"Failed": 1, "Canceled": 4, "Completed": 5}
        return (order.get(job.status, 3 if job.status in _WAITING else 2), index)

    chosen = sorted(sorted(range(len(rows)), key=weight)[: max(1, room)])
    return [rows[index] for index in chosen]
