"""The settings that an AutoML component has for a step: its own, with the step's inputs filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smalt.entities.jobs.automl.job import SETTINGS, AutoMLComponent, AutoMLJob
from smalt.entities.jobs.automl.tasks import JOBS
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.travel import Travel
from smalt.entities.syntax.expression import has_expression, parse_binding, parse_text
from smalt.entities.syntax.literals import convert, to_text
from smalt.exceptions import LocatedProblem, ValidationException


def fill_component(component: AutoMLComponent, inputs: Mapping[str, Any], *, is_whole: bool = True) -> AutoMLJob:
    """Return the component as a job with these inputs; raise ValidationException with every problem.

    Of a job that need not be whole only the values that could not be read are: its submission tells of the rest.
    """
    noun = JOBS[str(component.task)]
    names = {name for name, field in component._fields.items() if Travel.JOB in field.travels and name in noun._fields}
    names -= {"name", "type", "inputs", "outputs"}
    plain = {name: value for name, value in component.to_dict().items() if name in names or name in SETTINGS}
    given = {name: form.default for name, form in component.inputs.items() if form.default is not None}
    given.update({name: value for name, value in inputs.items() if value is not None})
    values = {name: _convert_value(value, component.inputs.get(name)) for name, value in given.items()}
    filled = _fill_inputs(plain, values)
    reader = Reader()
    job = noun._read_document({"type": "automl", **filled}, reader)
    problems = [one for one in reader.problems if is_whole or job is None or _is_lost(job, one.path)]
    if problems or job is None:
        raise ValidationException([LocatedProblem("", 0, 0, str(problem)) for problem in problems])
    return job


def _is_lost(job: Any, path: Sequence[Any]) -> bool:
    """Return True if the job has no value at the path."""
    found = job
    for key in path:
        found = vars(found).get(key) if isinstance(found, Entity) else found
        if found is None:
            return True
    return False


def _convert_value(value: Any, declared: Any) -> Any:
    """Return a value as plain data of the type that the component declares."""
    if isinstance(value, Input):
        return value.to_dict()
    kind = declared.type if isinstance(declared, Input) else None
    converted = convert(value, kind) if kind is not None and isinstance(value, str) else value
    return value if hasattr(converted, "message") else converted


def _fill_inputs(value: Any, inputs: Mapping[str, Any]) -> Any:
    """Return plain data with the inputs that it names put in; what names an input that is not given is left out."""
    if isinstance(value, Mapping):
        if set(value) <= {"type", "path", "mode"} and has_expression(value.get("path")):
            value = value["path"]
        else:
            filled = {key: _fill_inputs(item, inputs) for key, item in value.items()}
            return {key: item for key, item in filled.items() if item is not None}
    if isinstance(value, list):
        return [item for item in (_fill_inputs(one, inputs) for one in value) if item is not None]
    if not has_expression(value):
        return value
    alone = parse_binding(value)
    if alone is not None and alone.kind == "inputs":
        return inputs.get(alone.name)
    return "".join(
        part if isinstance(part, str) else to_text(inputs.get(part.name, "")) if part.kind == "inputs" else part.text
        for part in parse_text(value)
    )
