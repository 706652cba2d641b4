"""Computes: what belongs to a type of compute stands in `properties.properties`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.computes import compute as nouns
from smalt.entities.schema.problems import Path, did_you_mean, format_value
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, make_word_rule
from smalt.wire.encoding.envelope import HIDDEN, read_identity
from smalt.wire.jobs.settings import ACTS_AS, make_duration_rule

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


def _write_subnet(value: Any, writing: Writing) -> Any:
    """The subnet by its full id, or by the names that a file gives it and its network."""
    parts = {"virtualNetworks": value.vnet_name, "subnets": value.subnet}
    if value.subnet and ("/" in value.subnet or not value.vnet_name):
        return {"id": value.subnet}
    named = "/".join(f"{key}/{name}" for key, name in parts.items() if name)
    return {"id": named} if named else {}


def _read_subnet(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping) or not isinstance(id := value.get("id"), str):
        return {}
    named = re.fullmatch("virtualNetworks/([^/]+)(?:/subnets/([^/]+))?", id)
    return {"vnet_name": named[1], "subnet": named[2]} if named else {"subnet": id}


_RULES = {
    **dict.fromkeys(("id", "name", "type", "creation_context"), HIDDEN),
    "identity": ACTS_AS,
    "size": Rule("vmSize"),
    "tier": make_word_rule("vmPriority"),
    "ssh_settings": make_nested_rule(_SSH, "userAccountCredentials"),
    "ssh_public_access_enabled": Rule("remoteLoginPortPublicAccess", _write_access, _read_access),
    "idle_time_before_scale_down": make_duration_rule("nodeIdleTimeBeforeScaleDown"),
    "min_instances": Rule("minNodeCount"),
    "max_instances": Rule("maxNodeCount"),
    "enable_node_public_ip": Rule("enableNodePublicIp"),
    "network_settings": Rule("subnet", _write_subnet, _read_subnet),
}


def _write_minutes(value: Any, writing: Writing) -> Any:
    return f"{value}m"


def _read_minutes(value: Any, path: Path, reader: Reader) -> Any:
    text = str(value).removesuffix("m")
    return int(text) if text.isdecimal() else None


_SCRIPT = Codec(
    nouns.ScriptReference,
    {
        "path": Rule("scriptData"),
        "command": Rule("scriptArguments"),
        "timeout_minutes": Rule("timeout", _write_minutes, _read_minutes),
    },
    constants={"scriptSource": "workspaceStorage"},
)
_SCRIPTS = Codec(
    nouns.SetupScripts,
    {
        "startup_script": make_nested_rule(_SCRIPT, "startupScript"),
        "creation_script": make_nested_rule(_SCRIPT, "creationScript"),
    },
)


def _write_scripts(value: Any, writing: Writing) -> Any:
    return {"scripts": _SCRIPTS.write(value, writing)}


def _read_scripts(value: Any, path: Path, reader: Reader) -> Any:
    return _SCRIPTS.read(value["scripts"], path, reader) if isinstance(value, Mapping) and "scripts" in value else value


def _write_owner(value: Any, writing: Writing) -> Any:
    return {"assignedUser": {"objectId": value.user_object_id, "tenantId": value.user_tenant_id}}


def _read_owner(value: Any, path: Path, reader: Reader) -> Any:
    user = value.get("assignedUser") if isinstance(value, Mapping) else None
    if not isinstance(user, Mapping):
        return value
    return {"user_object_id": user.get("objectId"), "user_tenant_id": user.get("tenantId")}


def _write_applications(value: Any, writing: Writing) -> Any:
    return [_write_application(each) for each in value]


def _write_application(application: nouns.CustomApplications) -> Json:
    variables = {key: {"type": "local", "value": value} for key, value in application.environment_variables.items()}
    mounts = [{"type": "bind", "readOnly": False, **each.to_dict()} for each in application.bind_mounts or ()]
    return {
        "name": application.name,
        "type": application.type or "docker",
        "image": {"type": "docker", "reference": application.image.reference},
        "endpoints": [{"name": "connect", "protocol": "http", **each.to_dict()} for each in application.endpoints],
        **({"environmentVariables": variables} if variables else {}),
        **({"volumes": mounts} if mounts else {}),
        "docker": {"privileged": True},
    }


def _read_applications(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, list):
        return value
    return [_read_application(each) if isinstance(each, Mapping) else each for each in value]


def _read_application(given: Mapping[str, Any]) -> Json:
    image, variables = given.get("image"), given.get("environmentVariables")
    found: Json = {
        "name": given.get("name"),
        "type": given.get("type"),
        "image": {"reference": image.get("reference")} if isinstance(image, Mapping) else image,
        "endpoints": _choose_keys(given.get("endpoints"), ("target", "published")),
        "bind_mounts": _choose_keys(given.get("volumes", given.get("bind_mounts")), ("source", "target")),
    }
    if isinstance(variables, Mapping):
        found["environment_variables"] = {
            key: each.get("value") if isinstance(each, Mapping) else each for key, each in variables.items()
        }
    return {key: each for key, each in found.items() if each is not None}


def _choose_keys(value: Any, keys: tuple[str, ...]) -> Any:
    """The items of a list, of each these keys."""
    if not isinstance(value, list):
        return value
    return [{key: each.get(key) for key in keys} if isinstance(each, Mapping) else each for each in value]


_INSTANCE_RULES = {
    **_RULES,
    "create_on_behalf_of": Rule("personalComputeInstanceSettings", _write_owner, _read_owner),
    "custom_applications": Rule("customServices", _write_applications, _read_applications),
    "setup_scripts": Rule("setupScripts", _write_scripts, _read_scripts),
    "ssh_settings": make_nested_rule(_INSTANCE_SSH, "sshSettings"),
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
        outer: Json = {"computeType": kind, **_by_type(noun, flat)}
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
        kind = next((kind for kind in _TYPES if isinstance(given, str) and fold_case(kind) == fold_case(given)), None)
        if kind is None or not isinstance(outer, Mapping):
            hint = did_you_mean(given, _TYPES)
            reader.add_problem(("properties", "computeType"), f"unknown computeType {format_value(given)}{hint}")
            return None
        return self._codecs[kind].read(
            {**_flatten_settings(body, outer), **read_identity(body, _TYPES[kind][0])}, (), reader
        )


def _flatten_settings(body: Mapping[str, Any], outer: Mapping[str, Any]) -> Json:
    inner = outer.get("properties")
    inner = _as_given(str(outer.get("computeType")), inner) if isinstance(inner, Mapping) else {}
    scale = inner.pop("scaleSettings", None)
    beside = {key: body[key] for key in _BESIDE if body.get(key) is not None}
    known = {fold_case(name) for name in _OUTER}
    above = {key: value for key, value in outer.items() if fold_case(str(key)) in known}
    return {**inner, **(scale if isinstance(scale, Mapping) else {}), **above, **beside}


def _by_type(noun: nouns.Compute, flat: Json) -> Json:
    """Put what a type of compute has under names of its own into place; give what stands above."""
    if isinstance(noun, nouns.KubernetesCompute):
        flat.update(flat.pop("properties", {}))
    elif isinstance(noun, nouns.VirtualMachineCompute):
        account = flat.pop("userAccountCredentials", {})
        port = account.pop("sshPort", None)
        names = {"adminUserName": "username", "adminUserPassword": "password", "adminUserSshPublicKey": "publicKeyData"}
        flat["administratorAccount"] = {names.get(key, key): value for key, value in account.items()}
        if port is not None:
            flat["sshPort"] = int(port) if str(port).isdecimal() else port
    elif isinstance(noun, nouns.ComputeInstance):
        minutes, access = flat.pop("idleTimeBeforeShutdownMinutes", None), flat.pop("sshPublicAccess", None)
        if minutes is not None:
            flat["idleTimeBeforeShutdown"] = f"PT{minutes}M"
        if access is not None or "sshSettings" in flat:
            flat["sshSettings"] = {**flat.get("sshSettings", {}), "sshPublicAccess": access or "Disabled"}
        return {"disableLocalAuth": access != "Enabled"}
    elif isinstance(noun, nouns.AmlCompute):
        return {"disableLocalAuth": noun.ssh_settings is None}
    return {}


def _as_given(kind: str, inner: Mapping[str, Any]) -> Json:
    """The properties of a type of compute under the names that its noun has; the opposite of `_by_type`."""
    flat = dict(inner)
    if fold_case(kind) == "kubernetes":
        rest = {key: value for key, value in flat.items() if key not in ("namespace", "properties")}
        known = {"namespace": flat["namespace"]} if flat.get("namespace") is not None else {}
        return {**known, "properties": {**(flat.get("properties") or {}), **rest}}
    if fold_case(kind) == "virtualmachine" and isinstance(account := flat.pop("administratorAccount", None), Mapping):
        names = {"username": "adminUserName", "password": "adminUserPassword", "publicKeyData": "adminUserSshPublicKey"}
        credentials = {names.get(key, key): value for key, value in account.items()}
        flat["userAccountCredentials"] = {**credentials, "sshPort": flat.pop("sshPort", None)}
    if fold_case(kind) == "computeinstance":
        if isinstance(ssh := flat.get("sshSettings"), Mapping):
            flat["sshSettings"] = {key: value for key, value in ssh.items() if key != "sshPublicAccess"} or None
            flat["sshPublicAccess"] = ssh.get("sshPublicAccess")
        minutes = re.fullmatch(r"PT(\d+)M", str(flat.get("idleTimeBeforeShutdown")))
        if minutes:
            flat["idleTimeBeforeShutdownMinutes"] = int(minutes[1])
    return flat


RESOURCES = _Computes()
