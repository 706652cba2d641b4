"""Compute targets."""

from __future__ import annotations

import ast

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

_FIELDS = {
    "vm_size": "size",
    "min_nodes": "min_instances",
    "max_nodes": "max_instances",
    "idle_seconds_before_scaledown": "idle_time_before_scale_down",
    "description": "description",
    "tags": "tags",
    "location": "location",
}
_SSH = {
    "admin_username": "admin_username",
    "admin_user_password": "admin_password",
    "admin_user_ssh_key": "ssh_key_value",
}
_NETWORK = {"vnet_name": "vnet_name", "subnet_name": "subnet"}


@rule("ComputeTarget", "AmlCompute", "ComputeInstance", "RemoteCompute", "DsvmCompute", takes="workspace name")
def _get_compute(call: Call) -> Value:
    return call.make(f"{call.client}.compute.get({call.require('name').code})", "ComputeTarget")


@rule(
    "AmlCompute.provisioning_configuration",
    takes="vm_size vm_priority min_nodes max_nodes idle_seconds_before_scaledown admin_username "
    "admin_user_password admin_user_ssh_key vnet_resourcegroup_name vnet_name subnet_name tags "
    "description remote_login_port_public_access identity_type identity_id location "
    "enable_node_public_ip",
)
def _describe_cluster(call: Call) -> Value:
    name = call.recall().get("name")
    arguments = [("name", name)] if name else []
    arguments += [(_FIELDS[key], value.code) for key, value in call.arguments.items() if key in _FIELDS]
    given = set(call.arguments)
    priority = call.get("vm_priority")
    if priority is not None:
        tiers = {"dedicated": "dedicated", "lowpriority": "low_priority"}
        if priority.constant not in tiers:
            raise call.refuse("v2's tier is 'dedicated' or 'low_priority'; the text does not tell which this is")
        arguments.append(("tier", quote(tiers[priority.constant])))
    if given & set(_SSH):
        parts = [(_SSH[key], value.code) for key, value in call.arguments.items() if key in _SSH]
        arguments.append(("ssh_settings", make_call(call.entity("AmlComputeSshSettings"), parts, call.indent + "    ")))
    if given & set(_NETWORK):
        parts = [(_NETWORK[key], value.code) for key, value in call.arguments.items() if key in _NETWORK]
        arguments.append(("network_settings", make_call(call.entity("NetworkSettings"), parts, call.indent + "    ")))
    access = call.get("remote_login_port_public_access")
    if access is not None and str(access.constant).lower() != "notspecified":
        arguments.append(
            (
                "ssh_public_access_enabled",
                f'{access.code}.lower() == "enabled"' if access.constant is not str else "True",
            )
        )
    arguments += _write_identity(call)
    public = call.get("enable_node_public_ip")
    arguments += [("enable_node_public_ip", public.code)] if public is not None else []
    differs = (
        "the resource group of the network is part of the subnet's id in v2"
        if "vnet_resourcegroup_name" in given
        else ""
    )
    return call.build(call.entity("AmlCompute"), arguments, "ComputeConfiguration", differs=differs)


def _write_identity(call: Call) -> list[tuple[str, str]]:
    kind, ids = call.get("identity_type"), call.get("identity_id")
    if kind is None:
        return []
    types = {"UserAssigned": "user_assigned", "SystemAssigned": "system_assigned"}
    if kind.constant not in types:
        raise call.refuse("the text does not tell which identity this is")
    parts = [("type", quote(types[kind.constant]))]
    if ids is not None:
        identity = call.entity("ManagedIdentityConfiguration")
        parts.append(("user_assigned_identities", f"[{identity}(resource_id=one) for one in {ids.code}]"))
    return [("identity", make_call(call.entity("IdentityConfiguration"), parts, call.indent + "    "))]


@rule(
    "ComputeInstance.provisioning_configuration",
    takes="vm_size ssh_public_access admin_user_ssh_public_key vnet_resourcegroup_name vnet_name "
    "subnet_name tags description assigned_user_object_id assigned_user_tenant_id",
)
def _describe_instance(call: Call) -> Value:
    call.check_no_others("vm_size", "tags", "description", "ssh_public_access")
    name = call.recall().get("name")
    arguments = [("name", name)] if name else []
    arguments += [
        (_FIELDS.get(key, key), value.code) for key, value in call.arguments.items() if key != "ssh_public_access"
    ]
    return call.build(call.entity("ComputeInstance"), arguments, "ComputeConfiguration")


