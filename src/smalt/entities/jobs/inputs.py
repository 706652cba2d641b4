"""Inputs and outputs of jobs and of components."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.effects import ACTED, KEPT, NONE
from smalt.entities.schema.entity import Entity, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path, did_you_mean
from smalt.entities.schema.reader import describe_path
from smalt.entities.schema.shapes import JSON, Boolean, Enum, List, Map, Shape, Text, Version
from smalt.entities.syntax.expression import has_expression
from smalt.entities.syntax.literals import PRIMITIVES, Literal, parse_written_literal
from smalt.entities.syntax.references import PREFIX, is_mlflow_uri
from smalt.machine.source_lines import warn_caller

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader
    from smalt.entities.schema.shapes import Definitions

T = TypeVar("T")

ASSETS = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
MODES = (
    "ro_mount",
    "rw_mount",
    "mount",
    "download",
    "upload",
    "direct",
    "eval_mount",
    "eval_download",
    "link",
)


class LiteralValue(Shape[Literal]):
    words = "text, a number or a boolean"

    def has_type(self, value: object) -> bool:
        return isinstance(value, (str, int, float, bool))

    def read_value(self, value: Any, path: Path, reader: Reader) -> Literal | None:
        written = reader.written.get(path)
        if written is not None:
            return parse_written_literal(value, *written) if value is None or self.has_type(value) else written.text
        return value if self.has_type(value) else self.report_mismatch(value, path, reader)

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": ["string", "number", "boolean"]}


class DataPath(Text):
    """The path of data to read: a local path, a URI, an asset or an expression."""

    remedy = "name the data: a local path, a URI or 'azureml:NAME:VERSION'"

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text is None or "${{" in text or _is_remote(text):
            return text
        if not text.strip() and not reader.is_answer:  # it would be the whole folder of the file
            reader.add_problem(path, f"{describe_path(path)} is empty; {self.remedy}")
            return text
        return self.resolve_path(text, path, reader)

    def resolve_path(self, text: str, path: Path, reader: Reader) -> str:
        return reader.resolve_data_path(text, path)


class WrittenPath(DataPath):
    """The path of data to write, which need not exist."""

    remedy = "name the place to write to, or remove the key"

    def resolve_path(self, text: str, path: Path, reader: Reader) -> str:
        return reader.resolve_path(text, path, must_exist=False)


def _is_remote(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    is_url = bool(colon) and scheme != "file" and rest.startswith("//")
    return is_url or is_mlflow_uri(text) or text.startswith((PREFIX, "/subscriptions/"))


class Input(Keyed, Entity):
    noun = "an input"
    _says_defaults = False  # without a type it may be a literal, or take the type of what it is bound to

    def __init__(self, **values: Any) -> None:
        """Take the fields. A misspelt name raises; any other unknown name is warned of and ignored."""
        known = {key: value for key, value in values.items() if key in self._fields or did_you_mean(key, self._fields)}
        super().__init__(**known)
        for key in values.keys() - known.keys():
            warn_caller(f"Input has no '{key}', so it has no effect")

    type = optional(
        Enum(*ASSETS, "path", *PRIMITIVES),
        "The type: uri_file, uri_folder, mltable, a model, or a primitive type.",
        effect=ACTED,
    )
    path = optional(DataPath(), "A local path, a URI, `azureml:NAME:VERSION`, or an expression.", effect=ACTED)
    mode = optional(Enum(*MODES), "The mode in which the job gets the data.", effect=ACTED)
    default = optional(LiteralValue(), "The value where none is given.", effect=ACTED)
    min = optional(LiteralValue(), "The smallest value.", effect=ACTED)
    max = optional(LiteralValue(), "The largest value.", effect=ACTED)
    enum = optional(List(LiteralValue()), "The values that are allowed.", effect=ACTED)
    description = optional(Text(), "The purpose, for people.", effect=KEPT)
    path_on_compute = optional(Text(), "The path at which the job finds the data.", effect=NONE)
    datastore = optional(Text(), "The datastore that local data is uploaded to.", effect=ACTED)
    optional = optional(Boolean(), "Whether it may be left out.", effect=ACTED)


def has_default(declared: object) -> bool:
    """Return True if the input has a default that is a value; an expression differs from pipeline to pipeline."""
    return isinstance(declared, Input) and declared.default is not None and not has_expression(declared.default)


ORDERS_STEPS = "it orders steps; nothing is written to it"
"""The description of an output that only makes other steps wait."""


class Output(Keyed, Entity):
    noun = "an output"
    _says_defaults = False  # without a type it has that of the step that writes it

    type = optional(Enum(*ASSETS, "path", *PRIMITIVES), "The type; uri_folder where unset.", effect=ACTED)
    path = optional(WrittenPath(), "The path that it is written to; the service chooses one where unset.", effect=ACTED)
    mode = optional(Enum(*MODES), "The mode in which the job writes the data.", effect=ACTED)
    name = optional(Text(), "The name of the asset that it is registered as.", effect=ACTED)
    version = optional(Version(), "The version of that asset.", effect=ACTED)
    description = optional(Text(), "A description.", effect=KEPT)
    early_available = optional(Boolean(), "Whether it can be read before the step ends.", effect=NONE)
    is_control = optional(
        Boolean(), "Whether it decides about other steps: every output of a primitive type can.", effect=KEPT
    )

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        name = self.name
        if reader.is_answer or not isinstance(name, str) or has_expression(name):
            return
        if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            words = f"'{name[:100]}' cannot be the name of an asset; use at most {_LONGEST_NAME} letters, digits"
            reader.add_problem((*path, "name"), f"{words}, '-', '_' and '.', a letter or digit first")


class InputPort(Entity):
    noun = "a port"

    type_string = required(Text(), "The type.")
    default = optional(LiteralValue(), "The value where none is given.")
    optional = optional(Boolean(), "Whether it may be left out.")


_DATA_TYPES = Enum(*ASSETS)


class JobInput(Shape[Input | Literal]):
    """An input of a job or a step: data, a literal or an expression."""

    words = "a value or a mapping with 'type' and 'path'"

    def __init__(self) -> None:
        self.data = Nested(Input, ("type", "path", "mode", "path_on_compute", "datastore", "description"), "a job")

    def has_type(self, value: object) -> bool:
        return isinstance(as_text(value), (str, int, float, bool, Mapping, Input))

    def read_value(self, value: Any, path: Path, reader: Reader) -> Input | Literal | None:
        value = as_text(value)
        written = reader.written.get(path)
        if written is not None and _is_data_input(written.before) and not isinstance(value, (Mapping, Input)):
            value = {**written.before, "path": written.text}
        elif isinstance(value, (str, int, float, bool)) or (value is None and written is not None):
            return value if written is None else parse_written_literal(value, *written)
        if isinstance(value, Mapping) and list(value) == ["value"]:
            return LiteralValue().read_value(value["value"], (*path, "value"), reader)
        if not isinstance(value, (Mapping, Input)):
            return self.report_mismatch(value, path, reader)
        told = len(reader.problems)
        if isinstance(value, Mapping) and value.get("type") is not None and not self._is_data(value, path, reader):
            value = {key: item for key, item in value.items() if key != "type"}
        read = self.data.read_value(value, path, reader)
        if read is not None and read.datastore and isinstance(read.path, str):
            _check_datastore(read.path, path, reader)
        if read is not None and len(reader.problems) > told:  # the type, too
            vars(read)["_partial"] = True
        return read

    def _is_data(self, value: Mapping[str, Any], path: Path, reader: Reader) -> bool:
        if isinstance(value["type"], str) and value["type"] in PRIMITIVES:
            words = "the type of data; write a literal as a bare value"
            reader.add_problem((*path, "type"), f"'{value['type']}' is not {words}: '{path[-1]}: VALUE'")
            return False
        return _DATA_TYPES.read_value(value["type"], (*path, "type"), reader) is not None

    def dump_value(self, value: Any) -> Any:
        return self.data.dump_value(value)

    def build_schema(self, definitions: Definitions) -> JSON:
        literal = LiteralValue().build_schema(definitions)
        wrapped = {"type": "object", "properties": {"value": literal}, "required": ["value"], "maxProperties": 1}
        return {"anyOf": [literal, self.data.build_schema(definitions), wrapped]}


def _check_datastore(data: str, path: Path, reader: Reader) -> None:
    """Report a `datastore` to upload to if the data is not local."""
    if "${{" in data or _is_remote(data):
        words = "'datastore' says where local data is uploaded to, and this path is not local; remove it"
        reader.add_problem((*path, "datastore"), words, at_key=True)


def _is_data_input(before: Any) -> bool:
    """Return True if the replaced value is data, so that text in its place is a path."""
    return isinstance(before, Mapping) and ("path" in before or before.get("type") in ASSETS)


class Ports(Map[T]):
    """A mapping of inputs or outputs. Their names become parts of expressions, variables and paths."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> dict[str, T] | None:
        for name in value if isinstance(value, Mapping) else ():
            if not _NAME.fullmatch(name if isinstance(name, str) else str(name)):
                words = f"'{name}' cannot be the name of an input or output; use letters, digits, '_', '-' and '.'"
                reader.add_problem((*path, name), words, at_key=True)
        read = super().read_value(value, path, reader)
        return None if read is None else Attributes(read)


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST_NAME = 255


class Outputs(Ports[Any]):
    """A mapping of outputs; one without a value is an output with every field unset."""

    def make_empty(self) -> Output:
        return Output()


JOB_INPUTS: Map[Input | Literal] = Ports(JobInput())
JOB_OUTPUTS: Map[Output] = Outputs(Nested(Output))
STEP_OUTPUTS: Map[Output | str] = Outputs(Nested(Output) | Text())
