"""Orders of steps: `StepSequence`, and the steps that a pipeline needs for those that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smalt.v1.command_ports import get_origin
from smalt.v1.exceptions import UserErrorException
from smalt.v1.pipeline.steps.base import PipelineStep


class StepSequence:
    """Steps, or lists of steps, each of which begins when those before it have ended."""

    def __init__(self, steps: Sequence[Any] | None = None) -> None:
        self.steps = list(steps or ())

    def list_steps(self) -> list[PipelineStep]:
        """Return the steps, each set to run after those before it."""
        found: list[PipelineStep] = []
        earlier: list[PipelineStep] = []
        for one in self.steps:
            group = flatten_steps(one)
            for step in group:
                step.run_after([other for other in earlier if other is not step])
            found += group
            earlier = group
        return found


def flatten_steps(value: Any) -> list[PipelineStep]:
    """Return the steps of a step, of data (the one that writes it), of a sequence, or of a list of any of them."""
    if isinstance(value, PipelineStep):
        return [value]
    if isinstance(value, StepSequence):
        return value.list_steps()
    if isinstance(value, (list, tuple)):
        return [step for one in value for step in flatten_steps(one)]
    origin = get_origin(value)
    if hasattr(origin, "producer"):
        if origin.producer is None:
            raise UserErrorException(f"no step writes '{origin.name}', so it cannot be a step of the pipeline")
        return [origin.producer]
    raise UserErrorException(
        f"the steps of a pipeline are steps, lists of steps or StepSequence, not {type(value).__name__}"
    )


def order_steps(steps: Sequence[PipelineStep], resolve_closure: bool = True) -> list[PipelineStep]:
    """Return the steps and those that they need, each after those that it needs; raise if they are a circle."""
    given = list(dict.fromkeys(steps))
    found: list[PipelineStep] = []
    path: list[PipelineStep] = []

    def visit(step: PipelineStep) -> None:
        if step in found:
            return
        if step in path:
            names = [one.name for one in [*path[path.index(step) :], step]]
            raise UserErrorException(f"the steps wait for each other in a circle: {' → '.join(reversed(names))}")
        path.append(step)
        for other in [*step.list_producers(), *step.earlier]:
            if other not in given and not resolve_closure:
                raise UserErrorException(
                    f"the step '{step.name}' needs '{other.name}', which is not among the steps; add it, or pass "
                    "resolve_closure=True"
                )
            visit(other)
        path.pop()
        found.append(step)

    for step in given:
        visit(step)
    return found
