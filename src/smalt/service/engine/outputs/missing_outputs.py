"""Error sentences for outputs that a step should have written, for the step and for its readers."""

from __future__ import annotations

from smalt.entities import Input
from smalt.exceptions import NotFound
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.outcome import to_sentence
from smalt.service.records import job_data
from smalt.service.records.jobs import Job


def get_preparation_error(context: EngineContext, leaf: Leaf | None, error: Exception) -> str:
    """Return the sentence for a job that could not start; it names the step that should have written missing data."""
    said = to_sentence(error)
    if not isinstance(error, NotFound) or leaf is None:
        return said
    for name, value in leaf.entity.inputs.items():
        place = leaf.places.get(name)
        if isinstance(value, Input) and value.path and place is not None and not place.exists:
            owed = _find_writer(context, leaf.job, value.path)
            return f"its input '{name}' is not there: {owed}" if owed else said
    return said


def _find_writer(context: EngineContext, job: Job, uri: str) -> str | None:
    """Return a phrase for the step that should have written the data, and for what it wrote."""
    for writer in job_data.find_writers(context.db, job.workspace_id, [uri.rstrip("/"), f"{uri.rstrip('/')}/"]):
        for name, (_, _, written, _) in job_data.read_data(context.db, writer.id, "output").items():
            if written is not None and written.rstrip("/") == uri.rstrip("/"):
                is_sibling = writer.root_id == job.root_id and writer.node is not None
                who = f"step '{writer.node}'" if is_sibling else f"job '{writer.name}'"
                if name in (writer.empty_outputs or "").split():
                    return f"{who} wrote nothing to its output '{name}'"
                return f"it is the output '{name}' of {who}, and nothing is at {uri}"
    return None
