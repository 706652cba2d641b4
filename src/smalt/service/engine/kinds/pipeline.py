"""A pipeline is a graph of steps, each of which becomes a child job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities import Input, PipelineJob
from smalt.entities.jobs.control_flow import find_blocks
from smalt.entities.rules.ineffective_keys import list_shared_places, list_unused_inputs
from smalt.entities.rules.pipeline import resolve_literals
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.control_flow.control_jobs import (
    PARALLEL_FOR,
    handle_missing_outputs,
    handle_skipped,
)
from smalt.service.engine.kinds.pipeline_expansion import with_steps
from smalt.service.engine.kinds.pipeline_plan import Planner, get_nodes, make_child_prefix
from smalt.service.engine.kinds.properties import TIMEOUT
from smalt.service.engine.kinds.protocol import (
    NO_CHANGES,
    Changes,
    CompositeKind,
    CompositeView,
    Deadline,
    Outcome,
    Plan,
    cancel_dependents,
    find_children_outcome,
    is_skip_error,
)
from smalt.service.engine.kinds.step_jobs import (
    PlannedStep,
    is_true,
    make_pipeline_job,
    read_settings,
)
from smalt.service.engine.outcome import make_error
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    from smalt.service.engine.submission.checks import Checker


class PipelineKind(CompositeKind):
    """A graph of steps, each of which becomes a child when the pipeline is planned."""

    type = "pipeline"

    def expand_body(self, context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
        return with_steps(context, workspace, body)

    def check_job(self, checker: Checker, job: Any) -> None:
        checker.check_unknown_keys(job)
        self._check_graph(checker, "", job)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        """Check the steps of a nested pipeline, once for all steps that give it the same values."""
        values = resolve_literals(node, component, inputs)
        if not checker.is_new("nested", f"{id(component)} {sorted(values.items())}"):
            return
        if not component.jobs:
            checker.add(f"{where}component", f"component '{component.name}' has no steps, so nothing would run")
        checker.note_texts({name: form.default for name, form in component.inputs.items() if isinstance(form, Input)})
        checker.check_steps(where, component, {**component.inputs, **values}, component.jobs or {})

    def _check_graph(self, checker: Checker, where: str, job: Any) -> None:
        checker.check_inputs(where, job.inputs, job)
        checker.note_texts(job.inputs)
        checker.check_versions(where, job.outputs, may_be_reused=True)
        settings = read_settings(job)
        checker.check_compute(f"{where}settings.default_", settings.get("default_compute"))
        checker.check_datastore(f"{where}settings.default_datastore", settings.get("default_datastore"))
        nodes = get_nodes(job)
        checker.note_idle(where, job)
        checker.idle += [("", line) for line in (*list_unused_inputs(job), *list_shared_places(job))]
        if not nodes:
            checker.add("jobs", "a pipeline job needs a step: add one under 'jobs'")
        checker.check_steps(where, job, job.inputs, nodes)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> PipelineJob:
        return make_pipeline_job(planner, step)

    def get_name_prefix(self, job: Job) -> str:
        return make_child_prefix(job.name)

    def plan(self, view: CompositeView, found: Any) -> Plan:
        planner = Planner.of_view(view)
        return Plan(planner.children(), lambda: [*planner.read(), *planner.written()])

    def find_deadline(self, view: CompositeView) -> Deadline | None:
        if view.job.parent_id is None or view.job.started_at is None:
            return None
        properties = (view.body.get("properties") or {}) if view.known_entity is None else view.known_entity.properties
        limit = float(properties.get(TIMEOUT) or 0)
        why = f"it ran longer than the {limit:g} s that the sweep's limits.trial_timeout allows"
        return Deadline(view.job.started_at + limit, make_error(why, "Canceled")) if limit else None

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        """Stop what cannot or should not go on after a failure; the on_finalize step starts after any end."""
        if child.status == "Completed":
            return handle_missing_outputs(view, child) if child.is_composite else NO_CHANGES
        continues, final = self._read_failure_rules(view)
        if is_skip_error(child.error):
            return handle_skipped(view, child, final)
        canceled = cancel_dependents(view, child, spared=final)
        if child.status == "Failed" and not continues:
            why = make_error(f"step '{child.node}' failed and continue_on_step_failure is false", "Canceled")
            siblings = [
                one for one in view.list_children() if not one.is_over and one.id != child.id and one.node != final
            ]
            siblings.sort(key=lambda one: one.status != "NotStarted")  # those that could start are ended first
            canceled += [(one, why) for one in siblings]
        return Changes(cancel=canceled, starts_after_failure=(final,) if final else ())

    def outcome(self, view: CompositeView) -> Outcome | None:
        ends = find_children_outcome(view)
        db, job = view.context.db, view.job
        if ends.status == "Completed" and jobs.has_skippable_children(db, job.id):
            return ends._replace(absent_outputs=job_data.list_unwritten_outputs(db, job, PARALLEL_FOR))
        return ends

    def _read_failure_rules(self, view: CompositeView) -> tuple[bool, str | None]:
        """Return whether steps go on after a failure, and the step that runs after all others."""
        rules: tuple[bool, str | None] | None = view.cache.get("failure_rules")
        if rules is None:
            settings = jobs.read_properties(view.context.db, view.job.id).get("settings") or {}
            rules = is_true(settings, "continue_on_step_failure"), settings.get("on_finalize")
            view.cache["failure_rules"] = rules
        return rules


KIND = PipelineKind()


def find_steps_within(names: Iterable[str], steps: Mapping[str, Any]) -> dict[str, Any]:
    """Return the steps of these names, with those in their blocks."""
    found: dict[str, Any] = {}
    for name in names:
        found[name] = steps[name]
        for block in find_blocks(steps[name]).values():
            found.update(find_steps_within(block, steps))
    return found
