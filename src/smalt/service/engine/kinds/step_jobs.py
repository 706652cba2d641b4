"""The job that runs for a step of a pipeline, which the kind of the step makes: `Kind.make_step_job`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smalt.entities import CommandComponent, CommandJob, Input, Output, PipelineJob
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import has_expression, remove_empty_blocks
from smalt.exceptions import ValidationException
from smalt.service.engine.kinds.pipeline_expansion import remove_absent_inputs
from smalt.service.engine.kinds.places import Made
from smalt.service.engine.kinds.properties import FORCED, PART, REUSE, inherit_warm, remove_planned
from smalt.service.engine.submission.bindings import BindingScope, copy_with, fill_expressions

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner


@dataclass
class PlannedStep:
    """A step of a pipeline with all that it names resolved, of which its kind makes a job."""

    node_name: str
    """The name in the pipeline."""
    name: str
    """The name of its job."""
    node: Any
    component: Any
    """The component that says what it is; the node itself where that has it in place."""
    inputs: dict[str, Any]
    outputs: dict[str, Output]
    """Each with its place."""
    made: Mapping[str, Made]
    """The origin of these places."""
    scope: BindingScope


def make_command_job(planner: Planner, step: PlannedStep) -> CommandJob:
    """Return the command of a step, in the place and with the inputs that the pipeline gives it."""
    node, component = step.node, step.component
    if not isinstance(component, CommandComponent) and component is not node:
        raise ValidationException(f"pipeline '{planner.name}': a {component.type} step cannot run as a command")
    made = {
        "command": fill_job_name(remove_empty_blocks(component.command, step.inputs), step.name),
        "code": planner.pins.get_reference("codes", component.code) if component.code else None,
        "inputs": Attributes(step.inputs),  # as a job reads them: they are not read once more
        "outputs": Attributes(step.outputs),
    }
    fields = build_job_values(CommandJob, node, component, made, step.scope.resolve_field)
    return make_step_command(planner, step, fields, made)


def make_step_command(
    planner: Planner, step: PlannedStep, fields: dict[str, Any], made: Mapping[str, Any]
) -> CommandJob:
    """Return the command of a step: the fields that were declared, and those that the plan has made."""
    if isinstance(fields.get("environment"), str):
        fields["environment"] = planner.pins.get_reference("environments", fields["environment"])
    fields["compute"] = find_compute(planner, step, fields.get("compute"))
    job = CommandJob(**{**fields, **made})
    around = inherit_warm(planner.job.properties)
    job.properties = {**around, **remove_planned(job.properties), **make_reuse_note(planner, step)}
    return job


def make_pipeline_job(planner: Planner, step: PlannedStep) -> PipelineJob:
    """Return the job of a step that is a pipeline, with the settings of the one around it."""
    node, component, scope = step.node, step.component, step.scope
    settings = {
        **list_inherited_settings(planner, scope),
        **read_settings(component),
        **scope.resolve_field(read_settings(node)),
    }
    if _is_never_reused(node, component) or step.node_name in planner.edge_steps:
        settings["force_rerun"] = True
    compute = scope.resolve_field(getattr(node, "compute", None))
    if compute:
        settings["default_compute"] = compute
    absent = {f"${{{{parent.inputs.{name}}}}}" for name in component.inputs or {} if name not in step.inputs}
    whose = f"pipeline '{planner.name}'"
    steps = {
        name: remove_absent_inputs(whose, name, one, absent, planner.find_component)
        for name, one in component.jobs.items()
    }
    made = {
        "jobs": steps, "inputs": step.inputs, "outputs": step.outputs,
        "settings": PipelineJobSettings.from_dict(settings),
        "compute": None,  # it is the default of its steps, in the settings
    }  # fmt: skip
    job = PipelineJob(**{**build_job_values(PipelineJob, node, component, made, scope.resolve_field), **made})
    around = inherit_warm(planner.job.properties)
    job.properties = {**around, **remove_planned(job.properties), **make_forced_note(planner, step)}
    return job


def find_compute(planner: Planner, step: PlannedStep, compute: Any) -> Any:
    """Return the compute of a step: its own, or the pipeline's default."""
    return compute or step.scope.resolve_field(planner.settings.get("default_compute"))


