"""The plan of a pipeline: child jobs, each complete in itself, and the order among them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from smalt import wire
from smalt.entities import Input, Output, PipelineJob
from smalt.entities.jobs.control_flow import ControlFlowNode
from smalt.entities.jobs.inputs import has_default
from smalt.entities.rules.control_flow import lift_waits
from smalt.entities.schema.problems import add_article
from smalt.entities.steps.dependencies import find_unstartable
from smalt.entities.steps.step_types import get_component, get_step_type
from smalt.entities.syntax.expression import parse_binding, resolve_port
from smalt.entities.syntax.literals import convert, to_text
from smalt.exceptions import ValidationException
from smalt.service.data.job_data import primitive_values
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion import removal
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.control_flow.control_jobs import (
    has_branches,
    note_branch_inputs,
)
from smalt.service.engine.kinds.control_flow.control_planning import (
    find_awaited_steps,
    find_exclusive_labels,
    make_control_job,
)
from smalt.service.engine.kinds.places import ARTIFACTS, Made
from smalt.service.engine.kinds.properties import COMPONENT_NAME
from smalt.service.engine.kinds.protocol import (
    CompositeView,
    NewChild,
)
from smalt.service.engine.kinds.registry import find_kind
from smalt.service.engine.kinds.step_jobs import (
    PlannedStep,
    fill_job_name,
    read_settings,
)
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import (
    BindingScope,
    copy_with,
    expand_macros,
    resolve_input,
)
from smalt.service.engine.submission.pins import Pins
from smalt.service.records.job_data import DataRow
from smalt.service.records.pins import get_job_pins
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    pass


_LONGEST_NAME = 200
_NAME = "${{name}}"
"""The macro for the step's job name, by which each run has a place of its own."""


AnyPlanner = TypeVar("AnyPlanner", bound="Planner")


