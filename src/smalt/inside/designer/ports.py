"""Annotations for the parameters of a component's function, and the context that it reads while it runs."""

from __future__ import annotations

import os
from enum import EnumMeta

from .errors import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PRIMITIVES = {int: "integer", str: "string", float: "number", bool: "boolean"}

running: dict[str, str] = {}
"""The path of each output of the function that runs."""


class Input:
    """An input: data, or with one of the types integer, number, string and boolean a value."""

    def __init__(
        self,
        *,
        type: str | None = "uri_folder",
        path: str | None = None,
        mode: str | None = None,
        min: float | None = None,
        max: float | None = None,
        enum: Any = None,
        optional: bool | None = None,
        description: str | None = None,
        **more: Any,
    ) -> None:
        self.type, self.path, self.mode, self.min, self.max = type, path, mode, min, max
        self.enum, self.optional, self.description = list_values(enum), optional, description
        self.default = more.pop("default", None)


class Output:
    """An output, as a parameter; or as what a function returns."""

    def __init__(
        self,
        *,
        type: str = "uri_folder",
        path: str | None = None,
        mode: str | None = None,
        description: str | None = None,
        early_available: bool | None = None,
        **more: Any,
    ) -> None:
        self.type, self.path, self.mode = type, path, mode
        self.description, self.early_available = description, early_available
        self._name, self._value = "", None

    def ready(self) -> None:
        """Writes the value that it was given by `get_io_context()`, before the function ends."""
        if self._name not in running:
            raise UserErrorException(f"the function that runs has no output '{self._name}'")
        write_value(running[self._name], self._value)


class Meta:
    """Facts about a parameter beyond its type, as in `Annotated[int, Meta(…)]`."""

    def __init__(
        self,
        type: Any = None,
        description: str | None = None,
        min: float | None = None,
        max: float | None = None,
        **more: Any,
    ) -> None:
        self.type, self.description, self.min, self.max = type, description, min, max
        self.default = more.pop("default", None)


class OutputContext:
    """`context.outputs.NAME = value`, then `context.outputs.NAME.ready()`."""

    def __setattr__(self, name: str, value: Any) -> None:
        output = self.__dict__[name] = Output(type="string", early_available=True)
        output._name, output._value = name, value

    def __getattr__(self, name: str) -> Output:
        raise UserErrorException(f"the output '{name}' has no value yet; set 'outputs.{name} = …' first")


class IOContext:
    def __init__(self) -> None:
        self._outputs = OutputContext()

    @property
    def outputs(self) -> OutputContext:
        return self._outputs


def get_io_context() -> IOContext:
    """The outputs of the function that runs."""
    return IOContext()


class PipelineStage:
    def __init__(self, start_time: str, end_time: str, status: str) -> None:
        self.start_time, self.end_time, self.status = start_time, end_time, status


class PipelineContext:
    def __init__(
        self,
        root_job_name: str,
        initialization_stage: PipelineStage | None,
        execution_stage: PipelineStage | None,
    ) -> None:
        self.root_job_name = root_job_name
        self.stages = {"Initialization": initialization_stage, "Execution": execution_stage}


def get_root_pipeline_context() -> PipelineContext:
    """The outermost pipeline that this job is a step of; smalt keeps no times of its stages."""
    name = os.environ.get("AZUREML_ROOT_RUN_ID")
    if not name:
        raise UserErrorException("get_root_pipeline_context() works inside jobs only")
    return PipelineContext(name, None, None)


def list_values(enum: Any) -> Any:
    """The values of an Enum class; a list of values, as it is."""
    if isinstance(enum, EnumMeta):
        return [member.value for member in enum]  # type: ignore[var-annotated]
    return enum


def write_value(path: str, value: Any) -> None:
    """A primitive output: a file of that name, or in a folder that is there already the file `output`."""
    if os.path.isdir(path):
        path = os.path.join(path, "output")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))