def list_inherited_settings(planner: Planner, scope: BindingScope) -> dict[str, Any]:
    """Return the settings of the pipeline that what is within it has as well."""
    settings = {key: value for key, value in planner.settings.items() if key not in ("on_init", "on_finalize")}
    resolved: dict[str, Any] = scope.resolve_field(settings)
    return resolved


def make_reuse_note(planner: Planner, step: PlannedStep) -> dict[str, str]:
    """Return the note on a step that must run, whatever ran before."""
    edge = _find_edge(planner, step)
    if edge is not None:  # it writes nothing for others: all of it is what it does besides
        return {REUSE: f"never: it is the pipeline's {edge} step"}
    if _is_never_reused(step.node, step.component):
        return {REUSE: "never: is_deterministic is false"}
    shared = [name for name, one in step.made.items() if one.is_shared]
    if shared:
        return {REUSE: f"never: another step writes to the place of its output '{shared[0]}', too"}
    return {REUSE: f"not in this run: {find_forcing(planner)}"} if is_true(planner.settings, "force_rerun") else {}


def make_forced_note(planner: Planner, step: PlannedStep) -> dict[str, str]:
    """Return the note on a step with steps of its own, where something outside of it forces these to run."""
    edge = _find_edge(planner, step)
    if edge is not None:
        return {FORCED: f"'{step.node_name}' is the pipeline's {edge} step"}
    if _is_never_reused(step.node, step.component):
        noun = "a pipeline" if step.component.type == "pipeline" else f"a {step.node.type}"
        return {FORCED: f"is_deterministic of the step '{step.node_name}', {noun}, is false"}
    return {FORCED: find_forcing(planner)} if is_true(planner.settings, "force_rerun") else {}


def find_forcing(planner: Planner) -> str:
    """Return why no step of the pipeline is reused in this run, where its settings say so."""
    properties = planner.job.properties
    named = "'job create' was told to run it, with --only or --from"
    return str(properties.get(FORCED) or (named if PART in properties else "force_rerun is true"))


def _find_edge(planner: Planner, step: PlannedStep) -> str | None:
    """Return the setting that makes the step the pipeline's first or last; None if none does."""
    edges = zip(("on_init", "on_finalize"), planner.edge_steps, strict=True)
    return next((edge for edge, name in edges if name == step.node_name), None)


def _is_never_reused(node: Any, component: Any) -> bool:
    return vars(node).get("is_deterministic", getattr(component, "is_deterministic", None)) is False


def read_settings(job: Any) -> dict[str, Any]:
    """Return a pipeline's settings as a plain mapping; unknown keys are kept and mean nothing.

    Its own compute is the default one of its steps unless the settings have another.
    """
    settings = getattr(job, "settings", None) or {}
    plain: dict[str, Any] = dict(settings) if isinstance(settings, Mapping) else settings.to_dict()
    compute = getattr(job, "compute", None)
    if compute and not plain.get("default_compute"):
        plain["default_compute"] = compute
    return plain


def is_true(settings: Mapping[str, Any], name: str) -> bool:
    """Return a setting as YAML has it, or as an older client sends it."""
    if name not in settings:
        words = name.split("_")
        name = words[0] + "".join(word.title() for word in words[1:])
    return str(settings.get(name)).lower() == "true"


def fill_job_name(value: Any, job: str) -> Any:
    """Return a value or command with `${{name}}` filled in: once, so that whatever is made of it is the same."""
    if isinstance(value, Input) and has_expression(value.path):
        return copy_with(value, path=fill_expressions(str(value.path), {"name": job}))
    return fill_expressions(value, {"name": job}) if has_expression(value) else value
