"""The sizes that a Spark job asks for, and the version of Spark that it gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import Path
from smalt.entities.syntax.expression import has_expression

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

RUNTIMES = ("3.4", "3.5")
"""The series of Spark that smalt has an environment for; the last is the default."""

CORES = ("spark.driver.cores", "spark.executor.cores", "spark.executor.instances")
MEMORY = ("spark.driver.memory", "spark.executor.memory")
DYNAMIC, FEWEST, MOST = (f"spark.dynamicAllocation.{key}" for key in ("enabled", "minExecutors", "maxExecutors"))
_SIZE = re.compile(r"\s*\d+\s*([bkmgtp]?)b?\s*", re.IGNORECASE)
_DEFAULT_EXECUTORS = 2
"""As many as Spark asks a cluster for, if nobody says."""


def choose_runtime(wanted: Any) -> str:
    """Return the series of Spark for a `runtime_version`: that itself, or the nearest there is."""
    match = re.match(r"(\d+)(?:\.(\d+))?", str(wanted)) if wanted not in (None, "") else None
    if match is None:
        return RUNTIMES[-1]
    version = (int(match[1]), int(match[2] or 0))
    known = [tuple(map(int, one.split("."))) for one in RUNTIMES]
    if all(one[0] != version[0] for one in known):
        return RUNTIMES[-1] if version > max(known) else RUNTIMES[0]
    near = min((one for one in known if one[0] == version[0]), key=lambda one: abs(one[1] - version[1]))
    return f"{near[0]}.{near[1]}"


def count_executors(conf: Mapping[str, Any]) -> int:
    """Return the most executors that a job may have at a time."""
    if str(conf.get(DYNAMIC)).lower() == "true":
        return _to_number(conf.get(MOST) or conf.get(CORES[2]), _DEFAULT_EXECUTORS)
    return _to_number(conf.get(CORES[2]), _DEFAULT_EXECUTORS)


def count_cores(conf: Mapping[str, Any]) -> int:
    """Return the cores of all executors together."""
    return count_executors(conf) * _to_number(conf.get("spark.executor.cores"), 1)


def _to_number(value: Any, default: int) -> int:
    text = str(value).strip()
    return max(1, int(text)) if text.isdecimal() else default


def check_conf(conf: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check the sizes in `conf`: cores and executors are numbers, and memory is one with a unit."""
    for key in (*CORES, FEWEST, MOST):
        value = conf.get(key)
        if value is not None and not has_expression(value) and not str(value).strip().isdecimal():
            reader.add_problem((*path, "conf", key), f"'{key}' is a whole number, not '{value}'")
    for key in MEMORY:
        value = conf.get(key)
        if value is not None and not has_expression(value) and not _SIZE.fullmatch(str(value)):
            words = f"'{key}' is an amount of memory such as 2g or 512m, not '{value}'"
            reader.add_problem((*path, "conf", key), words)
    is_dynamic = str(conf.get(DYNAMIC)).lower() == "true"
    for smaller, larger in ((FEWEST, MOST), *(((CORES[2], MOST), (FEWEST, CORES[2])) if is_dynamic else ())):
        low, high = (str(conf.get(key, "")).strip() for key in (smaller, larger))
        if low.isdecimal() and high.isdecimal() and int(low) > int(high):
            reader.add_problem((*path, "conf", smaller), f"'{smaller}' is {low}, which is more than '{larger}', {high}")
