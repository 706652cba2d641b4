"""A command is one step: its folders, inputs, outputs, variables, and the text that bash runs."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from smalt import wire
from smalt.entities import CommandJob, Input, Output
from smalt.entities.jobs.identity import UserIdentity
from smalt.entities.jobs.inputs import ORDERS_STEPS
from smalt.entities.jobs.resources import TensorFlowDistribution
from smalt.entities.syntax.literals import to_text
from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import Conflict, RefusedError, SmaltError
from smalt.service.compute.backend import Backend
from smalt.service.compute.spec import OutputSpec, StepInput, StepResources, StepSpec
from smalt.service.compute.step import NOTHING_FETCHED, Fetched, Layout, RunnableStep, Say
from smalt.service.data import Location
from smalt.service.data.data_access import OWN
from smalt.service.data.files.write_protection import forbid_writing
from smalt.service.data.job_data import access_modes
from smalt.service.engine import outcome
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion import removal
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.places import OWN_OUTPUT, output_uri
from smalt.service.engine.kinds.properties import OUTPUT_FOLDER, POINT, RAN_IN
from smalt.service.engine.kinds.protocol import Error, LeafKind
from smalt.service.engine.outputs.registration import find_taken_versions
from smalt.service.engine.slots import SlotGrant, SlotRequest
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import fill_expressions
from smalt.service.engine.versions import overwrites
from smalt.service.environments import BuiltEnvironment
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import ReuseCandidate, ReuseVerdict, WorkKey
from smalt.service.reuse.keys import Parts
from smalt.wire.encoding import artifact_paths

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker


GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass
class Leaf:
    """A command job about to run, with everything that its references mean."""

    job: Job
    workspace: Workspace
    entity: CommandJob
    environment: dict[str, Any]
    code: str | None
    sends: bool = False
    """True if outputs are sent elsewhere when the command has ended."""
    hides: bool = False
    """True if the workspace has secrets, which are removed from the logs when the command has ended."""
    links: bool = False
    """True if it gets a link to an output's place, which it may have replaced by something else."""
    layout: Layout | None = None
    """The folders of its first attempt, if they were made ahead of its turn."""
    cpus: int | None = None
    """The slots that it takes, if not one for each process of its distribution."""
    more_variables: dict[str, str] = field(default_factory=dict)
    """Variables that its kind gives it; they are no part of what tells it from another step."""
    places: dict[str, Location] = field(default_factory=dict)
    """The location of each input when the step began: it reads there, whatever is moved later."""
    written: dict[str, Location] = field(default_factory=dict)
    """The location of each output, known once the step is laid out."""
    fetched: Fetched = NOTHING_FETCHED
    """The inputs that the backend fetched beforehand."""
    known_spec: StepSpec | None = None
    """The spec that was made last, while the places in it are what they were."""
    asked: ReuseCandidate | None = None
    """The parts of its reuse key, once someone asked."""
    verdict: ReuseVerdict | None = None
    """The verdict on whether it must run."""
    work: WorkKey | None = None
    """The key of work that it may take over from another job, once that is known."""

    @classmethod
    def read(cls, context: EngineContext, job: Job, workspace: Workspace, entity: CommandJob | None = None) -> Leaf:
        """`entity` where it is known already; else it is read from the job's body."""
        if entity is None:
            entity = cast("CommandJob", wire.from_rest({"properties": jobs.read_properties(context.db, job.id)}, "job"))
        environment = lookup.find_environment(context, workspace, str(entity.environment))
        code = lookup.find_snapshot(context, workspace, entity.code) if entity.code else None
        sends = any(
            output.path and context.data.is_remote_output(output_uri(job.name, name, output, _place(entity)), workspace)
            for name, output in entity.outputs.items()
        )
        return cls(job, workspace, entity, environment, code, sends, context.vault.get_mask(workspace) is not None)

    def locate(self, context: EngineContext) -> None:
        """Look where each input is, once for all that this step does with it; another attempt reads the same."""
        self.places.clear()
        self.known_spec = None
        self.fetched = NOTHING_FETCHED
        inputs = {name: value.path or "" for name, value in self.entity.inputs.items() if isinstance(value, Input)}
        noted = (
            job_data.read_places(context.db, self.job.id)
            if inputs and job_attempts.get_last_attempt_number(context.db, self.job)
            else {}
        )
        for name, uri in inputs.items():
            before = noted.get(name)
            if before is None or before[0] != uri or overwrites.is_moved(context, self.workspace, uri, before[1]):
                self.places[name] = context.data.locate(uri, self.workspace)
            else:
                self.places[name] = context.data.locate_again(uri, self.workspace, before[1])

    def follow_moved(self, context: EngineContext) -> None:
        """Look again for versions that a job, this one perhaps, is about to write over: they were copied aside."""
        for name, location in self.places.items():
            if overwrites.is_moved(context, self.workspace, location.uri, location.place):
                self.places[name] = context.data.locate(location.uri, self.workspace)
                self.known_spec = None

    @property
    def place(self) -> str | None:
        """The name of the folder for its outputs, where it is not the job's."""
        return _place(self.entity)

    @property
    def timeout(self) -> float | None:
        limits = self.entity.limits
        return float(limits.timeout) if limits and limits.timeout else None

    @property
    def request(self) -> SlotRequest:
        processes = process_count(self.entity)
        return SlotRequest(cpus=self.cpus or processes, gpus=processes if wants_gpu(self.entity) else 0)

    @property
    def folder(self) -> str | None:
        """A folder to run in instead of the attempt's own."""
        return None

    def backend(self, context: EngineContext, environment: BuiltEnvironment | None = None) -> Backend:
        """Return where the step runs; without its environment only the runner is certain."""
        return context.computes.find_backend(self.entity.compute, environment)

    @property
    def finishes_quickly(self) -> bool:
        """True if no output has to be copied, sent, registered or looked through when its command has ended."""
        outputs = self.entity.outputs.values()
        return not (
            self.sends or self.hides or self.links or any(one.mode == "upload" or one.name for one in outputs)
            or any(one.is_registered for one in places.read(self.entity.properties).values())
        )  # fmt: skip

    def is_quick(self, context: EngineContext) -> bool:
        """Return True if it can be prepared within a turn of the loop: nothing has to be fetched or copied for long."""
        if not context.identity.is_ready:
            return False
        if self.entity.outputs and job_attempts.get_last_attempt_number(
            context.db, self.job
        ):  # what that left is removed, however much
            return False
        if any(overwrites.is_occupied(place) for place in shared_places(context, self)):
            return False
        if not self.backend(context).steps.is_quick(make_spec(self, 1)):
            return False
        return all(
            value.type != "mltable" and context.verified.is_stamped(self.places[name], self.job.root_id)
            for name, value in self.entity.inputs.items()
            if isinstance(value, Input)
        )

    def make_data_rows(self) -> list[DataRow]:
        return data_rows(self)

    def make_spec(self, number: int) -> StepSpec:
        return make_spec(self, number)

    def prepare_step(
        self, context: EngineContext, environment: BuiltEnvironment, grant: SlotGrant, number: int
    ) -> tuple[RunnableStep, BuiltEnvironment]:
        """Return what the backend runs for attempt `number`, and the attempt's view of the environment."""
        return prepare(context, self, environment, grant, number)

    def lay_out(self, context: EngineContext, environment: BuiltEnvironment, number: int) -> Layout:
        return lay_out(context, self, environment, number)

    async def fetch_inputs(
        self, context: EngineContext, say: Say, number: int, environment: BuiltEnvironment
    ) -> dict[str, Path]:
        return await fetch(context, self, say, number, environment)

    async def refuse_changed_context(self, context: EngineContext) -> None:
        await refuse_changed_context(context, self)

    def has_movable_input(self) -> bool:
        return may_be_moved(self)

    def find_moved_input(self, context: EngineContext) -> str | None:
        return find_moved_input(context, self)

    def find_shared_places(self, context: EngineContext) -> list[Path]:
        return shared_places(context, self)

    def protect_outputs(self, context: EngineContext) -> None:
        protect(context, self)

    def complete_spec(self, spec: StepSpec) -> None:
        """Add to the spec what another kind of leaf has besides its command."""

    sentence_file = ""
    """The file of the working directory in which a program of smalt's own says why it failed; empty if it is none."""

    def explain_failure(self, folder: str, error: Error) -> Error:
        """Return the error of a command that failed in `folder`, with the sentence of a program of smalt's own."""
        return outcome.add_program_sentence(error, folder, self.sentence_file) if self.sentence_file else error

    @property
    def work_parts(self) -> Parts | None:
        """The parts of its key that count for work that it can take over from another job; None if it cannot."""
        return None

    @property
    def retries(self) -> int:
        """The number of further attempts after one that failed."""
        return retries(self.entity)

    @property
    def wants_gpu(self) -> bool:
        return wants_gpu(self.entity)

    @property
    def docker_args(self) -> list[str]:
        """The job's own arguments for the container engine."""
        return docker_args(self.entity)


