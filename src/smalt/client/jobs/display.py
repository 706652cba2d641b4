"""Jobs as users are to see them: references by name rather than by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from smalt.entities.schema.kinds import JOBS
from smalt.entities.schema.nested import noun_class
from smalt.wire.encoding.ids import parse_id, short_name

if TYPE_CHECKING:
    from smalt.entities.jobs.job import Job

J = TypeVar("J", bound="Job")
_NAMED = ("compute", "environment", "component")


def shortened(job: J) -> J:
    """`azureml:cpu-cluster` for a compute's id, `azureml:name:version` for an asset's; code keeps its id."""
    _shorten(job)
    for node in (getattr(job, "jobs", None) or {}).values():
        _shorten(node)
    settings = getattr(job, "settings", None)
    for key in ("default_compute", "default_datastore"):
        value = vars(settings).get(key) if settings is not None else None
        if isinstance(value, str) and parse_id(value):
            setattr(settings, key, f"azureml:{short_name(value)}")
    return job


def child(row: dict[str, Any]) -> Job:
    """A job of a tree; only what the tree tells."""
    where = JOBS.get(str(row.get("type", "")).lower(), JOBS["command"])
    display_name = row.get("display_name") or row.get("node") or row["name"]
    job = noun_class(where)(name=row["name"], display_name=display_name, status=row.get("status"))
    job.parent_job_name = row.get("parent")
    return job  # type: ignore[return-value]


def _shorten(noun: Any) -> None:
    values = vars(noun)
    for key in _NAMED:
        value = values.get(key)
        if isinstance(value, str) and parse_id(value):
            values[key] = f"azureml:{short_name(value)}"
