"""What must be there already when a job is submitted: environments, components, code, computes and data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from smalt import wire
from smalt.entities import CommandJob, Input, Output, PipelineComponent, PipelineJob
from smalt.entities.jobs.control_flow import repeated
from smalt.entities.jobs.inputs import ASSETS
from smalt.entities.rules.bindings import Names, check_step
from smalt.entities.rules.ineffective_keys import lines_of, told, unused_inputs
from smalt.entities.rules.pipeline import check_component_step, values_within
from smalt.entities.rules.settings import check_settings
from smalt.entities.schema.problems import a
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.dependencies import steps_awaited
from smalt.entities.syntax.expression import has_expression
from smalt.entities.syntax.references import PREFIX
from smalt.exceptions import Located, NotFound, SmaltError, ValidationException
from smalt.service.data.job_data.access_modes import explain_read_only, missing, not_a_file, not_a_folder
from smalt.service.engine.context import Rooms
from smalt.service.engine.kinds import command, pipeline
from smalt.service.engine.outputs.registration import why_taken
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import replaced
from smalt.service.engine.submission.pins import Pinner
from smalt.service.engine.submission.unknown_keys import find_unknown_keys
from smalt.service.engine.versions.overwrites import why_not_written
from smalt.service.records.pins import PinnedReferences
from smalt.service.records.workspaces import Workspace


class Checked(NamedTuple):
    notes: list[str]
    """What the job's log is to begin with."""
    remote: list[str]
    """Inputs elsewhere on the network, yet to be looked for: that takes longer than an answer may."""
    pins: PinnedReferences
    """The versions of what the job names without one."""
    idle: list[str]
    """A line for each thing that the job says and that does nothing."""


def check(
    rooms: Rooms, workspace: Workspace, job: CommandJob | PipelineJob, known: PinnedReferences | None = None
) -> Checked:
    """Raise every problem at once. References that are `known` mean what they meant to an earlier job."""
    checker = _Checker(rooms, workspace, known)
    if isinstance(job, CommandJob):
        checker.command(job)
    else:
        checker.pipeline(job)
    if checker.problems:
        raise ValidationException([Located("", 0, 0, problem) for problem in dict.fromkeys(checker.problems)])
    return Checked(checker.notes, checker.remote, checker.pins.fixed, told(checker.idle))


