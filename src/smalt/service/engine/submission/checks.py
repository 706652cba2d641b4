"""The checks of a submitted job: the environments, components, code, computes and data that must be there already."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from smalt import wire
from smalt.entities import Input, Output
from smalt.entities.jobs.control_flow import ParallelFor, find_blocks, find_body, find_repeated_steps, list_items
from smalt.entities.jobs.inputs import ASSETS
from smalt.entities.rules.bindings import PipelineNames, check_step
from smalt.entities.rules.bound_types import check_bound_types
from smalt.entities.rules.content import explain_path_mismatch
from smalt.entities.rules.control_flow import check_ports
from smalt.entities.rules.ineffective_keys import list_lines, merge_lines
from smalt.entities.rules.pipeline import check_component_step
from smalt.entities.rules.prebuilt_steps import Readers, explain_lacking_table, list_accepted_types
from smalt.entities.rules.sentences import explain_missing_path
from smalt.entities.rules.settings import check_settings
from smalt.entities.schema.problems import add_article, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.dependencies import find_dependencies
from smalt.entities.steps.step_types import get_component, get_component_key, get_step_type
from smalt.entities.syntax.expression import has_expression
from smalt.entities.syntax.references import PREFIX
from smalt.exceptions import LocatedProblem, NotFound, SmaltError, ValidationException
from smalt.service.data.job_data.access_modes import explain_missing, explain_read_only, format_uri
from smalt.service.engine.context import EngineContext
from smalt.service.engine.outputs.registration import find_taken_versions
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.asset_types import explain_unfit_asset
from smalt.service.engine.submission.bindings import copy_with
from smalt.service.engine.submission.pins import Pinner
from smalt.service.engine.submission.unknown_keys import find_unknown_keys
from smalt.service.engine.versions.overwrites import find_write_problem
from smalt.service.records.pins import PinnedReferences
from smalt.service.records.workspaces import Workspace

_LOCAL = "file://"


class StepChecks(Protocol):
    """The kind of a step, as far as its checks go."""

    def check_step(
        self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]
    ) -> None: ...


class CheckedJob(NamedTuple):
    """A job in which no problem was found."""

    notes: list[str]
    """The first lines of the job's log."""
    remote: list[str]
    """URIs of inputs elsewhere on the network, yet to be looked for: that takes longer than an answer may."""
    pins: PinnedReferences
    """The versions of what the job names without one."""
    idle: list[str]
    """A line for each setting of the job that has no effect."""


