"""Steps of a pipeline: the classes and fields that all types share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.entities.assets.asset import TAGS
from smalt.entities.assets.component import COMPONENT, Component
from smalt.entities.jobs.compute_name import ComputeName
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, STEP_OUTPUTS
from smalt.entities.schema.effects import ACTED, KEPT, NONE
from smalt.entities.schema.entity import Entity, Field, mapping, optional
from smalt.entities.schema.equality import is_same_document
from smalt.entities.schema.kinds import STEPS, find_component_type
from smalt.entities.schema.nested import TaggedNoun
from smalt.entities.schema.operations import load_operation
from smalt.entities.schema.problems import Path, did_you_mean, join_words
from smalt.entities.schema.shapes import Boolean, Text
from smalt.entities.schema.travel import SETTING, Travel
from smalt.entities.syntax.references import is_reference

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_UNKNOWN = Component()


class Node(Entity):
    noun = "a step"
    _is_step = True

    type = optional(Text(), "The type of step.", effect=ACTED, travels=Travel.NOWHERE)
    name = optional(Text(), "The name of its job.", effect=ACTED, travels=Travel.COMPONENT)
    display_name = optional(Text(), "The name that people see.", effect=KEPT, travels=SETTING | Travel.COMPONENT)
    description = optional(Text(), "A description, for people.", effect=KEPT, travels=Travel.JOB | Travel.COMPONENT)
    comment = optional(Text(), "A remark on the step.", effect=KEPT)
    tags = mapping(
        TAGS, "Labels, for people and searches.", effect=KEPT, travels=SETTING | Travel.COMPONENT | Travel.LITERAL
    )
    properties = mapping(TAGS, "The properties that tools set.", effect=KEPT, travels=SETTING | Travel.LITERAL)
    experiment_name = optional(
        Text(), "Has no effect in a pipeline, whose steps share its experiment.", effect=NONE, travels=Travel.NOWHERE
    )
    inputs = mapping(JOB_INPUTS, "Values and bindings of its inputs.", effect=ACTED, travels=Travel.NOWHERE)
    outputs = mapping(STEP_OUTPUTS, "Settings and bindings of its outputs.", effect=ACTED, travels=Travel.NOWHERE)
    compute = optional(ComputeName(), "The compute that it runs on; the pipeline's default where unset.", effect=ACTED)
    identity = optional(IDENTITY, "The identity that it runs as.", effect=NONE)

    _data_keys: ClassVar[tuple[str, ...]] = ()
    """Keys besides `inputs` with data that the step reads."""
    _own_outputs: ClassVar[Mapping[str, str]] = {}
    """Outputs that every step of the type has, each with its type."""

    def list_inputs(self) -> dict[str, Any]:
        """Return all that the step reads, by name."""
        data = {key: value for key in self._data_keys if (value := vars(self).get(key)) is not None}
        return {**(self.inputs or {}), **data}

    # What only a job has that was submitted; a step that a program holds has none of it yet.
    id: str | None = None
    status: str | None = None
    studio_url: str | None = None
    log_files: dict[str, Any] | None = None
    creation_context: Any = None

    @classmethod
    def _read_data(cls, data: Any, path: Path, reader: Reader) -> Any:
        outside, reader.in_step = reader.in_step, True
        try:
            return super()._read_data(data, path, reader)
        finally:
            reader.in_step = outside

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) or is_same_document(self, other)

    __hash__ = None

    def __getattr__(self, name: str) -> Any:
        """Return a key of the step's component, as in `node.command`; a component that is not loaded has no key set."""
        found = vars(self).get("component") or vars(self).get("trial")
        component = found if isinstance(found, Component) else _UNKNOWN
        if not name.startswith("_") and name in component._fields:
            return getattr(component, name)
        raise UnknownAttribute(self.noun, name, self._fields)


class UnknownAttribute(AttributeError):
    """An error about a missing attribute; its hint is computed only when it is shown.

    `hasattr` and `getattr` with a default, which Python's own `copy` uses too, never show it.
    """

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        super().__init__(noun, name, known)

    def __str__(self) -> str:
        noun, name, known = self.args
        return f"{noun} has no '{name}'{did_you_mean(name, known)}"


class ComponentField(Field):
    """The component of a step. Programs get the one that an inline command, task or entry amounts to.

    smalt itself reads `vars(step)`, which has none.
    """

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        own = vars(instance)
        if not any(own.get(key) for key in ("command", "task", "entry")):
            return None
        return load_operation("inline_component")(instance)


class OverridingField(Field):
    """A field of a step that falls back to its component's."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return getattr(vars(instance).get("component"), self.name, None)


class ComponentNode(Node):
    """A step made from a component."""

    component: Any = ComponentField(
        COMPONENT, "The component: a file, a registered one, or in place.", effect=ACTED, travels=Travel.NOWHERE
    )
    is_deterministic: Any = OverridingField(
        Boolean(),
        "Whether an earlier run of the step can be reused; not in Azure ML.",
        effect=ACTED,
        travels=Travel.COMPONENT | Travel.SPEC,
    )

    _alternatives: ClassVar[tuple[str, ...]] = ("component",)
    """Keys of which a step needs at least one."""

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._check_required(given, path, reader)
        if given.isdisjoint(cls._alternatives):
            words = join_words(f"'{key}'" for key in cls._alternatives)
            reader.add_problem(path, f"{cls.noun} in a pipeline needs {words}", at_key=True)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        component = vars(self).get("component")
        if isinstance(component, Component) and component.type not in (self.type, f"promptflow_{self.type}"):
            words = f"the step's type is {self.type}, but its component is {component.noun}"
            reader.add_problem((*path, "component"), words)

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Return a step like this one with other inputs."""
        return load_operation("call_step")(self, args, inputs)


class StepShape(TaggedNoun[Node]):
    """A step, chosen by its `type`; without one by its component, else a command."""

    def __init__(self) -> None:
        super().__init__(Node, "type", STEPS)

    def choose_tag(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        if value.get("type") is not None:
            return super().choose_tag(value, path, reader)
        tag = _find_type(value.get("component"), (*path, "component"), reader)
        tag = "parallel" if tag == "promptflow_parallel" else tag
        return tag if tag in STEPS else "sweep" if "trial" in value else "command"


def _find_type(component: Any, path: Path, reader: Reader) -> str | None:
    """Return the type of a component written or named in a step."""
    if isinstance(component, Mapping):
        return str(component.get("type") or find_component_type(component))
    if isinstance(component, str) and not is_reference(component) and not reader.is_binding(component):
        component = reader.load_entity(component, "component", path)
    return component.type if isinstance(component, Component) else None
