"""Texts for data inputs of registered components, taken as paths, as for a component in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import ASSETS, Input
from smalt.entities.syntax.expression import has_expression, parse_binding, resolve_port
from smalt.entities.syntax.references import is_reference, parse_reference
from smalt.exceptions import SmaltError

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

FindComponent = Callable[[str], "Component | None"]


def convert_text_paths(session: ClientSession, job: Any) -> None:
    """Turn each text that names a local path and is given to a data input of a registered component into data.

    The server is asked only for components that are given such a text, each once.
    """
    known: dict[str, Component | None] = {}

    def ask(reference: str) -> Component | None:
        if reference not in known:
            known[reference] = _find_component(session, reference)
        return known[reference]

    _convert_pipeline(job, ask)


def _find_component(session: ClientSession, text: str) -> Component | None:
    """Return the workspace's component of that name; None if there is none, which the server reports later."""
    reference = parse_reference(text)
    if reference is None or reference.registry or reference.workspace:
        return None
    from smalt.client.collections.components import ComponentOperations

    try:
        found: Component = ComponentOperations(session).get(reference.name, reference.version, label=reference.label)
    except SmaltError:
        return None
    return found


def _convert_pipeline(pipeline: Any, find_component: FindComponent) -> None:
    if pipeline.source_path is None:  # in a program a text for such an input is a path already, of the current folder
        return
    given = vars(pipeline).get("component")
    if isinstance(given, str):
        _convert_inputs(pipeline, pipeline.inputs, given, find_component)
    for step in (vars(pipeline).get("jobs") or {}).values():
        given = vars(step).get("component") or vars(step).get("trial")
        if isinstance(given, str):
            _convert_inputs(pipeline, step.inputs, given, find_component)
        elif isinstance(given, Component):
            _convert_pipeline(given, find_component)


def _convert_inputs(pipeline: Any, inputs: dict[str, Any], reference: str, find_component: FindComponent) -> None:
    for name, values, key in list(_find_sources(pipeline, inputs)):
        path = _find_existing_path(pipeline, values.get(key))
        found = find_component(reference) if path is not None else None
        declared = found.inputs.get(name) if found is not None else None
        if declared is not None and declared.type in ASSETS:
            dict.__setitem__(values, key, Input(type=declared.type, path=path))


def _find_sources(pipeline: Any, inputs: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield each input's name, with the mapping and key that hold its value: a bound input's is the pipeline's."""
    for name, value in inputs.items():
        bound = parse_binding(value.path if isinstance(value, Input) else value) if _is_text(value) else None
        if bound is None:
            yield name, inputs, name
        elif bound.kind == "parent.inputs" and not isinstance(pipeline, Component):
            port = resolve_port(bound.name, pipeline.inputs)
            if port is not None:
                yield name, pipeline.inputs, port


def _is_text(value: Any) -> bool:
    return isinstance(value.path if isinstance(value, Input) else value, str)


def _find_existing_path(pipeline: Any, value: Any) -> str | None:
    """Return the absolute path that a text names on this machine; None if there is no such path.

    A text typed on the command line is relative to the current folder first, any other to the file's folder.
    """
    if not isinstance(value, str) or not value or "://" in value or is_reference(value) or has_expression(value):
        return None
    folders = [os.path.dirname(pipeline.source_path)]
    if any(place.setting.is_typed and place.setting.value == value for place in vars(pipeline).get("_places") or ()):
        folders.insert(0, os.getcwd())
    paths = (os.path.normpath(os.path.join(folder, os.path.expanduser(value))) for folder in folders)
    return next((path for path in paths if os.path.exists(path)), None)
