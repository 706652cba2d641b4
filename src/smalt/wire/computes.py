"""Computes: what belongs to a type of compute stands in `properties.properties`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities import compute as nouns
from smalt.entities.problems import Path, did_you_mean, shown
from smalt.entities.reader import Reader
from smalt.wire.casing import fold
from smalt.wire.codec import Codec, Json, Rule, Writing, nested, word
from smalt.wire.envelope import HIDDEN, identity
from smalt.wire.parts import ACTS_AS, duration

_OUTER = ("description", "resource_id", "provisioning_state", "provisioning_errors", "created_on")
_BESIDE = ("location", "tags", "identity")

_SSH = Codec(
    nouns.SshSettings,
    {
        "admin_username": Rule("adminUserName"),
        "admin_password": Rule("adminUserPassword"),
        "ssh_key_value": Rule("adminUserSshPublicKey"),
    },
)
_INSTANCE_SSH = Codec(
    nouns.SshSettings, {"ssh_key_value": Rule("adminPublicKey"), "admin_username": Rule("adminUserName")}
)


def _write_access(value: Any, writing: Writing) -> Any:
    return "Enabled" if value else "Disabled"


def _read_access(value: Any, path: Path, reader: Reader) -> Any:
    return {"enabled": True, "disabled": False}.get(str(value).lower())


_RULES = {
    **dict.fromkeys(("id", "name", "type", "creation_context"), HIDDEN),
    "identity": ACTS_AS,
    "size": Rule("vmSize"),
    "tier": word("vmPriority"),
    "ssh_settings": nested(_SSH, "userAccountCredentials"),
    "ssh_public_access_enabled": Rule("remoteLoginPortPublicAccess", _write_access, _read_access),
    "idle_time_before_scale_down": duration("nodeIdleTimeBeforeScaleDown"),
    "min_instances": Rule("minNodeCount"),
    "max_instances": Rule("maxNodeCount"),
    "enable_node_public_ip": Rule("enableNodePublicIp"),
}
_INSTANCE_RULES = {
    **_RULES,
    "ssh_settings": nested(_INSTANCE_SSH, "sshSettings"),
    "ssh_public_access_enabled": Rule("sshPublicAccess", _write_access, _read_access),
    "enable_sso": Rule("enableSSO"),
    "enable_os_patching": Rule("enableOSPatching"),
}
_SCALE = ("minNodeCount", "maxNodeCount", "nodeIdleTimeBeforeScaleDown")
_TYPES: dict[str, tuple[type[nouns.Compute], dict[str, Rule]]] = {
    "AmlCompute": (nouns.AmlCompute, _RULES),
    "ComputeInstance": (nouns.ComputeInstance, _INSTANCE_RULES),
    "VirtualMachine": (nouns.VirtualMachineCompute, _RULES),
    "Kubernetes": (nouns.KubernetesCompute, _RULES),
    "SynapseSpark": (nouns.SynapseSparkCompute, _RULES),
}


class _Computes:
    def __init__(self) -> None:
        self._codecs = {
            kind: Codec(noun, {name: rule for name, rule in rules.items() if name in noun._fields})
            for kind, (noun, rules) in _TYPES.items()
        }

    def write(self, noun: nouns.Compute, writing: Writing) -> Json:
        kind = next(kind for kind, (each, _) in _TYPES.items() if each is type(noun))
        flat = self._codecs[kind].write(noun, writing)
        body: Json = {key: flat.pop(key) for key in _BESIDE if key in flat}
        outer: Json = {"computeType": kind, "disableLocalAuth": "ssh_settings" not in vars(noun)}
        for key in ("description", "resourceId"):
            if key in flat:
                outer[key] = flat.pop(key)
        scale = {key: flat.pop(key) for key in _SCALE if key in flat}
        if scale:
            flat["scaleSettings"] = scale
        return {**body, "properties": {**outer, "properties": flat}}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        outer = body.get("properties")
        given = outer.get("computeType") if isinstance(outer, Mapping) else None
        kind = next((kind for kind in _TYPES if isinstance(given, str) and fold(kind) == fold(given)), None)
        if kind is None or not isinstance(outer, Mapping):
            hint = did_you_mean(given, _TYPES)
            reader.problem(("properties", "computeType"), f"unknown computeType {shown(given)}{hint}")
            return None
        return self._codecs[kind].read({**_flat(body, outer), **identity(body, _TYPES[kind][0])}, (), reader)


def _flat(body: Mapping[str, Any], outer: Mapping[str, Any]) -> Json:
    inner = outer.get("properties")
    inner = dict(inner) if isinstance(inner, Mapping) else {}
    scale = inner.pop("scaleSettings", None)
    beside = {key: body[key] for key in _BESIDE if body.get(key) is not None}
    known = {fold(name) for name in _OUTER}
    above = {key: value for key, value in outer.items() if fold(str(key)) in known}
    return {**inner, **(scale if isinstance(scale, Mapping) else {}), **above, **beside}


RESOURCES = _Computes()