class Checker:
    """The checks that the kinds of jobs are made of. Each distinct reference is looked up once.

    `where` is the path of what is checked within the job: "" for the job itself, "jobs.train." for its step `train`.
    """

    def __init__(
        self,
        context: EngineContext,
        workspace: Workspace,
        known: PinnedReferences | None,
        find_kind: Callable[[str], StepChecks | None],
        types: Sequence[str],
    ) -> None:
        """References that are `known` mean the version that they meant to an earlier job; `types` can run."""
        self._find_kind = find_kind
        self._types = types
        self.context = context
        self.pins = Pinner(context, workspace, known)
        self.workspace = workspace
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.remote: list[str] = []
        self.idle: list[tuple[str, str]] = []
        """The step, "" for the job itself, and a line for each of its settings without effect."""
        self._components: dict[str, Any] = {}
        self._seen: set[tuple[str, str]] = set()

    def add(self, where: str, problem: str) -> None:
        self.problems.append(f"{where}: {problem}" if where else problem)

    def finish(self) -> CheckedJob:
        """Return what was found; raise ValidationException with all problems at once."""
        if self.problems:
            raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in dict.fromkeys(self.problems)])
        return CheckedJob(self.notes, self.remote, self.pins.fixed, merge_lines(self.idle))

    def is_new(self, kind: str, text: str) -> bool:
        """Return True at the first call with these texts, and False at every later one."""
        key = (kind, text)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def check_steps(self, where: str, owner: Any, inputs: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Check the steps of a pipeline that has these inputs: values, or what is declared."""
        for name, node in nodes.items():
            self._check_step(f"{where}jobs.{name}.", node, inputs)
            if isinstance(node, ParallelFor):
                self._check_items(where, name, node, nodes)
        self._check_bindings(where, owner, inputs, nodes)

    def _check_items(self, where: str, name: str, node: ParallelFor, nodes: Mapping[str, Any]) -> None:
        """Check the data that the items of a loop give to the step that it runs."""
        body = find_body(node, nodes)
        if body is None or not isinstance(node.items, (list, Mapping)):
            return
        component = self.find_component(f"{where}jobs.{find_blocks(node)['body'][0]}.", body)
        for key, item in list_items(node.items):
            if isinstance(item, Mapping):
                self.check_inputs(f"{where}jobs.{name}.items.{key}.", item, body, getattr(component, "inputs", None))

    def _check_bindings(self, where: str, owner: Any, inputs: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Check the expressions, values and settings that only registered components show to be wrong."""
        known = {name: self._components.get(str(get_component(node))) for name, node in nodes.items()}
        steps = {
            name: copy_with(node, **{get_component_key(node): known[name]}) if known[name] else node
            for name, node in nodes.items()
        }
        reader = Reader()
        raw: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}, "jobs": {}}
        names = PipelineNames(dict(inputs), owner.outputs, steps, raw, read_component=self.read_known_component)
        for name, step in steps.items():
            place = f"{where}jobs.{name}.inputs."
            told = {problem.partition(":")[0] for problem in self.problems}
            left = {key: one for key, one in (vars(step).get("inputs") or {}).items() if f"{place}{key}" not in told}
            check_bound_types(step, left, names, ("jobs", name, "inputs"), reader)
        if any(known.values()):
            of_loops = find_repeated_steps(nodes)
            for name, step in steps.items():
                check_step(step, names, ("jobs", name), reader)
                if (component := known[name]) is not None:
                    check_component_step(step, component, names, name in of_loops, ("jobs", name), reader)
        check_ports(names, (), reader)
        settings = vars(owner).get("settings")
        if settings is not None:
            waits = {name: find_dependencies(step, steps) for name, step in steps.items()}
            check_settings(settings, steps, {}, waits, (), reader)
        self.problems += [f"{where}{problem}" for problem in reader.problems]

    def _check_step(self, where: str, node: Any, inputs: Mapping[str, Any]) -> None:
        component = self.find_component(where, node)
        self.check_compute(where, getattr(node, "compute", None))
        self.check_secrets(where, node)
        self.check_inputs(where, node.inputs, node, getattr(component, "inputs", None))
        self.note_texts(node.inputs)
        self.check_versions(where, node.outputs, may_be_reused=True)
        self.note_idle(where, node, component)
        if component is None:
            return
        is_known = self._find_kind(node.type) is not None
        type = get_step_type(node, component)
        kind = self._find_kind(type) if is_known else None
        if type == "promptflow_parallel":
            self.add(
                where.rstrip("."), "a flow cannot run here; run it by 'pf run create' of promptflow in a command step"
            )
            return
        if kind is None:
            runs = join_words(self._types, "and")
            self.add(
                where.rstrip("."), f"{add_article(str(node.type))} step cannot run yet; this smalt runs {runs} steps"
            )
            return
        kind.check_step(self, where, node, component, inputs)

    def find_component(self, where: str, node: Any) -> Any:
        """Return the component of a step, or of a sweep's trials; the noun itself if it has none, None if not there."""
        reference = get_component(node)
        if reference is None:
            return node
        if not isinstance(reference, str):
            return reference
        if reference not in self._components:
            self._components[reference] = None
            try:
                self._components[reference] = self._read_component(reference)
            except SmaltError as error:
                self.problems.append(f"{where}{get_component_key(node)}: {error}")
        return self._components[reference]

    def _read_component(self, reference: str) -> Any:
        fixed = self.pins.resolve_reference("components", reference)
        properties = lookup.find_component(self.context, self.workspace, fixed)
        return wire.from_rest({"id": fixed, "properties": properties}, "component")

    def read_known_component(self, reference: str) -> Any:
        """Return the component of a reference; None if it is not there, which is told where it is named."""
        if reference not in self._components:
            try:
                self._components[reference] = self._read_component(reference)
            except SmaltError:
                return None
        return self._components[reference]

    def check_environment(self, where: str, environment: Any, key: str = "environment") -> None:
        if isinstance(environment, str) and not has_expression(environment) and self.is_new("environment", environment):
            self._record_error(f"{where}{key}", self._look_up_environment, environment)

    def _look_up_environment(self, text: str) -> None:
        lookup.find_environment(self.context, self.workspace, self.pins.resolve_reference("environments", text))

    def check_code(self, where: str, code: str | None) -> None:
        if code and self.is_new("code", code):
            self._record_error(f"{where}code", self._look_up_code, code)

    def _look_up_code(self, text: str) -> None:
        lookup.find_snapshot(self.context, self.workspace, self.pins.resolve_reference("codes", text))

    def check_secrets(self, where: str, job: Any) -> None:
        for name, value in (getattr(job, "environment_variables", None) or {}).items():
            try:
                self.context.vault.check_references(value, self.workspace)
            except SmaltError as error:
                self.problems.append(f"{where}environment_variables.{name}: {error}")

    def check_compute(self, where: str, compute: str | None) -> None:
        if not compute or has_expression(compute) or not self.is_new("compute", compute):
            return
        name, is_there = lookup.find_compute(self.context, self.workspace, compute)
        if is_there and lookup.is_stopped(self.context, self.workspace, name):
            self.notes.append(
                f"compute '{name}' is stopped, which has no effect: this machine runs its jobs all the same"
            )
        if is_there or not self.is_new("compute name", name):
            return
        if self.context.settings.compute == "strict":
            self.problems.append(
                f"{where}compute: there is no compute '{name}' in this workspace; create it with "
                "'smalt compute create', or allow any name with 'smalt config set compute any'"
            )
        else:
            self.notes.append(f"compute '{name}' is not defined in this workspace, so this machine stands in for it")

    def check_datastore(self, where: str, datastore: str | None) -> None:
        if datastore and not has_expression(datastore):
            self._record_error(where, lookup.check_datastore, self.context, self.workspace, datastore)

    def check_unknown_keys(self, job: Any) -> None:
        noun = add_article(str(job.type))
        for key, near in find_unknown_keys(job):
            if near is None:
                self.idle.append(("", f"{key} has no effect: {noun} job has no such key"))
            else:
                self.problems.append(f"{key}: {noun} job has no such key; did you mean '{near}'?")

    def note_idle(self, where: str, noun: Any, component: Any = None) -> None:
        step = ".".join(where.split(".")[1:-1:2])  # jobs.a.jobs.b. is the step a.b
        self.idle += [(step, line) for line in list_lines(noun, component)]

    def check_inputs(self, where: str, inputs: Any, reader: Any, declared: Any = None) -> None:
        """Check data that is given, and a component's defaults; the `reader` is the job or step that it is given to."""
        for name, value in {**_find_default_data(declared or {}), **(inputs or {})}.items():
            declared_type = getattr((declared or {}).get(name), "type", None)
            if isinstance(value, str) and declared_type in ASSETS:
                value = Input(type=declared_type, path=value)
            if isinstance(value, Input) and not value.path and name in (inputs or {}):
                self.add(f"{where}inputs.{name}", explain_missing_path(name))
            if not isinstance(value, Input) or not value.path or has_expression(value.path):
                continue
            readers = Readers(reader, name, value, self.read_known_component)
            types, needs_marker = list_accepted_types(value, declared_type, readers), readers.evaluate_tables()
            if value.mode == "rw_mount":
                self._note_read_only(f"{where}inputs.{name}", value)
            known = len(self.problems)
            if self.is_new(f"data {types} {needs_marker}", value.path):
                self._check_data(f"{where}inputs.{name}", value.path, types, needs_marker)
            if len(self.problems) == known:
                self._check_table_file(f"{where}inputs.{name}", value, readers)

    def _check_table_file(self, where: str, value: Input, readers: Readers) -> None:
        """Check that a folder of this machine has the file by which a step reads it as a table."""
        if not str(value.path).startswith((_LOCAL, "/")):
            return
        with contextlib.suppress(SmaltError):  # told with the data
            place = self.context.resolve(str(value.path), self.workspace)
            words = place.path and explain_lacking_table(format_uri(place), place.path, value, readers)
            if words:
                self.add(where, words)

    def check_table(self, where: str, uri: str, type: str) -> None:
        """Check that data of a type, which smalt reads, is there, if that is to be known before the job runs."""
        if not has_expression(uri):
            self._check_data(where, uri, [type], needs_marker=True)

    def _note_read_only(self, where: str, value: Input) -> None:
        with contextlib.suppress(SmaltError):  # told with its path
            place = self.context.resolve(str(value.path), self.workspace)
            if note := explain_read_only(place, value.mode, self.context.root):
                self.notes.append(f"{where}: {note}")

    def note_texts(self, inputs: Any) -> None:
        """Fix the versions of texts that name data: a step that they are bound to may read them as its path."""
        for value in (inputs or {}).values():
            if isinstance(value, str) and value.startswith(PREFIX) and not has_expression(value):
                with contextlib.suppress(SmaltError):  # it may be text and nothing else
                    self.pins.resolve_reference("data", value)

    def _check_data(self, where: str, uri: str, types: Sequence[str | None], needs_marker: bool) -> None:
        """Check that data is there, unless an earlier step may still make it or it is fetched from elsewhere.

        It may be of any of the `types`, of which the first is told.
        """
        try:
            uri = self.pins.resolve_reference(
                "data", uri, next((type for type in types if str(type).endswith("_model")), None)
            )
            place = self.context.resolve(uri, self.workspace)
        except SmaltError as error:
            self.problems.append(f"{where}: {error}")
            return
        if unfit := explain_unfit_asset(self.context, self.workspace, uri, place, types):
            self.problems.append(f"{where}: {unfit}")
        elif place.is_remote:
            if not place.late:
                self.remote.append(uri)
        elif not place.late and not place.exists:
            self.problems.append(f"{where}: {explain_missing(place)}")
        elif not place.late:
            if place.path is None:
                return
            shown = format_uri(place)
            wrong = [explain_path_mismatch(shown, place.path, type, needs_marker=needs_marker) for type in types]
            if all(wrong):
                self.problems.append(f"{where}: {wrong[0]}")

    def check_versions(self, where: str, outputs: Any, *, may_be_reused: bool = False) -> None:
        """Check that no output is to be registered as a version that exists, or is written where versions are kept."""
        asked = [
            (name, output.type, output.name, output.version)
            for name, output in (outputs or {}).items()
            if isinstance(output, Output) and not has_expression(output.version)
        ]
        taken = find_taken_versions(self.context.db, self.workspace.id, asked, may_be_reused=may_be_reused)
        for name, why in (
            find_taken_versions(self.context.db, self.workspace.id, asked).items() if may_be_reused else ()
        ):
            if name not in taken:
                self.notes.append(f"{where}outputs.{name}: {why}; unless its step is reused, the job fails at its end")
        for name, why in [*taken.items(), *self._find_unwritable(outputs or {})]:
            self.problems.append(f"{where}outputs.{name}: {why}")

    def _find_unwritable(self, outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, output in outputs.items():
            if isinstance(output, Output) and output.path and not output.path.startswith("${{"):
                try:
                    place = self.context.resolve(output.path, self.workspace)
                except NotFound as error:  # of the datastore
                    yield name, str(error)
                    continue
                except SmaltError:  # told when the place is made
                    continue
                if why := find_write_problem(self.context, place):
                    yield name, why

    def _record_error(self, where: str, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except SmaltError as error:
            self.problems.append(f"{where}: {error}" if where else str(error))


def _find_default_data(declared: Mapping[str, Any]) -> dict[str, str]:
    """Return the data of a component's inputs that nothing is given for."""
    return {
        name: form.default
        for name, form in declared.items()
        if isinstance(form, Input) and form.type in ASSETS and isinstance(form.default, str)
    }
