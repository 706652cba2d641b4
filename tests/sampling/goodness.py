"""Statistics of samples: the distance of Kolmogorov and Smirnov, and shares."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any


def find_distance(sample: Sequence[float], distribution: Callable[[float], float]) -> float:
    """Return the greatest distance between the sample's distribution function and the given one."""
    ordered = sorted(sample)
    count = len(ordered)
    return max(
        max(distribution(value) - place / count, (place + 1) / count - distribution(value))
        for place, value in enumerate(ordered)
    )


def get_critical_distance(count: int) -> float:
    """Return the distance that 1 in 1,000 true samples of this size passes."""
    return 1.95 / math.sqrt(count)


def list_shares(sample: Iterable[Any]) -> dict[Any, float]:
    counts = Counter(sample)
    return {value: count / sum(counts.values()) for value, count in counts.items()}
