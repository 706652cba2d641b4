"""Typing errors in names."""

from __future__ import annotations

import re

_SHORTEST = 4
"""Shorter names differ by one letter too often."""


def is_typo(name: str, known: str) -> bool:
    """Return True if one letter is wrong, missing or extra, or two are swapped; `ws1` and `ws2` differ on purpose."""
    one, other = name.lower(), known.lower()
    if min(len(one), len(other)) < _SHORTEST or re.sub(r"\d", "", one) == re.sub(r"\d", "", other):
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    is_swapped = left[:2] == right[1::-1] and left[2:] == right[2:] and len(left) > 1
    return is_swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
