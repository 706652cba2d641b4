"""sweep: a command or component runs for points of a search space, and the best run's outputs are the sweep's."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from smalt.entities import CommandJob
from smalt.entities.jobs.sweep import SweepJob, Trial
from smalt.entities.rules.sentences import explain_missing_environment
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import has_expression
from smalt.entities.syntax.literals import convert
from smalt.exceptions import ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.leaf.step_spec import make_resources
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import SEED, SETTINGS, remove_planned
from smalt.service.engine.kinds.protocol import (
    NO_CHANGES,
    Changes,
    CompositeKind,
    CompositeView,
    Deadline,
    NewChild,
    Outcome,
    Plan,
)
from smalt.service.engine.kinds.registry import find_kind
from smalt.service.engine.kinds.step_jobs import (
    PlannedStep,
    find_compute,
    list_inherited_settings,
    make_forced_note,
)
from smalt.service.engine.kinds.sweep_expansion import find_trial_problems, find_unnamed, with_outputs
from smalt.service.engine.kinds.sweep_runs import (
    MOST_NAMES,
    SweepRun,
    TrialEnd,
    describe_end,
    explain_failure,
    find_runs,
    load_untold_values,
    propose_first,
    propose_lazily,
    read_end,
    to_finite,
)
from smalt.service.engine.kinds.sweep_trials import get_number, make_node_name, remove_varied
from smalt.service.engine.outcome import make_error
from smalt.service.records import job_data, job_needs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.sweeps.policies import find_reason_to_stop
from smalt.service.sweeps.space import Point
from smalt.service.sweeps.trials import Told
from smalt.service.tracking.run_database import LoggedMetric, get_database_path
from smalt.wire.encoding.casing import fold_case

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.submission.checks import Checker

_SHORT_SECONDS = 1.0
_MOST_AHEAD = 4
BEST = "best_child_run_id"
"""The property of a sweep that names its best trial, as the service has it."""

EARLY_TERMINATION = "EarlyTermination"
"""The code of the error of a trial that a policy has ended."""


class SweepKind(CompositeKind):
    """The children are trials: as many as may run at once are planned, and one more is added when one ends."""

    type = "sweep"
    hears_metrics = True

    def expand_body(self, context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body with a seed, so that the sweep has the same points if it is submitted again as it is."""
        body = with_outputs(context, workspace, body)
        properties = body.get("properties") or {}
        algorithm = body.get("samplingAlgorithm") or {}
        given = {fold_case(str(key)) for key, value in algorithm.items() if value is not None}
        if "seed" in given or SEED in properties:
            return body
        return {**body, "properties": {**properties, SEED: str(draw_seed())}}

    def check_job(self, checker: Checker, job: Any) -> None:
        checker.check_unknown_keys(job)
        checker.check_compute("", job.compute)
        checker.note_idle("", job)
        component = checker.find_component("", job)
        if isinstance(job.trial, Trial):
            self._check_command(checker, job)
        elif component is not None:
            self._check_trial(checker, "trial.", job, component)
            checker.problems += find_trial_problems(job, component)
        checker.check_inputs("", job.inputs, job, getattr(component, "inputs", None))
        checker.check_versions("", job.outputs)

    def _check_command(self, checker: Checker, job: Any) -> None:
        """Check a trial that is written in the sweep."""
        trial = job.trial
        if not trial.environment:
            checker.add("trial", explain_missing_environment("the trial"))
        checker.check_environment("trial.", trial.environment)
        checker.check_code("trial.", trial.code)
        checker.check_secrets("trial.", trial)
        checker.notes += find_unnamed(job)
        command = CommandJob(resources=job.resources or trial.resources, distribution=trial.distribution)
        for problem in checker.context.computes.find_backend(getattr(job, "compute", None)).steps.find_problems(
            make_resources(command)
        ):
            checker.add("resources", problem)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        if component.type == self.type:
            if isinstance(component.trial, Trial):
                self._check_command(checker, component)
                return
            of_type, component = component, checker.find_component(where, component)
            if component is not None:
                checker.problems += [f"{where}component.{one}" for one in find_trial_problems(of_type, component)]
        if component is not None:
            self._check_trial(checker, where, node, component)

    def _check_trial(self, checker: Checker, where: str, node: Any, component: Any) -> None:
        """Check the component of the trials."""
        kind = find_kind(component.type)
        if component.type not in ("command", "pipeline") or kind is None:
            checker.add(f"{where}trial", f"the trial of a sweep is a command or a pipeline, not a {component.type}")
            return
        if component.type == "pipeline":
            step = ".".join(where.split(".")[1:-1:2])
            idle = [key for key in ("resources", "identity") if vars(node).get(key) is not None]
            checker.idle += [(step, f"{key} has no effect: each step of the pipeline has its own") for key in idle]
        kind.check_step(checker, where, node, component, node.inputs)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> SweepJob:
        """Return the sweep of a step, with a seed by which an unchanged step has the same points in each run."""
        node, component, scope = step.node, step.component, step.scope
        of_type = component if getattr(component, "type", None) == self.type else None
        fill = partial(_resolve_numbers, scope.resolve_field)
        fields = build_job_values(SweepJob, node, of_type, ("trial",), fill)
        space = fields.get("search_space") or {}
        trial = vars(node if of_type is None else of_type)["trial"]
        fields.update(
            trial=planner.pins.get_reference("components", trial) if isinstance(trial, str) else trial,
            inputs=remove_varied(step.inputs, space),
            outputs=step.outputs,
            compute=find_compute(planner, step, fields.get("compute")),
        )
        job = SweepJob(**fields)
        settings = list_inherited_settings(planner, scope)
        job.properties = {
            SEED: str(make_seed(step.node_name, job)),
            **remove_planned(job.properties),
            **make_forced_note(planner, step),
            **({SETTINGS: json.dumps(settings)} if settings else {}),
        }
        return job

    def get_name_prefix(self, job: Job) -> str:
        return f"{job.name}_"

    def find_deadline(self, view: CompositeView) -> Deadline | None:
        limit = SweepRun.from_view(view).sweep.limits.timeout
        if not limit or view.job.started_at is None:
            return None
        why = f"the sweep ran longer than its limits.timeout of {limit:g} s"
        return Deadline(view.job.started_at + limit, make_error(why, "Canceled"))

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        run = SweepRun.from_view(view)
        if child is None:
            return partial(propose_first, run) if run.sampler.is_slow else None
        path = get_database_path(view.context.home, view.workspace.folder)
        names = find_runs(view, child) if child.status == "Completed" and path.exists() else []
        number = get_number(child.node)
        next_number = run.find_next_number() if run.sampler.is_slow else None
        if next_number is None:
            return partial(read_end, path, names, run.metric) if names else None
        run.asked[child.id] = next_number
        told = run.list_told()
        over = {number, *run.ends}
        running = [(one, point) for one, point in run.points.items() if one not in over]
        is_completed, reported = child.status == "Completed", run.find_last_report(child)

        def read() -> TrialEnd:
            end = read_end(path, names, run.metric) if names else TrialEnd()
            value = to_finite(end.value if is_completed else reported)
            this = Told(number, run.points[number], value, is_completed)
            return end._replace(point=run.sampler.propose(next_number, [*told, this], running))

        return read

    def plan(self, view: CompositeView, found: Any) -> Plan:
        run = SweepRun.from_view(view)
        points = iter(found) if found is not None else propose_lazily(run)
        children = (run.planner.make_trial(number, point) for number, point in enumerate(points))
        said = [] if run.sampler.count_points() is not None else [f"sampling seed: {run.seed}"]
        return Plan(children, run.planner.list_data_rows, said)

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        run = SweepRun.from_view(view)
        end = found if isinstance(found, TrialEnd) else TrialEnd()
        number = get_number(child.node)
        value = end.value if child.status == "Completed" else run.find_last_report(child)
        run.ends[number] = child.status
        changes = self._add_trials(run, child, end.point)
        note = describe_end(run, child, value, end.names)
        state = dict(view.state)
        if to_finite(value) is not None:
            state["values"] = {**state.get("values", {}), str(number): value}
        elif value is not None and child.status == "Completed":
            state["unusable"] = [*state.get("unusable", ()), f"{value:g} in {child.node}"][:MOST_NAMES]
        if end.names:
            state["names"] = sorted({*state.get("names", ()), *end.names})[:MOST_NAMES]
        return changes._replace(state=state if state != view.state else None, notes=[note] if note else [])

    def _add_trials(self, run: SweepRun, child: Job, point: Point | None) -> Changes:
        """Return the addition of trials, so that as many run as may, and of the ones after them if trials are short."""
        if run.sampler.is_slow:
            number = run.asked.pop(child.id, None)
            return (
                Changes(add=[run.add_trial(number, point)]) if number is not None and point is not None else NO_CHANGES
            )
        db, view = run.view.context.db, run.view
        chain = job_needs.list_chain(db, child)
        heads = [chain] if chain else []
        added: list[NewChild] = []

        def add_next(after: str | None) -> str | None:
            number = run.find_next_number()
            if number is None:
                return None
            added.append(run.add_trial(number, run.sampler.propose(number, (), ()), after))
            return added[-1].node

        for _ in range(run.at_once - len(heads) - job_needs.count_free_children(db, view.job.id)):
            node = add_next(None)
            heads += [[node]] if node is not None else []
        ahead = _count_ahead(child)
        for lane in heads:
            if len(lane) > 1 + ahead // 2:
                continue  # several are added at once later, which takes less than one each time
            while len(lane) <= ahead and (node := add_next(lane[-1])) is not None:
                lane.append(node)
        return Changes(add=added, starts_after_failure=chain[:1] if child.status != "Completed" else ())

    def hears_metric(self, view: CompositeView, name: str) -> bool:
        run = SweepRun.from_view(view)
        return run.policy is not None and name == run.metric

    def metric_logged(self, view: CompositeView, child: Job, metric: LoggedMetric) -> Changes:
        run = SweepRun.from_view(view)
        if "reports" in vars(run):
            run.reports[str(child.node)].append(metric.value)  # the records have it already
        policy = run.policy
        if child.cancel_requested or policy is None:
            return NO_CHANGES
        over = {make_node_name(number) for number in run.ends}
        why = find_reason_to_stop(policy, run.goal, run.reports, str(child.node), over)
        if why is None:
            return NO_CHANGES
        return Changes(cancel=[(child, make_error(why, EARLY_TERMINATION))], notes=[f"{child.node}: {why}"])

    def outcome(self, view: CompositeView) -> Outcome | None:
        run = SweepRun.from_view(view)
        children = view.list_children()
        best = run.find_best(children)
        if best is None:
            return Outcome("Failed", make_error(explain_failure(run, children)))
        return _keep_best(run, Outcome("Completed"), *best)

    def describe_early_end(self, view: CompositeView, end: Outcome) -> Outcome:
        """Return the end with the best trial so far, which is the sweep's best trial as if that had completed."""
        children = view.list_children()
        if not any(child.status == "Completed" for child in children):
            return end
        run = SweepRun.from_view(view)
        best = run.find_best(children, load_untold_values(run, children))
        return end if best is None else _keep_best(run, end, *best)


