"""The axes of a drawing with parallel coordinates: one for each parameter, and one for the metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from smalt.client.jobs.trials import flatten_point, format_metric, format_parameter, list_parameters

_LOGARITHMIC = frozenset({"loguniform", "qloguniform", "lognormal", "qlognormal"})
_MOST_CATEGORIES = 8
"""As many different numbers as are taken for categories where the space does not tell."""
_WIDE = 1000.0
"""The ratio of the values of a metric from which on a logarithmic axis is easier to read."""


class Axis(NamedTuple):
    """An axis: from 0 at the bottom to 1 at the top."""

    name: str
    kind: str
    """"category", "linear" or "logarithmic"."""
    ticks: Sequence[tuple[float, str]]
    """Places on the axis with their texts."""
    places: Sequence[float | None]
    """The place of each trial; None where it has no value, or none that is finite."""


def build_parameter_axes(points: Sequence[Mapping[str, Any]], space: Mapping[str, Any]) -> list[Axis]:
    """Return an axis for each parameter that a point has; `space` is the search space as YAML has it."""
    flat = [flatten_point(point) for point in points]
    types = dict(_list_types(space))
    return [_build_axis(name, [point.get(name) for point in flat], types.get(name)) for name in list_parameters(points)]


def build_metric_axis(name: str, values: Sequence[float]) -> Axis:
    found = [value for value in values if math.isfinite(value)]
    is_wide = bool(found) and min(found) > 0 and max(found) / min(found) > _WIDE
    return _build_numeric_axis(name, values, is_logarithmic=is_wide)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _build_axis(name: str, values: Sequence[Any], found: Mapping[str, Any] | None) -> Axis:
    kind = found and found["type"]
    given = [value for value in values if value is not None]
    if kind == "choice" or not all(map(is_number, given)) or (kind is None and len(set(given)) <= _MOST_CATEGORIES):
        return _build_category_axis(name, values, found["values"] if found and kind == "choice" else ())
    is_logarithmic = kind in _LOGARITHMIC and all(value > 0 for value in given)
    return _build_numeric_axis(
        name, [math.nan if value is None else float(value) for value in values], is_logarithmic=is_logarithmic
    )


def _build_category_axis(name: str, values: Sequence[Any], order: Iterable[Any]) -> Axis:
    texts = [None if value is None else str(value) for value in values]
    there = list(dict.fromkeys(text for text in texts if text is not None))
    given = [value for value in values if value is not None]
    if all(map(is_number, given)):
        there = [str(value) for value in dict.fromkeys(sorted(given))]
    else:
        first = [str(value) for value in order]
        there.sort(key=lambda text: first.index(text) if text in first else len(first))
    # one category stands in the middle
    place = {text: (number + 0.5) / len(there) for number, text in enumerate(there)}
    ticks = [(place[text], format_parameter(_shorten_number(text))) for text in there]
    return Axis(name, "category", ticks, [None if text is None else place[text] for text in texts])


def _build_numeric_axis(name: str, values: Sequence[float], *, is_logarithmic: bool) -> Axis:
    found = [value for value in values if math.isfinite(value)]
    if not found:
        return Axis(name, "linear", [], [None] * len(values))
    scale = math.log if is_logarithmic else float
    low, high = scale(min(found)), scale(max(found))
    places = [_get_place(scale(value), low, high) if math.isfinite(value) else None for value in values]
    ticks = [
        (_get_place(scale(value), low, high), format_metric(value))
        for value in (_list_powers if is_logarithmic else _list_steps)(min(found), max(found))
    ]
    return Axis(name, "logarithmic" if is_logarithmic else "linear", ticks, places)


def _get_place(value: float, low: float, high: float) -> float:
    return 0.5 if low == high else (value / 2 - low / 2) / (high / 2 - low / 2)


def _list_steps(low: float, high: float) -> list[float]:
    """Return both ends and three values between; of one value, that one."""
    if low == high:
        return [low]
    return [low * (1 - part) + high * part for part in (0.0, 0.25, 0.5, 0.75, 1.0)]


def _list_powers(low: float, high: float) -> list[float]:
    """Return both ends, and the powers of ten between them that are not close to one."""
    if low == high:
        return [low]
    gap = (high / low) ** 0.08
    exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    powers = [10.0**exponent for exponent in exponents]
    step = max(1, len(powers) // 6)
    return [low, *(power for power in powers[::step] if low * gap < power < high / gap), high]


def _shorten_number(text: str) -> Any:
    try:
        return float(text) if "." in text or "e" in text else text
    except ValueError:
        return text


def _list_types(space: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield each parameter with its distribution, those within a choice's mappings as `name.key`."""
    for key, found in space.items():
        name = f"{prefix}{key}"
        if not isinstance(found, Mapping) or "type" not in found:
            continue
        nested = (
            [one for one in found.get("values", ()) if isinstance(one, Mapping)] if found["type"] == "choice" else []
        )
        if not nested:
            yield name, found
        for one in nested:
            yield from _list_types(one, f"{name}.")
