"""Waiting for the end of a canceled job: what still ends is named at a terminal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from smalt.cli.jobs.watch import COMPOSITE, OVER
from smalt.exceptions import SmaltError

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation
    from smalt.client.collections.pollers import LROPoller

_SILENCE = 2.0
"""Seconds without a word: most processes end sooner."""
_GRACE = 30
"""Seconds that the server gives processes to end (`service/engine/kinds/leaf/step_spec.py`)."""
_MOST = 3


def wait_for_end(ctx: Invocation, name: str, poller: LROPoller[None]) -> None:
    """Wait until a canceled job has ended; after two seconds tell a person what it waits for."""
    poller.wait(_SILENCE)
    if not poller.done():
        with contextlib.suppress(SmaltError):  # if the server has gone, the wait says so
            ctx.print_hint(describe_unended(name, list(ctx.client.jobs.overview(name))))
    poller.wait()


def describe_unended(name: str, jobs: list[dict[str, Any]]) -> str:
    """Return a sentence about those of a job and its descendants whose processes have not ended."""
    labels = [
        str(job["label"])
        for job in jobs
        if job["status"] not in OVER and job.get("start") is not None and str(job["type"]) not in COMPOSITE
    ]
    names = ", ".join(f"'{label}'" for label in labels[:_MOST] if label)
    more = f" and {len(labels) - _MOST} more" if len(labels) > _MOST else ""
    which = f"the processes of {'step' if len(labels) == 1 else 'steps'} {names}{more}" if names else "its processes"
    return (
        f"job {name} is being canceled; waiting for {which}, which have up to {_GRACE} s to end before they are killed"
        " (Ctrl-C ends only the waiting)"
    )
