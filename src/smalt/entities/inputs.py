"""Inputs and outputs, of jobs and of components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.entity import Entity, optional
from smalt.entities.literals import PRIMITIVES, Literal
from smalt.entities.nested import Nested
from smalt.entities.problems import Path, listed, shown
from smalt.entities.references import PREFIX
from smalt.entities.shapes import JSON, AsText, Boolean, Enum, List, Map, Shape, Text

if TYPE_CHECKING:
    from smalt.entities.json_schema import Definitions
    from smalt.entities.reader import Reader

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

    def takes(self, value: object) -> bool:
        return isinstance(value, (str, int, float, bool))

    def read(self, value: Any, path: Path, reader: Reader) -> Literal | None:
        return value if self.takes(value) else self.refuse(value, path, reader)

    def schema(self, definitions: Definitions) -> JSON:
        return {"type": ["string", "number", "boolean"]}


class DataPath(Text):
    """Where data is: a local path, a URI, an asset, or an expression."""

    def read(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read(value, path, reader)
        if text is None or "${{" in text or _is_remote(text):
            return text
        return reader.local(text, path, must_exist=False)


def _is_remote(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    return text.startswith((PREFIX, "/subscriptions/")) or (bool(colon) and scheme != "file" and rest.startswith("//"))


class Input(Entity):
    noun = "an input"

    type = optional(
        Enum(*ASSETS, "path", *PRIMITIVES),
        "The type: uri_file, uri_folder, mltable, a model, or a primitive type.",
    )
    path = optional(DataPath(), "A local path, a URI, `azureml:NAME:VERSION`, or an expression.")
    mode = optional(Enum(*MODES), "How the job gets the data.")
    default = optional(LiteralValue(), "The value where none is given.")
    min = optional(LiteralValue(), "The smallest value.")
    max = optional(LiteralValue(), "The largest value.")
    enum = optional(List(LiteralValue()), "The values that are allowed.")
    description = optional(Text(), "What it is for.")
    path_on_compute = optional(Text(), "Where the job is to find the data.")
    datastore = optional(Text(), "The datastore that local data is uploaded to.")
    optional = optional(Boolean(), "Whether it may be left out.")


class Output(Entity):
    noun = "an output"

    type = optional(Enum(*ASSETS, "path", *PRIMITIVES), "The type; uri_folder where unset.")
    path = optional(Text(), "Where it is written; the service chooses where unset.")
    mode = optional(Enum(*MODES), "How the job writes it.")
    name = optional(Text(), "The name of the asset that it is registered as.")
    version = optional(AsText(), "The version of that asset.")
    description = optional(Text(), "What it is.")
    early_available = optional(Boolean(), "Whether it can be read before the step ends.")


class JobInput(Shape[Input | Literal]):
    """Of a job or a step: data, a literal, or an expression."""

    words = "a value or a mapping with 'type' and 'path'"

    def __init__(self) -> None:
        self.data = Nested(Input, ("type", "path", "mode", "path_on_compute", "datastore", "description"), "a job")

    def takes(self, value: object) -> bool:
        return isinstance(value, (str, int, float, bool, Mapping, Input))

    def read(self, value: Any, path: Path, reader: Reader) -> Input | Literal | None:
        if isinstance(value, (str, int, float, bool)):
            return value
        if isinstance(value, Mapping) and list(value) == ["value"]:
            return LiteralValue().read(value["value"], (*path, "value"), reader)
        if not isinstance(value, (Mapping, Input)):
            return self.refuse(value, path, reader)
        data = self.data.read(value, path, reader)
        if data is not None and data.type in PRIMITIVES:
            words = listed(ASSETS)
            reader.problem(
                (*path, "type"),
                f"the type of data must be {words}, not {shown(data.type)}; write a literal as a bare value",
            )
        return data

    def dump(self, value: Any) -> Any:
        return self.data.dump(value)

    def schema(self, definitions: Definitions) -> JSON:
        return {"anyOf": [LiteralValue().schema(definitions), self.data.schema(definitions)]}


class Outputs(Map[Any]):
    """Names to outputs; a name without a value is an output with nothing said."""

    def nothing(self) -> Output:
        return Output()


JOB_INPUTS: Map[Input | Literal] = Map(JobInput())
JOB_OUTPUTS: Map[Output] = Outputs(Nested(Output))
STEP_OUTPUTS: Map[Output | str] = Outputs(Nested(Output) | Text())