class _Checker:
    """Looks at each distinct reference once."""

    def __init__(self, rooms: Rooms, workspace: Workspace, known: PinnedReferences | None) -> None:
        self.rooms = rooms
        self.pins = Pinner(rooms, workspace, known)
        self.workspace = workspace
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.remote: list[str] = []
        self.idle: list[tuple[str, str]] = []
        """What has no effect, by the step that says it."""
        self._components: dict[str, Any] = {}
        self._seen: set[tuple[str, str]] = set()

    def command(self, job: CommandJob) -> None:
        self._try("", command.check, job)
        self._unknown_keys(job)
        self._environment("", job.environment)
        self._code("", job.code)
        self._compute("", job.compute)
        self._idle("", job)
        self._secrets("", job)
        self._inputs("", job.inputs)
        self._versions("", job.outputs)

    def pipeline(self, job: PipelineJob, where: str = "") -> None:
        self._unknown_keys(job)
        self._inputs(where, job.inputs)
        self._texts(job.inputs)
        self._versions(where, job.outputs, may_be_reused=True)
        self._compute(f"{where}settings.default_", pipeline.settings_of(job).get("default_compute"))
        nodes = pipeline.nodes_of(job)
        self._idle(where, job)
        self.idle += [("", line) for line in unused_inputs(job)]
        if not nodes:
            self.problems.append("jobs: a pipeline job needs a step: add one under 'jobs'")
        self._nodes(where, job, job.inputs, nodes)

    def _nodes(self, where: str, owner: Any, inputs: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Check the steps of a pipeline that has these inputs: values, or what is declared."""
        for name, node in nodes.items():
            self._node(f"{where}jobs.{name}.", node, inputs)
        self._bindings(where, owner, inputs, nodes)

    def _bindings(self, where: str, owner: Any, inputs: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Tell of expressions, values and settings that are wrong, where only registered components show it."""
        known = {name: self._components.get(str(vars(node).get("component"))) for name, node in nodes.items()}
        steps = {name: replaced(node, component=known[name]) if known[name] else node for name, node in nodes.items()}
        reader = Reader()
        if any(known.values()):
            names = Names(dict(inputs), owner.outputs, steps, {"inputs": {}, "outputs": {}, "jobs": {}})
            of_loops = repeated(nodes)
            for name, step in steps.items():
                check_step(step, names, ("jobs", name), reader)
                if (component := known[name]) is not None:
                    check_component_step(step, component, names, name in of_loops, ("jobs", name), reader)
        settings = vars(owner).get("settings")
        if settings is not None:
            waits = {name: steps_awaited(step, steps) for name, step in steps.items()}
            check_settings(settings, steps, {}, waits, (), reader)
        self.problems += [f"{where}{problem}" for problem in reader.problems]

    def _node(self, where: str, node: Any, inputs: Mapping[str, Any]) -> None:
        component = self._component(where, node)
        self._compute(where, getattr(node, "compute", None))
        self._secrets(where, node)
        self._inputs(where, node.inputs, getattr(component, "inputs", None))
        self._texts(node.inputs)
        self._versions(where, node.outputs, may_be_reused=True)
        self._idle(where, node, component)
        if component is None:
            return
        if node.type not in ("command", "pipeline") or component.type not in ("command", "pipeline"):
            step = f"{where.rstrip('.')}: {a(str(node.type))} step"
            self.problems.append(f"{step} cannot run yet; this smalt runs command and pipeline steps")
            return
        if isinstance(component, PipelineComponent):
            self._nested(where, component, values_within(node, component, inputs))
        else:
            self._environment(where, getattr(node, "environment", None) or component.environment)
            self._code(where, component.code)

    def _nested(self, where: str, component: PipelineComponent, values: Mapping[str, Any]) -> None:
        """Check the steps of a nested pipeline, once for all steps that give it the same values."""
        if not self._new("nested", f"{id(component)} {sorted(values.items())}"):
            return
        if not component.jobs:
            self.problems.append(f"{where}component: component '{component.name}' has no steps, so nothing would run")
        self._texts({name: form.default for name, form in component.inputs.items() if isinstance(form, Input)})
        self._nodes(where, component, {**component.inputs, **values}, component.jobs or {})

    def _component(self, where: str, node: Any) -> Any:
        reference = vars(node).get("component")
        if reference is None:
            return node
        if not isinstance(reference, str):
            return reference
        if reference not in self._components:
            self._components[reference] = None
            try:
                fixed = self.pins.fix("components", reference)
                properties = lookup.component(self.rooms, self.workspace, fixed)
                self._components[reference] = wire.from_rest({"properties": properties}, "component")
            except SmaltError as error:
                self.problems.append(f"{where}component: {error}")
        return self._components[reference]

    def _environment(self, where: str, environment: Any) -> None:
        if isinstance(environment, str) and not has_expression(environment) and self._new("environment", environment):
            self._try(f"{where}environment", self._look_up_environment, environment)

    def _look_up_environment(self, text: str) -> None:
        lookup.environment(self.rooms, self.workspace, self.pins.fix("environments", text))

    def _code(self, where: str, code: str | None) -> None:
        if code and self._new("code", code):
            self._try(f"{where}code", self._look_up_code, code)

    def _look_up_code(self, text: str) -> None:
        lookup.snapshot(self.rooms, self.workspace, self.pins.fix("codes", text))

    def _secrets(self, where: str, job: Any) -> None:
        for name, value in (getattr(job, "environment_variables", None) or {}).items():
            try:
                self.rooms.vault.check(value, self.workspace)
            except SmaltError as error:
                self.problems.append(f"{where}environment_variables.{name}: {error}")

    def _compute(self, where: str, compute: str | None) -> None:
        if not compute or has_expression(compute) or not self._new("compute", compute):
            return
        name, is_there = lookup.compute(self.rooms.db, self.workspace, compute)
        if is_there or not self._new("compute name", name):
            return
        if self.rooms.settings.compute == "strict":
            self.problems.append(
                f"{where}compute: there is no compute '{name}' in this workspace; create it with "
                "'smalt compute create', or allow any name with 'smalt config set compute any'"
            )
        else:
            self.notes.append(f"compute '{name}' is not defined in this workspace, so this machine stands in for it")

    def _unknown_keys(self, job: CommandJob | PipelineJob) -> None:
        noun = a(str(job.type))
        for key, near in find_unknown_keys(job):
            if near is None:
                self.idle.append(("", f"{key} has no effect: {noun} job has no such key"))
            else:
                self.problems.append(f"{key}: {noun} job has no such key; did you mean '{near}'?")

    def _idle(self, where: str, noun: Any, component: Any = None) -> None:
        step = ".".join(where.split(".")[1:-1:2])  # jobs.a.jobs.b. is the step a.b
        self.idle += [(step, line) for line in lines_of(noun, component)]

    def _inputs(self, where: str, inputs: Any, declared: Any = None) -> None:
        for name, value in {**_defaults(declared or {}), **(inputs or {})}.items():
            declared_type = getattr((declared or {}).get(name), "type", None)
            if isinstance(value, str) and declared_type in ASSETS:
                value = Input(type=declared_type, path=value)
            if not isinstance(value, Input) or not value.path or has_expression(value.path):
                continue
            types = {value.type, declared_type or value.type}
            if value.mode == "rw_mount":
                self._read_only(f"{where}inputs.{name}", value)
            if self._new(f"data {types}", value.path):
                self._data(f"{where}inputs.{name}", value.path, types)

    def _read_only(self, where: str, value: Input) -> None:
        with contextlib.suppress(SmaltError):  # told with its path
            place = self.rooms.resolve(str(value.path), self.workspace)
            if note := explain_read_only(place, value.mode, self.rooms.root):
                self.notes.append(f"{where}: {note}")

    def _texts(self, inputs: Any) -> None:
        """Note the versions of texts that name data: a step that they are bound to may take them for its path."""
        for value in (inputs or {}).values():
            if isinstance(value, str) and value.startswith(PREFIX) and not has_expression(value):
                with contextlib.suppress(SmaltError):  # it may be text and nothing else
                    self.pins.fix("data", value)

    def _data(self, where: str, uri: str, types: set[str | None]) -> None:
        """It is there, or an earlier step may still make it, or it is fetched from elsewhere.

        `types` is what the input says, and what its component does: either will do.
        """
        try:
            uri = self.pins.fix("data", uri, next((type for type in types if str(type).endswith("_model")), None))
            place = self.rooms.resolve(uri, self.workspace)
        except SmaltError as error:
            self.problems.append(f"{where}: {error}")
            return
        if place.is_elsewhere:
            if not place.late:
                self.remote.append(uri)
        elif not place.late and not place.exists:
            self.problems.append(f"{where}: {missing(place)}")
        elif not place.late:
            wrong = [not_a_file(place, type) or not_a_folder(place, type) for type in types]
            if all(wrong):
                self.problems.append(f"{where}: {wrong[0]}")

    def _versions(self, where: str, outputs: Any, *, may_be_reused: bool = False) -> None:
        """Refuse an output that is to be registered as a version that exists, or goes to where versions are kept."""
        asked = [
            (name, output.type, output.name, output.version)
            for name, output in (outputs or {}).items()
            if isinstance(output, Output) and not has_expression(output.version)
        ]
        taken = why_taken(self.rooms.db, self.workspace.id, asked, may_be_reused=may_be_reused)
        for name, why in why_taken(self.rooms.db, self.workspace.id, asked).items() if may_be_reused else ():
            if name not in taken:
                self.notes.append(f"{where}outputs.{name}: {why}; unless its step is reused, the job fails at its end")
        for name, why in [*taken.items(), *self._never_written(outputs or {})]:
            self.problems.append(f"{where}outputs.{name}: {why}")

    def _never_written(self, outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, output in outputs.items():
            if isinstance(output, Output) and output.path and not output.path.startswith("${{"):
                try:
                    place = self.rooms.resolve(output.path, self.workspace)
                except NotFound as error:  # of the datastore
                    yield name, str(error)
                    continue
                except SmaltError:  # told when the place is made
                    continue
                if why := why_not_written(self.rooms, place):
                    yield name, why

    def _new(self, kind: str, text: str) -> bool:
        key = (kind, text)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _try(self, where: str, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except SmaltError as error:
            self.problems.append(f"{where}: {error}" if where else str(error))


def _defaults(declared: Mapping[str, Any]) -> dict[str, str]:
    """The data that a component's inputs have where nothing is given."""
    return {
        name: form.default
        for name, form in declared.items()
        if isinstance(form, Input) and form.type in ASSETS and isinstance(form.default, str)
    }
