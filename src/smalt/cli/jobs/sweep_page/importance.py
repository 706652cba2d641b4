"""The importance of parameters: the share of a metric's variance that each explains by itself.

The measure is ε² of a one-way analysis of variance on ranks: trials are ranked by the metric and grouped by the value
of one parameter (a numeric one into groups of about equal size), and the variance within the groups is compared with
that of all. It is 0 where the groups are no better apart than chance makes them, and 1 where the parameter decides the
rank. Ranks keep single diverged trials from deciding. What two parameters do only together does not show.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from smalt.cli.jobs.sweep_page.axes import is_number
from smalt.client.jobs.trials import flatten_point, list_parameters

LEAST_TRIALS = 10
"""Fewer trials than these tell nothing."""
_MOST_GROUPS = 8
_GROUP = 5
"""Trials that a group of a numeric parameter has at the least, on average."""
_SHUFFLES = 200


class Importance(NamedTuple):
    """The share of a parameter, and the share that chance alone seldom exceeds."""

    name: str
    share: float
    chance: float
    """19 of 20 parameters without any influence have a lower share."""


def measure_importance(points: Sequence[Mapping[str, Any]], values: Sequence[float]) -> list[Importance]:
    """Return the parameters, most important first, from the points of trials and their finite values."""
    if len(points) < LEAST_TRIALS:
        return []
    flat = [flatten_point(point) for point in points]
    ranks = rank_values(values)
    found = []
    for name in list_parameters(points):
        groups = group_values([point.get(name) for point in flat])
        if len(set(groups)) > 1:
            found.append(Importance(name, compute_share(ranks, groups), _find_chance(ranks, groups)))
    return sorted(found, key=lambda one: -one.share)


def rank_values(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equal values have the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + end - 1) / 2
        start = end
    return ranks


def group_values(values: Sequence[Any]) -> list[int]:
    """Return the group of each value: numbers of about equal size together, any other value and None by itself."""
    there = [value for value in values if value is not None]
    distinct = set(map(repr, there))
    count = min(_MOST_GROUPS, max(2, len(there) // _GROUP))
    if len(distinct) <= count or not all(map(is_number, there)):
        known = {text: number for number, text in enumerate(dict.fromkeys(map(repr, values)))}
        return [known[repr(value)] for value in values]
    ranks = iter(rank_values([float(value) for value in there]))
    return [-1 if value is None else int(next(ranks) * count / len(there)) for value in values]


def compute_share(ranks: Sequence[float], groups: Sequence[int]) -> float:
    """Return ε²: the share of the variance that lies between the groups, less what chance makes of it."""
    sizes: dict[int, int] = {}
    sums: dict[int, float] = {}
    for rank, group in zip(ranks, groups, strict=True):
        sizes[group] = sizes.get(group, 0) + 1
        sums[group] = sums.get(group, 0.0) + rank
    count, mean = len(ranks), sum(ranks) / len(ranks)
    total = sum((rank - mean) ** 2 for rank in ranks)
    if total == 0 or count <= len(sizes):
        return 0.0
    between = sum(sums[group] ** 2 / size for group, size in sizes.items()) - count * mean**2
    within = max(0.0, total - between)
    return min(1.0, max(0.0, 1 - (within / (count - len(sizes))) / (total / (count - 1))))


def _find_chance(ranks: Sequence[float], groups: Sequence[int]) -> float:
    """Return the share that 19 of 20 random orders of the ranks stay below."""
    chance, shuffled = random.Random(0), list(ranks)
    shares = []
    for _ in range(_SHUFFLES):
        chance.shuffle(shuffled)
        shares.append(compute_share(shuffled, groups))
    return sorted(shares)[_SHUFFLES * 19 // 20]
