"""Follow a job to its end: its log, what happens, and how it ended."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click

from smalt.cli.framework.failure import INTERRUPTED, LOST
from smalt.cli.jobs.watch import Followed, Watch, duration
from smalt.exceptions import JobException, SmaltError

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation

_MOST_FAILURES = 3


class View(Protocol):
    """How a followed job is shown."""

    def changed(self, job: Followed, before: str) -> None: ...
    def log(self, job: Followed, text: str) -> None: ...
    def note(self, job: Followed, text: str) -> None: ...
    def tick(self) -> None: ...
    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...


def follow(to: Invocation, name: str) -> bool:
    """Show the job until it is over; whether it completed."""
    from smalt.client.jobs.event_stream import Lost, resumed

    watch = Watch(name)
    try:
        with _view(to, watch) as view:
            play(watch, view, resumed(lambda: to.client.jobs.events(name), partial(_tell_of_loss, to)))
    except KeyboardInterrupt:
        said = (
            f"\nno longer following {name}, which goes on; to follow it again: smalt job stream {name};"
            f" to end it: smalt job cancel {name}"
        )
        click.echo(to.completed(said), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except Lost as error:
        click.echo(to.completed(f"error: {error}; to follow it again: smalt job stream {name}"), err=True)
        raise click.exceptions.Exit(LOST) from None
    summarise(watch, sys.stderr, to.quiet, to.completed, is_below_log=_is_one_place(to))
    if not to.quiet:
        _tell_metrics(to, name)
    return watch.status == "Completed"


def _tell_of_loss(to: Invocation) -> None:
    to.note("the server went away; waiting for it to come back")


def play(watch: Watch, view: View, events: Iterable[dict[str, Any]]) -> None:
    """Show events as they come, up to the end of the job; a log that comes before its job is named waits for it."""
    held: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        kind = event.get("t")
        if kind == "log" and event["name"] not in watch.jobs:
            held.setdefault(event["name"], []).append(event)
        elif kind == "log":
            _show(watch, view, event)
        elif kind == "job":
            job, before = watch.update(event)
            for waiting in held.pop(job.name, ()):
                _show(watch, view, waiting)
            view.changed(job, before)
        elif kind == "end":
            watch.status = str(event["status"])
            return
        else:
            view.tick()
    raise JobException(f"the stream of job {watch.root.name} ended before the job")


def summarise(
    watch: Watch, stream: TextIO, quiet: bool, completed: Callable[[str], str] = str, *, is_below_log: bool = False
) -> None:
    """Say how it ended; after a failure which step failed, why, and the end of its log.

    `completed` gives a sentence with its commands as they work from here. Where the summary `is_below_log`, the end of
    a log that stands just above is not repeated.
    """
    root = watch.root
    took = f" after {duration(root.seconds)}" if root.seconds is not None else ""
    steps = watch.told_counts()
    if watch.status == "Completed":
        if not quiet:
            stream.write(f"job {root.name} Completed{took}{f' ({steps})' if steps else ''}\n")
        return
    failures = watch.failures() if watch.status == "Failed" else []
    for failed in failures[:_MOST_FAILURES]:
        _explain(watch, failed, stream, is_below_log=is_below_log)
    if len(failures) > _MOST_FAILURES:
        more = f"{len(failures) - _MOST_FAILURES} more steps failed; see: smalt job list -p {root.name}"
        stream.write(f"error: {completed(more)}\n")
    verb = "was canceled" if watch.status == "Canceled" else watch.status or "ended"
    why = f": {root.reason}" if watch.status == "Canceled" and root.reason else ""
    stream.write(f"error: job {root.name} {verb}{took}{f' ({steps})' if steps else ''}{why}\n")


def _tell_metrics(to: Invocation, name: str) -> None:
    """What was logged last; the job's end has been told, so whatever is wrong here is no news of it."""
    from smalt.cli.jobs.metrics import summary
    from smalt.client.jobs.metrics import Metrics

    with contextlib.suppress(SmaltError):
        for line in summary(name, Metrics(to.client).runs(name)):
            to.note(line)


def _show(watch: Watch, view: View, event: dict[str, Any]) -> None:
    show = view.note if str(event.get("file", "")).startswith("system_logs") else view.log
    show(watch.jobs[event["name"]], str(event["text"]))


def _explain(watch: Watch, failed: Followed, stream: TextIO, *, is_below_log: bool) -> None:
    reason = failed.reason.rstrip(".")
    if failed is watch.root:
        if reason:
            stream.write(f"error: {reason}\n")
        return
    tail = failed.tail or failed.notes
    ending = "; its log ends:" if tail else ", and wrote no log"
    if is_below_log and watch.is_still_seen(failed):
        tail, ending = deque(), ""
    stream.write(f"error: step {watch.label(failed)} failed{': ' + reason if reason else ''}{ending}\n")
    for line in tail:
        stream.write(f"    {line}\n")


def _is_one_place(to: Invocation) -> bool:
    """Return whether the log and the summary are read in one place: a terminal, or a file that takes both."""
    if to.wants_result:
        return True
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):
        return False


def _view(to: Invocation, watch: Watch) -> View:
    if sys.stdout.isatty() and not to.wants_result and os.environ.get("TERM") not in (None, "", "dumb"):
        from smalt.cli.jobs.step_tree import Tree

        return Tree(watch, quiet=to.quiet)
    from smalt.cli.jobs.log_output import Lines

    return Lines(watch, sys.stderr if to.wants_result else sys.stdout, None if to.quiet else sys.stderr)
