"""Whether two documents are the same though one names by path what the other has in place.

A program writes `code="./src"` and `environment="env.yml"`; loaded from a file, the same job has an absolute path and
the environment itself.
"""

from __future__ import annotations

from typing import Any


def are_alike(one: Any, other: Any) -> bool:
    """Both by what a file of theirs in the current folder would be loaded as; a step by the job that it is alone."""
    from smalt.entities.steps.standalone_jobs import can_be_job, job_of

    both = [job_of(each) if can_be_job(each) else each for each in (one, other)]
    if type(both[0]) is not type(both[1]):
        return False
    from smalt.yaml.loading import read_again

    first, second = (read_again(each) for each in both)
    return first is not None and second is not None and first._set() == second._set()
