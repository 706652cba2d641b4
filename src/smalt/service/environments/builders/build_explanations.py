"""Why an environment is built: what differs from the nearest earlier one of the same name."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from smalt.service.environments.store.environment_store import Record


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
    found.extend(_lines(before.get("dependencies", []), parts["dependencies"]))
    is_container = not (used and record.version)
    if not is_container and before.get("python") == parts.get("python") and _minor(record.version) != used:
        found.append(f"the Python of this machine is {used}, was {_minor(record.version)}")
    return found


def _lines(before: list[str], after: list[str]) -> list[str]:
    gone = {_package(line): line for line in before if line not in after}
    found = []
    for line in (line for line in after if line not in before):
        old = gone.pop(_package(line), None)
        found.append(f"dependency '{line}' was '{old}'" if old else f"dependency '{line}' is new")
    return found + [f"dependency '{line}' is gone" for line in gone.values()]


def _package(line: str) -> str:
    """The package that a line asks for; an option stands for itself."""
    match = re.match(r"[A-Za-z0-9][\w.-]*", line)
    return match[0].lower() if match else line


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else f"'{value}'"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
