"""Components: the fields that all types share, and the shape of a reference to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.asset import TAGS, Asset
from smalt.entities.jobs.inputs import ASSETS, DataPath, Input, Output, Outputs, Ports
from smalt.entities.rules.values import check_default
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import mapping, optional
from smalt.entities.schema.kinds import COMPONENTS, find_component_type
from smalt.entities.schema.nested import Named, Nested, TaggedNoun
from smalt.entities.schema.operations import load_operation
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Boolean, Map, Text
from smalt.entities.schema.travel import Travel

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

INPUT_KEYS = ("type", "default", "min", "max", "enum", "description", "mode", "optional")
OUTPUT_KEYS = ("type", "mode", "description", "early_available", "is_control")


class Port(Nested[Any]):
    """A typed input or output of a component."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        if isinstance(value, Mapping) and value.get("type") is None and "tpye" not in value:
            reader.add_problem(path, f"{self.noun.noun} of a component needs 'type'", at_key=True)
        return super().read_value(value, path, reader)


class ComponentOutputs(Outputs):
    """The outputs of a component. An output without a value needs no type."""

    def dump_value(self, value: Any) -> Any:
        return {name: port or None for name, port in super().dump_value(value).items()}


COMPONENT_INPUTS: Map[Input] = Ports(Port(Input, INPUT_KEYS, "a component"))
COMPONENT_OUTPUTS: Map[Output] = ComponentOutputs(Port(Output, OUTPUT_KEYS, "a component"))


class Component(Asset):
    noun = "a component"
    _is_lenient = True

    type = optional(Text(), "The type of component.", effect=ACTED, travels=Travel.NOWHERE)
    display_name = optional(Text(), "The name that people see.", effect=KEPT)
    tags = mapping(TAGS, "Labels, for people and searches.", effect=KEPT, travels=Travel.NOWHERE)
    is_deterministic = optional(
        Boolean(),
        "Whether the same inputs give the same outputs, so that a run can be reused.",
        effect=ACTED,
    )
    inputs = mapping(COMPONENT_INPUTS, "The inputs, by name.", effect=ACTED, travels=Travel.NOWHERE)
    outputs = mapping(COMPONENT_OUTPUTS, "The outputs, by name.", effect=ACTED, travels=Travel.NOWHERE)

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Return a step of this component, as in `train(data=…)`; under @pipeline the step joins that pipeline."""
        return load_operation("call_component")(self, args, inputs)

    @property
    def _func(self) -> Any:
        """Return a function that makes a step, with the component's inputs as its signature."""
        return load_operation("make_function")(self)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        from smalt.entities.rules.expressions import find_empty_inputs

        for name in find_empty_inputs(data, path, reader) if isinstance(data, Mapping) else ():
            words = (
                f"the input '{name}' declares nothing; write its type, as in '{name}: {{type: string}}', or remove it"
            )
            reader.add_problem((*path, "inputs", name), words, at_key=True)
        for name, declared in self.inputs.items():
            if not isinstance(declared, Input):
                continue
            where = (*path, "inputs", name)
            check_default(declared, where, reader)
            if declared.type in ASSETS and isinstance(declared.default, str):
                declared.default = DataPath().read_value(declared.default, (*where, "default"), reader)


class InlineComponent(TaggedNoun[Component]):
    """A component written in place. Without `type`, its keys decide the type."""

    def __init__(self) -> None:
        super().__init__(Component, "type", COMPONENTS)

    def choose_tag(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        if value.get("type") is None:
            return find_component_type(value)
        return super().choose_tag(value, path, reader)


COMPONENT = Named[Component]("component") | InlineComponent()
