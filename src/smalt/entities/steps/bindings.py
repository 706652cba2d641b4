"""Promises of values inside a pipeline function: an input of the pipeline, an output of a step.

The name of a step is known only after the function returned, so promises stay objects until then; each becomes the
expression `${{parent…}}` that a file would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.syntax.literals import find_literal_type
from smalt.exceptions import UnexpectedAttributeError, UserErrorException
from smalt.machine.source_lines import find_caller

if TYPE_CHECKING:
    from smalt.entities.steps.nodes import Node


class Promise:
    """A value that is known when the pipeline runs."""

    __slots__ = ()

    def to_binding(self) -> str:
        """Return the expression that a file would have here."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_binding()


def _make_refusal(operator: str) -> Any:
    def refuse(self: Promise, *_: Any) -> NoReturn:
        what = f"the pipeline's input '{self.name}'" if isinstance(self, PipelineInput) else "this output of a step"
        more = f", or take '{self.name}.result()'" if isinstance(self, PipelineInput) else ""
        raise UserErrorException(
            f"{what} is known only when the pipeline runs, so {operator} cannot be used on it; compute in a step{more}",
            find_caller(),
        )

    return refuse


for _operator, _methods in {
    "'+'": "add radd", "'-'": "sub rsub neg", "'*'": "mul rmul", "'/'": "truediv rtruediv floordiv rfloordiv",
    "'%'": "mod rmod", "'**'": "pow rpow", "'<'": "lt", "'<='": "le", "'>'": "gt", "'>='": "ge", "'&'": "and rand",
    "'|'": "or ror", "int()": "int index", "float()": "float", "round()": "round", "abs()": "abs",
}.items():  # fmt: skip
    for _method in _methods.split():
        setattr(Promise, f"__{_method}__", _make_refusal(_operator))


class PipelineInput(Promise):
    """An input of the pipeline whose function is running; `result()` returns the caller's value."""

    __slots__ = ("_default", "_given", "_name", "_type")

    def __init__(self, name: str, given: Any = None, default: Any = None, type: str | None = None) -> None:
        self._name, self._given, self._default = name, given, default
        self._type = type or find_type(default if given is None else given)

    @property
    def type(self) -> str | None:
        return self._type

    @property
    def name(self) -> str:
        return self._name

    def to_binding(self) -> str:
        return f"${{{{parent.inputs.{self._name}}}}}"

    def result(self) -> Any:
        value = self._default if self._given is None else self._given
        while isinstance(value, PipelineInput):
            value = value.result()
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        given = self.result()
        if isinstance(given, Input) and name in Input._fields:
            return getattr(given, name)
        raise UnexpectedAttributeError(
            f"the pipeline's input '{self._name}' has no '{name}'; it stands for a value that is known when the "
            f"pipeline runs, and '{self._name}.result()' is what was given",
            find_caller(),
        )

    def __bool__(self) -> bool:
        raise UserErrorException(
            f"the pipeline's input '{self._name}' is known only when the pipeline runs, so 'if' cannot test it; "
            f"use '{self._name}.result()', or name it in non_pipeline_inputs=['{self._name}']",
            find_caller(),
        )

    def __repr__(self) -> str:
        return self.to_binding()


class StepOutput(Output, Promise):
    """An output of a step, `node.outputs.NAME`. Passed on it is a binding; its fields are the step's to set."""

    __slots__ = ("_node", "_port")
    noun = "an output"
    _node: Node
    _port: str

    @classmethod
    def from_step(cls, node: Node, port: str, said: Output | None = None) -> StepOutput:
        found = cls.__new__(cls)
        object.__setattr__(found, "_node", node)
        object.__setattr__(found, "_port", port)
        found.__dict__.update(vars(said) if said is not None else {})
        return found

    @property
    def port_name(self) -> str:
        return self._port

    def to_binding(self) -> str:
        name = vars(self._node).get("_step") or self._node.name
        if name is None:
            raise UserErrorException(
                f"the output '{self._port}' of a step cannot be part of a text because the step has no name yet; "
                "pass it as an input of its own",
                find_caller(),
            )
        return f"${{{{parent.jobs.{name}.outputs.{self._port}}}}}"

    def __str__(self) -> str:
        return self.to_binding()

    def __bool__(self) -> bool:
        raise UserErrorException(
            f"the output '{self._port}' of a step is known only when the pipeline runs, so 'if' cannot test it; "
            "use condition() of smalt.dsl, or 'is None' to ask whether there is one",
            find_caller(),
        )

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self._node.outputs[self._port] = self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and self._get_set_values() == other._get_set_values()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return Output, (), dict(vars(self))