def process_count(job: CommandJob) -> int:
    """Return the number of processes that the job's distribution makes on this machine."""
    distribution, resources = job.distribution, job.resources
    instances = int(getattr(resources, "instance_count", None) or 1)
    if distribution is None:
        return 1
    if isinstance(distribution, TensorFlowDistribution):
        return (distribution.worker_count or instances) + (distribution.parameter_server_count or 0)
    return instances * int(getattr(distribution, "process_count_per_instance", None) or 1)


def wants_gpu(job: CommandJob) -> bool:
    """The service's own signs: a GPU size (Standard_N…), or a compute that is called gpu-something."""
    size = str(getattr(job.resources, "instance_type", None) or "").lower()
    compute = str(job.compute or "").lower()
    return size.startswith("standard_n") or "gpu" in compute.rpartition("/")[2]


def make_spec(leaf: Leaf, number: int) -> StepSpec:
    """Return what attempt `number` at the job is to run, with the places that were located so far.

    What smalt tells the job by variables is left out: that is needed only when the step is started.
    """
    known = leaf.known_spec
    if known is not None and known.attempt == number:
        return known
    job, workspace, entity = leaf.job, leaf.workspace, leaf.entity
    made = places.read(entity.properties)
    outputs = {}
    for name, output in entity.outputs.items():
        how, uri = made.get(name, places.ALONE), output_uri(job.name, name, output, leaf.place)
        is_given = how.given is not None or (job.parent_id is None and bool(output.path))
        outputs[name] = OutputSpec(
            output.type, output.mode, uri, leaf.written.get(name),
            is_artifacts=_is_artifacts(name, output), orders_steps=output.description == ORDERS_STEPS,
            is_private=not (is_given or how.is_shared),
        )  # fmt: skip
    literals, inputs = {}, {}
    for name, value in entity.inputs.items():
        if isinstance(value, Input):
            inputs[name] = StepInput(value.type, value.mode, value.path or "", leaf.places.get(name))
        elif value is not None:
            literals[name] = fill_expressions(to_text(value), {"name": job.name})
    spec = leaf.known_spec = StepSpec(
        id=job_attempts.make_step_id(job, number),
        attempt=number,
        job=job.name,
        root_id=job.root_id,
        created_at=job.created_at,
        workspace=workspace,
        command=entity.command,
        code=leaf.code,
        environment=leaf.environment,
        literals=literals,
        inputs=inputs,
        outputs=outputs,
        variables={name: to_text(value) for name, value in entity.environment_variables.items()},
        resources=make_resources(entity),
        distribution=_make_distribution(entity),
        sends_outputs=leaf.sends,
        timeout=leaf.timeout,
        grace=GRACE,
        labels={"experiment": job.experiment, "job": job.display_name or job.name},
        is_trial=POINT in entity.properties,
        folder=leaf.folder,
    )
    leaf.complete_spec(spec)
    return spec


