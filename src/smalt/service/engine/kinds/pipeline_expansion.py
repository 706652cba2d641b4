"""A submitted pipeline job that names a component gets the component's steps: once, so that it stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smalt import wire
from smalt.entities import Input, PipelineJob
from smalt.entities.jobs.inputs import has_default
from smalt.entities.rules.pipeline import check_component_job
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.expansion import expand_component
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import copy_with
from smalt.service.records.workspaces import Workspace

_REPLACED = ("inputs", "outputs", "settings")


def with_steps(context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Return the REST body of a job with the steps, inputs, outputs and settings of the component that it names.

    The component stays there for clients. Where one sends the component's steps, too, these are taken: it may have
    changed them.
    """
    if not any(body.get(key) for key in ("componentId", "component")):
        return body
    bare = {key: value for key, value in body.items() if key != "jobs"}
    job = wire.from_rest({"properties": bare}, "job")
    if not isinstance(job, PipelineJob) or job.component is None:
        return body
    written = wire.to_rest(_expand_job(context, workspace, job))["properties"]
    return {**body, **{key: written[key] for key in _REPLACED}, "jobs": body.get("jobs") or written["jobs"]}


def _expand_job(context: EngineContext, workspace: Workspace, job: PipelineJob) -> PipelineJob:
    """Return the job with the component's steps; raise every problem of what it gives to the component."""
    component = _find_component(context, workspace, job.component)
    reader = Reader()

    def read_component(reference: str) -> Any:
        try:
            return _find_component(context, workspace, reference)
        except SmaltError:  # told of its step
            return None

    check_component_job(copy_with(job, component=component), component, (), reader, read_component)
    if reader.problems:
        raise ValidationException([LocatedProblem("", 0, 0, str(problem)) for problem in reader.problems])
    made = expand_component(job, component)
    absent = {f"${{{{parent.inputs.{name}}}}}" for name in component.inputs if name not in made.inputs}

    def get_component(step: Any) -> Any:
        found = vars(step).get("component")
        return step if found is None else _find_component(context, workspace, found)

    vars(made)["jobs"] = {
        name: remove_absent_inputs("the job", name, step, absent, get_component) for name, step in made.jobs.items()
    }
    return made


def _find_component(context: EngineContext, workspace: Workspace, component: Any) -> Any:
    if not isinstance(component, str):
        return component
    try:
        return wire.from_rest({"properties": lookup.find_component(context, workspace, component)}, "component")
    except SmaltError as error:
        raise ValidationException(f"component: {error}") from None


def remove_absent_inputs(
    whose: str, step_name: str, step: Any, absent: set[str], component_of: Callable[[Any], Any]
) -> Any:
    """Return the step without the inputs that are bound to optional ones of its pipeline which nobody gave."""
    given = getattr(step, "inputs", None) or {}
    bound = {name: getattr(value, "path", value) for name, value in given.items()}
    left = {name for name, text in bound.items() if not (isinstance(text, str) and text.replace(" ", "") in absent)}
    if len(left) == len(bound):
        return step
    component = component_of(step)
    for name in set(bound) - left:
        form = component.inputs.get(name) if component is not step else None
        if isinstance(form, Input) and not form.optional and not has_default(form):
            raise ValidationException(
                f"{whose}: input '{name}' of step '{step_name}' is required by its component, and "
                f"{bound[name]}, which it is bound to, is not given; give it, or make '{name}' optional"
            )
    return copy_with(step, inputs={name: given[name] for name in left})
