"""The order of smalt's versions, for clients and servers that meet another release. Standard library only."""

from __future__ import annotations


def is_older(version: str, than: str) -> bool:
    """Return True if `version` is older than `than`; False for a version without numbers."""
    left, right = _parse_version(version), _parse_version(than)
    return bool(left) and left < right


def _parse_version(version: str) -> list[int]:
    """Return `[1, 0, 1]` for `1.0.1`, and for `1.0.1rc2` too."""
    numbers = []
    for part in version.partition("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return numbers
