"""Follow a job to its end: its log, its progress, and its result."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click

from smalt.cli.framework.failure import INTERRUPTED, LOST
from smalt.cli.jobs.watch import FollowedJob, JobWatch, format_duration
from smalt.exceptions import JobException, SmaltError

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation

_MOST_FAILURES = 3


class JobView(Protocol):
    """A view of a followed job."""

    def show_status(self, job: FollowedJob, before: str) -> None: ...
    def show_log(self, job: FollowedJob, text: str) -> None: ...
    def show_note(self, job: FollowedJob, text: str) -> None: ...
    def show_wait(self, line: str) -> None: ...
    def tick(self) -> None: ...
    def __enter__(self) -> JobView: ...
    def __exit__(self, *_: object) -> None: ...


def follow_job(ctx: Invocation, name: str) -> bool:
    """Show the job until it ends; return True if it completed."""
    from smalt.client.jobs.event_stream import ServerLost, stream_events

    watch = JobWatch(name)
    try:
        events = stream_events(
            lambda: ctx.client.jobs.events(name, trial_logs=False),
            partial(_note_lost_server, ctx, watch),
            partial(ctx.print_note, "the server is back"),
        )
        first = list(islice(events, 1))  # before anything is drawn: there may be no such job
        with _make_view(ctx, watch) as view:
            show_events(watch, view, chain(first, events))
    except KeyboardInterrupt:
        said = (
            f"\nstopped following {name}, which continues to run; to follow it again: smalt job stream {name};"
            f" to end it: smalt job cancel {name}"
        )
        click.echo(ctx.complete_commands(said), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except ServerLost as error:
        click.echo(ctx.complete_commands(f"error: {error}; to follow it again: smalt job stream {name}"), err=True)
        raise click.exceptions.Exit(LOST) from None
    print_summary(watch, sys.stderr, ctx.quiet, ctx.complete_commands, is_below_log=_is_same_stream(ctx))
    if not ctx.quiet:
        _print_metrics(ctx, watch)
    return watch.status == "Completed"


def _note_lost_server(ctx: Invocation, watch: JobWatch) -> None:
    watch.clear_wait()  # the next connection tells of the waits of then only
    ctx.print_note("lost the server; waiting for it to come back")


def show_events(watch: JobWatch, view: JobView, events: Iterable[dict[str, Any]]) -> None:
    """Show events as they come, up to the end of the job; a log that arrives before its job waits for the job."""
    held: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        kind = event.get("t")
        if kind == "log" and event["name"] not in watch.jobs:
            held.setdefault(event["name"], []).append(event)
        elif kind == "log":
            _show_log(watch, view, event)
        elif kind == "job":
            job, before = watch.apply_event(event)
            for waiting in held.pop(job.name, ()):
                _show_log(watch, view, waiting)
            view.show_status(job, before)
        elif kind == "wait":
            if line := watch.apply_wait(event):
                view.show_wait(line)
        elif kind == "end":
            watch.status = str(event["status"])
            return
        else:
            if line := watch.make_delayed_wait_line():
                view.show_wait(line)
            view.tick()
    raise JobException(f"the stream of job {watch.root.name} ended before the job")


def print_summary(
    watch: JobWatch,
    stream: TextIO,
    quiet: bool,
    complete_commands: Callable[[str], str] = str,
    *,
    is_below_log: bool = False,
) -> None:
    """Print the job's result; after a failure, which step failed, why, and the end of its log.

    `complete_commands` adds the workspace to the commands in a sentence. If the summary `is_below_log`, the end of a
    log
    that is just above is not repeated.
    """
    root = watch.root
    took = f" after {format_duration(root.seconds)}" if root.seconds is not None else ""
    steps = watch.format_counts()
    if watch.status == "Completed":
        if not quiet:
            stream.write(f"job {root.name} Completed{took}{f' ({steps})' if steps else ''}\n")
            stream.writelines(f"{complete_commands(line)}\n" for line in _describe_best(root))
        return
    failures = watch.find_failures() if watch.status == "Failed" else []
    for failed in failures[:_MOST_FAILURES]:
        _explain_failure(watch, failed, stream, is_below_log=is_below_log)
    if len(failures) > _MOST_FAILURES:
        word = "trials" if root.progress is not None else "steps"
        more = f"{len(failures) - _MOST_FAILURES} more {word} failed; see: smalt job list -p {root.name}"
        stream.write(f"error: {complete_commands(more)}\n")
    verb = "was canceled" if watch.status == "Canceled" else watch.status or "ended"
    why = f": {root.reason}" if watch.status == "Canceled" and root.reason else ""
    stream.write(f"error: job {root.name} {verb}{took}{f' ({steps})' if steps else ''}{why}\n")
    stream.writelines(f"{complete_commands(line)}\n" for line in _describe_best(root))


def _describe_best(root: FollowedJob) -> Iterator[str]:
    """Yield lines about the best trial of a sweep, and how to get it."""
    progress = root.progress
    if progress is None or progress.best is None:
        return
    yield f"best trial: {progress.describe_best()}"
    if root.type != "automl" or root.status == "Completed":  # AutoML's search stores the models at its end
        yield f"to get its files: smalt job download --name {root.name} --all"
    yield f"to see all trials: smalt job compare {root.name} --html {root.name}.html"


def _print_metrics(ctx: Invocation, watch: JobWatch) -> None:
    """Print the last metrics, but not those by which AutoML's searches tell smalt of their trials.

    Errors are ignored, as the job's result has been printed.
    """
    from smalt.cli.jobs.metrics import summarise_metrics
    from smalt.client.jobs.metrics import MetricsReader

    with contextlib.suppress(SmaltError):
        name = watch.root.name
        runs = MetricsReader(ctx.client).get_runs(name, trials=False)
        jobs = watch.jobs
        searches = {job.name for job in jobs.values() if job.parent in jobs and jobs[job.parent].type == "automl"}
        for line in summarise_metrics(name, runs, searches):
            ctx.print_note(line)


def _show_log(watch: JobWatch, view: JobView, event: dict[str, Any]) -> None:
    show = view.show_note if str(event.get("file", "")).startswith("system_logs") else view.show_log
    show(watch.jobs[event["name"]], str(event["text"]))


def _explain_failure(watch: JobWatch, failed: FollowedJob, stream: TextIO, *, is_below_log: bool) -> None:
    reason = _find_reason(watch, failed).rstrip(".")
    if failed is watch.root:
        if reason:
            stream.write(f"error: {reason}\n")
        return
    tail = failed.tail or failed.notes
    ending = "; its log ends:" if tail else " (it wrote no log)"
    if failed.is_explained or (is_below_log and watch.is_tail_visible(failed)):
        tail, ending = deque(), ""
    label = watch.get_label(failed)
    label = label if failed.sweep else f"step {label}"
    stream.write(f"error: {label} failed{': ' + reason if reason else ''}{ending}\n")
    for line in tail:
        stream.write(f"    {line}\n")


def _find_reason(watch: JobWatch, failed: FollowedJob) -> str:
    """Return why a job failed; of AutoML's search the sentence that it gave its job, not that its command failed."""
    above = watch.jobs.get(failed.parent or "")
    if above is not None and above.type == "automl" and not failed.sweep and above.reason:
        return above.reason.removeprefix("the search failed: ")
    return failed.reason


def _is_same_stream(ctx: Invocation) -> bool:
    """Return True if log and summary are read in one place: a terminal, or a file that takes both."""
    if ctx.has_output_options:
        return True
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):
        return False


def _make_view(ctx: Invocation, watch: JobWatch) -> JobView:
    if sys.stdout.isatty() and not ctx.has_output_options and os.environ.get("TERM") not in (None, "", "dumb"):
        from smalt.cli.jobs.step_tree import StepTree

        return StepTree(watch, quiet=ctx.quiet)
    from smalt.cli.jobs.log_output import LineView

    log, news = sys.stderr if ctx.has_output_options else sys.stdout, None if ctx.quiet else sys.stderr
    return LineView(watch, log, news, shares_lines=_is_same_stream(ctx))
