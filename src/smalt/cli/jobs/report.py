"""The report of `smalt job show`: a job with its error, the end of its log, its steps, and what it waits for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.cli.jobs.watch import COMPOSITE, format_duration
from smalt.client.jobs.trials import describe_progress, leave_out_trials
from smalt.client.transfers.progress import format_bytes

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation
    from smalt.cli.output.table import TableScreen
    from smalt.client import MLClient

Json = dict[str, Any]

_FIRST = (
    "name", "type", "status", "error", "waits_for", "duration_seconds", "first_line_seconds", "start_mode",
    "cold_reason", "imported_before", "saved_seconds", "cpu_seconds", "peak_memory_bytes",
)  # fmt: skip
_LEAST_SAVED = 0.05
_COLUMNS = ("step", "status", "start", "duration", "cpu", "memory", "remark")
_NARROW = ("step", "status", "start", "duration", "remark")
"""Columns where not all fit: why a step failed is read first."""
_NARROWEST = ("step", "status", "duration", "remark")
"""Columns where `start` would leave too little of the remarks."""
_LEAST_REMARK = 30


def fetch_report(client: MLClient, name: str) -> Json:
    """Return the job as plain data with its steps or trials, the end of its log, and the last values of its metrics."""
    from smalt.cli.jobs import trial_table
    from smalt.cli.output import plain_data as plain
    from smalt.client.jobs.metrics import MetricsReader

    overview = list(client.jobs.overview(name))
    shown = add_overview(plain.to_plain_data(client.jobs.get(name)), overview)
    latest = MetricsReader(client).get_latest([name]).get(name)
    shown = {**shown, "metrics": latest} if latest else shown
    return trial_table.add_trials(shown, client.jobs.trials(name), overview) if "trials" in overview[0] else shown


def add_overview(shown: Json, jobs: list[Json]) -> Json:
    """Return the job as plain data with the facts of `jobs`, the job itself and its descendants.

    The trials of a sweep are not among the steps: see `trial_table.py`.
    """
    facts = collect_facts(jobs[0])
    steps = leave_out_trials(jobs)[1:]
    if steps or (str(jobs[0]["type"]) in COMPOSITE and "trials" not in jobs[0]):
        facts["steps"] = [{"step": job["label"], "name": job["name"], **collect_facts(job)} for job in steps]
    told = {**shown, **facts}
    return {**{key: told.pop(key) for key in _FIRST if key in told}, **told}


def print_report(ctx: Invocation, shown: Json) -> None:
    """Print the job for a person: as YAML, then its steps or trials as a table and the ends of the logs."""
    import click

    from smalt.cli.jobs import trial_table
    from smalt.cli.output import results as output

    steps, tail, trials = (shown.pop(key, None) for key in ("steps", "log_tail", "trials"))
    ctx.print_result(shown)
    screen = output.get_screen(sys.stdout)
    if steps:
        click.echo(f"\n{render_steps(steps, screen)}", nl=False)
    if trials:
        click.echo(f"\n{trial_table.render_trials(trials, shown, screen)}", nl=False)
    for heading, lines in [*_find_log_tails(steps or [], tail), *_find_log_tails(trials or [], None, "trial")]:
        click.echo(f"\n{heading}")
        for line in lines:
            click.echo(f"    {line}")


def render_steps(steps: list[Json], screen: TableScreen) -> str:
    """Return the steps as a table that fits the screen; how they started is in it if any started warm."""
    from smalt.cli.output.table import render_table

    has_start = any(step.get("start_mode") == "warm" and not step.get("reused") for step in steps)
    rows = [_build_row(step, has_start=has_start) for step in steps]
    if screen.width is None or _measure_table(rows, _COLUMNS) <= screen.width:
        return render_table(rows, _COLUMNS, screen)
    cut = [{**row, "remark": row["remark"][:_LEAST_REMARK]} for row in rows]
    if _measure_table(cut, _NARROW) <= screen.width:
        return render_table(rows, _NARROW, screen)
    return render_table([_build_row(step, has_start=False) for step in steps], _NARROWEST, screen)


def _measure_table(rows: list[Json], columns: tuple[str, ...]) -> int:
    from smalt.cli.output.table import render_table

    return max(len(line) for line in render_table(rows, columns).splitlines())


def collect_facts(job: Json) -> Json:
    """Return the facts about the course of a job; keys without a value are left out."""
    start, end = job.get("start"), job.get("end")
    never_ran = job["status"] == "Canceled" and start == end
    facts = {
        "status": job["status"],
        "error": job.get("error"),
        "waits_for": job.get("waits_for"),
        "duration_seconds": None if start is None or end is None or never_ran else round(end - start, 3),
        "first_line_seconds": job.get("first_line_seconds"),
        "start_mode": job.get("start_mode"),
        "cold_reason": job.get("cold_reason"),
        "imported_before": job.get("imported_before"),
        "saved_seconds": job.get("saved_seconds"),
        "cpu_seconds": job.get("cpu_seconds"),
        "peak_memory_bytes": job.get("peak_memory_bytes"),
        "reused": job.get("reused"),
        "log_tail": job.get("log_tail"),
        "trials": job.get("trials") if job.get("parent") else None,
    }
    return {key: value for key, value in facts.items() if value is not None}


def _build_row(step: Json, *, has_start: bool) -> Json:
    """Return a step as a row of the table; `has_start` is true if a column says how it started."""
    peak = step.get("peak_memory_bytes")
    told = {
        "start": "" if step.get("reused") or not has_start else step.get("start_mode") or "",
        "duration": format_duration(step.get("duration_seconds")),
        "cpu": format_duration(step.get("cpu_seconds")),
        "memory": "" if peak is None else format_bytes(peak),
        "remark": _get_remark(step) or _describe_warm_start(step, has_start=has_start),
    }
    return {**step, **told}


def _get_remark(step: Json) -> str:
    if step.get("reused"):
        return f"reused {step['reused']}"
    if step.get("error"):
        return str(step["error"].get("message") or "")
    if step.get("trials"):
        return describe_progress(step["trials"])
    if step.get("waits_for"):
        return f"waits for {step['waits_for']}"
    return ""


def _describe_warm_start(step: Json, *, has_start: bool) -> str:
    if step.get("start_mode") != "warm":
        return ""
    saved = step.get("saved_seconds") or 0.0
    words = [*([] if has_start else ["warm"]), *([f"saved about {saved:.1f} s"] if saved >= _LEAST_SAVED else [])]
    return ", ".join(words)


def _find_log_tails(steps: list[Json], own: list[str] | None, word: str = "step") -> Iterator[tuple[str, list[str]]]:
    if own:
        yield "end of its log:", own
    for step in steps:
        if step.get("log_tail"):
            yield f"end of the log of {word} {step[word]}:", step["log_tail"]
