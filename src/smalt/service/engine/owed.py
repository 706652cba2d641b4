"""Outputs that a step owes and did not write: said at the step, and to whoever was to read them."""

from __future__ import annotations

from collections.abc import Sequence

from smalt.entities import Input
from smalt.entities.literals import PRIMITIVES
from smalt.exceptions import NotFound
from smalt.service.data import modes
from smalt.service.engine.kinds.command import Leaf, find_outputs
from smalt.service.engine.outcome import sentence
from smalt.service.engine.output_paths import EMPTY_OUTPUTS
from smalt.service.engine.rooms import Rooms
from smalt.service.records import jobs
from smalt.service.records.jobs import Job


def find_empty_outputs(rooms: Rooms, leaf: Leaf, number: int) -> list[str]:
    """Return the outputs, but for values, where nothing is when the command has ended and all is stored."""
    return [
        name
        for name, output, place in find_outputs(rooms, leaf, number)
        if output.type not in PRIMITIVES and modes.is_empty(place)
    ]


def say_empty(rooms: Rooms, job: Job, outputs: Sequence[str]) -> None:
    """Say in the job's log that it wrote nothing to these outputs, and note it; once, also after a crash."""
    if not outputs or not jobs.note(rooms.db, job, EMPTY_OUTPUTS, " ".join(outputs)):
        return
    for name in outputs:
        rooms.say(job, f"warning: it wrote nothing to its output '{name}'")


def why_not_prepared(rooms: Rooms, leaf: Leaf | None, error: Exception) -> str:
    """Return the sentence for a job that could not start; of missing data it names the step that owed it."""
    said = sentence(error)
    if not isinstance(error, NotFound) or leaf is None:
        return said
    for name, value in leaf.entity.inputs.items():
        place = leaf.places.get(name)
        if isinstance(value, Input) and value.path and place is not None and not place.exists:
            owed = _owed(rooms, leaf.job, value.path)
            return f"its input '{name}' is not there: {owed}" if owed else said
    return said


def _owed(rooms: Rooms, job: Job, uri: str) -> str | None:
    """Return whose output the data is, and what became of it."""
    for writer in jobs.writers(rooms.db, job.workspace_id, [uri.rstrip("/"), f"{uri.rstrip('/')}/"]):
        for name, (_, _, written, _) in jobs.data(rooms.db, writer.id, "output").items():
            if written is not None and written.rstrip("/") == uri.rstrip("/"):
                is_sibling = writer.root_id == job.root_id and writer.node is not None
                who = f"step '{writer.node}'" if is_sibling else f"job '{writer.name}'"
                if name in empty_outputs_of(rooms, writer):
                    return f"{who} wrote nothing to its output '{name}'"
                return f"it is the output '{name}' of {who}, and nothing is at {uri}"
    return None


def empty_outputs_of(rooms: Rooms, job: Job) -> list[str]:
    notes = jobs.properties(rooms.db, job.id).get("properties") or {}
    return str(notes.get(EMPTY_OUTPUTS) or "").split()
