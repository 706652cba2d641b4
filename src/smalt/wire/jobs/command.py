"""Command jobs, and the rules that all jobs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.assets.environment import Environment
from smalt.entities.jobs.command import CommandJob
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.assets.environments import ENVIRONMENT
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule
from smalt.wire.encoding.envelope import HIDDEN, RESOURCE, Envelope
from smalt.wire.jobs import settings
from smalt.wire.jobs.inputs import INPUTS, OUTPUTS


def make_reference_rule(key: str, resolve: Callable[[Writing], Callable[[str], str]]) -> Rule:
    """A rule for the name of something that the server knows by its id."""

    def write(value: Any, writing: Writing) -> Any:
        if not isinstance(value, str) or "${{" in value:
            return value
        return resolve(writing)(value)

    return Rule(key, write)


def _write_environment(value: Any, writing: Writing) -> Any:
    resolved = writing.refs.environment(value)
    return ENVIRONMENT.write(resolved, Writing(writing.refs)) if isinstance(resolved, Environment) else resolved


def _read_environment(value: Any, path: Path, reader: Reader) -> Any:
    return ENVIRONMENT.read(value, path, reader) if isinstance(value, dict) else value


COMPUTE = make_reference_rule("computeId", lambda writing: writing.refs.compute)._replace(
    read=lambda value, path, reader: None if value == "" else value  # clients send "" where no compute is named
)
CODE = make_reference_rule("codeId", lambda writing: writing.refs.code)
ENVIRONMENT_ID = Rule("environmentId", _write_environment, _read_environment, "environment")

JOB = {
    **RESOURCE,
    "type": HIDDEN,
    "compute": COMPUTE,
    "identity": settings.SHARED["identity"],
    "services": settings.SHARED["services"],
    "inputs": INPUTS,
    "outputs": OUTPUTS,
}
JOB_DEFAULTS: Json = {"isArchived": False, "tags": {}, "properties": {}, "inputs": {}, "outputs": {}}
_LOCAL = "IsLocal"
"""The key that Azure's clients put among the settings of the resources in place of the compute `local`."""


class _Commands(Codec[CommandJob]):
    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        resources = body.get("resources")
        settings = resources.get("properties") if isinstance(resources, Mapping) else None
        if isinstance(resources, Mapping) and isinstance(settings, Mapping) and _LOCAL in settings:
            rest = {key: value for key, value in settings.items() if key != _LOCAL}
            body = {"computeId": "local", **body, "resources": {**resources, "properties": rest}}
        return super().split_body(body, path, reader)


COMMAND = _Commands(
    CommandJob,
    {
        **JOB,
        **settings.SHARED,
        "code": CODE,
        "environment": ENVIRONMENT_ID,
        "limits": make_nested_rule(settings.COMMAND_LIMITS, "limits"),
    },
    constants={"jobType": "Command"},
    defaults={**JOB_DEFAULTS, "environmentVariables": {}},
)
RESOURCES = Envelope(COMMAND)
