"""`smalt compute …`."""

from __future__ import annotations

import os
from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun

compute = Noun(
    "compute",
    "Computes: names for the places where jobs run.",
    ("name", "type", "size", "min_instances", "max_instances", "provisioning_state", "state"),
)

_NAME = options.make_name_options("The compute's name.")
_ANY_TYPE = click.Option(["-t", "--type"], metavar="TYPE", help="Accepted; there is one kind of machine.")
_SETTINGS = [
    click.Option(["-t", "--type"], metavar="TYPE", help="AmlCompute, ComputeInstance …"),
    click.Option(["--size"], metavar="SIZE", help="The size of its machines."),
    click.Option(["--tier"], metavar="TIER", help="dedicated or low_priority."),
    click.Option(["--min-instances"], type=int, metavar="N", help="The fewest machines."),
    click.Option(["--max-instances"], type=int, metavar="N", help="The most machines."),
    click.Option(
        ["--idle-time-before-scale-down"], type=int, metavar="SECONDS", help="Seconds until idle machines are released."
    ),
    click.Option(["--identity-type"], metavar="TYPE", help="system_assigned or user_assigned."),
    click.Option(["-i", "--user-assigned-identities"], metavar="IDS", help="Identities, separated by commas."),
    click.Option(["--resource-id"], metavar="ID", help="The ARM id of the attached resource."),
    click.Option(["--namespace"], metavar="NAME", help="The Kubernetes namespace of its jobs."),
    options.DESCRIPTION,
    options.LOCATION,
    options.TAGS,
]
_CLOUD = [
    click.Option([f"--{name}"], metavar="VALUE", hidden=True)
    for name in (
        "vnet-name", "subnet", "admin-username", "admin-password", "ssh-key-value", "user-object-id", "user-tenant-id",
        "instance-type-config", "private-key-file", "attach-username", "attach-password",
    )
] + [
    click.Option([f"--{name}"], type=click.BOOL, hidden=True)
    for name in ("ssh-public-access-enabled", "enable-node-public-ip")
]  # fmt: skip
_KEYS = (
    "name", "type", "size", "tier", "min_instances", "max_instances", "idle_time_before_scale_down", "description",
    "location", "resource_id", "namespace",
)  # fmt: skip
_CREATED = (
    options.make_file_option("The compute's YAML file.", first=False),
    *options.make_name_options("Its name.", needed=False),
)


@compute.verb("create", *_CREATED, _SETTINGS, _CLOUD, options.SET, options.NO_WAIT)
def create_compute(ctx: Invocation, file: str | None, set: tuple[str, ...], **given: Any) -> Any:
    """Create a compute: a name that jobs can be sent to; they run on this machine."""
    entity = documents.read_document("compute", file, set, _build_settings(given))
    return ctx.client.compute.begin_create_or_update(entity).result()


@compute.verb("attach", *_CREATED, _SETTINGS, _CLOUD, options.SET, options.NO_WAIT)
def attach_compute(ctx: Invocation, file: str | None, set: tuple[str, ...], **given: Any) -> Any:
    """Create a compute, as create does."""
    return create_compute(ctx, file, set, **given)


@compute.verb("show", _NAME)
def show_compute(ctx: Invocation, name: str) -> Any:
    """Show a compute."""
    return ctx.client.compute.get(name)


@compute.verb(
    "list", click.Option(["-t", "--type"], metavar="TYPE", help="Only those of this type."), options.MAX_RESULTS
)
def list_computes(ctx: Invocation, type: str | None, max_results: int | None) -> Any:
    """List computes."""
    found = ctx.client.compute.list()
    return list(islice((each for each in found if type is None or str(each.type).lower() == type.lower()), max_results))


@compute.verb("update", _NAME, _SETTINGS, _CLOUD, options.EDITS, options.NO_WAIT)
def update_compute(ctx: Invocation, name: str, **given: Any) -> Any:
    """Change a compute."""
    changes = {key: given.pop(key) for key in ("set", "add", "remove", "force_string")}
    compute, settings = ctx.client.compute, _build_settings(given)
    there = compute.get(name)
    return documents.update_entity(
        there, changes, lambda entity: compute.begin_create_or_update(entity).result(), settings
    )


@compute.verb("delete", _NAME, options.YES, options.NO_WAIT, click.Option(["--action"], metavar="ACTION", hidden=True))
def delete_compute(ctx: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Delete a compute."""
    ctx.confirm(yes, f"delete the compute {name}?")
    ctx.client.compute.begin_delete(name)


@compute.verb("detach", _NAME, options.YES, options.NO_WAIT)
def detach_compute(ctx: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Delete a compute, as delete does."""
    delete_compute(ctx, name, yes)


@compute.verb("start", _NAME, options.NO_WAIT)
def start_compute(ctx: Invocation, name: str, no_wait: bool) -> None:
    """Show a compute instance as running. A compute is this machine, which is running anyway."""
    ctx.client.compute.get(name)
    ctx.client.compute.begin_start(name).wait()


@compute.verb("stop", _NAME, options.NO_WAIT)
def stop_compute(ctx: Invocation, name: str, no_wait: bool) -> None:
    """Show a compute instance as stopped. A compute is this machine, which keeps running."""
    ctx.client.compute.get(name)
    ctx.client.compute.begin_stop(name).wait()
    ctx.print_note(f"{name} is this machine, which keeps running")


@compute.verb("restart", _NAME, options.NO_WAIT)
def restart_compute(ctx: Invocation, name: str, no_wait: bool) -> None:
    """Show a compute instance as running. A compute is this machine, which keeps running."""
    ctx.client.compute.get(name)
    ctx.client.compute.begin_restart(name).wait()
    ctx.print_note(f"{name} is this machine, which keeps running")


@compute.verb("list-nodes", _NAME, columns=("node_id", "node_state", "private_ip_address"))
def list_nodes(ctx: Invocation, name: str) -> Any:
    """List the machines of a compute: this one."""
    import socket

    ctx.client.compute.get(name)
    return [{"node_id": socket.gethostname(), "node_state": "idle", "private_ip_address": "127.0.0.1", "port": None}]


@compute.verb(
    "list-sizes", options.LOCATION, click.Option(["-t", "--type"], metavar="TYPE", help="Accepted."), columns=()
)
def list_sizes(ctx: Invocation, **_: Any) -> Any:
    """List the sizes of machines: this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [{"name": "local", "family": "local", "v_cpus": os.cpu_count(), "memory_gb": round(memory / 2**30, 1)}]


@compute.verb("list-usage", options.LOCATION, columns=())
def list_usage(ctx: Invocation, location: str | None) -> Any:
    """List the usage of quotas: none, as this machine has no quotas."""
    return []


compute.add_refusal("connect-ssh", "computes are this machine, so there is nothing to connect to")
compute.add_refusal("enable-sso", "computes are this machine, so there is nothing to sign on to")


def _build_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a compute's YAML from the options, without those of the cloud."""
    settings = {key: given[key] for key in _KEYS if given.get(key) is not None}
    if given["tags"]:
        settings["tags"] = edits.parse_tags(given["tags"])
    identities = [{"resource_id": each} for each in (given["user_assigned_identities"] or "").split(",") if each]
    if given["identity_type"] is not None:
        settings["identity"] = {"type": given["identity_type"]}
        if identities:
            settings["identity"]["user_assigned_identities"] = identities
    return settings
