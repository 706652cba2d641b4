"""Curves: the values of a metric of a run as columns of numbers, and the few of them that a drawing needs."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from smalt.service.tracking.run_database import Extremes, Point

Axis = Literal["step", "time"]

_FEWEST = 7
"""Both ends, the lowest and the highest, and three that are no finite numbers."""


class Curve(NamedTuple):
    """The values of a metric by step and then by time, which is in milliseconds since 1970."""

    values: array[float]
    steps: array[float]
    times: array[float]

    def list_points(self) -> list[Point]:
        return [Point(value, int(step), int(time)) for value, step, time in zip(*self, strict=True)]


@dataclass(frozen=True)
class Drawing:
    """Request for a drawing of a curve: of at most `most` points, smoothed, from one step or time to another."""

    most: int
    smoothing: float = 0.0
    over: Axis = "step"
    low: float = -math.inf
    high: float = math.inf

    def pick_points(self, curve: Curve) -> tuple[Curve, int]:
        """Return the points to draw, and the number of those of which they were chosen."""
        if self.smoothing:
            curve = smooth_curve(curve, self.smoothing)
        if (self.low, self.high) != (-math.inf, math.inf):
            curve = cut_curve(curve, self.over, self.low, self.high)
        return thin_curve(curve, self.most), len(curve.values)


def build_curve(points: Iterable[Point]) -> Curve:
    """Build a curve of points in any order."""
    columns = tuple(zip(*points, strict=True)) or ((), (), ())
    return sort_curve(Curve(*(array("d", column) for column in columns)))


def sort_curve(curve: Curve) -> Curve:
    """Return the curve in order, which it mostly has from the beginning."""
    if _is_rising(curve.steps) and _is_rising(curve.times):
        return curve
    _, steps, times = curve
    return _pick_points(curve, sorted(range(len(steps)), key=lambda index: (steps[index], times[index])))


def find_extremes(curve: Curve) -> Extremes | None:
    """Return the lowest and highest value and the number of values, NaN not counted; None if there is no other."""
    values = curve.values if _is_finite(curve) else [value for value in curve.values if value == value]
    return Extremes(min(values), max(values), len(values)) if values else None


def smooth_curve(curve: Curve, weight: float) -> Curve:
    """Smooth a curve exponentially, from its first value on; `weight` is from 0 (not at all) to below 1.

    What is not a finite number stays as it is.
    """
    last, values = math.nan, array("d")
    for value in curve.values:
        if math.isfinite(value):
            last = value if math.isnan(last) else weight * last + (1 - weight) * value
            values.append(last)
        else:
            values.append(value)
    return curve._replace(values=values)


def cut_curve(curve: Curve, over: Axis, low: float, high: float) -> Curve:
    """Return the part of a curve from one step to another, or from one time to another, both included."""
    places = curve.steps if over == "step" else curve.times
    if over == "step" or _is_rising(places):
        part = slice(bisect_left(places, low), bisect_right(places, high))
        return Curve(*(column[part] for column in curve))
    return _pick_points(curve, (index for index, place in enumerate(places) if low <= place <= high))


def thin_curve(curve: Curve, most: int) -> Curve:
    """Return at most `most` points of a curve for a drawing, or 7 where fewer are wanted.

    They are the first and the last, and of each stretch the lowest, the highest, and the first NaN, infinity and minus
    infinity. So no peak is lost, however few points are drawn.
    """
    count, most = len(curve.values), max(most, _FEWEST)
    if count <= most:
        return curve
    odd = [] if _is_finite(curve) else [k for k, value in enumerate(curve.values) if not math.isfinite(value)]
    kinds = {str(curve.values[index]) for index in odd}
    stretches = (most - 2) // (2 + len(kinds))
    edges = [count * number // stretches for number in range(stretches + 1)]
    chosen = {0, count - 1, *_list_extremes(curve.values, edges, bool(odd)), *_list_first(curve.values, odd, edges)}
    return _pick_points(curve, sorted(chosen))


def _list_extremes(values: array[float], edges: list[int], has_odd: bool) -> Iterator[int]:
    """Yield the places of the lowest and the highest finite value of each stretch."""
    for first, last in pairwise(edges):
        part = values[first:last]
        finite = [value for value in part if math.isfinite(value)] if has_odd else part
        if finite:
            yield first + part.index(min(finite))
            yield first + part.index(max(finite))


def _list_first(values: array[float], odd: list[int], edges: list[int]) -> list[int]:
    """Return the places of the first value of each kind in each stretch, of those at `odd`."""
    found: dict[tuple[int, str], int] = {}
    for index in odd:
        found.setdefault((bisect_right(edges, index), str(values[index])), index)
    return list(found.values())


def _pick_points(curve: Curve, indexes: Iterable[int]) -> Curve:
    chosen = list(indexes)
    return Curve(*(array("d", map(column.__getitem__, chosen)) for column in curve))


def _is_rising(numbers: array[float]) -> bool:
    """True if the numbers, none of which is NaN, are in order; to sort those that are is quicker than to compare."""
    found = numbers.tolist()
    return found == sorted(found)


def _is_finite(curve: Curve) -> bool:
    """True if all values are finite; a sum is the quickest way to see it, and errs only towards False."""
    return math.isfinite(sum(curve.values))
