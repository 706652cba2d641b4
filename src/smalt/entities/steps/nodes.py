"""The steps of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.entities.assets.asset import TAGS
from smalt.entities.assets.component import COMPONENT, Component
from smalt.entities.assets.environment import ENVIRONMENT
from smalt.entities.jobs.command import Code, HasCommand
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, STEP_OUTPUTS
from smalt.entities.jobs.pipeline_settings import SettingsField
from smalt.entities.jobs.resources import CommandJobLimits, JobResourceConfiguration, QueueSettings
from smalt.entities.jobs.search_space import Sweep
from smalt.entities.jobs.services import SERVICES
from smalt.entities.jobs.sweep_methods import SweepMethods
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.rules.overrides import OF_COMPONENT, component_says
from smalt.entities.schema.effects import ACTED, KEPT, NONE, REFUSED
from smalt.entities.schema.entity import Entity, Field, changed, constant, from_service, mapping, optional, required
from smalt.entities.schema.equality import are_alike
from smalt.entities.schema.kinds import STEPS, component_type
from smalt.entities.schema.nested import Nested, Tagged
from smalt.entities.schema.problems import Path, did_you_mean, listed
from smalt.entities.schema.shapes import Boolean, Text
from smalt.entities.syntax.references import is_reference
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import here

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_UNKNOWN = Component()


class Node(Entity):
    noun = "a step"
    _is_step = True

    type = optional(Text(), "The type of step.", effect=ACTED)
    name = optional(Text(), "The name of its job.", effect=ACTED)
    display_name = optional(Text(), "The name that people see.", effect=KEPT)
    description = optional(Text(), "What it is, for people.", effect=KEPT)
    comment = optional(Text(), "A remark on the step.", effect=KEPT)
    tags = mapping(TAGS, "Labels, for people and searches.", effect=KEPT)
    properties = mapping(TAGS, "What tools note about it.", effect=KEPT)
    experiment_name = optional(Text(), "Has no effect in a pipeline, whose steps share its experiment.", effect=NONE)
    inputs = mapping(JOB_INPUTS, "Values and bindings of its inputs.", effect=ACTED)
    outputs = mapping(STEP_OUTPUTS, "Settings and bindings of its outputs.", effect=ACTED)
    compute = optional(Text(), "Where it runs; the pipeline's default where unset.", effect=ACTED)
    identity = optional(IDENTITY, "As whom it runs.", effect=NONE)

    # What only a job has that was submitted; a step that a program holds has none of it yet.
    id: str | None = None
    status: str | None = None
    studio_url: str | None = None
    log_files: dict[str, Any] | None = None
    creation_context: Any = None

    @classmethod
    def _read(cls, data: Any, path: Path, reader: Reader) -> Any:
        outside, reader.in_step = reader.in_step, True
        try:
            return super()._read(data, path, reader)
        finally:
            reader.in_step = outside

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) or are_alike(self, other)

    __hash__ = None

    def __getattr__(self, name: str) -> Any:
        """Return what its component has, `node.command`; of one that is not at hand what all have: nothing is set."""
        found = vars(self).get("component") or vars(self).get("trial")
        component = found if isinstance(found, Component) else _UNKNOWN
        if not name.startswith("_") and name in component._fields:
            return getattr(component, name)
        raise NoSuchAttribute(self.noun, name, self._fields)


class NoSuchAttribute(AttributeError):
    """Says that an object has no such attribute; a near name is looked for when the sentence is asked for.

    `hasattr` and `getattr` with a default, which Python's own `copy` uses too, never ask.
    """

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        super().__init__(noun, name, known)

    def __str__(self) -> str:
        noun, name, known = self.args
        return f"{noun} has no '{name}'{did_you_mean(name, known)}"


class ComponentField(Field):
    """Of a step that has its command, task or entry in place it answers the component that it would be.

    Only to programs: what smalt reads is `vars(step)`, where there is none.
    """

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        own = vars(instance)
        if not any(own.get(key) for key in ("command", "task", "entry")):
            return None
        from smalt.entities.steps.calls import as_component

        return as_component(instance)


class OverridingField(Field):
    """Where the step does not say it, its component does."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return getattr(vars(instance).get("component"), self.name, None)


