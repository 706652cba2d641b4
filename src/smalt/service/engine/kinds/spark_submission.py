"""The command of a Spark job: its settings as `smalt-spark-submit` (`inside/spark`) takes them.

Nothing of this machine is in it, so that a step is the same wherever it runs, and can be reused.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from smalt.entities.rules.spark import count_cores, count_executors
from smalt.entities.syntax.expression import Expression, OptionalBlock, parse_command
from smalt.exceptions import ValidationException

SEPARATOR = "\x1e"
"""The character around each argument: no argument has it."""
BEGIN = "\x1f"
"""The beginning of an argument, also of an empty one; an optional block that is left out leaves none."""
_END = "SMALT_SPARK_ARGUMENTS"
_MASTER = re.compile(r"(?:spark|k8s|mesos)://.+|yarn|local\[.+\]")


def build_command(job: Any) -> str:
    """Return the text that bash runs. The arguments are in a here-document, where bash changes nothing."""
    settings = shlex.quote(json.dumps(_list_settings(job), sort_keys=True))
    arguments = "".join(f"{SEPARATOR}{_mark_beginning(one)}" for one in split_arguments(job.args or ""))
    return f"exec smalt-spark-submit {settings} <<'{_END}'\n{arguments}{SEPARATOR}\n{_END}"


def find_master(compute: Any) -> str | None:
    """Return the master of Spark if a job names one as its compute, such as `spark://host:7077`."""
    text = str(compute or "").removeprefix("azureml:").rpartition("/computes/")[2]
    return text if _MASTER.fullmatch(text) else None


def split_arguments(text: str) -> list[str]:
    """Return the words of `args`, quoted as for a shell; an expression stays a part of its word, whatever its value."""
    names: list[str] = []
    marked = "".join(_mark_parts(parse_command(text), names))
    try:
        words = shlex.split(marked)
    except ValueError as error:
        raise ValidationException(f"args: the quotes do not match ({str(error).lower()}): {text}") from None
    found = []
    for word in words:
        for index, name in enumerate(names):
            word = word.replace(_make_mark(index), name)
        found.append(word)
    return found


def _mark_beginning(word: str) -> str:
    return f"$[[{BEGIN}{word[3:]}" if word.startswith("$[[") else f"{BEGIN}{word}"


def _mark_parts(parts: list[Any], names: list[str]) -> Iterator[str]:
    """Yield the pieces of a text with a mark for each expression and for the ends of each optional block."""
    for part in parts:
        if isinstance(part, OptionalBlock):
            names.append("$[[")
            yield _make_mark(len(names) - 1)
            yield from _mark_parts(part.parts, names)
            names.append("]]")
            yield _make_mark(len(names) - 1)
        elif isinstance(part, Expression):
            names.append(part.text)
            yield _make_mark(len(names) - 1)
        else:
            yield part


def _make_mark(index: int) -> str:
    return f"\x01{index}\x02"


def _list_settings(job: Any) -> dict[str, Any]:
    conf = {str(key): _to_text(value) for key, value in (job.conf or {}).items()}
    master = find_master(job.compute)
    if master is not None:
        conf.setdefault("spark.master", master)
    settings: dict[str, Any] = {
        "file": job.entry.file,
        "class": job.entry.class_name,
        "py_files": job.py_files,
        "jars": job.jars,
        "files": job.files,
        "archives": job.archives,
        "conf": conf,
        "cores": count_cores(conf),
        "memory": _list_memory(conf),
        "outputs": sorted(job.outputs or {}),
    }
    return {key: value for key, value in settings.items() if value}


def _list_memory(conf: Mapping[str, str]) -> list[str]:
    """Return the sizes that driver and executors have together, where one process stands for all of them."""
    executors = count_executors(conf)
    driver, executor = conf.get("spark.driver.memory", "1g"), conf.get("spark.executor.memory", "1g")
    return [driver, *[executor] * executors]


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
