"""Error sentences for outputs that a step should have written, for the step and for its readers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from smalt.entities import Input
from smalt.entities.rules.content import MARKERS
from smalt.exceptions import NotFound
from smalt.service.compute.spec import StepSpec
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.outcome import to_sentence
from smalt.service.records import job_data
from smalt.service.records.jobs import Job


class _Written(NamedTuple):
    """An output that is the input of another job."""

    who: str
    output: str
    is_empty: bool


def get_preparation_error(context: EngineContext, leaf: Leaf | None, error: Exception) -> str:
    """Return the sentence for a job that could not start; it names the step that should have written missing data."""
    said = to_sentence(error)
    if leaf is None:
        return said
    if not isinstance(error, NotFound):
        return _explain_unmarked_input(context, leaf, said) or said
    for name, value in leaf.entity.inputs.items():
        place = leaf.places.get(name)
        if isinstance(value, Input) and value.path and place is not None and not place.exists:
            owed = _find_written(context, leaf.job, value.path)
            return f"its input '{name}' is not there: {_describe_owed(owed, value.path)}" if owed else said
    return said


def add_unmarked_hint(context: EngineContext, leaf: Leaf, error: dict[str, Any]) -> dict[str, Any]:
    """Return the error of a command that lacked the file of a table or a model with the step that left it out."""
    hint = _explain_unmarked_input(context, leaf, str(error["message"]))
    return {**error, "message": f"{error['message']}; {hint}"} if hint else error


def find_unmarked_outputs(spec: StepSpec, empty: Collection[str]) -> Iterator[str]:
    """Yield a log line for each output that was written without the file of its type, as readers need it.

    That is no failure: programs may read the folder otherwise.
    """
    for name, output in spec.outputs.items():
        marker = MARKERS.get(str(output.type))
        path = output.location.path if output.location is not None else None
        if marker and path is not None and name not in empty and _lacks_marker(path, marker):
            needs = f"steps that read it as an {output.type} need that file"
            yield f"warning: its output '{name}' is an {output.type} and has no file '{marker}'; {needs}"


def _explain_unmarked_input(context: EngineContext, leaf: Leaf, said: str) -> str | None:
    """Return the phrase for an input without the file that an error is about and that another step left out."""
    inputs: Mapping[str, Any] = leaf.entity.inputs
    for name, value in inputs.items():
        marker = MARKERS.get(str(value.type)) if isinstance(value, Input) else None
        place = leaf.places.get(name)
        if not marker or marker not in said or place is None or place.path is None or not value.path:
            continue
        written = _find_written(context, leaf.job, value.path) if _lacks_marker(place.path, marker) else None
        if written is not None:
            cause = f"{written.who} wrote its output '{written.output}' without it"
            return f"its input '{name}' has no file '{marker}': {cause}"
    return None


def _lacks_marker(path: str | os.PathLike[str], marker: str) -> bool:
    return os.path.isdir(path) and not os.path.isfile(os.path.join(path, marker))


def _describe_owed(written: _Written, uri: str) -> str:
    if written.is_empty:
        return f"{written.who} wrote nothing to its output '{written.output}'"
    return f"it is the output '{written.output}' of {written.who}, and nothing is at {uri}"


def _find_written(context: EngineContext, job: Job, uri: str) -> _Written | None:
    """Return the output of the step that should have written the data."""
    for writer in job_data.find_writers(context.db, job.workspace_id, [uri.rstrip("/"), f"{uri.rstrip('/')}/"]):
        for name, (_, _, written, _) in job_data.read_data(context.db, writer.id, "output").items():
            if written is not None and written.rstrip("/") == uri.rstrip("/"):
                is_sibling = writer.root_id == job.root_id and writer.node is not None
                who = f"step '{writer.node}'" if is_sibling else f"job '{writer.name}'"
                return _Written(who, name, name in (writer.empty_outputs or "").split())
    return None
