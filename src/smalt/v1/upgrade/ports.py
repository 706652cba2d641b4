"""The command line of a job, with the inputs and outputs that its arguments stand for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules.datasets import write_input
from smalt.v1.upgrade.texts import make_name, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
DATA = ("Consumption", "Dataset", "RegisteredDataset", "Table", "DataReference")


@dataclass
class Port:
    """An input of a step that gets its value in the pipeline: an output of another step, or a parameter."""

    output: Value | None = None
    parameter: Value | None = None


@dataclass
class CommandLine:
    """A command in the making; the values of `inputs` and `outputs` are code."""

    call: Call
    is_step: bool
    parts: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    ports: dict[str, Port] = field(default_factory=dict)
    made: dict[str, Value] = field(default_factory=dict)
    """The outputs' values by the output's name."""
    _known: dict[int, str] = field(default_factory=dict)
    is_formatted: bool = False
    flags: list[str] = field(default_factory=list)
    """The flags among the arguments."""

    def add_program(self, script: Value, interpreter: str = "python") -> None:
        if script.is_text:
            self.parts.append(f"{interpreter} {shlex.quote(str(script.constant))}")
            return
        self.is_formatted = True
        self.parts.append(f"{interpreter} {{{script.code}}}")

    def declare(self, inputs: Value | None, outputs: Value | None) -> None:
        """Take a step's lists of inputs and outputs, which its arguments need not mention."""
        for which, value in (("inputs", inputs), ("outputs", outputs)):
            if value is None:
                continue
            if value.items is None:
                raise self.call.refuse(f"the text does not tell its {which}", spreads=True)
            self.call.rewriter.consume(value)
            for item in value.items:
                if which == "outputs":
                    self._add_output(item)
                else:
                    self._add_input(item, "")

    def add_arguments(self, arguments: Value | None, search: dict[str, str] | None = None) -> None:
        """Add the arguments as words; those of `search` become inputs that a sweep varies."""
        search = dict(search or {})
        items = self._list_items(arguments)
        flag = ""
        self.flags += [str(one.constant) for one in items if one.is_text and str(one.constant).startswith("-")]
        for item in items:
            if flag in search:
                name = search.pop(flag)
                self.inputs[name] = item.code
                self.parts.append(f"${{{{inputs.{name}}}}}")
                flag = ""
                continue
            self.parts.append(self._write_word(item, flag))
            flag = str(item.constant) if item.is_text and str(item.constant).startswith("-") else ""
        for flag, name in search.items():
            self.parts.append(f"{flag} ${{{{inputs.{name}}}}}")

    def _list_items(self, arguments: Value | None) -> list[Value]:
        if arguments is None:
            return []
        if arguments.items is None and isinstance(arguments.constant, list):
            return [Value(repr(one), constant=one) for one in arguments.constant]
        if arguments.items is None or not self.call.rewriter.is_settled(arguments):
            raise self.call.refuse("the text does not tell its list of arguments", spreads=True)
        self.call.rewriter.consume(arguments)
        return arguments.items

    def _write_word(self, item: Value, flag: str) -> str:
        if item.kind == "ReferenceText":
            item = item.facts["data"]
        if item.constant is not UNKNOWN and not item.kind and not isinstance(item.constant, list):
            if item.variable and not isinstance(item.constant, str):
                return self._add_value(item, flag)
            return shlex.quote(str(item.constant))
        if item.kind == "OutputData" and not self._is_input(item):
            return f"${{{{outputs.{self._add_output(item)}}}}}"
        if item.kind in (*DATA, "OutputData", "OutputLink", "PipelineParameter") or item.items is not None:
            name = self._add_input(item, flag)
            return _quote_input(name, item.facts["default"] if item.kind == "PipelineParameter" else None)
        if item.kind and item.kind not in ("Run", "Workspace"):
            raise self.call.refuse(f"'{item.code}' is no argument of a command", spreads=True)
        return self._add_value(item, flag)

    def _add_value(self, item: Value, flag: str) -> str:
        """Add an input for a value that is known only when the program runs."""
        name = self._take_name(self.inputs, make_name(flag.lstrip("-")) if flag else _name_variable(item))
        self.inputs[name] = item.code
        return _quote_input(name, item)

    def _is_input(self, item: Value) -> bool:
        """Return True for data of another step: one that it made, or one that this step lists among its inputs."""
        known = self._known.get(id(item.facts))
        if known is not None:
            return known in self.inputs
        return item.facts.get("step") is not None

    def _add_input(self, item: Value, flag: str) -> str:
        source, default, wanted = self._read_input(item)
        key = id(source.facts) if source.facts else id(source)
        if key in self._known and (wanted is None or self._known[key] == wanted):
            return self._known[key]
        name = self._take_name(self.inputs, make_name(wanted or flag.lstrip("-") or _name_variable(item)))
        self._known[key] = name
        self.inputs[name] = default
        return name

    def _read_input(self, item: Value) -> tuple[Value, str, str | None]:
        """Return the object behind an input, the code that declares it, and the name that v1 gave it."""
        call = self.call
        if item.items is not None:
            if len(item.items) != 2 or item.items[0].kind != "PipelineParameter":
                raise call.refuse(f"'{item.code}' is no argument of a command", spreads=True)
            call.rewriter.consume(item)
            return self._link_parameter(item.items[0], item.items[0].facts["name"])
        if item.kind == "PipelineParameter":
            return self._link_parameter(item, item.facts["name"])
        if item.kind in ("OutputData", "OutputLink"):
            return self._read_output_link(item)
        if item.kind == "Consumption":
            return self._read_consumption(item)
        if item.kind == "DataReference":
            code = f"{call.use(ML, 'Input')}(type={quote(item.facts['type'])}, path={item.code})"
            return item, code, None
        if item.kind in DATA:
            return item, write_input(call, item), item.facts.get("name")
        raise call.refuse(f"'{item.code}' is no input of a step", spreads=True)

    def _read_output_link(self, item: Value) -> tuple[Value, str, str | None]:
        """Return an output of an earlier step as an input; see `_read_input`."""
        output = item.facts["output"] if item.kind == "OutputLink" else item
        self._check_step(output)
        mode = item.facts.get("mode")
        extra = f", mode={quote(mode)}" if mode and item.kind == "OutputLink" else ""
        self._pending = Port(output=output)
        kind = quote(output.facts.get("type", "uri_folder"))
        return output, f"{self.call.use(ML, 'Input')}(type={kind}{extra})", item.facts.get("name")

    def _read_consumption(self, item: Value) -> tuple[Value, str, str | None]:
        """Return a dataset that was given a mode or a name as an input; see `_read_input`."""
        call, source, name = self.call, item.facts["source"], item.facts["name"]
        given = name.constant if isinstance(name, Value) and name.is_text else None
        if item.facts["mode"] is None:
            call.note(
                "the script gets the path of its data, where v1 gave the dataset's id; Run.input_datasets is v1's"
            )
        if source.kind == "PipelineParameter":
            return self._link_parameter(source, given or source.facts["name"])
        call.rewriter.consume(item)
        return item, write_input(call, source, item.facts["mode"] or ""), given

    def _link_parameter(self, parameter: Value, name: str) -> tuple[Value, str, str]:
        if not self.is_step:
            raise self.call.refuse("only a step of a pipeline has a PipelineParameter", spreads=True)
        self._pending = Port(parameter=parameter)
        return parameter, parameter.code, name

    def _check_step(self, output: Value) -> None:
        if not self.is_step:
            raise self.call.refuse("only a step of a pipeline gets another step's output", spreads=True)
        if output.facts.get("step") is None:
            raise self.call.refuse(f"no step before this one makes '{output.code}'", spreads=True)

    def _add_output(self, item: Value) -> str:
        if item.kind != "OutputData":
            raise self.call.refuse(f"'{item.code}' is no output of a step", spreads=True)
        known = self._known.get(id(item.facts))
        if known is not None:
            return known
        name = self._take_name(self.outputs, make_name(item.facts.get("name") or _name_variable(item)))
        self._known[id(item.facts)] = name
        self.outputs[name] = item.code
        self.made[name] = item
        return name

    _pending: Port | None = None

    def _take_name(self, taken: dict[str, Any], wanted: str) -> str:
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        if taken is self.inputs and self._pending is not None:
            self.ports[name] = self._pending
        self._pending = None
        return name

    def write_command(self, ending: str = "") -> str:
        """Return the code of the command line; `ending` is text of a shell that follows it."""
        text = " ".join(self.parts) + ending
        if not self.is_formatted:
            return quote(text)
        head, rest = self.parts[0], self.parts[1:]
        doubled = (" ".join(rest) + ending).replace("{", "{{").replace("}", "}}")
        return "f" + quote(f"{head} {doubled}".rstrip())


def _name_variable(item: Value) -> str:
    return make_name(item.variable.split(".")[-1]) if item.variable else "value"


def _quote_input(name: str, value: Value | None) -> str:
    """Return an input as one word of a shell; a text with a quote is read from its variable."""
    expression = f"${{{{inputs.{name}}}}}"
    if value is None or _is_simple(value):
        return expression
    return f'"$AZUREML_PARAMETER_{name}"' if value.is_text and "'" in value.constant else f"'{expression}'"


def _is_simple(item: Value) -> bool:
    """Return True if a value is known to be one word of a shell."""
    if isinstance(item.constant, int | float):
        return True
    return item.is_text and shlex.quote(item.constant) == item.constant
