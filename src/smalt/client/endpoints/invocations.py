"""The body of an invocation of a batch endpoint, after the local data that it names was sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.client.transfers.local_assets import LocalAssets
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import did_you_mean, format_value
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import ValidationException
from smalt.wire.encoding.casing import to_camel
from smalt.wire.encoding.codec import Writing
from smalt.wire.jobs.inputs import write_inputs, write_outputs

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_ARGUMENTS = ("input", "outputs", "job_name", "experiment_name", "params_override")
_NAMES = {"job_name": "name"}
"""Settings that the wire calls otherwise."""


def build_invocation(
    session: ClientSession, inputs: Mapping[str, Any] | None, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of the request; `arguments` are the further ones of `invoke`."""
    for name in arguments.keys() - set(_ARGUMENTS):
        raise TypeError(f"invoke has no argument '{name}'{did_you_mean(name, _ARGUMENTS)}")
    one = arguments.get("input")
    if one is not None and inputs:
        raise ValidationException("'input' and 'inputs' exclude each other; give all inputs by name in 'inputs'")
    if one is not None:
        one = one if isinstance(one, Input) else Input(path=os.fspath(one))
        inputs = {"UriFile" if one.type == "uri_file" else "UriFolder": one}
    assets = LocalAssets(session)
    writing = Writing(assets)
    properties: dict[str, Any] = {}
    for override in arguments.get("params_override") or ():
        _set_overrides(properties, override)
    if inputs:
        given = {name: _read_literal(name, value) for name, value in inputs.items()}
        properties["inputData"] = {**properties.get("inputData", {}), **write_inputs(given, writing)}
    if arguments.get("outputs"):
        properties["outputData"] = write_outputs(arguments["outputs"], writing)
    if arguments.get("job_name"):
        properties["name"] = arguments["job_name"]
    if arguments.get("experiment_name"):
        notes = properties.setdefault("properties", {})
        notes["experimentName"] = arguments["experiment_name"]
    assets.send()
    return {"properties": properties}


def _set_overrides(properties: dict[str, Any], override: Any) -> None:
    """Set the values of one mapping of `params_override`; its keys may be paths, such as `compute.instance_count`."""
    if not isinstance(override, Mapping):
        raise ValidationException(f"'params_override' is a list of mappings, not of {format_value(override)}")
    for path, value in override.items():
        *parents, last = str(path).split(".")
        place = properties
        for parent in parents:
            place = place.setdefault(to_camel(parent), {})
        place[_NAMES.get(last, to_camel(last)) if not parents else to_camel(last)] = _convert_keys(value)


def _convert_keys(value: Any) -> Any:
    return (
        {to_camel(str(key)): _convert_keys(each) for key, each in value.items()}
        if isinstance(value, Mapping)
        else value
    )


def _read_literal(name: str, value: Any) -> Any:
    """Return an input of a primitive type as its value, which Azure's programs give as `default`."""
    if not isinstance(value, Input) or value.type not in PRIMITIVES:
        return value
    given: Iterable[Any] = (vars(value).get("default"), vars(value).get("path"))
    found = next((one for one in given if one is not None), None)
    if found is None:
        raise ValidationException(f"input '{name}' is {value.type} and has no value; give Input(type=…, default=VALUE)")
    return found