@rule(
    "RemoteCompute.attach_configuration",
    takes="address username password private_key_file private_key_passphrase ssh_port resource_id",
)
def _describe_machine(call: Call) -> Value:
    call.check_no_others("username", "password", "private_key_file", "ssh_port", "resource_id")
    if call.get("resource_id") is None:
        raise call.refuse("v2 attaches a machine by its resource_id, not by its address")
    name = call.recall().get("name")
    arguments = [("name", name)] if name else []
    arguments.append(("resource_id", call.arguments["resource_id"].code))
    words = {"username": "admin_username", "password": "admin_password", "ssh_port": "ssh_port",
             "private_key_file": "ssh_private_key_file"}  # fmt: skip
    parts = [(words[key], value.code) for key, value in call.arguments.items() if key in words]
    settings = make_call(call.entity("VirtualMachineSshSettings"), parts, call.indent + "    ")
    arguments += [("ssh_settings", settings)] if parts else []
    return call.build(call.entity("VirtualMachineCompute"), arguments, "ComputeConfiguration")


@rule("ComputeTarget.attach", "RemoteCompute.attach", takes="workspace name attach_configuration")
def _attach_compute(call: Call) -> Value:
    return _create_compute(call)


@rule(
    "ComputeTarget.create",
    "AmlCompute.create",
    "ComputeInstance.create",
    takes="workspace name provisioning_configuration",
)
def _create_compute(call: Call) -> Value:
    name = call.require("name")
    configuration = call.get("attach_configuration") or call.require("provisioning_configuration")
    if configuration.kind != "ComputeConfiguration":
        raise call.refuse("the text does not tell which configuration this is")
    configuration.facts["name"] = name.code
    if not _is_known_before(call, name, configuration):
        call.rewriter.before.append(f"{configuration.code}.name = {name.code}")
        configuration.facts["name"] = None
    code = f"{call.client}.compute.begin_create_or_update({configuration.code}).result()"
    return call.make(code, "ComputeTarget")


def _is_known_before(call: Call, name: Value, configuration: Value) -> bool:
    """Return True if the name means the same where the configuration is made."""
    if not configuration.variable:
        return name.is_text and not name.variable
    if name.is_text and not name.variable:
        return True
    assert name.node is not None
    used = [one.id for one in ast.walk(name.node) if isinstance(one, ast.Name)]
    return all(call.rewriter.scope.count(one) <= 1 and call.rewriter.scope.is_settled(one) for one in used)


@rule("ComputeTarget.wait_for_completion", takes="show_output min_node_count timeout_in_minutes is_delete_operation")
def _wait_for_compute(call: Call) -> Value:
    return call.make("", dropped=True)


@rule("ComputeTarget.get_status", takes="")
def _get_compute_status(call: Call) -> Value:
    code = f"{call.client}.compute.get({call.object.code}.name)"
    return call.make(code, "ComputeStatus", differs="v2 answers with the compute itself")


@rule("ComputeStatus.serialize", "ComputeTarget.serialize", takes="")
def _serialize_status(call: Call) -> Value:
    return call.make(call.object.code)


@rule("ComputeTarget.status")
def _read_status(call: Call) -> Value:
    return call.make(call.object.code, "ComputeStatus")


@rule(
    "ComputeTarget.name", "ComputeTarget.type", "ComputeTarget.provisioning_state", "ComputeTarget.provisioning_errors"
)
def _read_compute_field(call: Call) -> Value:
    field = call.name.split(".")[1]
    code = call.rewriter.source.get_text(call.node)
    if call.object.changed:
        code = f"{call.object.code}.{field}"
    differs = "v2 writes types in lower case: 'amlcompute'" if field == "type" else ""
    return call.make(code, differs=differs)


@rule("ComputeTarget.cluster_resource_id")
def _read_compute_id(call: Call) -> Value:
    return call.make(f"{call.object.code}.id")


@rule("ComputeTarget.vm_size")
def _read_compute_size(call: Call) -> Value:
    return call.make(f"{call.object.code}.size")


@rule("ComputeTarget.delete", takes="")
def _delete_compute(call: Call) -> Value:
    return call.make(f"{call.client}.compute.begin_delete({call.object.code}.name)")


@rule("ComputeTarget.list_nodes", takes="")
def _list_nodes(call: Call) -> Value:
    return call.make(
        f"list({call.client}.compute.list_nodes({call.object.code}.name))", differs="entities, not dictionaries"
    )


@rule("ComputeTarget.update", takes="min_nodes max_nodes idle_seconds_before_scaledown")
def _update_compute(call: Call) -> Value:
    for key, value in call.arguments.items():
        call.rewriter.before.append(f"{call.object.code}.{_FIELDS[key]} = {value.code}")
    return call.make(f"{call.client}.compute.begin_create_or_update({call.object.code}).result()")


@rule("AmlCompute.supported_vmsizes", takes="workspace location")
def _list_sizes(call: Call) -> Value:
    location = call.get("location")
    inner = f"location={location.code}" if location is not None else ""
    return call.make(f"{call.client}.compute.list_sizes({inner})", differs="entities, not dictionaries")


def read_compute(value: Value) -> str:
    """Return the code of a job's compute: the name of what v1 gave as an object or as a name."""
    if value.kind == "ComputeTarget":
        return f"{value.code}.name"
    return value.code
