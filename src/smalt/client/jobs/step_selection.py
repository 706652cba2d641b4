"""Selected steps of a pipeline, with the outputs of an earlier run: `job create --only STEP`, `--from STEP`.

In Python: `ml_client.jobs.create_or_update(job, only="score", of="NAME")`, `from_=["train"]`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.client.collections.components import ComponentOperations
from smalt.client.jobs.lookup import fetch_job
from smalt.client.jobs.source_run import PART_OF, find_source_run
from smalt.entities.jobs.control_flow import ControlFlowNode, find_gatherers, find_owners
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.pipeline import PipelineJob
from smalt.entities.rules.settings import EDGES
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.steps.expansion import expand_component
from smalt.entities.syntax.expression import Expression, find_expressions, parse_binding, resolve_port
from smalt.entities.syntax.references import parse_reference
from smalt.exceptions import NotFound, RefusedError, ValidationException

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

PART = "smalt.part"
"""The property that says, a line each, what this part of a pipeline takes and what it leaves out."""


class PipelinePart(NamedTuple):
    job: PipelineJob
    lines: list[str]
    """Sentences for the user, which the job's log says, too."""


def select_steps(
    session: ClientSession, job: Any, only: Sequence[str], since: Sequence[str], of: str | None, how: str = "of="
) -> PipelinePart:
    """Return the pipeline with only these steps, or with these and all that need them, fed by an earlier run.

    `how` is the option by which the user names the run, for messages. Raises ValidationException for an unknown step.
    """
    if isinstance(job, PipelineJob) and job.component is not None and not vars(job).get("jobs"):
        job = _expand_component(session, job)
    if not isinstance(job, PipelineJob) or not job.jobs:
        raise ValidationException("only a pipeline has steps to select, and this job has none")
    for name in (*only, *since):
        if name not in job.jobs:
            hint = did_you_mean(name, job.jobs) or f"; its steps are {join_words(job.jobs, 'and')}"
            raise ValidationException(f"this pipeline has no step '{name}'{hint}")
    wanted = _find_wanted(job, only, since)
    needed = {one.job for name in wanted for one in _find_bindings(job.jobs[name]) if one.job} - wanted
    _refuse_control_flow(job, wanted, needed | wanted - set(only))  # a step of a block alone is as good as another
    earlier, steps, told = find_source_run(session, job, needed, of, how)
    made = _PartBuilder(session, job, wanted, steps).build()
    names = [name for name in job.jobs if name in wanted]
    taken = f" with the outputs of job {earlier}" if earlier and needed else ""
    lines = [
        f"only {join_words(names, 'and')} {'runs' if len(names) == 1 else 'run'}{taken}",
        *told,
        *_describe_left_out(job, made),
    ]
    notes = {PART: "\n".join(lines), **({PART_OF: earlier} if earlier else {})}
    vars(made)["properties"] = {**(job.properties or {}), **notes}
    return PipelinePart(made, lines)


def _refuse_control_flow(job: PipelineJob, wanted: set[str], needed: set[str]) -> None:
    """Raise ValidationException for a condition or a loop among the steps, or one that they read outputs through."""
    loops = find_gatherers(job.jobs)
    for name in wanted:
        loop = loops.get(name)
        if loop is not None:
            raise ValidationException(
                f"the step '{name}' runs for each item of '{loop}' (parallel_for), and cannot be selected; "
                "run the whole pipeline: unchanged steps and iterations are reused"
            )
    owners = find_owners(job.jobs)
    control = {owners[name] for name in needed if name in owners}
    selected = [name for name in job.jobs if name in wanted and isinstance(job.jobs[name], ControlFlowNode)]
    for name in (*selected, *(one for one in job.jobs if one in control)):
        raise ValidationException(
            f"the step '{name}' ({job.jobs[name].type}) cannot be selected, or read from an earlier run; "
            "run the whole pipeline: unchanged steps are reused"
        )


def _find_wanted(job: PipelineJob, only: Sequence[str], since: Sequence[str]) -> set[str]:
    """Return the steps to run.

    The `on_init` and `on_finalize` steps belong to the pipeline: only `only` leaves them out.
    """
    edges = {name for name in _get_edge_steps(job).values() if name}
    if since and _get_edge_steps(job).get("on_init") in since:
        return set(job.jobs)  # all others come after it
    return {*only, *_find_users(job, since), *(edges if since else ())}


def _describe_left_out(job: PipelineJob, made: PipelineJob) -> Iterator[str]:
    """Yield a line for each thing that the whole pipeline does and the selected steps do not."""
    for key, step in _get_edge_steps(job).items():
        if step and step not in made.jobs:
            yield f"'{step}', the pipeline's {key} step, is left out"
    for name in job.outputs.keys() - made.outputs.keys():
        yield f"the pipeline's output '{name}' is left out with the step that writes it"


