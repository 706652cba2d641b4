"""The division of the times that have come: those that get a job, and those that a downtime missed."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from smalt.service.schedules.occurrences import Occurrences

GRACE = 60.0
"""Seconds by which a tick may be late and still be none that was missed."""
MOST_MADE_UP = 100
"""Missed ticks that the policy `all` makes up for at the most: the last ones."""
_MOST_COUNTED = 1000
_BEFORE = 1e-3
"""Seconds before a time, to find that time, too; times are whole seconds."""

SKIP, ONCE, ALL = "skip", "once", "all"
POLICIES = (SKIP, ONCE, ALL)


class Skipped(NamedTuple):
    """A row of times that get no job."""

    first: float
    last: float
    number: int
    is_more: bool
    """True if there were more than were counted."""


class Due(NamedTuple):
    fire: list[float]
    skipped: Skipped | None


def divide_due(occurrences: Occurrences, first: float, now: float, policy: str) -> Due:
    """Return which of the times from `first` to `now` get a job."""
    edge = now - GRACE
    recent = list(occurrences.iterate(max(edge, first) - _BEFORE, now))
    if first >= edge:
        return Due(recent, None)
    made_up: list[float] = []
    if policy == ALL:
        made_up = occurrences.list_last(first - _BEFORE, edge - _BEFORE, MOST_MADE_UP)
    elif policy == ONCE and not recent:
        made_up = occurrences.list_last(first - _BEFORE, edge - _BEFORE, 1)
    end = made_up[0] - _BEFORE if made_up else edge - _BEFORE
    return Due([*made_up, *recent], _count_skipped(occurrences, first, end))


def _count_skipped(occurrences: Occurrences, first: float, end: float) -> Skipped | None:
    counted = list(islice(occurrences.iterate(first - _BEFORE, end), _MOST_COUNTED + 1))
    if not counted:
        return None
    is_more = len(counted) > _MOST_COUNTED
    last = occurrences.list_last(first - _BEFORE, end, 1)[-1] if is_more else counted[-1]
    return Skipped(counted[0], last, min(len(counted), _MOST_COUNTED), is_more)
