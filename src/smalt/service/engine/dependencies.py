"""A composite job and its children: planning them, and what the end of one means for the others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from smalt import wire
from smalt.entities import CommandJob, PipelineJob
from smalt.machine.gc_pause import no_collections
from smalt.service.engine import outcome
from smalt.service.engine.context import Rooms
from smalt.service.engine.kinds import pipeline
from smalt.service.engine.submission.pins import Pins
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.pins import get_job_pins

Ending = tuple[Job, str, "dict[str, Any] | None"]
"""A job, the state it ends in, and its error."""


class Plan:
    """The children of a composite job in the making, some at a time: a large pipeline does not hold up the others."""

    def __init__(self, rooms: Rooms, job: Job, entity: PipelineJob | None = None) -> None:
        """`entity` where it is known already; else it is read from the job's body."""
        if entity is None:
            entity = cast("PipelineJob", wire.from_rest({"properties": jobs.read_properties(rooms.db, job.id)}, "job"))
        self._rooms = rooms
        pins = Pins(get_job_pins(rooms.db, job))
        self._planner = pipeline.Planner(
            rooms, rooms.workspace(job), job.name, entity, job.experiment, job.parent_id is not None, pins,
            taken=self._names_taken(job),
        )  # fmt: skip
        self._coming = self._planner.children()
        self._made: list[pipeline.Child] = []

    def advance(self, count: int) -> bool:
        """Make so many children more; whether these were the last."""
        with no_collections():
            more = list(islice(self._coming, count))
        self._made += more
        return len(more) < count

    def is_stale(self, job: Job) -> bool:
        """Return whether another job has taken the name of a child since the plan was begun."""
        return not self._names_taken(job).isdisjoint(child.name for child in self._made)

    def _names_taken(self, job: Job) -> set[str]:
        return jobs.list_names_with_prefix(
            self._rooms.db, job.workspace_id, pipeline.prefix_of_children(job.name), job.id
        )

    def record(self, job: Job) -> tuple[list[Job], dict[int, CommandJob]]:
        """Record them all, inside a transaction. Children of a plan that was cut short are made again.

        The children that wait for nothing, and the leaves as entities, by id.
        """
        db, made = self._rooms.db, self._made
        if job.open:
            jobs.remove_children(db, job)
        news = [
            jobs.NewJob(
                name=child.name, type=child.type, body=child.body, experiment=job.experiment,
                display_name=child.display_name, node=child.node, waiting=len(child.needs),
            )
            for child in made
        ]  # fmt: skip
        ids = jobs.add_jobs(db, job.workspace_id, news, job.created_by, job)
        by_node = {child.node: id for child, id in zip(made, ids, strict=True)}
        jobs.add_dependencies(db, [(by_node[child.node], by_node[need]) for child in made for need in child.needs])
        jobs.put_data(db, job, [*self._planner.read(), *self._planner.written()])
        jobs.set_planned(db, job)
        jobs.set_status(db, job, "Running")
        free = [jobs.get_job(db, by_node[child.node]) for child in made if not child.needs]
        return free, {by_node[child.node]: child.entity for child in made if isinstance(child.entity, CommandJob)}


@dataclass
class _Family:
    continues: bool
    final: str | None


class Families:
    """What the children of one parent share; read once from the parent's body, which may be large."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, _Family] = {}

    def clear(self) -> None:
        self._known.clear()

    def forget(self, parent_id: int) -> None:
        self._known.pop(parent_id, None)

    def released(self, job: Job) -> list[Job]:
        """Return the jobs that waited for this one, with what they wait for now."""
        if job.status == "Completed":
            return jobs.release_dependents(self._db, job)
        final = self._of(job).final
        ready = jobs.release_dependents(self._db, job) if final else []
        return [one for one in ready if one.node == final]

    def given_up(self, job: Job) -> list[Ending]:
        """The jobs that can no longer run because this one did not complete."""
        if job.status == "Completed":
            return []
        final = self._of(job).final
        why = outcome.failed(f"it needs '{job.node}', which did not complete", "Canceled")
        return [(one, "Canceled", why) for one in jobs.list_dependents(self._db, job) if one.node != final]

    def stops_on(self, job: Job) -> bool:
        return not self._of(job).continues

    def unstarted(self, job: Job) -> list[Ending]:
        """The siblings that are not to start any more."""
        why = self.why(job)
        return [(one, "Canceled", why) for one in self._siblings(job) if one.status == "NotStarted"]

    def why(self, job: Job) -> dict[str, Any]:
        """Why the siblings of a job that failed do not go on."""
        return outcome.failed(f"step '{job.node}' failed and continue_on_step_failure is false", "Canceled")

    def started(self, job: Job) -> list[Job]:
        return [one for one in self._siblings(job) if one.status != "NotStarted"]

    def outcome(self, parent: Job) -> tuple[str, dict[str, Any] | None]:
        if jobs.is_cancel_requested(self._db, parent.id):
            return "Canceled", None
        failed = jobs.list_children_with_status(self._db, parent.id, "Failed")
        if failed:
            names = ", ".join(f"'{node}'" for node, _ in failed[:5])
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            return "Failed", outcome.failed(f"step {names}{more} failed: {_message(failed[0][1])}", "StepFailed")
        canceled = jobs.list_children_with_status(self._db, parent.id, "Canceled")
        if canceled:
            node, error = canceled[0]
            return "Canceled", outcome.failed(f"step '{node}' was canceled: {_message(error)}", "Canceled")
        return "Completed", None

    def _siblings(self, job: Job) -> list[Job]:
        assert job.parent_id is not None
        final = self._of(job).final
        return [
            one
            for one in jobs.list_children(self._db, job.parent_id)
            if not one.is_over and one.id != job.id and one.node != final
        ]

    def _of(self, job: Job) -> _Family:
        assert job.parent_id is not None
        if job.parent_id not in self._known:
            settings = jobs.read_properties(self._db, job.parent_id).get("settings") or {}
            self._known[job.parent_id] = _Family(
                pipeline.is_true(settings, "continue_on_step_failure"),
                settings.get("on_finalize"),
            )
        return self._known[job.parent_id]


def _message(error: str | None) -> str:
    return str(json.loads(error)["message"]) if error else "no reason was recorded"
