"""The changes of a submitted job. A job runs once, so only its descriptive fields can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import join_words
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.entities.jobs.job import Job

_CHANGEABLE = {"display_name": "displayName", "description": "description", "tags": "tags", "properties": "properties"}
_FROM_SERVICE = ("id", "name", "creation_context", "services")


def build_changes(job: Job, there: Job) -> dict[str, Any]:
    """Return the PATCH body that makes the job `there` equal `job`; raises Refused for a field that cannot change."""
    wanted, before = job.to_dict(), there.to_dict()
    fixed = [
        key for key in {**before, **wanted} if key not in _CHANGEABLE and not _is_same_value(job, key, wanted, before)
    ]
    if fixed:
        words = join_words((f"'{key}'" for key in fixed), "and")
        raise RefusedError(
            f"{words} of job '{job.name}' cannot be changed: only its display name, description, tags and properties "
            "can; submit a job of another name instead"
        )
    if not wanted.get("display_name") and before.get("display_name"):
        raise RefusedError(f"'display_name' of job '{job.name}' cannot be removed; give it another one")
    changes: dict[str, Any] = {}
    for key, name in _CHANGEABLE.items():
        new, old = wanted.get(key), before.get(key)
        if new != old:
            removed = dict.fromkeys(old or {}) if isinstance(old, Mapping) else {}
            changes[name] = {**removed, **(new or {})} if key in ("tags", "properties") else new
    return changes


def _is_same_value(job: Job, key: str, wanted: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    field = type(job)._fields.get(key)
    if key in _FROM_SERVICE or (field is not None and field.from_service):
        return True
    new, old = wanted.get(key), before.get(key)
    if key == "outputs" and isinstance(new, Mapping) and isinstance(old, Mapping):  # told as they are registered
        return new.keys() == old.keys() and all(_is_subset(value, old[name]) for name, value in new.items())
    return bool(new == old)


def _is_subset(value: Any, of: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(of, Mapping):
        return bool(value == of)
    return all(of.get(key) == item for key, item in value.items())
