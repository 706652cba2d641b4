"""The versions that references without one mean, looked up once: when a job is submitted, or a component registered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.jobs.inputs import ASSETS
from smalt.entities.syntax.expression import has_expression
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records import assets
from smalt.service.records.pins import PinnedReferences
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT

Body = dict[str, Any]
Replace = Callable[[str, str, "str | None"], str]
"""(kind, reference, type of the input) → the reference in its place"""

_KINDS = {
    "codeid": "codes", "code": "codes", "environmentid": "environments", "environment": "environments",
    "componentid": "components", "component": "components",
}  # fmt: skip
_TABLES = ("trainingdata", "validationdata", "testdata")
"""Inputs of AutoML, which stand beside its settings."""
_ASSETS = {fold_case(type) for type in ASSETS}


class Pins:
    """The recorded versions of one top job, or of one registered version."""

    def __init__(self, fixed: PinnedReferences | None = None) -> None:
        self.fixed: dict[str, dict[str, str]] = {kind: dict(texts) for kind, texts in (fixed or {}).items()}

    def get_reference(self, kind: str, text: str) -> str:
        """The reference with its version; `text` itself where it has one, or names nothing."""
        return self.fixed.get(kind, {}).get(text, text)

    def apply_to(self, body: Body) -> Body:
        """The REST properties of a job with all its references in place of those as written."""
        return replace_references(body, lambda kind, text, type: self.get_reference(kind, text)) if self.fixed else body

    def restore_written(self, body: Body) -> tuple[Body, dict[str, list[str]]]:
        """Return the REST properties of a job with its references as they were written.

        One that may have been written in several ways keeps its version; the second value has the ways of each.
        """
        unclear: dict[str, list[str]] = {}

        def restore_reference(kind: str, text: str, type: str | None) -> str:
            ways = [written for written, fixed in self.fixed.get(kind, {}).items() if fixed == text]
            if len(ways) > 1:
                unclear[text] = ways
            return ways[0] if len(ways) == 1 else text

        return (replace_references(body, restore_reference), unclear) if self.fixed else (body, unclear)


class Pinner(Pins):
    """Looks references up and notes what they mean; those `known` mean what they meant before."""

    def __init__(self, context: EngineContext, workspace: Workspace, known: PinnedReferences | None = None) -> None:
        super().__init__()
        self._context = context
        self._workspace = workspace
        self._known = Pins(known)
        self._explicit: set[tuple[str, str]] = set()
        """The kind and text of each reference that had its version."""

    def resolve_reference(self, kind: str, text: str, type: str | None = None) -> str:
        """The reference with its version; NotFound where there is none.

        One that has its version is noted as well if another means the same: else `restore_written` took both for one.
        """
        found = self.get_reference(kind, text)
        if found == text:
            found = self._known.get_reference(kind, text)
            if found == text:
                found = lookup.resolve_version(self._context, self._workspace, kind, text, type)
            if found == text:
                self._explicit.add((kind, text))
            else:
                self.fixed.setdefault(kind, {})[text] = found
            if (kind, found) in self._explicit and found in self.fixed.get(kind, {}).values():
                self.fixed[kind][found] = found
        return found

    def resolve_below(self, text: str) -> str:
        """The component with versions for all that it names; one with a name has them since it was registered.

        NotFound where there is no such component.
        """
        reference = lookup.parse_name(text)
        if reference.version:
            lookup.find_component(self._context, self._workspace, text)
        if reference.registry or reference.name != ANONYMOUS_COMPONENT or not reference.version:
            return text
        db, where = self._context.db, self._workspace
        found = assets.find_version(db, where.id, "components", reference.name, reference.version, None)
        spec = found.properties.get("componentSpec")
        fixed = pin_component(self, spec) if isinstance(spec, dict) else spec
        if fixed == spec:
            return text
        version = hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()
        if assets.get_version(db, where.id, "components", reference.name, version) is None:
            properties = {**found.properties, "componentSpec": fixed}
            assets.put_version(db, where.id, "components", reference.name, version, properties, where.created_by)
        return text.removesuffix(reference.version) + version


def pin_component(pinner: Pinner, spec: Body) -> Body:
    """A component's specification with a version for all that it names, in the components without a name below as well.

    All that means nothing is told at once.
    """
    problems: list[str] = []

    def replace(kind: str, text: str, type: str | None) -> str:
        try:
            found = pinner.resolve_reference(kind, text, type)
            return pinner.resolve_below(found) if kind == "components" else found
        except SmaltError as error:
            problems.append(str(error))
            return text

    made = replace_references(spec, replace)
    if problems:
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in dict.fromkeys(problems)])
    return made


def replace_references(body: Body, replace: Replace) -> Body:
    """The REST properties of a job, step or component with its references replaced, in its own steps as well."""
    made = dict(body)
    for key, value in body.items():
        name = fold_case(key)
        kind = _KINDS.get(name)
        if kind is not None and isinstance(value, str):
            made[key] = value if has_expression(value) else replace(kind, value, None)
        elif kind == "components" and isinstance(value, dict):
            made[key] = replace_references(value, replace)
        elif name == "inputs" and isinstance(value, dict):
            made[key] = {port: _replace_input(given, replace) for port, given in value.items()}
        elif name == "trial" and isinstance(value, str):
            made[key] = replace("components", value, None)
        elif name in ("trial", "taskdetails") and isinstance(value, dict):
            made[key] = replace_references(value, replace)
        elif name in _TABLES:
            made[key] = _replace_input(value, replace)
        elif name == "jobs" and isinstance(value, dict):
            made[key] = {
                step: replace_references(one, replace) if isinstance(one, dict) else one for step, one in value.items()
            }
    return made


def _replace_input(given: Any, replace: Replace) -> Any:
    """An input of a job, with its URI replaced, or one that a component declares, with its default."""
    if not isinstance(given, Mapping):
        return given
    type = next((given[key] for key in given if fold_case(key) in ("jobinputtype", "type")), None)
    type = type if isinstance(type, str) else None
    is_asset = type is not None and fold_case(type) in _ASSETS
    made = dict(given)
    for key in ("uri", "default"):
        text = made.get(key)
        if isinstance(text, str) and text and not has_expression(text) and (key == "uri" or is_asset):
            made[key] = replace("data", text, type)
    return made
