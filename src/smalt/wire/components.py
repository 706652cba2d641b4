"""Components: their `componentSpec` is the YAML as JSON, with ids that start with `azureml:`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.component import Component
from smalt.entities.inputs import Input
from smalt.entities.literals import convert, to_text
from smalt.entities.problems import Path, Problem
from smalt.entities.reader import Reader
from smalt.entities.reading import choose
from smalt.wire.casing import fold
from smalt.wire.codec import Json, Writing, plain
from smalt.wire.envelope import identity
from smalt.wire.environments import ENVIRONMENT

_TEXTS = ("default", "min", "max")
_OUTSIDE = ("description", "tags", "properties")


def write(component: Component, writing: Writing) -> Json:
    """The body of a PUT."""
    spec = write_spec(component, writing)
    body: Json = {"componentSpec": spec, "isAnonymous": False, "isArchived": False, "properties": {}, "tags": {}}
    for key in _OUTSIDE:
        value = getattr(component, key)
        if value:
            body[key] = plain(value)
    body.update({key: value for key, value in component.extra.items() if key in ("isAnonymous", "isArchived")})
    return {"properties": body}


def write_spec(component: Component, writing: Writing) -> Json:
    fields = type(component)._fields
    spec: Json = {"type": component.type}
    within = Writing(writing.refs, in_node=True, parent=component)
    for name, value in vars(component).items():
        field = fields.get(name)
        if value is None or field is None or field.from_service or name in ("id", "properties"):
            continue
        special = _WRITERS.get(name)
        spec[name] = special(value, within) if special else field.shape.dump(value)
    spec.update({key: value for key, value in component.extra.items() if key not in ("isAnonymous", "isArchived")})
    return spec


def _write_inputs(inputs: Mapping[str, Input], writing: Writing) -> Json:
    return {name: _stringified(value.to_dict()) for name, value in inputs.items()}


def _stringified(body: Json) -> Json:
    return {key: to_text(value) if key in _TEXTS else value for key, value in body.items()}


def _write_environment(value: Any, writing: Writing) -> Any:
    resolved = writing.refs.environment(value)
    return _prefixed(resolved) if isinstance(resolved, str) else plain(resolved)


def _write_code(value: str, writing: Writing) -> str:
    return value if "${{" in value else _prefixed(writing.refs.code(value))


def _prefixed(reference: str) -> str:
    return f"azureml:{reference}" if reference.startswith("/subscriptions/") else reference


def _write_task(value: Any, writing: Writing) -> Any:
    """The part of a parallel component that has code and an environment of its own."""
    task = plain(value)
    if isinstance(task, dict):
        if task.get("code"):
            task["code"] = _write_code(task["code"], writing)
        if task.get("environment"):
            task["environment"] = _write_environment(value.environment, writing)
    return task


def _write_jobs(value: Mapping[str, Any], writing: Writing) -> Json:
    from smalt.wire.nodes import write_nodes

    return write_nodes(value, writing)


_WRITERS: dict[str, Callable[[Any, Writing], Any]] = {
    "inputs": _write_inputs,
    "environment": _write_environment,
    "code": _write_code,
    "task": _write_task,
    "jobs": _write_jobs,
}


def read(body: Mapping[str, Any], reader: Reader) -> Component | None:
    """A component as the service answers it, or as a PUT has it."""
    properties = body.get("properties")
    if not isinstance(properties, Mapping):
        reader.problem(("properties",), "the body needs 'properties', a JSON object")
        return None
    spec = properties.get("componentSpec")
    if not isinstance(spec, Mapping):
        reader.problem(("properties", "componentSpec"), "a component needs 'componentSpec', a JSON object")
        return None
    component = read_spec(spec, (), reader)
    if component is not None:
        _outside(component, body, properties)
    return component


def read_spec(spec: Mapping[str, Any], path: Path, reader: Reader) -> Component | None:
    noun = choose(reader, spec, "component", None)
    if noun is None:
        return None
    folded = {fold(name): name for name in noun._fields}
    values: Json = {}
    extra: Json = {}
    for key, value in spec.items():
        name = folded.get(fold(str(key)))
        if name is None:
            extra[key] = value
        elif value is not None:
            special = _READERS.get(name)
            values[name] = special(value, (*path, name), reader) if special else value
    extra = {key: value for key, value in extra.items() if value is not None and key != "$schema"}
    component = noun._read(values, path, reader)
    if isinstance(component, Component) and extra:
        component.extra.update(extra)
    return component if isinstance(component, Component) else None


def _read_environment(value: Any, path: Path, reader: Reader) -> Any:
    if isinstance(value, Mapping) and "condaFile" in value:
        return ENVIRONMENT.read(value, path, reader)
    return value


def _read_jobs(value: Any, path: Path, reader: Reader) -> Any:
    from smalt.wire.nodes import read_nodes

    return read_nodes(value, path, reader)


def _read_inputs(value: Any, path: Path, reader: Reader) -> Any:
    """Values are texts on the wire; here they have the type that the input declares."""
    if not isinstance(value, Mapping):
        return value
    return {name: _typed(item) if isinstance(item, Mapping) else item for name, item in value.items()}


def _typed(item: Mapping[str, Any]) -> Json:
    body = dict(item)
    for key in _TEXTS:
        if isinstance(body.get(key), str):
            value = convert(body[key], str(body.get("type")))
            body[key] = body[key] if isinstance(value, Problem) else value
    return body


_READERS = {"environment": _read_environment, "jobs": _read_jobs, "inputs": _read_inputs}


def _outside(component: Component, body: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    for key, value in identity(body, type(component)).items():
        setattr(component, key, value)
    for key in _OUTSIDE:
        value = properties.get(key)
        if value:
            setattr(component, key, dict(value) if isinstance(value, Mapping) else value)
    for key in ("isAnonymous", "isArchived"):
        if properties.get(key) is True:
            component.extra[key] = True
