"""The early termination of `hyperband` sampling: asynchronous successive halving in brackets.

A trial is compared when it has made 1, 3, 9, 27 … reports, with the trials of its bracket that have come as far; it
goes on if it is among the best third. The brackets begin at 1, 3, 9 and 27 reports, so that trials which start slowly
are not all ended, and the more cautious a bracket is, the fewer trials it has: Hyperband's own proportions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b

_FACTOR = 3
_SHARES = (27, 12, 6, 4)
"""The weights of the brackets, from the one that begins at the first report."""


class HyperbandPolicy:
    """The policy of a sweep whose sampling algorithm is `hyperband`; it has no settings."""

    type = "hyperband"


def find_bracket(trial: str) -> int:
    """Return the bracket of a trial, which depends on its name alone."""
    place = int.from_bytes(blake2b(trial.encode(), digest_size=8).digest(), "big") % sum(_SHARES)
    for bracket, share in enumerate(_SHARES):
        if place < share:
            return bracket
        place -= share
    raise AssertionError


def is_rung(trial: str, interval: int) -> bool:
    """Return True if the trial is compared at this many reports."""
    power = round(math.log(interval, _FACTOR))
    return interval == _FACTOR**power and power >= find_bracket(trial)


def list_rivals(reports: Mapping[str, Sequence[float]], trial: str, interval: int) -> list[str]:
    """List the trials of the bracket that have come as far, the trial itself included."""
    bracket = find_bracket(trial)
    return [other for other, values in reports.items() if len(values) >= interval and find_bracket(other) == bracket]


def count_survivors(count: int) -> int:
    """Return how many of the trials at a rung go on: the first always does."""
    return max(1, count // _FACTOR)
