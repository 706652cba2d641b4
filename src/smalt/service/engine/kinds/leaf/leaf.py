"""A leaf: one step, with everything that its references mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from smalt import wire
from smalt.entities import CommandJob, Input
from smalt.service.compute.backend import Backend
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import NOTHING_FETCHED, Fetched, Layout, RunnableStep, Say
from smalt.service.data import Location
from smalt.service.engine import outcome
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.leaf import step_data, step_spec
from smalt.service.engine.kinds.places import output_uri
from smalt.service.engine.kinds.properties import OUTPUT_FOLDER
from smalt.service.engine.kinds.protocol import Error
from smalt.service.engine.slots import SlotGrant, SlotRequest
from smalt.service.engine.submission import lookup
from smalt.service.engine.versions import overwrites
from smalt.service.environments import BuiltEnvironment
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import ReuseCandidate, ReuseVerdict, WorkKey
from smalt.service.reuse.keys import Parts

if TYPE_CHECKING:
    pass


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
        processes = step_spec.process_count(self.entity)
        return SlotRequest(cpus=self.cpus or processes, gpus=processes if step_spec.wants_gpu(self.entity) else 0)

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
        if any(overwrites.is_occupied(place) for place in step_data.shared_places(context, self)):
            return False
        if not self.backend(context).steps.is_quick(step_spec.make_spec(self, 1)):
            return False
        return all(
            value.type != "mltable" and context.verified.is_stamped(self.places[name], self.job.root_id)
            for name, value in self.entity.inputs.items()
            if isinstance(value, Input)
        )

    def make_data_rows(self) -> list[DataRow]:
        return step_data.data_rows(self)

    def make_spec(self, number: int) -> StepSpec:
        return step_spec.make_spec(self, number)

    def prepare_step(
        self, context: EngineContext, environment: BuiltEnvironment, grant: SlotGrant, number: int
    ) -> tuple[RunnableStep, BuiltEnvironment]:
        """Return what the backend runs for attempt `number`, and the attempt's view of the environment."""
        return step_data.prepare(context, self, environment, grant, number)

    def lay_out(self, context: EngineContext, environment: BuiltEnvironment, number: int) -> Layout:
        return step_data.lay_out(context, self, environment, number)

    async def fetch_inputs(
        self, context: EngineContext, say: Say, number: int, environment: BuiltEnvironment
    ) -> dict[str, Path]:
        return await step_data.fetch(context, self, say, number, environment)

    async def refuse_changed_context(self, context: EngineContext) -> None:
        await step_data.refuse_changed_context(context, self)

    def has_movable_input(self) -> bool:
        return step_data.may_be_moved(self)

    def find_moved_input(self, context: EngineContext) -> str | None:
        return step_data.find_moved_input(context, self)

    def find_shared_places(self, context: EngineContext) -> list[Path]:
        return step_data.shared_places(context, self)

    def protect_outputs(self, context: EngineContext) -> None:
        step_data.protect(context, self)

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
        return step_spec.retries(self.entity)

    @property
    def wants_gpu(self) -> bool:
        return step_spec.wants_gpu(self.entity)

    @property
    def docker_args(self) -> list[str]:
        """The job's own arguments for the container engine."""
        return step_spec.docker_args(self.entity)


def _place(entity: CommandJob) -> str | None:
    place = entity.properties.get(OUTPUT_FOLDER)
    return str(place) if place else None
