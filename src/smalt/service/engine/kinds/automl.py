"""automl: one step searches the best model of a table; each model that it tries becomes a child job."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalt.automl_program.words import find_primary_metric
from smalt.entities import Input, Output
from smalt.entities.jobs.automl.components import fill_component
from smalt.entities.jobs.automl.job import DATA, OUTPUTS, AutoMLJob
from smalt.entities.jobs.automl.tasks import JOBS
from smalt.entities.schema.travel import build_job_values
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.automl_checks import check_automl
from smalt.service.engine.kinds.automl_search import BEST_MODEL, SEARCH, SearchPlanner, store_program
from smalt.service.engine.kinds.automl_trials import (
    REPORTS,
    SCORE,
    SearchJournal,
    find_folder,
    list_scores,
    make_trial_name,
    make_trials,
    read_ended,
    read_live,
)
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import IDLE, SETTINGS, remove_planned
from smalt.service.engine.kinds.protocol import (
    NO_CHANGES,
    Changes,
    CompositeKind,
    CompositeView,
    Outcome,
    Plan,
)
from smalt.service.engine.kinds.step_jobs import PlannedStep, find_compute, list_inherited_settings, make_forced_note
from smalt.service.engine.outcome import make_error, parse_message
from smalt.service.engine.submission.bindings import resolve_input
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.run_database import LoggedMetric

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.submission.checks import Checker

_TRIAL_METRIC = "smalt.trial"
"""The metric that the search logs when a line of its journal is written: the number of the trial."""


class AutoMLKind(CompositeKind):
    """The first child searches. The others are its trials, over when they are added: the search ran them."""

    type = "automl"
    hears_metrics = True

    def expand_body(self, context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body with the output that every such job has."""
        outputs = body.get("outputs") or {}
        return (
            body
            if BEST_MODEL in outputs
            else {**body, "outputs": {**outputs, BEST_MODEL: {"jobOutputType": "mlflow_model"}}}
        )

    def explain_unsupported(self, job: Any) -> str:
        if job.is_tabular:
            return ""
        return (
            f"an AutoML job of the task '{job.task}' cannot run yet: smalt's AutoML learns from tables; run "
            "AutoGluon-Multimodal as a command job whose environment lists 'autogluon.multimodal'"
        )

    def check_job(self, checker: Checker, job: Any) -> None:
        checker.check_unknown_keys(job)
        checker.check_compute("", job.compute)
        checker.check_secrets("", job)
        checker.note_idle("", job)
        checker.check_versions("", job.outputs)
        check_automl(checker, "", job, {})

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        if why_not := self.explain_unsupported(component):
            checker.add(where.rstrip("."), why_not)
        else:
            own = {} if component is node else node.inputs
            check_automl(checker, where, component, {**inputs, **{f".{name}": value for name, value in own.items()}})

    def make_step_job(self, planner: Planner, step: PlannedStep) -> AutoMLJob:
        """Return the AutoML job of a step, with the tables that the pipeline gives it."""
        node, scope = step.node, step.scope
        source = node if step.component is node else fill_component(step.component, step.inputs)
        data = {name: _to_input(resolve_input(getattr(source, name), scope, step.name)) for name in DATA}
        data = {name: planner.pin_input(f"{step.node_name}.{name}", value) for name, value in data.items() if value}
        step.inputs.update(data)
        _add_best_model(planner, step)
        noun = JOBS[str(source.task)]
        fields = build_job_values(noun, node, None if source is node else source, DATA, scope.resolve_field)
        fields.update(data, outputs=step.outputs, compute=find_compute(planner, step, fields.get("compute")))
        job = noun(**fields)
        settings = list_inherited_settings(planner, scope)
        job.properties = {
            **remove_planned(job.properties),
            **make_forced_note(planner, step),
            **({SETTINGS: json.dumps(settings)} if settings else {}),
        }
        return job

    def get_name_prefix(self, job: Job) -> str:
        return f"{job.name}_"

    def hears_metric(self, view: CompositeView, name: str) -> bool:
        return name == _TRIAL_METRIC

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        if child is None:
            return partial(store_program, view.context)
        if child.node != SEARCH:
            return None
        folder = find_folder(view, child)
        if folder is None:
            return SearchJournal
        context, workspace = view.context, view.workspace
        left = context.data.locate(view.follow(child, ARTIFACTS.format(job=child.name)), workspace).path
        artifacts = context.artifacts(workspace, view.job.name)
        scratch = Path(context.home.shell_safe_path, "workspaces", workspace.folder, "jobs", child.name, "read")

        def read() -> SearchJournal:
            there = context.data.prepare_input(folder, "uri_folder", None, scratch)
            return read_ended(there, left / REPORTS if left is not None else None, artifacts)

        return read

    def plan(self, view: CompositeView, found: Any) -> Plan:
        planner = SearchPlanner(view, found)
        return Plan(iter([planner.make_search()]), planner.list_data_rows)

    def metric_logged(self, view: CompositeView, child: Job, metric: LoggedMetric) -> Changes:
        journal = read_live(view, child) if child.node == SEARCH else None
        if journal is None:
            return NO_CHANGES
        added = make_trials(view, journal.trials, _get_metric(view), view.list_children())
        return Changes(add=added, state={**view.state, "values": list_scores(journal)} if added else None)

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        if child.node != SEARCH:
            return NO_CHANGES
        journal = found if isinstance(found, SearchJournal) else SearchJournal()
        state = {"best": journal.best, "error": journal.error, "values": list_scores(journal)}
        trials = make_trials(view, journal.trials, _get_metric(view), view.list_children())
        idle = str((view.body.get("properties") or {}).get(IDLE))
        return Changes(add=trials, state=state, notes=[note for note in journal.notes if note not in idle])

    def outcome(self, view: CompositeView) -> Outcome:
        search = next(child for child in view.list_children() if child.node == SEARCH)
        if search.status == "Canceled":
            return Outcome(
                "Canceled", make_error(f"the search was canceled: {parse_message(search.error)}", "Canceled")
            )
        error = view.state.get("error")
        if search.status != "Completed":
            return Outcome("Failed", make_error(error or f"the search failed: {parse_message(search.error)}"))
        best = view.state.get("best")
        if best is None:
            return Outcome(
                "Failed",
                make_error(error or "the search ended without a best model; see the logs of its step 'search'"),
            )
        name = make_trial_name(view.job.name, best["number"])
        properties = {"best_child_run_id": name, SCORE: repr(best.get("score"))}
        tags = {"automl_best_child_run_id": name}
        return Outcome("Completed", properties=properties, tags=tags, metrics=best.get("metrics") or {})


KIND = AutoMLKind()


def _to_input(value: Any) -> Input | None:
    return Input(path=value) if isinstance(value, str) and value else value


def _add_best_model(planner: Planner, step: PlannedStep) -> None:
    """Give the step the output that every AutoML job has, and the type of a model if it has none."""
    given = step.outputs.get(BEST_MODEL)
    if given is None:
        form = Output(type=OUTPUTS[BEST_MODEL])
        step.outputs[BEST_MODEL] = planner.make_output(step.name, BEST_MODEL, form, None, step.scope)
    elif given.type in (None, "uri_folder"):
        given.type = OUTPUTS[BEST_MODEL]


def _get_metric(view: CompositeView) -> str:
    """Return the primary metric, in the service's spelling."""
    return find_primary_metric(str(view.entity.task), view.entity.primary_metric)