def make_startable_spec(context: EngineContext, leaf: Leaf, number: int) -> StepSpec:
    """Return the spec with the variables that smalt gives the job: its names, tracking, the way to the server."""
    as_user = isinstance(leaf.entity.identity, UserIdentity)
    spec = make_spec(leaf, number)
    spec.service_variables = {**_make_service_variables(context, leaf), **leaf.more_variables}
    spec.server_host = context.tracking.host
    access = context.tracking.get_server_access(leaf.job)
    spec.identity_variables = context.identity.build_variables(access, leaf.workspace, as_user=as_user)
    return spec


def prepare(
    context: EngineContext, leaf: Leaf, environment: BuiltEnvironment, grant: SlotGrant, number: int
) -> tuple[RunnableStep, BuiltEnvironment]:
    """Return the step, ready to be started, and its own view of its environment."""
    _refuse_taken_versions(context, leaf)
    layout = leaf.layout
    if layout is None or number > 1 or layout.environment.declared_hash != environment.declared_hash:
        layout = lay_out(context, leaf, environment, number)
    if layout.environment.has_mlflow:
        context.tracking.start_soon()
    backend = leaf.backend(context, environment)
    spec, say = make_startable_spec(context, leaf, number), partial(context.say, leaf.job)
    step = backend.steps.prepare(spec, layout, grant.gpus, leaf.fetched, say)
    return step, layout.environment


