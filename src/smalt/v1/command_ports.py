"""Ports of a command in the making: which data is which of its inputs and outputs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.ports import DataPort, LoneBinder, PortBinder, Side, find_port, make_input, make_output

if TYPE_CHECKING:
    from smalt.v1.commands import CommandParts

_VARIABLE = re.compile(r"\$AZURE_?ML_\w+")
"""A variable of the service, such as the text of a v1 data object, which v1 replaces by its path."""
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


class CommandPorts:
    """The ports of a command, by the data behind them."""

    def __init__(
        self, command: CommandParts, binder: PortBinder, is_step: bool = False, is_shell: bool = False
    ) -> None:
        self.tables: dict[str, list[Any]] = {}
        """By input: what is done to its files before the script has them as a table."""
        self._command, self._binder = command, binder
        self._is_step, self._is_shell = is_step, is_shell
        self._names: dict[tuple[Side, int], list[str]] = {}
        self._kept: list[Any] = []  # the objects whose ids are keys

    def declare(self, values: Iterable[Any], side: Side) -> None:
        """Take the members of a step's `inputs` or `outputs`, whether or not they are arguments as well."""
        for value in values:
            port = find_port(value)
            if port is None and not hasattr(value, "default_value"):
                raise UserErrorException(
                    f"{_describe_value(value)} cannot be one of the {side}; give a dataset, a DataReference, "
                    "PipelineData or an OutputFileDatasetConfig"
                )
            if port is not None:
                self._add_port(DataPort(side, port.source, port.name, port.mode, port.path_on_compute), None)

    def render_arguments(self, values: Iterable[Any]) -> str:
        """Return arguments as words of a command line; data among them becomes inputs and outputs."""
        words, flag = [], None
        for value in values:
            port = find_port(value)
            if port is not None:
                words.append(self.bind_port(port, flag))
            elif hasattr(value, "default_value"):
                words.append(self.bind_parameter(value))
            else:
                text = format_argument(value)
                words.append(quote_word(text))
                flag = text if text.startswith("-") and "=" not in text else None
                continue
            flag = None
        return " ".join(words)

    def bind_parameter(self, parameter: Any) -> str:
        """Add an input for a pipeline's parameter, and return the word that stands for its value."""
        name, value = self.add_parameter(parameter), self._binder.get_value(parameter)
        if not self._is_step or not isinstance(value, str):
            return quote_input(name, value)
        return f'"$AZUREML_PARAMETER_{name}"' if self._is_shell else f"'${{{{inputs.{name}}}}}'"  # any text, later

    def add_parameter(self, parameter: Any) -> str:
        """Add an input for a pipeline's parameter, and return its name."""
        known = self._names.get(("inputs", id(parameter)))
        name = known[0] if known else self._take_name("inputs", parameter.name, parameter)
        if not known:
            self._command.inputs[name] = self._binder.bind_parameter(parameter, None)
        return name

    def bind_port(self, port: DataPort, flag: str | None = None) -> str:
        """Add an input or output, and return the expression that stands for its path."""
        known = self._find_known(port)
        if known is None and self._is_step and getattr(port.source, "needs_list", False):
            raise UserErrorException(
                f"'{port.name}' is among the arguments, but neither in the inputs nor in the outputs of its step; add "
                "it to one of them"
            )
        side, name = known or (port.side, self._add_port(port, flag))
        return f"${{{{{side}.{name}}}}}"

    def get_name(self, source: Any, side: Side = "outputs") -> str | None:
        """Return the name of the port of some data; None where the command has none."""
        names = self._names.get((side, id(get_origin(source))))
        return names[0] if names else None

    def _find_known(self, port: DataPort) -> tuple[Side, str] | None:
        """Return the port that the command has already for the same data."""
        is_listed = getattr(port.source, "needs_list", False)
        sides: tuple[Side, ...] = ("inputs", "outputs") if is_listed else (port.side,)
        for side in sides:
            names = self._names.get((side, id(get_origin(port.source))), [])
            if port.name is not None and port.name in names:
                return side, port.name
            if names and (port.name is None or is_listed):
                return side, names[0]
        return None

    def _add_port(self, port: DataPort, flag: str | None) -> str:
        source = get_origin(port.source)
        known = self._names.get((port.side, id(source)))
        if known and (port.name is None or port.name in known):
            return port.name or known[0]
        name = self._take_name(port.side, port.name or _name_by_flag(flag), source)
        if port.side == "inputs":
            self._command.inputs[name] = make_input(port, self._binder)
            if transformations := getattr(port.source, "transformations", None):
                self.tables[name] = list(transformations)
        else:
            self._command.outputs[name] = make_output(port, self._binder)
        return name

    def _take_name(self, side: Side, wanted: str | None, source: Any) -> str:
        taken: Mapping[str, Any] = self._command.inputs if side == "inputs" else self._command.outputs
        base = re.sub(r"\W", "_", wanted or side.rstrip("s"))
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        self._names.setdefault((side, id(source)), []).append(name)
        self._kept.append(source)
        return name


class PortBinding:
    """Data that can stand among the arguments of a command."""

    def to_port(self) -> DataPort:
        raise NotImplementedError

    def bind_to(self, command: CommandParts) -> str:
        """Add the data to the command's inputs or outputs, and return the expression of its path."""
        return find_ports(command).bind_port(self.to_port())


def find_ports(command: CommandParts) -> CommandPorts:
    """Return the ports of a command; of one outside of pipelines they are made when first asked for."""
    if command.ports is None:
        command.ports = CommandPorts(command, LoneBinder())
    return command.ports


def get_origin(source: Any) -> Any:
    """Return the object that a program made first, of which `source` is a form."""
    origin = getattr(source, "get_origin", None)
    return source if origin is None else origin()


def quote_word(text: str) -> str:
    """Return the text as one word of a shell; v1's names of paths in it are replaced when the command runs."""
    if _VARIABLE.search(text):
        return '"' + re.sub(r'(["\\`]|\$(?!AZURE_?ML_))', r"\\\1", text) + '"'
    return shlex.quote(text)


def quote_input(name: str, value: Any) -> str:
    """Return the word for the value of an input; `value` is the one that it has now."""
    expression = f"${{{{inputs.{name}}}}}"
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return expression
    return f"'{expression}'" if "'" not in value else f'"$AZUREML_PARAMETER_{name}"'


def format_argument(value: Any) -> str:
    if isinstance(value, (list, tuple, dict, set)) or value is None:
        raise UserErrorException(
            f"{_describe_value(value)} cannot be an argument of a script; give text, a number, data or a parameter"
        )
    return str(value)


def _name_by_flag(flag: str | None) -> str | None:
    return re.sub(r"\W", "_", flag.lstrip("-")) or None if flag else None


def _describe_value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else type(value).__name__
