"""Downloads of jobs that have no files of their own."""

from __future__ import annotations

from itertools import islice

from smalt.cli.framework.verb import Invocation

_MOST_STEPS = 5
"""As many steps of a pipeline as a line names."""


def explain_empty_download(ctx: Invocation, name: str, all: bool) -> None:
    """Print that nothing was downloaded, and how to download the files of a step."""
    steps = [str(step.name) for step in islice(ctx.client.jobs.list(parent_job_name=name), _MOST_STEPS + 1)]
    more = "" if all else "; --all also downloads its outputs and the files of its steps"
    ctx.print_note(f"job {name} has no files of its own, so nothing was downloaded{more}")
    if steps:
        others = f", or {', '.join(steps[1:_MOST_STEPS])}" if steps[1:] else ""
        rest = f", …; see: smalt job list --parent-job-name {name}" if len(steps) > _MOST_STEPS else ""
        ctx.print_note(f"to download the files of a step: smalt job download --name {steps[0]}{others}{rest}")
