"""`azureml.pipeline.core.PipelineStep`: the base of all steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.machine.source_lines import find_caller
from smalt.v1.command_ports import get_origin
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import DataPort, find_port

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder


class PipelineStep:
    """A step of a pipeline. What it writes is known by its outputs and arguments; `to_node` makes the step of v2."""

    copies_inputs: ClassVar[bool] = False
    """True if the step of v2 does to all of its inputs what it does, so that none can be there for the order only."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[Any] | None,
        outputs: Sequence[Any] | None,
        arguments: Sequence[Any] | None = None,
        fix_port_name_collisions: bool = False,
        resource_inputs: Sequence[Any] | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise UserErrorException(f"a {type(self).__name__} needs a name: text, such as 'train'")
        given = {"fix_port_name_collisions": fix_port_name_collisions, "resource_inputs": resource_inputs}
        tell_no_effect(
            type(self).__name__, given, "inputs and outputs may share names in v2, and are read at their paths"
        )
        self.name = name
        self.inputs = _take_list(name, "inputs", [*(inputs or ()), *(resource_inputs or ())])
        self.outputs = _take_list(name, "outputs", outputs)
        self.arguments = _take_list(name, "arguments", arguments)
        self.where = find_caller()
        self.earlier: list[PipelineStep] = []
        """The steps that this one is to run after."""
        for port in self._list_outputs():
            get_origin(port.source).producer = self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def run_after(self, step: PipelineStep | Sequence[PipelineStep]) -> None:
        """Let this step begin only when another one has ended, without data between them."""
        for one in step if isinstance(step, (list, tuple)) else [step]:
            if not isinstance(one, PipelineStep):
                raise UserErrorException(f"a step runs after a step, not after {type(one).__name__}")
            if one is self:
                raise UserErrorException(f"the step '{self.name}' cannot run after itself")
            if one not in self.earlier:
                self.earlier.append(one)

    def list_producers(self) -> list[PipelineStep]:
        """Return the steps that write what this one reads."""
        found: list[PipelineStep] = []
        for port in _iterate_ports([*self.inputs, *self.arguments]):
            producer = getattr(get_origin(port.source), "producer", None)
            if producer is not None and producer is not self and producer not in found:
                found.append(producer)
        return found

    def list_waits(self) -> list[PipelineStep]:
        """Return the steps that this one runs after without data of theirs."""
        producers = self.list_producers()
        return [step for step in self.earlier if step not in producers]

    def to_node(self, binder: PipelineBinder) -> Any:
        """Return the step of v2."""
        raise NotImplementedError

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> Any:
        raise UserErrorException("steps of a class of your own are not served; use the steps of azureml.pipeline.steps")

    def _list_outputs(self) -> Iterator[DataPort]:
        yield from _iterate_ports(self.outputs)
        for port in _iterate_ports(self.arguments):
            if port.side == "outputs" and not getattr(port.source, "needs_list", False):
                yield port


def _take_list(name: str, what: str, values: Iterable[Any] | None) -> list[Any]:
    if values is None:
        return []
    if isinstance(values, (str, dict)) or not isinstance(values, Iterable):
        raise UserErrorException(f"the {what} of step '{name}' are a list, not {type(values).__name__}")
    return list(values)


def _iterate_ports(values: Iterable[Any]) -> Iterator[DataPort]:
    for value in values:
        port = find_port(value)
        if port is not None:
            yield port