@dataclass
class Planner:
    """Turns one pipeline into its children; components are read once however many nodes use them."""

    context: EngineContext
    workspace: Workspace
    name: str
    job: PipelineJob
    experiment: str
    is_nested: bool = False
    pins: Pins = field(default_factory=Pins)
    """The versions that references mean in this run, since it was submitted."""
    taken: set[str] = field(default_factory=set)
    """Names that a child cannot have, as other jobs have them."""
    follow: Callable[[str], str] = str
    """Returns where the output of a planned URI is."""
    components: dict[str, Any] = field(default_factory=dict)
    _bound: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    ends: dict[str, Output] = field(default_factory=dict)
    """The pipeline's outputs as the nodes bound to them write them."""
    branch_outputs: dict[str, str] = field(default_factory=dict)
    """Planned URI → "step.output", of the steps that may not write it: in a block of an if_else, or behind one."""
    _known_places: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_view(cls: type[AnyPlanner], view: CompositeView, jobs: Mapping[str, Any] | None = None) -> AnyPlanner:
        """Return the planner of a recorded job; `jobs` are the steps to plan, if these are not all of them."""
        job, entity = view.job, view.entity
        return cls(
            view.context, view.workspace, job.name, entity if jobs is None else copy_with(entity, jobs=jobs),
            job.experiment, job.parent_id is not None, Pins(get_job_pins(view.context.db, job)),
            view.find_taken_names(), partial(view.follow, job),
        )  # fmt: skip

    def children(self) -> Iterator[NewChild]:
        """The children in an order in which each comes after what it needs."""
        needs = self._find_needs()
        scope = self.make_scope()
        for node_name in _sort_by_needs(needs):
            node = self.nodes[node_name]
            make = self._make_control_child if isinstance(node, ControlFlowNode) else self.make_child
            yield make(node_name, node, needs[node_name], scope)

    def make_scope(self) -> BindingScope:
        """Return the names that the steps can see."""
        inputs = {name: fill_job_name(value, self.name) for name, value in self.job.inputs.items()}
        return BindingScope(
            self.name, inputs, self._make_pipeline_outputs(), self._find_bound_inputs, self._read_written_value
        )

    def _find_needs(self) -> dict[str, set[str]]:
        """Return by step those that it waits for: whose outputs it reads, and the first and last of the pipeline.

        A step in a block of a step of control flow is a child of that one's job, and no step of this plan.

        A plan in which a node can never start is refused, whoever made it: it would neither end nor be complete.
        """
        nodes, (init, final) = self.nodes, self.edge_steps
        needs = lift_waits({name: find_awaited_steps(node, nodes) for name, node in nodes.items()}, nodes)
        for name in needs:
            if init and name not in (init, final):
                needs[name].add(init)
            if name == final:
                needs[name] |= needs.keys() - {final}
        if never := find_unstartable(needs):
            words = ", ".join(f"'{name}' (waits for {', '.join(sorted(needs[name]))})" for name in never[:5])
            raise ValidationException(f"pipeline '{self.name}': these steps can never start: {words}")
        return needs

    def _read_written_value(self, name: str, value: Input) -> str:
        """The value that a step wrote for an input of this pipeline before it began."""
        place = self.context.resolve(self.follow(str(value.path)), self.workspace)
        if place.path is None or place.is_remote:
            raise ValidationException(
                f"pipeline '{self.name}': the value of its input '{name}' is at {value.path}, where a text cannot have "
                "it from; bind a step's input to it alone"
            )
        return primitive_values.value_read(f"the input '{name}' of pipeline '{self.name}'", place.path, value.type)

    def _find_bound_inputs(self, node_name: str) -> Mapping[str, Any]:
        """The inputs of a node as they are given, else as its component declares them; read when first asked for."""
        if node_name in self._bound:
            return self._bound[node_name]
        node = self.nodes[node_name]
        component = self.find_component(node)
        declared = component.inputs if component is not node else {}
        defaults = {name: form.default for name, form in declared.items() if has_default(form)}
        given = {name: value for name, value in (node.inputs or {}).items() if value is not None}
        bound = self._bound[node_name] = {**defaults, **given}
        return bound

    def written(self) -> list[DataRow]:
        """The pipeline's own outputs, for the records, once its children are planned."""
        return [
            DataRow("output", name, output.type or "uri_folder", output.mode, output.path)
            for name, output in self.ends.items()
        ]

    def read(self) -> list[DataRow]:
        """The pipeline's own inputs that are paths, for the records."""
        return [
            DataRow(
                "input",
                name,
                value.type or "uri_folder",
                value.mode,
                value.path,
                lookup.make_asset_key(value.path, value.type),
            )
            for name, value in self.job.inputs.items()
            if isinstance(value, Input)
        ]

    def _make_pipeline_outputs(self) -> dict[str, Output]:
        """The pipeline's outputs, each with its path; macros stay, for the step that writes it to fill in."""
        outputs = {}
        for name, output in (self.job.outputs or {}).items():
            declared = output if isinstance(output, Output) else Output()
            path = (
                declared.path
                or f"azureml://datastores/{self.datastore}/paths/azureml/{self.folder_of(self.name)}/{name}/"
            )
            outputs[name] = copy_with(declared, path=path)
        return outputs

    def folder_of(self, job: str) -> str:
        """The name of the folder for a job's outputs."""
        if job not in self._known_places:
            self._known_places[job] = removal.find_free_folder(self.context, self.workspace, job)
        return self._known_places[job]

    @property
    def nodes(self) -> Mapping[str, Any]:
        return get_nodes(self.job)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        return read_settings(self.job)

    @property
    def datastore(self) -> str:
        chosen = self.settings.get("default_datastore")
        return lookup.parse_name(chosen).name if chosen else "workspaceblobstore"

    @cached_property
    def edge_steps(self) -> tuple[str | None, str | None]:
        """The steps that run before all others, and after all others."""
        return self.settings.get("on_init"), self.settings.get("on_finalize")

    def _make_control_child(self, node_name: str, node: Any, needs: set[str], scope: BindingScope) -> NewChild:
        """Return the job of a step of control flow, of which the steps in its blocks are children."""
        name = self._make_free_name(node_name)
        removal.refuse_deleted_name(self.context, self.workspace, name)
        job = make_control_job(self, node_name, name, scope)
        job.experiment_name = self.experiment
        job.display_name = node.display_name or node_name
        body = self.pins.apply_to(wire.to_rest(job)["properties"])
        return NewChild(node_name, name, node.type, body, needs, job.display_name, job)

    def make_child(
        self,
        node_name: str,
        node: Any,
        needs: set[str],
        scope: BindingScope,
        label: str | None = None,
        name: str | None = None,
    ) -> NewChild:
        """Return the job of a step.

        `label` is its name among its siblings if that is not the step's, and `name` its job's if it is another.
        """
        plain = (label or node_name).replace(".", "-")  # no name of a job has a dot
        name = self._make_free_name(plain, name)
        removal.refuse_deleted_name(self.context, self.workspace, name)
        component = self.find_component(node)
        inputs = self._make_inputs(node_name, name, component if component is not node else None, scope)
        outputs, made = self._make_child_outputs(name, node, component, scope)
        scope.artifacts[node_name] = ARTIFACTS.format(job=name)
        scope.made[node_name] = outputs
        display_name = node.display_name or getattr(component, "display_name", None) or node_name
        type = get_step_type(node, component)
        kind = find_kind(type)
        if kind is None:
            raise ValidationException(f"pipeline '{self.name}': {add_article(type)} step cannot run yet")
        job: Any = kind.make_step_job(self, PlannedStep(node_name, name, node, component, inputs, outputs, made, scope))
        job.properties.update({**places.note(made), COMPONENT_NAME: getattr(component, "name", None) or node_name})
        noted, may_be_skipped = note_branch_inputs(self.branch_outputs, inputs, component)
        job.properties.update(noted)
        if may_be_skipped or has_branches(self, component):
            self.branch_outputs.update({str(one.path): f"{node_name}.{output}" for output, one in outputs.items()})
        job.experiment_name = self.experiment
        job.display_name = display_name
        body = self.pins.apply_to(wire.to_rest(job)["properties"])
        return NewChild(label or node_name, name, kind.type, body, needs, display_name, job)

    def find_component(self, node: Any) -> Any:
        """Return the component of a step, read once; the step itself where it has none."""
        reference = get_component(node)
        if reference is None or not isinstance(reference, str):
            return node if reference is None else reference
        if reference not in self.components:
            properties = lookup.find_component(
                self.context, self.workspace, self.pins.get_reference("components", reference)
            )
            self.components[reference] = wire.from_rest({"properties": properties}, "component")
        return self.components[reference]

    def _make_free_name(self, node: str, plain: str | None = None) -> str:
        """Return the step's job name; with a number where another job has the plain one."""
        name, number = plain or child_name(self.name, node), 1
        while name in self.taken:
            number += 1
            name = f"{plain}-{number}" if plain else child_name(self.name, f"{node}-{number}")
        self.taken.add(name)
        return name

    def _make_inputs(self, node_name: str, job_name: str, component: Any, scope: BindingScope) -> dict[str, Any]:
        """The node's inputs with all bindings resolved; those that stand for nothing are left out."""
        inputs: dict[str, Any] = {}
        declared = component.inputs if component is not None else {}
        for name, given in scope.bound_inputs(node_name).items():
            value = resolve_input(given, scope, job_name)
            if value is not None:
                typed = _convert_value(f"{self.name}: {node_name}.inputs.{name}", value, declared.get(name))
                inputs[name] = self.pin_input(f"{node_name}.inputs.{name}", typed)
        return inputs

    def pin_input(self, where: str, value: Any) -> Any:
        """Return an input with the version that its path means in this run."""
        if not isinstance(value, Input) or not value.path:
            return value
        path = self.pins.get_reference("data", value.path)
        incomplete = self.context.data.resolver.find_incomplete_name(path)
        if incomplete is not None and not incomplete.version:
            raise ValidationException(
                f"{self.name}: {where}: {path} named nothing when the job was submitted; register it and submit again"
            )
        return value if path == value.path else copy_with(value, path=path)

    def _make_child_outputs(
        self, child: str, node: Any, component: Any, scope: BindingScope
    ) -> tuple[dict[str, Output], dict[str, Made]]:
        """The node's outputs with their places, and how these came about."""
        outputs, made = {}, {}
        declared = (component.outputs if component is not node else {}) or {}
        own = node.outputs or {}
        for name in {**declared, **own}:
            form = declared.get(name)
            form = form if isinstance(form, Output) else Output()
            outputs[name] = self.make_output(child, name, form, own.get(name), scope)
            made[name] = self.describe_place(name, own.get(name))
        return outputs, made

    def describe_place(self, name: str, given: Any) -> Made:
        """Return how the place of a step's output comes about."""
        label = self.find_label(given)
        if label is not None:
            above = self.places_above.get(label, places.ALONE)
            shared_paths = self._written_twice[1]
            return above._replace(
                is_shared=above.is_shared or label in self._written_twice[0] or above.given in shared_paths,
                is_registered=above.is_registered or bool(getattr(self.job.outputs.get(label), "name", None)),
            )
        path = given.path if isinstance(given, Output) else None
        if not path:
            return places.ALONE
        written = self._fill_macros(path, name)
        return Made(written, written in self._written_twice[1])

    @cached_property
    def places_above(self) -> dict[str, Made]:
        """Return how the places of the pipeline's own outputs came about; a nested pipeline was told by its parent."""
        if self.is_nested:
            return places.read(self.job.properties)
        given = {name: getattr(output, "path", None) for name, output in (self.job.outputs or {}).items()}
        return {name: Made(self._fill_macros(path, name)) for name, path in given.items() if path}

    @cached_property
    def _written_twice(self) -> tuple[frozenset[str], frozenset[str]]:
        """The pipeline's outputs that several nodes are bound to, and the paths that several are given."""
        labels, paths = [], []
        exclusive = find_exclusive_labels(self)
        for node_name, node in self.nodes.items():
            for name, given in (node.outputs or {}).items():
                label = self.find_label(given)
                if label is not None and (node_name, label) in exclusive:
                    continue  # the other block of the same if_else writes it, or this one does
                if label is not None:
                    labels.append(label)
                    written = self.places_above.get(label, places.ALONE).given
                else:
                    written = self._fill_macros(given.path, name) if getattr(given, "path", None) else None
                if written and _NAME not in written:
                    paths.append(written)
        return places.written_twice(labels, paths)

    def _fill_macros(self, path: str, label: str) -> str:
        """A path that the user gave, with each macro filled in but the one that makes a place of its own of it."""
        return expand_macros(path, name=_NAME, output=label, datastore=self.datastore)

    def find_label(self, given: Any) -> str | None:
        """The pipeline's output that a node's output is bound to."""
        bound = parse_binding(given if isinstance(given, str) else getattr(given, "path", None))
        if bound is None or bound.kind != "parent.outputs":
            return None
        return resolve_port(bound.name, self.job.outputs or {})

    def make_output(self, child: str, name: str, form: Output, given: Any, scope: BindingScope) -> Output:
        """Return an output with its place: the pipeline's path if bound to it, else the step's, else the default."""
        bound = given if isinstance(given, str) else getattr(given, "path", None)
        label, above = scope.find_output(bound or "") or (name, None)
        node_output = given if isinstance(given, Output) else Output()
        path = above.path if above else scope.resolve_path(node_output.path)
        if not path and name == "artifacts":
            path = ARTIFACTS.format(job=child)
        elif not path:
            path = f"azureml://datastores/{self.datastore}/paths/azureml/{self.folder_of(child)}/{name}/"
        first = [one for one in (node_output, above, form) if one is not None]
        chosen: dict[str, Any] = {
            key: next((getattr(one, key) for one in first if getattr(one, key) is not None), None)
            for key in ("mode", "description")
        }
        if above is None or (node_output.name, node_output.version) != (above.name, above.version):
            chosen.update(name=node_output.name, version=node_output.version)
        chosen["type"] = _choose_type([one.type for one in (form, node_output, above) if one is not None])
        chosen["path"] = expand_macros(path, name=child, output=label, datastore=self.datastore)
        output = Output(**chosen)
        if above is not None:
            self.ends[label] = output
        return output


