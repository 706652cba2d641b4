"""do_while: a step of a pipeline runs again, with its outputs as inputs, while its condition holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities import Input
from smalt.entities.jobs.control_flow import DoWhile, find_blocks, find_mapped_inputs, parse_port_name
from smalt.exceptions import ValidationException
from smalt.service.engine.kinds.control_flow.control_jobs import find_moved, make_boolean_reader, read_output_uris
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.engine.kinds.protocol import (
    NO_CHANGES,
    Changes,
    CompositeKind,
    CompositeView,
    NewChild,
    Outcome,
    Plan,
    find_children_outcome,
)
from smalt.service.engine.submission.bindings import copy_with
from smalt.service.records.jobs import Job


class DoWhileKind(CompositeKind):
    """The children are the iterations of the body: the first is planned, each further one follows from the last."""

    type = "do_while"
    is_submitted = False

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        if child is None or child.status != "Completed":
            return None
        name = self._get_condition(view)
        if isinstance(name, bool) or self._count_iterations(view) >= self._get_limit(view):
            return None
        uri = read_output_uris(view.read_child_properties(child)).get(name)
        if uri is None:
            raise ValidationException(f"the body of '{view.job.node}' has no output '{name}' to decide by")
        return make_boolean_reader(view, uri, f"the output '{name}' of iteration {self._count_iterations(view)}")

    def plan(self, view: CompositeView, found: Any) -> Plan:
        return Plan(iter([self._make_iteration(view, 1, {})]))

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        if child.status != "Completed":
            return NO_CHANGES
        condition = self._get_condition(view)
        goes_on = condition if isinstance(condition, bool) else found
        number = self._count_iterations(view)
        if number >= self._get_limit(view):
            return Changes(notes=[f"iteration {number} is the last: max_iteration_count is {number}"])
        if not goes_on:
            return Changes(notes=[f"the condition is false after iteration {number}"])
        written = view.read_child_properties(child).get("outputs") or {}
        mapped = {}
        for name, output in find_mapped_inputs(self._get_node(view)).items():
            port = written.get(output) or {}
            kind = port.get("jobOutputType") or port.get("job_output_type") or "uri_folder"
            mapped[name] = Input(type=kind, path=str(port.get("uri")))
        return Changes(add=[self._make_iteration(view, number + 1, mapped)])

    def outcome(self, view: CompositeView) -> Outcome | None:
        ends = find_children_outcome(view)
        if ends.status != "Completed":
            return ends
        return ends._replace(moved_outputs=find_moved(view, view.list_children()[-1:]))

    def _make_iteration(self, view: CompositeView, number: int, mapped: Mapping[str, Input]) -> NewChild:
        """Return the child of an iteration, with other values for the inputs that are mapped."""
        (step,) = find_blocks(self._get_node(view))["body"]
        node = view.entity.jobs[step]
        node = copy_with(node, inputs={**(node.inputs or {}), **mapped})
        planner = Planner.of_view(view, {step: node})
        child = planner.make_child(step, node, set(), planner.make_scope(), f"{step}.{number}")
        child.display_name = child.body["displayName"] = f"{child.display_name}, iteration {number}"
        return child

    def _get_node(self, view: CompositeView) -> DoWhile:
        node = view.entity.jobs[view.job.node]
        assert isinstance(node, DoWhile)
        return node

    def _count_iterations(self, view: CompositeView) -> int:
        return len(view.list_children())

    def _get_limit(self, view: CompositeView) -> int:
        return int(self._get_node(view).limits.max_iteration_count)

    def _get_condition(self, view: CompositeView) -> str | bool:
        """Return the name of the output that decides; True for a loop that only its limit ends."""
        condition = self._get_node(view).condition
        if condition is None or isinstance(condition, bool):
            return condition is not False
        return {"true": True, "false": False}.get(condition.lower(), parse_port_name(condition))


KIND = DoWhileKind()
