"""Why an environment is built: what differs from the nearest earlier one of the same name."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from smalt.service.environments.store import Record


def reason(name: str | None, parts: Mapping[str, Any], used: str, earlier: Iterable[Record]) -> str:
    """A sentence for the log of the job that waits for it."""
    if name is None:
        return "it is the first with this content"
    of_name = [record for record in earlier if name in record.names]
    if not of_name:
        return f"it is the first '{name}'"
    nearest = min(of_name, key=lambda record: len(_differences(record, parts, used)))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(nearest.built))
    differences = _differences(nearest, parts, used)
    if not differences:
        return f"the one built {when} is no longer whole"
    return f"it differs from the '{name}' built {when}: {'; '.join(differences)}"


def _differences(record: Record, parts: Mapping[str, Any], used: str) -> list[str]:
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
            found.append(f"{title} is {_said(new)}, was {_said(old)}")
    gone = _without(before.get("dependencies", []), parts["dependencies"])
    come = _without(parts["dependencies"], before.get("dependencies", []))
    found.extend(f"dependency '{line}' is new" for line in come)
    found.extend(f"dependency '{line}' is gone" for line in gone)
    if before.get("python") == parts.get("python") and _minor(record.version) != used:
        found.append(f"the Python of this machine is {used}, was {_minor(record.version)}")
    return found


def _without(lines: list[str], others: list[str]) -> list[str]:
    return [line for line in lines if line not in others]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else f"'{value}'"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
