"""Settings that jobs, steps and components share: resources, limits, distributions, identities, services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs import identity, resources
from smalt.entities.jobs.services import JobService
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax import durations
from smalt.entities.workspaces.resource_identity import ResourceIdentity
from smalt.wire.encoding.casing import fold_case, to_pascal
from smalt.wire.encoding.codec import (
    Codec,
    Json,
    Rule,
    TaggedCodec,
    Writing,
    make_named_rule,
    make_nested_rule,
    make_word_rule,
)


def _write_seconds(value: Any, writing: Writing) -> Any:
    return durations.to_iso(value) if isinstance(value, (int, float)) else value


def _read_seconds(value: Any, path: Path, reader: Reader) -> Any:
    seconds = durations.parse_iso(value) if isinstance(value, str) else None
    if seconds is None:
        return value
    return int(seconds) if seconds == int(seconds) else seconds


def make_duration_rule(key: str) -> Rule:
    """A rule for seconds, `PT1M30S` on the wire."""
    return Rule(key, _write_seconds, _read_seconds)


_TYPE = {"type": Rule("")}  # said by the tag


class _Machines(Codec[resources.JobResourceConfiguration]):
    """Arguments of the container engine that are a list have a key of their own."""

    def write(self, noun: resources.JobResourceConfiguration, writing: Writing) -> Json:
        body = super().write(noun, writing)
        if not writing.in_node and isinstance(body.get("dockerArgs"), list):
            body["dockerArgsList"] = body.pop("dockerArgs")
        return body

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = dict(body)
        listed = flat.pop("dockerArgsList", None)
        return super().split_body({**flat, **({"dockerArgs": listed} if listed else {})}, path, reader)


RESOURCES = _Machines(resources.JobResourceConfiguration)
COMPONENT_RESOURCES = Codec(resources.ComponentResources)
QUEUE = Codec(resources.QueueSettings, {"job_tier": make_word_rule("jobTier"), "priority": make_word_rule("priority")})
COMMAND_LIMITS = Codec(
    resources.CommandJobLimits, {"timeout": make_duration_rule("timeout")}, constants={"jobLimitsType": "Command"}
)
DISTRIBUTION = TaggedCodec(
    "distributionType",
    {
        "PyTorch": Codec(resources.PyTorchDistribution, _TYPE),
        "TensorFlow": Codec(resources.TensorFlowDistribution, _TYPE),
        "Mpi": Codec(resources.MpiDistribution, _TYPE),
        "Ray": Codec(resources.RayDistribution, _TYPE),
    },
)
IDENTITY = TaggedCodec(
    "identityType",
    {
        "Managed": Codec(identity.ManagedIdentity, {**_TYPE, "msi_resource_id": Rule("resourceId")}),
        "UserIdentity": Codec(identity.UserIdentity, _TYPE),
        "AMLToken": Codec(identity.AmlToken, _TYPE),
    },
)

_SERVICE_TYPES = {"vs_code": "VSCode", "jupyter_lab": "JupyterLab", "tensor_board": "TensorBoard", "ssh": "SSH"}
_SERVICE_PROPERTIES = {"log_dir": "logDir", "ssh_public_keys": "sshPublicKeys"}


class _Services(Codec[JobService]):
    """Services, whose fields for one type of service stand in `properties`."""

    def write(self, noun: JobService, writing: Writing) -> Json:
        body = super().write(noun, writing)
        properties = dict(body.pop("properties", {}))
        for name, key in _SERVICE_PROPERTIES.items():
            value = body.pop(name if writing.in_node else key, None)
            if value is not None:
                properties[key] = value
        return {**body, "properties": properties} if properties else body

    def read(self, body: Any, path: Path, reader: Reader) -> JobService | None:
        service = super().read(body, path, reader)
        properties = vars(service).get("properties") if service is not None else None
        for name, key in _SERVICE_PROPERTIES.items():
            if properties and key in properties:
                setattr(service, name, properties.pop(key))
        return service


def _write_service_type(value: Any, writing: Writing) -> Any:
    return _SERVICE_TYPES.get(value, None if value == "custom" else value)


def _read_service_type(value: Any, path: Path, reader: Reader) -> Any:
    known = {fold_case(wire): name for name, wire in _SERVICE_TYPES.items()}
    return known.get(fold_case(value), value) if isinstance(value, str) else value


def _write_nodes(value: Any, writing: Writing) -> Any:
    return {writing.key("nodesValueType"): to_pascal(value)} if isinstance(value, str) else value


def _read_nodes(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, dict):
        return value
    kinds = [kind for key, kind in value.items() if fold_case(str(key)) == "nodesvaluetype"]
    return kinds[0].lower() if kinds and isinstance(kinds[0], str) else value


SERVICE = _Services(
    JobService,
    {
        "type": Rule("jobServiceType", _write_service_type, _read_service_type),
        "nodes": Rule("nodes", _write_nodes, _read_nodes),
    },
)


def _write_users(value: Any, writing: Writing) -> Any:
    return {each.resource_id: {} for each in value}


def _read_users(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    return [{"resource_id": id, **(facts if isinstance(facts, Mapping) else {})} for id, facts in value.items()]


ACTS_AS = make_nested_rule(
    Codec(
        ResourceIdentity,
        {
            "type": make_word_rule("type"),
            "user_assigned_identities": Rule("userAssignedIdentities", _write_users, _read_users),
        },
    ),
    "identity",
)
"""The rule for as whom a compute or an endpoint acts."""

SHARED: dict[str, Rule] = {
    "identity": make_nested_rule(IDENTITY, "identity"),
    "services": make_named_rule(SERVICE, "services"),
    "distribution": make_nested_rule(DISTRIBUTION, "distribution"),
    "queue_settings": make_nested_rule(QUEUE, "queueSettings"),
    "resources": make_nested_rule(RESOURCES, "resources"),
}
"""Rules that hold for jobs and for steps."""