KIND = SweepKind()


def _count_ahead(child: Job) -> int:
    """Return how many trials are planned to follow each other without a turn between, by how long this one took.

    Trials that wait for a certain one while another has ended lose at most so much time at the end of the sweep.
    """
    if child.type != "command" or not child.ended_at or not child.started_at:
        return 0
    lasted = max(child.ended_at - child.started_at, 0.001)
    return min(int(_SHORT_SECONDS / lasted), _MOST_AHEAD)


def draw_seed() -> int:
    return secrets.randbelow(2**31)


def make_seed(step: str, sweep: SweepJob) -> int:
    """Return the seed of a step that is given none: one that changes with what it searches."""
    from hashlib import blake2b

    text = json.dumps([step, sweep.to_dict().get("search_space")], sort_keys=True, default=str)
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


def _resolve_numbers(resolve: Callable[[Any], Any], value: Any) -> Any:
    """Return a setting of a step with what it names of the pipeline filled in; bounds of a space are numbers again."""
    if not isinstance(value, Mapping):
        return resolve(value)
    return {name: _resolve_distribution(item, resolve) for name, item in value.items()}


def _resolve_distribution(item: Any, resolve: Callable[[Any], Any]) -> Any:
    plain = item.to_dict() if hasattr(item, "to_dict") else None
    named = [key for key, bound in (plain or {}).items() if isinstance(bound, str) and has_expression(bound)]
    if not named or plain is None:
        return resolve(item)
    filled = resolve(plain)
    for key in named:
        number = convert(filled[key], "number")
        if hasattr(number, "message"):
            raise ValidationException(
                f"search_space: {key} is {plain[key]}, which is {filled[key]!r}: {number.message}"
            )
        filled[key] = number
    return type(item).from_dict(filled)


def _keep_best(run: SweepRun, end: Outcome, best: Job, value: float) -> Outcome:
    """Return the end of a sweep with what it has of its best trial."""
    moved, absent = _find_moved(run.view, best)
    of = "the only trial" if len(run.points) == 1 else f"the best of {len(run.points)} trials"
    return end._replace(
        moved_outputs=moved,
        absent_outputs=absent,
        properties={BEST: best.name, "score": repr(value), "best_metric_status": "Succeeded"},
        tags={BEST: best.name},
        notes=[f"{of} is {best.node}: {run.metric} is {value:g}"],
    )


def _find_moved(view: CompositeView, best: Job) -> tuple[dict[str, str], list[str]]:
    """Return where the outputs of the sweep are, by planned URI, and those that the best trial did not write."""
    db = view.context.db
    planned, written = job_data.read_data(db, view.job.id, "output"), job_data.read_data(db, best.id, "output")
    there = {name: view.follow(best, str(row[2])) for name, row in written.items()}
    moved = {str(row[2]): there[name] for name, row in planned.items() if name in there}
    moved[ARTIFACTS.format(job=view.job.name)] = view.follow(best, ARTIFACTS.format(job=best.name))
    return moved, [name for name in planned if name not in there]
