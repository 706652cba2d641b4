"""if_else: a condition decides which of two blocks of a pipeline's steps run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smalt.entities import Input
from smalt.entities.jobs.control_flow import IfElse, find_blocks
from smalt.entities.syntax.literals import convert
from smalt.exceptions import ValidationException
from smalt.service.engine.kinds.control_flow.control_jobs import (
    CONDITION,
    IF_ELSE,
    find_moved,
    make_boolean_reader,
    skip_children,
)
from smalt.service.engine.kinds.pipeline import PipelineKind, find_steps_within
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.engine.kinds.protocol import CompositeView, Outcome, Plan
from smalt.service.records.jobs import Job


class IfElseKind(PipelineKind):
    """A pipeline of the steps in the block that the condition chooses."""

    type = IF_ELSE
    is_submitted = False

    def check_step(self, *_: Any) -> None:
        """Check nothing: its blocks, which are steps beside it, are checked as such."""

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        condition = view.entity.inputs.get(CONDITION)
        if child is not None or not isinstance(condition, Input):
            return None
        return make_boolean_reader(view, str(condition.path), f"the condition of '{view.job.node}'")

    def plan(self, view: CompositeView, found: Any) -> Plan:
        condition = view.entity.inputs.get(CONDITION) if found is None else found
        value = convert(condition, "boolean") if condition is not None else None
        if not isinstance(value, bool):
            raise ValidationException(f"the condition of '{view.job.node}' must be true or false, not '{condition}'")
        steps = view.entity.jobs
        node = steps[view.job.node]
        chosen = find_blocks(node)["true_block" if value else "false_block"] if isinstance(node, IfElse) else []
        runs = ", ".join(f"'{name}'" for name in chosen) or "nothing"
        notes = [f"the condition is {str(value).lower()}, so {runs} {'run' if len(chosen) > 1 else 'runs'}"]
        planner = Planner.of_view(view, find_steps_within(chosen, steps))
        return Plan(skip_children(view, planner.children()), planner.written, notes)

    def outcome(self, view: CompositeView) -> Outcome | None:
        ends = super().outcome(view)
        if ends is None or ends.status != "Completed":
            return ends
        return ends._replace(moved_outputs=find_moved(view, view.list_children()))


KIND = IfElseKind()
