"""Explanations of builds: what differs from the nearest earlier environment of the same name."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from smalt.service.environments.store.environment_store import EnvironmentRecord


def explain_build(
    name: str | None,
    parts: Mapping[str, Any],
    used: str,
    earlier: Sequence[EnvironmentRecord],
    changed: Sequence[EnvironmentRecord],
) -> str:
    """Return a sentence for the log of the job that waits for the build; `changed` are those that jobs changed."""
    if name is None:
        return "it is the first with this content"
    of_name = [record for record in (*earlier, *changed) if name in record.names]
    if not of_name:
        return f"it is the first '{name}'"
    nearest = min(of_name, key=lambda record: len(_list_differences(record, parts, used)))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(nearest.built))
    differences = _list_differences(nearest, parts, used)
    if not differences and nearest in changed:
        return f"the one built {when} was changed by a job, or on this machine"
    if not differences:
        return f"the one built {when} is incomplete"
    return f"it differs from the '{name}' built {when}: {'; '.join(differences)}"


def _list_differences(record: EnvironmentRecord, parts: Mapping[str, Any], used: str) -> list[str]:
    before = record.parts
    found = []
    for part, title in (
        ("catalogue", "catalogue entry"),
        ("python", "python"),
        ("image", "image"),
        ("channels", "channels"),
    ):
        old, new = before.get(part), parts.get(part)
        if old != new:
            found.append(f"{title} is {_format_value(new)}, was {_format_value(old)}")
    found.extend(_compare_lines(before.get("dependencies", []), parts["dependencies"]))
    is_container = not (used and record.version)
    if not is_container and before.get("python") == parts.get("python") and _get_minor(record.version) != used:
        found.append(f"the Python of this machine is {used}, was {_get_minor(record.version)}")
    return found


def _compare_lines(before: list[str], after: list[str]) -> list[str]:
    gone = {_get_package(line): line for line in before if line not in after}
    found = []
    for line in (line for line in after if line not in before):
        old = gone.pop(_get_package(line), None)
        found.append(f"dependency '{line}' was '{old}'" if old else f"dependency '{line}' is new")
    return found + [f"dependency '{line}' is gone" for line in gone.values()]


def _get_package(line: str) -> str:
    """Return the package that a line is for; an option stands for itself."""
    match = re.match(r"[A-Za-z0-9][\w.-]*", line)
    return match[0].lower() if match else line


def _format_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else f"'{value}'"


def _get_minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
