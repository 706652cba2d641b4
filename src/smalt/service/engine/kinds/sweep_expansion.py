"""A submitted sweep of a registered component is held to it, and gets its outputs."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities import Component, Output
from smalt.entities.jobs.sweep import SweepComponent, SweepJob, Trial
from smalt.entities.rules.bindings import PipelineNames
from smalt.entities.rules.sweep import check_declared_ports, check_space, check_trial_component
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax.expression import find_expressions
from smalt.exceptions import SmaltError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import copy_with
from smalt.service.records.workspaces import Workspace


def with_outputs(context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Return the REST body of a sweep job with the outputs of the component that is its trial."""
    trial = body.get("trial")
    if not isinstance(trial, dict) or not any(trial.get(key) for key in ("componentId", "component")):
        return body
    try:
        job: Any = wire.from_rest({"properties": body}, "job")
        component = _find_trial(context, workspace, job)
    except SmaltError:  # said by the checks
        return body
    if component is None:
        return body
    declared = {name: Output(type=one.type, mode=one.mode) for name, one in component.outputs.items()}
    written = wire.to_rest(copy_with(job, outputs={**declared, **job.outputs}))["properties"]
    return {**body, "outputs": {**written["outputs"], **(body.get("outputs") or {})}}


def _find_trial(context: EngineContext, workspace: Workspace, job: Any) -> Component | None:
    if not isinstance(job, SweepJob) or isinstance(job.trial, Trial):
        return None
    if isinstance(job.trial, Component):
        return job.trial
    properties = lookup.find_component(context, workspace, str(job.trial))
    found = wire.from_rest({"properties": properties}, "component")
    return found if isinstance(found, Component) else None


def find_trial_problems(sweep: Any, component: Any) -> list[str]:
    """Return what a sweep job, or a sweep component, gives to the component of its trials and that does not take."""
    reader = Reader()
    if isinstance(sweep, SweepComponent):
        check_declared_ports(sweep, component, (), reader)
        check_space(sweep, component, PipelineNames({}, {}, {}, {}), (), reader)
    elif isinstance(sweep, SweepJob):
        check_trial_component(sweep, component, (), reader)
    return [str(problem) for problem in reader.problems]


def find_unnamed(sweep: Any) -> list[str]:
    """Return a line for each parameter of a sweep that the command of its trials, written in place, does not name."""
    named = {one.name for one in find_expressions(str(sweep.trial.command)) if one.kind in ("inputs", "search_space")}
    return [
        f"the trial's command does not name '{name}' of the search space, which it has as AZUREML_SWEEP_{name} alone"
        for name in sweep.search_space or {}
        if name not in named
    ]
