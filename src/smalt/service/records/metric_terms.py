"""Conditions on the last values of metrics, as searches of jobs write them: `loss<0.3`, `auc>=0.9`, `loss`."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from smalt.exceptions import ValidationException

_TERM = re.compile(r"\s*(?P<name>[^<>=!]+?)\s*(?:(?P<comparison><=|>=|!=|<|>|=)\s*(?P<value>\S+)\s*)?")
_LONGEST = 300


class MetricTerm(NamedTuple):
    """A condition on the last value of a metric."""

    name: str
    comparison: str = ""
    """One of < <= > >= = !=; "" if any value will do."""
    value: float = 0.0

    def build_condition(self, runs: str) -> tuple[str, list[object]]:
        """Return the SQL that is true of the name of a run in `runs`, and its values; NaN meets no comparison."""
        more, values = (f" AND m.is_nan=0 AND m.value{self.comparison}?", [self.value]) if self.comparison else ("", [])
        inner = f"SELECT m.run_uuid FROM tracked.latest_metrics m WHERE m.key=?{more}"
        return f"{runs} IN ({inner})", [self.name, *values]


def parse_term(text: str) -> MetricTerm:
    """Parse a condition; raise ValidationException if it is none."""
    match = _TERM.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValidationException(
            f"'{text[:100]}' is no condition on a metric; write its name, one of < <= > >= = != and a number: loss<0.3"
        )
    if match["comparison"] is None:
        return MetricTerm(match["name"])
    try:
        value = float(match["value"])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValidationException(f"'{match['value'][:50]}' in '{text[:100]}' is not a finite number")
    return MetricTerm(match["name"], match["comparison"], value)
