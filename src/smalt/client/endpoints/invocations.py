"""The body of an invocation of a batch endpoint, after the local data that it names was sent."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt import wire
from smalt.client.transfers.local_assets import LocalAssets
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import did_you_mean, format_value
from smalt.exceptions import ValidationException
from smalt.wire.encoding.casing import fold_case

if TYPE_CHECKING:
    from smalt.client.session import ClientSession
    from smalt.entities.endpoints.invocation import BatchInvocation

_ARGUMENTS = ("input", "outputs", "job_name", "experiment_name", "params_override")
_NAMES = {"input_data": "inputs", "output_data": "outputs", "dataset": "inputs"}
"""Azure's names of settings in `params_override`."""


def build_body(session: ClientSession, invocation: BatchInvocation) -> dict[str, Any]:
    """Return the body of the request."""
    assets = LocalAssets(session)
    body = wire.to_rest(invocation, assets)
    assets.send()
    return body


def make_invocation(inputs: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> BatchInvocation:
    """Return the invocation that the arguments of `invoke` describe; raise ValidationException with all problems."""
    from smalt.entities.endpoints.invocation import BatchInvocation

    for name in arguments.keys() - set(_ARGUMENTS):
        known = ("endpoint_name", "deployment_name", "inputs", *_ARGUMENTS)
        raise TypeError(f"invoke has no argument '{name}'{did_you_mean(name, known)}")
    if inputs is not None and not isinstance(inputs, Mapping):
        raise ValidationException(f"inputs: give a dict of inputs by name, not {format_value(inputs)}")
    data: dict[str, Any] = {}
    for override in arguments.get("params_override") or ():
        _set_values(data, override)
    one = arguments.get("input")
    if one is not None and inputs:
        raise ValidationException("'input' and 'inputs' exclude each other; give all inputs by name in 'inputs'")
    if one is not None:
        inputs = name_input(one)
    if inputs:
        data["inputs"] = {**data.get("inputs", {}), **inputs}
    given = {key: arguments.get(key) for key in ("outputs", "job_name", "experiment_name")}
    return BatchInvocation.from_dict({**data, **{key: value for key, value in given.items() if value}})


def name_input(one: Any) -> dict[str, Any]:
    """Return the only input of an invocation under the name that the server knows for one without a name."""
    one = copy.copy(one) if isinstance(one, Input) else Input(path=os.fspath(one))
    one.type = one.type or "uri_folder"
    return {"UriFile" if one.type == "uri_file" else "UriFolder": one}


def _set_values(data: dict[str, Any], override: Any) -> None:
    """Set the values of one mapping of `params_override`; its keys may be paths, such as `compute.instance_count`."""
    if not isinstance(override, Mapping):
        raise ValidationException(f"'params_override' is a list of mappings, not of {format_value(override)}")
    for path, value in override.items():
        first, *rest = str(path).split(".")
        steps: Iterable[str] = (_NAMES.get(first, first), *rest)
        *parents, last = steps
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = int(value) if fold_case(last) in _NUMBERS and str(value).lstrip("-").isdecimal() else value


_NUMBERS = frozenset({"minibatchsize", "errorthreshold", "instancecount", "maxretries", "timeout"})
"""Settings that Azure's programs also give as text."""