def _get_edge_steps(job: PipelineJob) -> dict[str, str | None]:
    return {key: getattr(job.settings, key) for key in EDGES}


def _expand_component(session: ClientSession, job: PipelineJob) -> PipelineJob:
    """Return a job that names a pipeline component as a job with the component's steps."""
    component = job.component
    if isinstance(component, str):
        reference = parse_reference(component)
        if reference is None:
            raise ValidationException(f"component: '{component}' names nothing; write azureml:NAME:VERSION")
        component = ComponentOperations(session).get(reference.name, reference.version, reference.label)
    made = expand_component(job, component)
    vars(made).pop("component")
    return made


class _PartBuilder:
    def __init__(self, session: ClientSession, job: PipelineJob, wanted: set[str], steps: Mapping[str, str]) -> None:
        self._session = session
        self._job = job
        self._wanted = wanted
        self._steps = steps
        """By the step's name: the job that it was."""
        self._read: dict[str, Any] = {}

    def build(self) -> PipelineJob:
        made = copy.copy(self._job)
        nodes = {name: self._build_node(name, node) for name, node in self._job.jobs.items() if name in self._wanted}
        written = {one.name for node in nodes.values() for one in _find_bindings(node) if one.kind == "parent.outputs"}
        read = {
            resolve_port(one.name, self._job.inputs)
            for node in nodes.values()
            for one in _find_input_bindings(node.to_dict())
        }
        vars(made)["jobs"] = nodes
        vars(made)["inputs"] = {name: value for name, value in self._job.inputs.items() if name in read}
        vars(made)["outputs"] = {name: output for name, output in self._job.outputs.items() if name in written}
        vars(made)["settings"] = settings = copy.copy(self._job.settings)
        settings.force_rerun = True  # who names a step wants it to run, though it be as it was
        edges = _get_edge_steps(self._job)
        for key, step in edges.items():
            if step not in self._wanted or self._wanted <= set(edges.values()):  # nothing is left to be before or after
                vars(settings).pop(key, None)
        return made

    def _build_node(self, name: str, node: Any) -> Any:
        made = copy.copy(node)
        vars(made)["inputs"] = {
            key: self._resolve_input(f"{name}.inputs.{key}", value) for key, value in node.inputs.items()
        }
        left = sorted({str(one.job) for one in _find_bindings(made) if one.job and one.job not in self._wanted})
        if left:
            raise RefusedError(f"step '{name}' cannot run without {join_words(left, 'and')}; select those too")
        return made

    def _resolve_input(self, where: str, value: Any) -> Any:
        """Return the input, with the output of a step that is left out replaced by that step's earlier output."""
        text = value.path if isinstance(value, Input) else value
        binding = parse_binding(text)
        if binding is None or not binding.job or binding.job in self._wanted:
            return value
        name = self._steps[binding.job]
        if name not in self._read:
            self._read[name] = fetch_job(self._session, name)
        earlier = self._read[name]
        if binding.kind == "parent.jobs.inputs":
            return earlier.inputs.get(resolve_port(binding.name, earlier.inputs) or "")
        port = resolve_port(binding.name, earlier.outputs or {})
        output = (earlier.outputs or {}).get(port or "")
        if output is None:
            raise NotFound(f"{where}: job {name} has no output '{binding.name}'; run it again from '{binding.job}'")
        given = copy.copy(value) if isinstance(value, Input) else Input()
        given.type = given.type or output.type or "uri_folder"
        given.path = f"azureml://jobs/{name}/outputs/{port}"
        return given


def _find_users(job: PipelineJob, names: Sequence[str]) -> set[str]:
    """Return these steps and all that need them, directly or not."""
    found = set(names)
    while True:
        more = {
            name for name, node in job.jobs.items() if any(one.job in found for one in _find_bindings(node))
        } - found
        if not more:
            return found
        found |= more


def _find_bindings(node: Any) -> Iterator[Expression]:
    """Yield the expressions in a step's inputs and outputs, in its condition, and in the items of a loop."""
    own = vars(node)
    for text in _list_texts([node.inputs, node.outputs, own.get("condition"), own.get("items")]):
        yield from find_expressions(text)


def _list_texts(value: Any) -> Iterator[str]:
    """Yield every text of a value, and the paths of data in it."""
    text = value.path if isinstance(value, (Input, Output)) else value
    if isinstance(text, str):
        yield text
    elif isinstance(value, (Mapping, list)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _list_texts(one)


def _find_input_bindings(value: Any) -> Iterator[Expression]:
    """Yield the expressions for the pipeline's inputs anywhere in a step."""
    if isinstance(value, str):
        yield from (one for one in find_expressions(value) if one.kind == "parent.inputs")
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _find_input_bindings(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _find_input_bindings(one)