def get_nodes(job: PipelineJob) -> Mapping[str, Any]:
    """Return the steps; a job that named a component got that component's when it was submitted."""
    steps: Mapping[str, Any] = job.jobs
    return steps


def make_child_prefix(parent: str) -> str:
    """Return what the job names of a pipeline's children begin with."""
    return f"{parent}-"[: _LONGEST_NAME - 17]


def child_name(parent: str, node: str) -> str:
    """Return a child's job name, which is readable; another job may have it, as names have hyphens too."""
    name = f"{parent}-{node}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _sort_by_needs(needs: Mapping[str, set[str]]) -> list[str]:
    """Node names, each after those that it needs; otherwise in the order written."""
    users: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for one in needed:
            users[one].append(name)
    left = {name: len(needed) for name, needed in needs.items()}
    order = [name for name, count in left.items() if count == 0]
    for name in order:
        for user in users[name]:
            left[user] -= 1
            if left[user] == 0:
                order.append(user)
    return order


def _convert_value(where: str, value: Any, form: Any) -> Any:
    """The value in the type that the component declares for it."""
    declared = form.type if isinstance(form, Input) else None
    if isinstance(value, Input):
        mode = value.mode or (form.mode if isinstance(form, Input) else None)
        is_read_as_folder = value.type == "mltable" and declared == "uri_folder"  # it need not have an MLTable then
        type = declared if is_read_as_folder else value.type or declared or "uri_folder"
        return copy_with(value, mode=mode, type=type)
    if declared in ("integer", "number", "boolean", "string"):
        converted = convert(value, declared)
        if hasattr(converted, "message"):
            raise ValidationException(f"{where}: {converted.message}")
        return to_text(converted)
    if declared and isinstance(value, str):
        return Input(type=declared, path=value, mode=form.mode)
    return to_text(value)


def _choose_type(types: list[str | None]) -> str:
    """Return the first type that is not the default one."""
    named = [one for one in types if one and one != "uri_folder"]
    return named[0] if named else "uri_folder"