class StepPromise(Promise):
    """A step as a value, for the control flow that decides about it."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def to_binding(self) -> str:
        return f"${{{{parent.jobs.{vars(self.node).get('_step') or self.node.name}}}}}"


def find_type(value: Any) -> str | None:
    """Return the type of a value given for an input, or None if it does not show."""
    if isinstance(value, PipelineInput):
        return value.type
    if isinstance(value, StepOutput):
        return value.type or find_declared_type(value._node, value._port)
    if isinstance(value, Input):
        return value.type or "uri_folder"
    return find_literal_type(value)


def find_declared_type(node: Node, output: str) -> str | None:
    component = find_component(node)
    found = component.outputs.get(output) if component is not None else None
    return found.type if isinstance(found, Output) else None


def find_component(node: Any) -> Component | None:
    values = vars(node)
    found = values.get("component") or values.get("trial") or values.get("_collects")
    return found if isinstance(found, Component) else None


class UnsetInput(Input):
    """An input of a step that has no value, `node.inputs.NAME`; the step gets it once one of its fields is set."""

    __slots__ = ("_inputs", "_name")
    noun = "an input"
    _inputs: StepInputs
    _name: str

    @classmethod
    def from_step(cls, inputs: StepInputs, name: str, type: str | None) -> UnsetInput:
        found = cls.__new__(cls)
        object.__setattr__(found, "_inputs", inputs)
        object.__setattr__(found, "_name", name)
        found.__dict__["type"] = type
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        dict.__setitem__(self._inputs, self._name, self)

    def __reduce__(self) -> Any:
        return Input, (), dict(vars(self))


class StepInputs(Attributes):
    """The inputs of a step, `node.inputs`, set as attributes or items."""

    __slots__ = ("_node", "unset")
    unset: dict[str, UnsetInput]
    """The inputs without a value that were asked for."""
    word = "input"

    def __init__(self, node: Node, values: Mapping[str, Any] = {}) -> None:
        super().__init__(values)
        object.__setattr__(self, "_node", node)
        object.__setattr__(self, "unset", {})

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            component = find_component(self._node)
            if component is None or name not in component.inputs:
                _raise_unknown(self._node, name, "input", component.inputs if component is not None else self)
            if name not in self.unset:
                self.unset[name] = UnsetInput.from_step(self, name, component.inputs[name].type)
            return self.unset[name]
        value = dict.__getitem__(self, name)
        if isinstance(value, Promise) or (isinstance(value, str) and "${{" in value):
            value = Input(path=value)  # so that its mode can be set
            dict.__setitem__(self, name, value)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        from smalt.entities.steps.calls import convert_input

        component = find_component(self._node)
        is_open = component is None or component.type in OPEN_INPUTS
        declared = None if component is None or is_open else component.inputs.get(name)
        if component is not None and declared is None and not is_open and component.type != "pipeline":
            _raise_unknown(self._node, name, "input", component.inputs)
        value = convert_input(name, value, declared, find_caller())
        if value is None:
            self.pop(name, None)
        else:
            dict.__setitem__(self, name, value)

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return dict(self)

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class StepOutputs(Attributes):
    """The outputs of a step, `node.outputs`: those that were set, and on request any that the component has."""

    __slots__ = ("_handles", "_node")
    word = "output"

    def __init__(self, node: Node, values: Mapping[str, Any] = {}) -> None:
        super().__init__(values)
        object.__setattr__(self, "_node", node)
        object.__setattr__(self, "_handles", {})

    def __getitem__(self, name: str) -> StepOutput:
        known = self._handles.get(name)
        said = self.get(name)
        if known is not None and (said is None or said is known):
            return known  # type: ignore[no-any-return]
        if said is None and name not in self:
            component = find_component(self._node)
            if component is not None and name not in component.outputs and component.type not in OPEN_OUTPUTS:
                _raise_unknown(self._node, name, "output", component.outputs)
            is_bare = component is None and vars(self._node).get("component") is None
            if is_bare and name not in self._node._own_outputs:
                _raise_unknown(self._node, name, "output", self)
        if isinstance(said, str):
            said = Output(path=said)
        handle = self._handles[name] = StepOutput.from_step(self._node, name, said)
        if said is not None:
            dict.__setitem__(self, name, handle)
        return handle

    def __setitem__(self, name: str, value: Any) -> None:
        component = find_component(self._node)
        if component is not None and name not in component.outputs and component.type not in OPEN_OUTPUTS:
            _raise_unknown(self._node, name, "output", component.outputs)
        if not isinstance(value, (Output, str, Mapping)) and value is not None:
            raise UserErrorException(f"an output is set to Output(…), not to {type(value).__name__}", find_caller())
        value = Output(**value) if isinstance(value, Mapping) else value
        dict.__setitem__(self, name, value if value is not None else Output())

    def list_names(self) -> list[str]:
        """Return the names of all outputs, also of those with nothing set."""
        component = find_component(self._node)
        return [*dict.fromkeys((*(component.outputs if component is not None else ()), *self))]

    def list_outputs(self) -> Iterator[tuple[str, StepOutput]]:
        return ((name, self[name]) for name in self.list_names())

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return {name: to_plain_output(value) for name, value in self.items()}

    def __reduce__(self) -> Any:
        return dict, (self.__deepcopy__({}),)


class NoOutputs(Attributes):
    """The outputs of a step of control flow, which has none: a step in its blocks is to be read."""

    __slots__ = ("_node",)
    word = "output"

    def __init__(self, node: Node) -> None:
        super().__init__({})
        object.__setattr__(self, "_node", node)

    def __getitem__(self, name: str) -> NoReturn:
        raise UnexpectedAttributeError(
            f"{self._node.noun} has no output '{name}' of its own; read that of a step in its blocks", find_caller()
        )

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> Any:
        return dict, ({},)


OPEN_INPUTS = ("promptflow_parallel", "automl", "import")
"""Components whose inputs are not all declared."""

OPEN_OUTPUTS = ("automl", "import", "data_transfer", "promptflow_parallel")
"""Components whose outputs are not all declared."""


def to_plain_output(value: Any) -> Any:
    return Output(**vars(value)) if isinstance(value, StepOutput) else value


def _raise_unknown(node: Node, name: str, word: str, known: Mapping[str, Any]) -> NoReturn:
    what = vars(node).get("_step") or _describe_step(node)
    hint = did_you_mean(name, known) or (f"; it has {join_words(known, 'and')}" if known else "; it has none")
    raise UnexpectedAttributeError(f"{what} has no {word} '{name}'{hint}", find_caller())


def _describe_step(node: Node) -> str:
    component = find_component(node)
    name = component.name if component is not None else None
    return f"the step '{name}'" if name else node.noun
