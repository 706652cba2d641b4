"""The end of a trial of a followed sweep, in one line; of the first ones that fail, with the end of the log."""

from __future__ import annotations

from collections.abc import Iterator

from smalt.cli.jobs.watch import FollowedJob, JobWatch, format_duration
from smalt.client.jobs.trials import is_terminated

MOST_TAILS = 3
"""As many failed trials of a sweep as show the ends of their logs."""


def describe_trial_end(watch: JobWatch, trial: FollowedJob) -> Iterator[str]:
    """Yield the lines about a trial that has ended, and of a failed one the end of its log or of the failed step's.

    A sweep that is one step among others has a line for a tenth of its trials.
    """
    progress = watch.jobs[trial.parent or ""].progress
    assert progress is not None
    sweep = watch.jobs[trial.parent or ""]
    is_tail_shown = trial.status == "Failed" and progress.shown_tails < MOST_TAILS
    if sweep is not watch.root and not is_tail_shown:
        if progress.is_worth_a_line():
            yield f"{watch.get_label(sweep)}: {progress.describe()}"
        return
    event = progress.get_trial(trial.name)
    took = f" in {format_duration(trial.seconds)}" if trial.start is not None else ""
    took = ", reused" if trial.reused else took
    status = "Terminated" if is_terminated(event) else trial.status
    yield f"{watch.get_label(trial)}: {status}{took}{progress.describe_end(event)}"
    if not is_tail_shown:
        return
    cause = _find_cause(watch, trial)
    progress.shown_tails += 1
    cause.is_explained = True
    yield from (f"    {line}" for line in cause.tail or cause.notes)


def _find_cause(watch: JobWatch, job: FollowedJob) -> FollowedJob:
    """Return the job below that failed first, or the job itself."""
    while failed := [watch.jobs[name] for name in job.children if watch.jobs[name].status == "Failed"]:
        job = min(failed, key=lambda one: one.end or 0.0)
    return job
