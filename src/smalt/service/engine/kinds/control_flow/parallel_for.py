"""parallel_for: a step of a pipeline runs for each of several items, and its outputs are gathered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.entities import Input, Output
from smalt.entities.jobs.control_flow import ParallelFor, find_blocks, list_items
from smalt.entities.rules.parallel_for import list_given_inputs
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.control_flow.control_jobs import PARALLEL_FOR
from smalt.service.engine.kinds.control_flow.gathering import GatheredOutput, get_part_uri, make_gatherer
from smalt.service.engine.kinds.control_flow.loop_items import ITEMS, Items, check_items, make_items_reader
from smalt.service.engine.kinds.pipeline import PipelineKind
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.engine.kinds.places import Made
from smalt.service.engine.kinds.properties import ITEM
from smalt.service.engine.kinds.protocol import Changes, CompositeView, NewChild, Outcome, Plan
from smalt.service.engine.submission.bindings import BindingScope, copy_with
from smalt.service.records import job_needs
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job

_GATHERED = "gathered"
"""The key of the recorded state with what came of the gathering: what has moved, and what is absent."""


class ParallelForKind(PipelineKind):
    """The children are the iterations: all are planned at once, and some held back if only so many may run."""

    type = PARALLEL_FOR
    is_submitted = False

    def check_step(self, *_: Any) -> None:
        """Check nothing: its body, which is a step beside it, is checked as such."""

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        if child is None:
            source = view.entity.inputs.get(ITEMS)
            return make_items_reader(view, source) if isinstance(source, Input) else None
        if view.open > 1 or child.status != "Completed":
            return None
        iterations = view.list_children()
        outputs = _list_outputs(view)
        if not outputs or any(one.status != "Completed" for one in iterations):
            return None
        return self._make_gatherer(view, iterations, outputs)

    def plan(self, view: CompositeView, found: Any) -> Plan:
        planner = _IterationPlanner.of_view(view)
        planner.find_loop_body(str(view.job.node))
        items = planner.loop.items if found is None else found
        declared = planner.declared_inputs
        check_items(str(view.job.node), items, declared, list_given_inputs(planner.body))
        outputs = view.entity.outputs
        rows = [DataRow("output", name, one.type, one.mode, one.path) for name, one in outputs.items()]
        count = f"{len(items)} items" if len(items) != 1 else "one item"
        limit = planner.loop.max_concurrency
        note = f"'{planner.step}' runs for {count}" + (f", {limit} at a time" if limit else "")
        return Plan(planner.make_iterations(items), lambda: [*planner.read(), *rows], [note])

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        changes = super().child_ended(view, child, None)
        if child.status != "Completed" and not self._read_failure_rules(view)[0]:
            return changes
        if found is not None:
            state = {_GATHERED: {"moved": found.moved, "absent": found.absent}}
            return changes._replace(state=state, notes=found.notes)
        held = job_needs.find_held_child(view.context.db, view.job.id, view.cache.get("held", 0))
        if held is not None:
            view.cache["held"] = held.id
        return changes._replace(start=[held] if held is not None else [])

    def outcome(self, view: CompositeView) -> Outcome | None:
        ends = super().outcome(view)
        if ends is None or ends.status != "Completed":
            return ends
        gathered = view.state.get(_GATHERED) or {}
        return ends._replace(moved_outputs=gathered.get("moved") or {}, absent_outputs=gathered.get("absent") or ())

    def _make_gatherer(
        self, view: CompositeView, iterations: list[Job], outputs: Mapping[str, Any]
    ) -> Callable[[], Any] | None:
        """Return a function that gathers the outputs of the iterations."""
        step = str(iterations[0].node).partition(".")[0]
        body = view.read_child_properties(iterations[0])
        is_mapping = isinstance(json.loads(body["properties"][ITEM]), str)
        written = body.get("outputs") or {}
        gathered = []
        for name, output in outputs.items():
            port = written.get(name) or {}
            type = port.get("jobOutputType") or port.get("job_output_type") or "uri_folder"
            parts = {}
            for one in iterations:
                key = str(one.node)[len(step) + 1 :]
                parts[key] = view.follow(one, get_part_uri(output["uri"], type, key))
            gathered.append(GatheredOutput(name, type, output["uri"], parts))
        return make_gatherer(view, gathered, is_mapping)


def _list_outputs(view: CompositeView) -> dict[str, Any]:
    """Return the outputs of a parallel_for as its body has them."""
    outputs: dict[str, Any] = view.body.get("outputs") or {}
    return outputs


@dataclass
class _IterationPlanner(Planner):
    """Makes the jobs of the iterations of one parallel_for; what they share is read once."""

    key: str = ""
    """The key of the item whose job is made."""
    item: Mapping[str, Any] = field(default_factory=dict)
    loop: Any = None
    step: str = ""
    body: Any = None

    def find_loop_body(self, loop: str) -> None:
        """Find the body of the loop, which is the one step to plan."""
        node = self.job.jobs[loop]
        assert isinstance(node, ParallelFor)
        (self.step,) = find_blocks(node)["body"]
        self.loop, self.body = node, self.job.jobs[self.step]
        self.job = copy_with(self.job, jobs={self.step: self.body})

    @property
    def declared_inputs(self) -> Mapping[str, Any] | None:
        """The inputs of the body; None if it takes any."""
        component = self.find_component(self.body)
        if component is self.body:
            return self.body.inputs or {}
        inputs: Mapping[str, Any] = component.inputs
        return inputs

    def make_iterations(self, items: Items) -> Iterator[NewChild]:
        limit = self.loop.max_concurrency
        scope = self.make_scope()
        bases = {name: str(one.path) for name, one in self.job.outputs.items()}
        for number, (key, item) in enumerate(list_items(items), 1):
            self.key, self.item, self._bases = key, item, bases
            self._bound.clear()
            child = self.make_child(self.step, self.body, set(), scope, f"{self.step}.{key}")
            child.display_name = child.body["displayName"] = f"{child.display_name}, item {key}"
            written = json.dumps(key if isinstance(items, Mapping) else number)
            child.body.setdefault("properties", {})[ITEM] = child.entity.properties[ITEM] = written
            child.is_held = limit is not None and number > limit
            yield child

    def _find_bound_inputs(self, node_name: str) -> Mapping[str, Any]:
        return {**super()._find_bound_inputs(node_name), **self.item}

    def _make_child_outputs(
        self, child: str, node: Any, component: Any, scope: BindingScope
    ) -> tuple[dict[str, Output], dict[str, Made]]:
        """Return the outputs of an iteration, below the places where they are gathered."""
        outputs, made = super()._make_child_outputs(child, node, component, scope)
        for name, output in outputs.items():
            if name in self._bases:
                output.path = get_part_uri(self._bases[name], output.type, self.key)
                above = self.places_above.get(name, places.ALONE)
                part = get_part_uri(above.given, output.type, self.key) if above.given else None
                made[name] = above._replace(given=part)
        return outputs, made


KIND = ParallelForKind()
