"""Components: their `componentSpec` is the YAML as JSON, with ids that start with `azureml:`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import Environment
from smalt.entities.jobs.inputs import ASSETS, Input
from smalt.entities.schema.documents import choose_noun
from smalt.entities.schema.problems import Path, Problem
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax.literals import convert, to_text
from smalt.wire.assets.environments import ENVIRONMENT
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Json, Writing, check_spelling, to_plain
from smalt.wire.encoding.envelope import read_identity

_TEXTS = ("default", "min", "max")
_UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_OUTSIDE = ("description", "tags", "properties")


def write(component: Component, writing: Writing) -> Json:
    """The body of a PUT."""
    spec = write_spec(component, writing)
    body: Json = {"componentSpec": spec, "isAnonymous": False, "isArchived": False, "properties": {}, "tags": {}}
    for key in _OUTSIDE:
        value = getattr(component, key)
        if value:
            body[key] = to_plain(value)
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
        spec[name] = special(value, within) if special else field.shape.dump_value(value)
    spec.update({key: value for key, value in component.extra.items() if key not in ("isAnonymous", "isArchived")})
    return spec


def _write_inputs(inputs: Mapping[str, Input], writing: Writing) -> Json:
    return {name: _write_texts(_write_default(to_plain(value), writing)) for name, value in inputs.items()}


def _write_default(body: Json, writing: Writing) -> Json:
    """The default of an input that is data is where that data is."""
    default = body.get("default")
    if body.get("type") not in ASSETS or not isinstance(default, str) or "${{" in default:
        return body
    return {**body, "default": writing.refs.data(default, body["type"])}


def _write_texts(body: Json) -> Json:
    return {key: to_text(_convert_value(value, body)) if key in _TEXTS else value for key, value in body.items()}


def _convert_value(value: Any, declared: Mapping[str, Any]) -> Any:
    """A value in the type that the input declares, where it can be."""
    if not isinstance(value, (str, int, float)):
        return value
    type = str(declared.get("type"))
    converted = convert(value, type)
    if isinstance(converted, Problem):
        return value
    return float(converted) if type == "number" else converted


def write_environment(value: Any, writing: Writing) -> Any:
    if not isinstance(value, (str, Environment)):
        return to_plain(value)  # a flow's own kind
    resolved = writing.refs.environment(value)
    return _add_prefix(resolved) if isinstance(resolved, str) else to_plain(resolved)


def write_code(value: str, writing: Writing) -> str:
    return value if "${{" in value else _add_prefix(writing.refs.code(value))


def _add_prefix(reference: str) -> str:
    return f"azureml:{reference}" if reference.startswith("/subscriptions/") else reference


def write_task(value: Any, writing: Writing) -> Any:
    """The part of a parallel component that has code and an environment of its own; others have one word."""
    task = to_plain(value)
    if isinstance(task, dict):
        if task.get("code"):
            task["code"] = write_code(task["code"], writing)
        if task.get("environment"):
            task["environment"] = write_environment(value.environment, writing)
        if task.get("model"):
            task["model"] = writing.refs.asset(task["model"], "models")
    return task


def write_batch_size(value: Any, writing: Writing) -> Any:
    """A number of files; `10kb` in bytes."""
    text = str(value).lower().strip()
    if text.isdecimal():
        return int(text)
    for unit, factor in _UNITS.items():
        if text.endswith(unit) and text[: -len(unit)].strip().isdigit():
            return int(text[: -len(unit)]) * factor
    return value


def write_keys(value: Any, writing: Writing) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def read_keys(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _write_jobs(value: Mapping[str, Any], writing: Writing) -> Json:
    from smalt.wire.jobs.steps import write_nodes

    return write_nodes(value, writing)


def _write_trial(value: Any, writing: Writing) -> Any:
    from smalt.wire.jobs.sweep import write_component_trial

    return write_component_trial(value, writing)


_WRITERS: dict[str, Callable[[Any, Writing], Any]] = {
    "inputs": _write_inputs,
    "environment": write_environment,
    "code": write_code,
    "task": write_task,
    "jobs": _write_jobs,
    "trial": _write_trial,
    "partition_keys": write_keys,
    "mini_batch_size": lambda value, writing: str(write_batch_size(value, writing)),
}


def read(body: Mapping[str, Any], reader: Reader) -> Component | None:
    """A component as the service answers it, or as a PUT has it."""
    properties = body.get("properties")
    if not isinstance(properties, Mapping):
        reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
        return None
    spec = properties.get("componentSpec")
    if not isinstance(spec, Mapping):
        reader.add_problem(("properties", "componentSpec"), "a component needs 'componentSpec', a JSON object")
        return None
    component = read_spec(spec, (), reader)
    if component is not None:
        _read_outside(component, body, properties)
    return component


def read_spec(spec: Mapping[str, Any], path: Path, reader: Reader) -> Component | None:
    noun = choose_noun(reader, spec, "component", None)
    if noun is None:
        return None
    spelt: dict[str, str] = {}
    folded = {fold_case(name): name for name in noun._fields}
    values: Json = {}
    extra: Json = {}
    for key, value in spec.items():
        check_spelling(spec, key, spelt, path, reader)
        name = None if str(key).startswith("_") else folded.get(fold_case(str(key)))
        if name is None:
            extra[key] = value
        elif value is not None:
            special = _READERS.get(name)
            values[name] = special(value, (*path, name), reader) if special else value
    extra = {key: value for key, value in extra.items() if value is not None and key != "$schema"}
    component = noun._read_data(values, path, reader)
    if isinstance(component, Component) and extra:
        component.extra.update(extra)
    return component if isinstance(component, Component) else None


def _read_environment(value: Any, path: Path, reader: Reader) -> Any:
    if isinstance(value, Mapping) and "condaFile" in value:
        return ENVIRONMENT.read(value, path, reader)
    return value


def _read_jobs(value: Any, path: Path, reader: Reader) -> Any:
    from smalt.wire.jobs.steps import read_nodes

    return read_nodes(value, path, reader)


def _read_inputs(value: Any, path: Path, reader: Reader) -> Any:
    """Values are texts on the wire; here they have the type that the input declares."""
    if not isinstance(value, Mapping):
        return value
    return {name: _read_typed(item) if isinstance(item, Mapping) else item for name, item in value.items()}


def _read_typed(item: Mapping[str, Any]) -> Json:
    return {key: _convert_value(value, item) if key in _TEXTS else value for key, value in item.items()}


_READERS = {
    "environment": _read_environment,
    "jobs": _read_jobs,
    "inputs": _read_inputs,
    "partition_keys": read_keys,
}


def _read_outside(component: Component, body: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    for key, value in read_identity(body, type(component)).items():
        setattr(component, key, value)
    for key in _OUTSIDE:
        value = properties.get(key)
        if value:
            setattr(component, key, dict(value) if isinstance(value, Mapping) else value)
    for key in ("isAnonymous", "isArchived"):
        if properties.get(key) is True:
            component.extra[key] = True