def _refuse_taken_versions(context: EngineContext, leaf: Leaf) -> None:
    """Raise before hours of work where what the job is to register exists already."""
    asked = ((name, output.type, output.name, output.version) for name, output in leaf.entity.outputs.items())
    taken = find_taken_versions(context.db, leaf.job.workspace_id, asked)
    if taken:
        raise Conflict("; ".join(f"outputs.{name}: {why}" for name, why in taken.items()))


def lay_out(context: EngineContext, leaf: Leaf, environment: BuiltEnvironment, number: int) -> Layout:
    """Make the folders of attempt `number`, the places of its outputs and its view of the environment."""
    _locate_outputs(context, leaf)
    backend = leaf.backend(context, environment)
    layout = backend.steps.lay_out(make_spec(leaf, number), environment)
    leaf.links = leaf.links or layout.has_links
    return layout


def _locate_outputs(context: EngineContext, leaf: Leaf) -> None:
    """Look where each output goes; raise RefusedError if that is where no job may write."""
    known = leaf.known_spec
    for name, output in leaf.entity.outputs.items():
        if _is_artifacts(name, output):
            continue
        uri = output_uri(leaf.job.name, name, output, leaf.place)
        look = context.data.resolve if uri.startswith(OWN) else context.data.locate
        location = leaf.written[name] = look(uri, leaf.workspace)
        if known is not None:
            known.outputs[name].location = location
        is_own = uri == OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name)
        if not is_own and (why := overwrites.find_write_problem(context, location)):
            raise RefusedError(f"outputs.{name}: {why}")


def data_rows(leaf: Leaf) -> list[DataRow]:
    """Return what the job reads and writes, for the records."""
    reads: list[DataRow] = [
        DataRow(
            "input", name, value.type or "uri_folder", value.mode, value.path,
            lookup.make_asset_key(value.path, value.type), leaf.places[name].place,
        )
        for name, value in leaf.entity.inputs.items()
        if isinstance(value, Input)
    ]  # fmt: skip
    writes: list[DataRow] = [
        DataRow(
            "output", name, output.type or "uri_folder", output.mode,
            output_uri(leaf.job.name, name, output, leaf.place),
            place=leaf.written[name].place if name in leaf.written else None,
        )
        for name, output in leaf.entity.outputs.items()
    ]  # fmt: skip
    return reads + writes


def _place(entity: CommandJob) -> str | None:
    place = entity.properties.get(OUTPUT_FOLDER)
    return str(place) if place else None


def shared_places(context: EngineContext, leaf: Leaf) -> list[Path]:
    """Return where the job writes that is not its alone: outputs whose paths were given, inputs of mode rw_mount."""
    found = []
    for name, output in leaf.entity.outputs.items():
        uri = output_uri(leaf.job.name, name, output)
        if _is_artifacts(name, output) or uri == OWN_OUTPUT.format(job=leaf.job.name, output=name):
            continue
        with contextlib.suppress(SmaltError):  # told when the place is made
            location = leaf.written.get(name) or context.data.locate(uri, leaf.workspace)
            found += [location.path] if location.path is not None else []
    for name, value in leaf.entity.inputs.items():
        if isinstance(value, Input) and value.mode == "rw_mount" and name in leaf.places:
            place = leaf.places[name]
            if place.path is not None and access_modes.is_writable(place, value.mode, context.root):
                found.append(place.path)
    return found


