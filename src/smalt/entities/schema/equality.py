"""Equality of documents, one of which names by path what the other has in place.

A program writes `code="./src"` and `environment="env.yml"`; loaded from a file, the same job has an absolute path and
the environment itself.
"""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.operations import load_operation


def is_same_document(one: Any, other: Any) -> bool:
    """Return True if files of both in the current folder would load as equal; steps count as standalone jobs."""
    can_be_job, convert_to_job = load_operation("can_be_job"), load_operation("convert_to_job")
    both = [convert_to_job(each) if can_be_job(each) else each for each in (one, other)]
    if type(both[0]) is not type(both[1]):
        return False
    first, second = (load_operation("read_from_dump")(each) for each in both)
    return first is not None and second is not None and bool(first._get_set_values() == second._get_set_values())
