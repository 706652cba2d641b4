"""The live table of a followed sweep on a terminal: how many trials there are, the best, the last, and what runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from smalt.cli.jobs.watch import JobWatch, format_duration
from smalt.client.jobs.sweep_progress import SweepProgress
from smalt.client.jobs.trials import format_metric, format_point, is_terminated

Json = dict[str, Any]

_LABEL = 9
_MOST_RUNNING = 4
_LEFT = frozenset({"NotStarted", "Queued"})
_ENDS = ("Completed", "Failed", "Terminated", "Canceled")


def render_progress(watch: JobWatch, room: int, *, plain: bool) -> Iterator[Text]:
    """Yield the lines of the table, as many as there is room for; each is as wide as the terminal at the most."""
    progress = watch.root.progress
    assert progress is not None
    yield _make_line("trials", _describe_counts(progress))
    if progress.best is not None:
        yield _render_trial("best", progress, progress.best, "green")
    if progress.last is not None and not watch.root.is_over:
        yield _render_trial("last", progress, progress.last, "")
    running = [] if watch.root.is_over else progress.running
    shown = running[: max(1, min(_MOST_RUNNING, room - 4))]
    for number, trial in enumerate(shown):
        job = watch.jobs[trial["name"]]
        line = _make_line("running" if number == 0 else "", job.node)
        line.append(f"  {job.status}  {format_duration(job.seconds)}" if job.start is not None else f"  {job.status}")
        line.append(f"  {format_point(trial['trial']['parameters'])}", style="dim")
        yield line
    if len(running) > len(shown):
        yield _make_line("", f"{'...' if plain else '…'} and {len(running) - len(shown)} more")


def _describe_counts(progress: SweepProgress) -> str:
    """Return how many trials have ended, and how; how many run, and how many are still to come."""
    counts = progress.counts
    ends = {status: counts[status] for status in _ENDS if counts[status]}
    waiting = sum(counts[status] for status in _LEFT)
    if progress.total is not None:
        waiting += progress.total - counts.total()
    running = counts.total() - sum(counts[status] for status in _LEFT) - sum(ends.values())
    told = [f"{number} {status}" for status, number in ends.items()]
    told += [f"{running} running"] if running else []
    told += [f"{waiting} to come"] if waiting else []
    details = f": {', '.join(told)}" if told else ""
    total = "" if progress.total is None else f" of {progress.total}"
    return f"{sum(ends.values())}{total}{details}"


def _render_trial(label: str, progress: SweepProgress, trial: Json, colour: str) -> Text:
    value = trial["trial"]["value"]
    line = _make_line(label, str(trial["node"]))
    if value is not None:
        line.append(f"  {progress.metric} {format_metric(value)}", style=colour)
    if label == "last":
        line.append(f"  {'Terminated' if is_terminated(trial) else trial['status']}")
    line.append(f"  {format_point(trial['trial']['parameters'])}", style="dim")
    return line


def _make_line(label: str, text: str) -> Text:
    return Text.assemble((f"  {label:<{_LABEL}}", "dim"), text, no_wrap=True, overflow="ellipsis")
