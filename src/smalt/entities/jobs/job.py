"""Jobs: the fields that all types share."""

from __future__ import annotations

from typing import Any

from smalt.entities.assets.asset import TAGS, Resource
from smalt.entities.jobs.compute_name import ComputeName
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.services import SERVICES
from smalt.entities.schema.effects import ACTED, KEPT, NONE
from smalt.entities.schema.entity import Entity, from_service, mapping, optional
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import Anything, Map, Text

OF_ITS_COURSE = (
    "waits_for", "duration_seconds", "first_line_seconds", "start_mode", "cold_reason", "imported_before",
    "saved_seconds",
    "cpu_seconds", "peak_memory_bytes", "log_tail", "steps", "reused", "best_trial", "trials",
)  # fmt: skip
"""Keys that `smalt job show` prints besides a job's own."""


class Job(Resource):
    noun = "a job"

    tags = mapping(TAGS, "Labels, for people and searches.", effect=KEPT)
    display_name = optional(Text(), "The name that people see.", effect=KEPT)
    experiment_name = optional(Text(), "The experiment that it is listed under.", effect=ACTED)
    compute = optional(ComputeName(), "The compute that it runs on.", effect=ACTED)
    identity = optional(IDENTITY, "The identity that it runs as.", effect=NONE)
    services = mapping(SERVICES, "Interactive services beside the job.", effect=NONE)
    properties = mapping(TAGS, "The properties that tools set; they cannot be changed later.", effect=KEPT)
    parent_job_name = from_service(Text(), "The job that this is a part of.")
    status = from_service(Text(), "The state.")
    error = from_service(Map(Anything()), "Why it did not complete.")
    log_files = from_service(Map(Anything()), "The logs.")

    @classmethod
    def _handle_unknown_keys(cls, keys: list[Any], data: Any, entity: Entity, path: Path, reader: Reader) -> set[str]:
        """Ignore the keys that `smalt job show` adds about the run of the job."""
        is_printed = data.get("creation_context") is not None
        left = [key for key in keys if not (is_printed and key in OF_ITS_COURSE)]
        return super()._handle_unknown_keys(left, data, entity, path, reader)

    @property
    def studio_url(self) -> str | None:
        """Return the URL of the job's page, or None without a studio to show it."""
        studio: Any = self.services.get("Studio")
        return getattr(studio, "endpoint", None)

    def _repr_html_(self) -> str:
        from smalt.entities.jobs.notebook import render_table

        return render_table(self)
