"""Ports: the inputs and outputs that v1's data objects are to a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from smalt.entities.jobs.inputs import Input, Output
from smalt.v1.exceptions import UserErrorException

Side = Literal["inputs", "outputs"]


@dataclass(frozen=True)
class DataPort:
    """An input or output of a script, and the data behind it."""

    side: Side
    source: Any
    """The dataset, reference, parameter or product of a step."""
    name: str | None = None
    mode: str | None = None
    path_on_compute: str | None = None


class PortBinder(Protocol):
    """Whoever knows the job or pipeline around a script."""

    client: Any
    """The client of the workspace, which can say what a path is; None where there is none."""

    def bind_parameter(self, parameter: Any, port: DataPort | None) -> Any:
        """Return what an input gets that is bound to a pipeline's parameter."""

    def bind_product(self, source: Any, port: DataPort) -> Any:
        """Return what an input gets that reads what another step writes."""

    def get_value(self, parameter: Any) -> Any:
        """Return the value that a parameter has in this submission."""


class LoneBinder:
    """The binder of a script that runs by itself, without a pipeline around it."""

    def __init__(self, client: Any = None) -> None:
        self.client = client

    def bind_parameter(self, parameter: Any, port: DataPort | None) -> Any:
        raise UserErrorException(
            f"the PipelineParameter '{parameter.name}' has a value in a pipeline only; give the script the value itself"
        )

    def bind_product(self, source: Any, port: DataPort) -> Any:
        raise UserErrorException(
            f"'{source.name}' is what a step of a pipeline writes; a script that runs by itself cannot read it"
        )

    def get_value(self, parameter: Any) -> Any:
        return parameter.default_value


MODES = {
    "mount": "ro_mount",
    "download": "download",
    "direct": "direct",
    "hdfs": "direct",
    "upload": "upload",
    "eval_mount": "eval_mount",
    "eval_download": "eval_download",
}
"""v1's words for how a script gets its data, and v2's."""


def find_port(value: Any) -> DataPort | None:
    """Return the port that a value is in a list of arguments, inputs or outputs; None for text and numbers."""
    if isinstance(value, tuple) and len(value) == 2 and hasattr(value[1], "make_port"):
        port: DataPort = value[1].make_port(value[0])  # a parameter, and how its path is given
        return port
    to_port = getattr(value, "to_port", None)
    if to_port is None or isinstance(value, type):
        return None
    found: DataPort = to_port()
    return found


def make_input(port: DataPort, binder: PortBinder) -> Any:
    """Return what an input of a v2 job or step gets: data, or a binding."""
    source = port.source
    if hasattr(source, "to_input"):
        made: Input = source.to_input(port.mode, binder.client)
        if port.path_on_compute:
            made.path_on_compute = port.path_on_compute
        return made
    if hasattr(source, "default_value"):
        return binder.bind_parameter(source, port)
    return binder.bind_product(source, port)


def make_output(port: DataPort, binder: PortBinder) -> Output:
    """Return the output of a v2 job or step."""
    if not hasattr(port.source, "to_output"):
        raise UserErrorException(f"'{port.name}' is data that is read; it cannot be an output")
    made: Output = port.source.to_output(port.mode)
    return made
