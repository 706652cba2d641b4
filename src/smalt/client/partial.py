"""Some steps of a pipeline again, with what an earlier run of it made: `job create --only STEP`, `--from STEP`.

In Python: `ml_client.jobs.create_or_update(job, only="score", of="NAME")`, `from_=["train"]`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from smalt.entities.expansion import expanded
from smalt.entities.expression import Expression, as_binding, bindings, port_named
from smalt.entities.inputs import Input
from smalt.entities.pipeline_job import PipelineJob
from smalt.entities.problems import did_you_mean, listed
from smalt.entities.references import parse_reference
from smalt.entities.rules.settings import EDGES
from smalt.exceptions import NotFound, Refused, ValidationException

if TYPE_CHECKING:
    from smalt.client.client import MLClient

PART_OF = "smalt.part-of"
"""The property by which the server knows the earlier run: labels mean what they meant to that one."""
_LOOKED_AT = 50
"""Pipelines among which the earlier run is sought, the newest first."""


def part(
    client: MLClient, job: Any, only: Sequence[str], since: Sequence[str], of: str | None, how: str = "of="
) -> tuple[Any, str]:
    """The pipeline with only these steps, or with these and all that need them; and the earlier run that feeds them.

    `how` the user names the run, for messages.
    """
    if isinstance(job, PipelineJob) and job.component is not None and not vars(job).get("jobs"):
        job = _with_steps(client, job)
    if not isinstance(job, PipelineJob) or not job.jobs:
        raise ValidationException("a part can be chosen of a pipeline's steps alone, and this job has none")
    for name in (*only, *since):
        if name not in job.jobs:
            hint = did_you_mean(name, job.jobs) or f"; its steps are {listed(job.jobs, 'and')}"
            raise ValidationException(f"this pipeline has no step '{name}'{hint}")
    wanted = {*only, *_users(job, since)}
    needed = {one.job for name in wanted for one in _said(job.jobs[name]) if one.job} - wanted
    earlier, steps = _earlier(client, job, needed, of, how)
    made = _Part(client, job, wanted, steps).made()
    if earlier:
        vars(made)["properties"] = {**(job.properties or {}), PART_OF: earlier}
    return made, earlier


def _with_steps(client: MLClient, job: PipelineJob) -> PipelineJob:
    """Return a job that names a component as one that has the component's steps itself."""
    component = job.component
    if isinstance(component, str):
        reference = parse_reference(component)
        if reference is None:
            raise ValidationException(f"component: '{component}' names nothing; write azureml:NAME:VERSION")
        component = client.components.get(reference.name, reference.version, reference.label)
    made = expanded(job, component)
    vars(made).pop("component")
    return made


class _Part:
    def __init__(self, client: MLClient, job: PipelineJob, wanted: set[str], steps: Mapping[str, str]) -> None:
        self._client = client
        self._job = job
        self._wanted = wanted
        self._steps = steps
        """By the step's name: the job that it was."""
        self._read: dict[str, Any] = {}

    def made(self) -> PipelineJob:
        made = copy.copy(self._job)
        nodes = {name: self._node(name, node) for name, node in self._job.jobs.items() if name in self._wanted}
        written = {one.name for node in nodes.values() for one in _said(node) if one.kind == "parent.outputs"}
        vars(made)["jobs"] = nodes
        vars(made)["outputs"] = {name: output for name, output in self._job.outputs.items() if name in written}
        vars(made)["settings"] = settings = copy.copy(self._job.settings)
        settings.force_rerun = True  # who names a step wants it to run, though it be as it was
        edges = {key: getattr(settings, key) for key in EDGES}
        for key, step in edges.items():
            if step not in self._wanted or self._wanted <= set(edges.values()):  # nothing is left to be before or after
                vars(settings).pop(key, None)
        return made

    def _node(self, name: str, node: Any) -> Any:
        made = copy.copy(node)
        vars(made)["inputs"] = {key: self._input(f"{name}.inputs.{key}", value) for key, value in node.inputs.items()}
        left = sorted({str(one.job) for one in _said(made) if one.job and one.job not in self._wanted})
        if left:
            raise Refused(f"step '{name}' cannot run without {listed(left, 'and')}: name them, too")
        return made

    def _input(self, where: str, value: Any) -> Any:
        """The same, but what a step that stays out was to give is what it gave."""
        text = value.path if isinstance(value, Input) else value
        binding = as_binding(text)
        if binding is None or not binding.job or binding.job in self._wanted:
            return value
        name = self._steps[binding.job]
        if name not in self._read:
            self._read[name] = self._client.jobs.get(name)
        earlier = self._read[name]
        if binding.kind == "parent.jobs.inputs":
            return earlier.inputs.get(port_named(binding.name, earlier.inputs) or "")
        port = port_named(binding.name, earlier.outputs or {})
        output = (earlier.outputs or {}).get(port or "")
        if output is None:
            raise NotFound(f"{where}: job {name} has no output '{binding.name}'; run it again from '{binding.job}'")
        given = copy.copy(value) if isinstance(value, Input) else Input()
        given.type = given.type or output.type or "uri_folder"
        given.path = f"azureml://jobs/{name}/outputs/{port}"
        return given


def _earlier(
    client: MLClient, job: PipelineJob, needed: set[str], of: str | None, how: str
) -> tuple[str, dict[str, str]]:
    """The run, and by step the names of its jobs."""
    if of is not None:
        steps = _completed(client, of)
        missing = sorted(needed - steps.keys())
        if missing:
            raise NotFound(f"job {of} has no completed step {listed(missing, 'and')}; name another run with {how}")
        return of, steps
    if not needed:
        return "", {}
    for found in islice(client.jobs.list(), _LOOKED_AT):
        if not isinstance(found, PipelineJob) or (job.display_name and found.display_name != job.display_name):
            continue
        if job.experiment_name and found.experiment_name != job.experiment_name:
            continue
        steps = _completed(client, str(found.name))
        if needed <= steps.keys():
            return str(found.name), steps
    words = listed(sorted(needed), "and")
    raise NotFound(f"no earlier run of this pipeline has completed {words}; run it whole, or name a run with {how}")


def _completed(client: MLClient, name: str) -> dict[str, str]:
    rows = client.connection.get(f"/smalt/v1{client.workspace_id}/jobs/{name}/tree")["jobs"]
    return {
        str(row["node"]): str(row["name"])
        for row in rows
        if row.get("parent") == name and row.get("node") and row["status"] == "Completed"
    }


def _users(job: PipelineJob, names: Sequence[str]) -> set[str]:
    """These steps and all that need them, however far."""
    found = set(names)
    while True:
        more = {name for name, node in job.jobs.items() if any(one.job in found for one in _said(node))} - found
        if not more:
            return found
        found |= more


def _said(node: Any) -> Iterator[Expression]:
    """The expressions in a step's inputs and outputs."""
    for values in (node.inputs or {}, node.outputs or {}):
        for value in values.values():
            text = value if isinstance(value, str) else getattr(value, "path", None)
            if isinstance(text, str):
                yield from bindings(text)
