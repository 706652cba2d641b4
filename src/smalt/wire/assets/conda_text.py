"""The text of a conda file, read with limits: the reader of YAML takes seconds for one of many brackets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_LONGEST = 1_000_000
_DEEPEST = 50
_MOST_PARTS = 20_000
_BRACKETS = re.compile(r"[\[\]{}]")
_NESTED_IN_A_LINE = re.compile(rf"(?:[-?]\s+){{{_DEEPEST}}}")


@lru_cache(maxsize=256)
def load_conda_text(text: str) -> Any:
    """Return what the text says; None where it is not YAML, or larger or nested deeper than any conda file is."""
    import yaml

    if len(text) > _LONGEST or _is_deep(text):
        return None
    try:
        found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):  # a ValueError where a number or a date is none
        return None
    return found if _is_small(found) else None


def _is_deep(text: str) -> bool:
    if _NESTED_IN_A_LINE.search(text):
        return True
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > _DEEPEST:
            return True
    return False


def _is_small(value: Any) -> bool:
    """Tell whether the value, with each alias in full, has few enough parts, none of them deep."""
    pending, count = [(value, 0)], 0
    while pending:
        one, depth = pending.pop()
        count += 1
        if count > _MOST_PARTS or depth > _DEEPEST:
            return False
        if isinstance(one, dict):
            pending += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            pending += [(part, depth + 1) for part in one]
    return True