def may_be_moved(leaf: Leaf) -> bool:
    """Return True if the step reads a version that is moved when another job writes over its place."""
    return bool(_find_movable_inputs(leaf))


def find_moved_input(context: EngineContext, leaf: Leaf) -> str | None:
    """Return a sentence where another job wrote over the place of a version that the step was reading.

    The records say what the step was reading: the server that started it may be gone.
    """
    movable = _find_movable_inputs(leaf)
    noted = job_data.read_places(context.db, leaf.job.id) if movable else {}
    for name in movable:
        uri, place = noted.get(name, ("", ""))
        if place and overwrites.is_moved(context, leaf.workspace, uri, place):
            return (
                f"another job wrote over {place}, where its input '{name}' was, while it ran; "
                "the version is at another place since then, so submit the job again"
            )
    return None


def _find_movable_inputs(leaf: Leaf) -> list[str]:
    """Return the inputs that are versions of assets and lie where jobs write, as far as it is known where they lie.

    What the step has a copy of is its own.
    """
    return [
        name
        for name, value in leaf.entity.inputs.items()
        if isinstance(value, Input) and value.mode not in access_modes.COPIED
        and isinstance(parse_uri(value.path or ""), Reference)
        and not (name in leaf.places and overwrites.is_never_written(leaf.places[name]))
    ]  # fmt: skip


def protect(context: EngineContext, leaf: Leaf) -> None:
    """Forbid writing to the outputs that become versions of assets; to one that another step writes, too, later."""
    made = places.read(leaf.entity.properties)
    for name, output in leaf.entity.outputs.items():
        how = made.get(name, places.ALONE)
        if (output.name or how.is_registered) and not how.is_shared and not _is_artifacts(name, output):
            uri = output_uri(leaf.job.name, name, output, leaf.place)
            place = (leaf.written.get(name) or context.data.locate(uri, leaf.workspace)).path
            if place is not None and os.path.lexists(place):
                forbid_writing(place)
                if os.path.isfile(place) and uri == OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name):
                    os.chmod(place.parent, 0o555)  # of the job alone: nothing else is put in the file's place


def _is_artifacts(name: str, output: Output) -> bool:
    """The output that every job has: all it leaves, its logs among it."""
    return name == "artifacts" and (not output.path or f"/{artifact_paths.PREFIX}" in output.path)


def _make_service_variables(context: EngineContext, leaf: Leaf) -> dict[str, str]:
    """Return the variables that the service gives each job: its names, and where to track."""
    job, workspace = leaf.job, leaf.workspace
    variables = {
        "AZUREML_RUN_ID": job.name,
        "AZUREML_ROOT_RUN_ID": context.root_name(job),
        "AZUREML_EXPERIMENT_NAME": job.experiment,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_NODE_COUNT": str(getattr(leaf.entity.resources, "instance_count", None) or 1),
    }
    if "MLFLOW_TRACKING_URI" not in leaf.entity.environment_variables:  # that one would not know us
        variables.update(context.tracking.build_variables(job, workspace))
    return variables


def docker_args(job: CommandJob) -> list[str]:
    """Return the job's own arguments for the container engine."""
    given = getattr(job.resources, "docker_args", None) or []
    return shlex.split(given) if isinstance(given, str) else [str(each) for each in given]


def make_resources(job: CommandJob) -> StepResources:
    """Return what a command job, or a command step of a pipeline, asks of its compute."""
    processes = process_count(job)
    return StepResources(
        cpus=processes,
        gpus=processes if wants_gpu(job) else 0,
        instance_count=int(getattr(job.resources, "instance_count", None) or 1),
        instance_type=getattr(job.resources, "instance_type", None) or None,
        shm_size=str(getattr(job.resources, "shm_size", None) or "") or None,
        docker_args=tuple(docker_args(job)),
    )


