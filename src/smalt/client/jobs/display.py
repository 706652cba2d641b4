"""Jobs as users see them: references by name instead of by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from smalt.entities.assets.asset import SystemData
from smalt.entities.schema.kinds import JOBS
from smalt.entities.schema.nested import load_noun
from smalt.wire.encoding.casing import to_snake
from smalt.wire.encoding.ids import get_short_name, parse_id

if TYPE_CHECKING:
    from smalt.entities.jobs.job import Job

J = TypeVar("J", bound="Job")
_NAMED = ("compute", "environment", "component")


def shorten_references(job: J) -> J:
    """Replace ids by `azureml:cpu-cluster` for a compute and `azureml:name:version` for an asset; code keeps its id."""
    _shorten_fields(job)
    for node in (getattr(job, "jobs", None) or {}).values():
        _shorten_fields(node)
    settings = getattr(job, "settings", None)
    for key in ("default_compute", "default_datastore"):
        value = vars(settings).get(key) if settings is not None else None
        if isinstance(value, str) and parse_id(value):
            setattr(settings, key, f"azureml:{get_short_name(value)}")
    return job


def build_child(row: dict[str, Any]) -> Job:
    """Return a job with the few fields that a row of the job tree has."""
    type = str(row.get("type") or "command").lower()
    if type == "parallel":  # a command by itself, as `job show` has it
        type = "command"
    where = JOBS.get(type, JOBS["pipeline"])  # if_else and do_while are pipelines of the steps in their blocks
    display_name = row.get("display_name") or row.get("node") or row["name"]
    job = load_noun(where)(name=row["name"], display_name=display_name, status=row.get("status"))
    job.parent_job_name = row.get("parent")
    job.tags, job.properties = row.get("tags") or {}, row.get("properties") or {}
    job.creation_context = SystemData.from_dict({to_snake(key): value for key, value in row["systemData"].items()})
    return job  # type: ignore[return-value]


def _shorten_fields(noun: Any) -> None:
    values = vars(noun)
    for key in _NAMED:
        value = values.get(key)
        if isinstance(value, str) and parse_id(value):
            values[key] = f"azureml:{get_short_name(value)}"