class ComponentNode(Node):
    """A step that is made of a component."""

    component: Any = ComponentField(COMPONENT, "The component: a file, a registered one, or in place.", effect=ACTED)
    is_deterministic: Any = OverridingField(
        Boolean(),
        "Whether an earlier run of the step can be reused; not in Azure ML.",
        effect=ACTED,
    )

    _alternatives: ClassVar[tuple[str, ...]] = ("component",)
    """The keys of which the step must have one."""

    @classmethod
    def _needs(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._needs(given, path, reader)
        if given.isdisjoint(cls._alternatives):
            words = listed(f"'{key}'" for key in cls._alternatives)
            reader.problem(path, f"{cls.noun} in a pipeline needs {words}", at_key=True)

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        component = vars(self).get("component")
        if isinstance(component, Component) and component.type not in (self.type, f"promptflow_{self.type}"):
            words = f"the step's type is {self.type}, but its component is {component.noun}"
            reader.problem((*path, "component"), words)

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """A step like this one and other inputs."""
        from smalt.entities.steps.calls import again

        return again(self, args, inputs)


class CommandNode(HasCommand, ComponentNode):
    noun = "a command job"

    type = constant("command", "The type of step.")
    command: Any = OverridingField(Text(), "The command line, in place of a component.", effect=ACTED)
    code: Any = OverridingField(Code(), "The folder or file that the command runs in a copy of.", effect=ACTED)
    environment: Any = OverridingField(ENVIRONMENT, "What it runs in.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED)
    limits = optional(Nested(CommandJobLimits), "When it is ended.", effect=ACTED)
    identity = optional(IDENTITY, "As whom it runs.", effect=ACTED)
    services = mapping(SERVICES, "Interactive services beside the step.", effect=NONE)
    parent_job_name = from_service(Text(), "The job that this is a part of.")

    _alternatives = ("component", "command")

    def __setattr__(self, name: str, value: Any) -> None:
        component = vars(self).get("component") if name in OF_COMPONENT else None
        if component is not None and (isinstance(component, str) or value != vars(component).get(name)):
            raise UserErrorException(f"{name}: {component_says(name)}", here())
        super().__setattr__(name, value)

    def set_limits(self, *, timeout: int, **_: Any) -> None:
        """`timeout` is in seconds."""
        self.limits = CommandJobLimits(timeout=timeout)

    def set_resources(
        self,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        locations: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | list[str] | None = None,
        shm_size: str | None = None,
        **more: Any,
    ) -> None:
        """`more`: what else `JobResourceConfiguration` has."""
        given = {name: value for name, value in locals().items() if name not in ("self", "more")}
        self.resources = JobResourceConfiguration(**changed(self.resources, {**given, **more}))

    def set_queue_settings(self, *, job_tier: str | None = None, priority: str | None = None) -> None:
        given = {"job_tier": job_tier, "priority": priority}
        self.queue_settings = QueueSettings.from_dict(changed(self.queue_settings, given))

    def sweep(
        self,
        *,
        primary_metric: str,
        goal: str,
        sampling_algorithm: Any = "random",
        compute: str | None = None,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
        early_termination_policy: Any = None,
        search_space: Mapping[str, Any] | None = None,
        identity: Any = None,
        queue_settings: Any = None,
        job_tier: str | None = None,
        priority: str | None = None,
    ) -> SweepNode:
        """A sweep whose trials are this step.

        What is varied are the inputs that are given distributions, and those in `search_space`.
        """
        from smalt.entities.steps.sweeps import sweep

        given = {name: value for name, value in locals().items() if name not in ("self", "sweep")}
        return sweep(self, **given)

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check(path, reader, data)
        if "component" not in data:
            check_own(self, "this step", places.OF_BODY, path, reader, data=data)


class PipelineNode(ComponentNode):
    noun = "a pipeline step"

    type = constant("pipeline", "The type of step.")
    settings: Any = SettingsField()


class SweepNode(SweepMethods, Sweep, Node):
    noun = "a sweep step"
    _effect = REFUSED

    type = constant("sweep", "The type of step.")
    trial = required(COMPONENT, "The command component that is run for each point of the space.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")


class Step(Tagged[Node]):
    """A step, by its `type`; without one, by its component, else a command."""

    def __init__(self) -> None:
        super().__init__(Node, "type", STEPS)

    def choose(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        if value.get("type") is not None:
            return super().choose(value, path, reader)
        tag = _type_of(value.get("component"), (*path, "component"), reader)
        tag = "parallel" if tag == "promptflow_parallel" else tag
        return tag if tag in STEPS else "sweep" if "trial" in value else "command"


def _type_of(component: Any, path: Path, reader: Reader) -> str | None:
    """The type of a component as it stands in a step."""
    if isinstance(component, Mapping):
        return str(component.get("type") or component_type(component))
    if isinstance(component, str) and not is_reference(component) and not reader.is_binding(component):
        component = reader.entity(component, "component", path)
    return component.type if isinstance(component, Component) else None