def _make_distribution(job: CommandJob) -> dict[str, Any] | None:
    if job.distribution is None:
        return None
    instances = int(getattr(job.resources, "instance_count", None) or 1)
    return {**job.distribution.to_dict(), "instance_count": instances}


def retries(job: CommandJob) -> int:
    """Return how many more attempts a failed command gets: the property `smalt.retries`, 0 by default."""
    text = str(job.properties.get("smalt.retries", "0"))
    return int(text) if text.isdecimal() else 0


async def fetch(
    context: EngineContext, leaf: Leaf, say: Say, number: int, environment: BuiltEnvironment
) -> dict[str, Path]:
    """Do what takes long before a start: data from elsewhere, and much code. Return the place of each input then."""
    shared = shared_places(context, leaf)
    if shared:
        context.about_to_write[leaf.job.id] = leaf.job.name, [os.path.realpath(place) for place in shared]
    written = [place for place in shared if overwrites.is_occupied(place)]
    if written and number == 1:  # what is there later, an earlier attempt may have written
        await overwrites.copy_versions_aside(context, leaf.workspace, written, say)
    leaf.follow_moved(context)
    for name, location in leaf.places.items():
        if location.uri:
            await _refuse_changed(context, leaf, location, f"input '{name}'")
    spec = make_spec(leaf, number)
    leaf.fetched = await leaf.backend(context, environment).steps.fetch(spec, say)
    for name, tables in leaf.fetched.tables.items():
        for uri, path in tables.items():
            named = Location(uri, Path(os.path.realpath(path)))
            await _refuse_changed(context, leaf, named, f"the MLTable of input '{name}'")
    return leaf.fetched.paths


async def refuse_changed_context(context: EngineContext, leaf: Leaf) -> None:
    """Raise where the build context that smalt keeps of a registered environment is not what was registered."""
    if folder := leaf.environment.get("folder"):
        text = str(leaf.entity.environment)
        await _refuse_changed(context, leaf, Location(text, Path(os.path.realpath(folder))), "environment")


async def _refuse_changed(context: EngineContext, leaf: Leaf, location: Location, what: str) -> None:
    """Raise where a version that the step reads is not what was registered."""
    try:
        await context.verified.refuse_changed(location, leaf.job.root_id)
    except RefusedError as error:
        raise RefusedError(f"{what}: {error}") from None


class CommandKind(LeafKind):
    """A single command, which runs as a step."""

    type = "command"

    def check_job(self, checker: Checker, job: Any) -> None:
        if not job.environment:
            instead = "give it one, such as 'environment: azureml:host' for your own Python"
            checker.add("", f"this job names no environment; {instead}")
        checker.check_unknown_keys(job)
        checker.check_environment("", job.environment)
        checker.check_code("", job.code)
        checker.check_compute("", job.compute)
        for problem in checker.context.computes.find_backend(job.compute).steps.find_problems(make_resources(job)):
            checker.add("resources", problem)
        checker.note_idle("", job)
        checker.check_secrets("", job)
        checker.check_inputs("", job.inputs)
        checker.check_versions("", job.outputs)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        checker.check_environment(where, getattr(node, "environment", None) or component.environment)
        checker.check_code(where, component.code)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> Any:
        from smalt.service.engine.kinds.step_jobs import make_command_job

        return make_command_job(planner, step)

    def make_properties(self, context: EngineContext, workspace: Workspace, name: str) -> dict[str, str]:
        """Return the folder for its outputs, if the folder of its name is still that of a deleted job."""
        folder = removal.find_free_folder(context, workspace, name)
        return {} if folder == name else {OUTPUT_FOLDER: folder}

    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Leaf:
        return Leaf.read(context, job, workspace, entity)

    async def lay_out_copy(self, context: EngineContext, job: Job) -> dict[str, Any]:
        from smalt.service.engine.kinds.command_copy import lay_out_copy

        ran_in = (jobs.read_properties(context.db, job.id).get("properties") or {}).get(RAN_IN)
        if ran_in:
            raise RefusedError(f"job '{job.name}' had no process of its own; look into '{ran_in}', which ran it")
        return await lay_out_copy(context, self.read_leaf(context, job, context.workspace(job)))


KIND = CommandKind()
