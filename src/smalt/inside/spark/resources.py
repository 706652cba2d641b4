"""Cores and memory of a Spark job whose driver and executors are one process of this machine."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = re.compile(r"\s*(\d+)\s*([bkmgtp]?)b?\s*", re.IGNORECASE)
_LEAST = 512 * 1024**2
"""Spark refuses a driver with less than 450 MB."""


def choose_cores(wanted: int | None) -> int:
    """Return the number of tasks at a time: what the executors have together, at most the cores of this machine."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(int(wanted or here), here))


def choose_memory(sizes: Sequence[str]) -> str:
    """Return the memory of driver and executors together, at most half of this machine's."""
    total = sum(map(read_size, sizes)) or 1024**3
    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return f"{max(_LEAST, min(total, here)) // 1024**2}m"


def read_size(text: str) -> int:
    """Return the bytes of a size as Spark writes it; without a unit it is in MB."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise SystemExit(f"'{text}' is not an amount of memory; write one such as 2g or 512m")
    unit = match[2].lower() or "m"
    return int(match[1]) * (1 if unit == "b" else 1024 ** ("kmgtp".index(unit) + 1))
