"""The `az` that `smalt exec` puts on the PATH: `az ml …` runs smalt, the usual other calls of scripts are answered.

The defaults of `az configure --defaults` and `az account set` are kept in the home, as `az` keeps them in ~/.azure.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from smalt.cli import app
from smalt.cli.az import keyvault as az_keyvault
from smalt.cli.az import sdk_v1
from smalt.cli.az import storage as az_storage
from smalt.cli.az.storage import AzCall
from smalt.cli.framework import failure
from smalt.cli.output import results as output
from smalt.client.scope.workspace_choice import AZ_DEFAULTS, read_az_defaults
from smalt.machine.home import Home

_EXTENSIONS = [{"name": "ml", "version": "2.0.0", "extensionType": "whl", "path": None, "preview": False}]


def main() -> None:
    """Run the `az` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:]
    if arguments[:1] == ["ml"] and sdk_v1.is_v1_call(arguments[1:]):
        importlib.import_module("smalt.cli.az.sdk_v1_services")  # adds its groups
        sys.exit(failure.run_guarded(sdk_v1.ml, arguments[1:]))
    if arguments[:1] == ["ml"]:
        sys.exit(failure.run_guarded(app.smalt, arguments[1:]))
    sys.exit(failure.run_guarded(_run_az, arguments))


@click.command(
    "az",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _run_az(arguments: tuple[str, ...]) -> None:
    if not arguments or arguments[0] in ("-h", "--help"):
        click.echo(
            "This 'az' is smalt's: 'az ml …' runs on this machine, and account, configure, group … are answered for it."
        )
        return
    call = _parse_call(list(arguments))
    answer = _find_answer(call.words)
    if answer is not None:
        result = answer(call)
        output.write_result(result, call.get_option("-o", "--output") or "json", call.get_option("--query"))
        return
    if "--version" in call.options or "-v" in call.options:
        click.echo("azure-cli  2.0.0 (smalt)\n\nExtensions:\nml         2.0.0")
        return
    raise click.ClickException(_describe_refusal(call.words))


def _describe_refusal(words: Sequence[str]) -> str:
    """Return why `az WORDS…` is refused, with the command that does the work here if there is one."""
    said = f"'az {' '.join(words[:3])}'"
    names = (" ".join(words[:length]) for length in (3, 2, 1) if len(words) >= length)
    instead = next((_INSTEAD[name] for name in names if name in _INSTEAD), None)
    if instead is not None:
        return f"{said} is not supported here; {instead}"
    known = ", ".join(sorted({name.partition(" ")[0] for name in _ANSWERS}))
    supported = f"'az ml' and the usual calls of {known}"
    return f"{said} concerns the cloud and is not supported here; this 'az' supports {supported}"


def _parse_call(arguments: list[str]) -> AzCall:
    words: list[str] = []
    options: dict[str, list[str]] = {}
    name = None
    for argument in arguments:
        if argument.startswith("-") and len(argument) > 1:
            name, equals, value = argument.partition("=")
            options.setdefault(name, []).extend([value] if equals else [])
        elif name is None:
            words.append(argument)
        else:
            options[name].append(argument)
    return AzCall(words, options)


def _show_account(call: AzCall) -> Any:
    id = _make_client().subscription_id
    return {
        "id": id, "name": id, "isDefault": True, "state": "Enabled", "environmentName": "AzureCloud",
        "tenantId": "smalt", "homeTenantId": "smalt", "user": {"name": "smalt", "type": "user"},
    }  # fmt: skip


def _set_account(call: AzCall) -> None:
    _write_defaults(subscription=call.get_option("-s", "--subscription", "-n", "--name"))


def _get_token(call: AzCall) -> Any:
    import time

    resource = call.get_option("--resource") or (call.get_option("--scope", "--scopes") or "").removesuffix("/.default")
    query = f"?resource={resource}" if resource else ""
    found = _open_connection().post(f"/smalt/v1/token{query}")
    expires = int(found["expires_on"])
    local = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(expires))
    return {
        "accessToken": found["access_token"], "expiresOn": local, "expires_on": expires,
        "subscription": _show_account(call)["id"], "tenant": "smalt", "tokenType": "Bearer",
    }  # fmt: skip


def _set_defaults(call: AzCall) -> Any:
    for text in [*call.options.get("--defaults", []), *call.options.get("-d", [])]:
        key, _, value = text.partition("=")
        _write_defaults(**{key: value or None})
    if "-l" in call.options or "--list-defaults" in call.options:
        return [{"name": key, "source": "smalt", "value": value} for key, value in _read_defaults().items()]
    return None


def _set_config(call: AzCall) -> None:
    """Run `az config set defaults.group=rg defaults.workspace=ws`."""
    for text in call.words[2:]:
        key, _, value = text.partition("=")
        if key.startswith("defaults."):
            _write_defaults(**{key.removeprefix("defaults."): value or None})


def _get_config(call: AzCall) -> Any:
    """Return the default named as in `az config get defaults.group`, or without a name all."""
    name = next(iter(call.words[2:]), "").removeprefix("defaults.")
    found = [{"name": key, "source": "smalt", "value": value} for key, value in _read_defaults().items()]
    return next((one for one in found if one["name"] == name), None) if name else {"defaults": found}


def _show_group(call: AzCall) -> Any:
    name = call.get_option("-n", "--name", "-g", "--resource-group") or _make_client().resource_group_name
    id = f"/subscriptions/{_show_account(call)['id']}/resourceGroups/{name}"
    return {"id": id, "name": name, "location": "local", "properties": {"provisioningState": "Succeeded"}}


_ANSWERS: dict[str, Callable[[AzCall], Any]] = {
    "account show": _show_account,
    "account list": lambda call: [_show_account(call)],
    "account set": _set_account,
    "account get-access-token": _get_token,
    "account clear": lambda call: None,
    "ad signed-in-user show": lambda call: {"id": "smalt", "displayName": "smalt", "userPrincipalName": "smalt"},
    "configure": _set_defaults,
    "config get": _get_config,
    "config set": _set_config,
    "extension add": lambda call: None,
    "extension update": lambda call: None,
    "extension remove": lambda call: None,
    "extension list": lambda call: _EXTENSIONS,
    "extension show": lambda call: _EXTENSIONS[0],
    "group create": _show_group,
    "group show": _show_group,
    "group list": lambda call: [_show_group(call)],
    "group exists": lambda call: True,
    "group delete": lambda call: None,
    "login": lambda call: [_show_account(call)],
    "logout": lambda call: None,
    "provider register": lambda call: None,
    **{
        name: partial(lambda answer, call: answer(_make_client(), call), answer)
        for name, answer in {**az_storage.ANSWERS, **az_keyvault.ANSWERS}.items()
    },
    "version": lambda call: {"azure-cli": "2.0.0", "azure-cli-core": "2.0.0", "extensions": {"ml": "2.0.0"}},
}


_WORKSPACE = "to create a workspace: smalt workspace create --name NAME -g GROUP"
_IMAGES = "images are built when a job needs them; to define one: smalt environment create --file FILE"
_NO_ROLES = "there are no roles and identities here, as the home's token permits everything; remove the line"
_INSTEAD = {
    "acr": _IMAGES,
    "ad": _NO_ROLES,
    "appconfig": "to change a setting of the home: smalt config set NAME VALUE",
    "deployment": _WORKSPACE,
    "identity": _NO_ROLES,
    "keyvault secret": "to store a secret: smalt secret set NAME; also: show, list, delete",
    "keyvault set-policy": _NO_ROLES,
    "monitor": "to see the metrics and resource usage of a job: smalt job metrics NAME",
    "resource": "to list workspaces: smalt workspace list",
    "role": _NO_ROLES,
    "storage": "to list and copy files of datastores: smalt datastore ls, upload and download",
    "storage account": "each workspace has its own account; to add another: smalt datastore create --file FILE",
    "storage container delete": "to delete a datastore: smalt datastore delete NAME",
}
"""Advice for the calls of `az` that smalt refuses."""


def _find_answer(words: Sequence[str]) -> Callable[[AzCall], Any] | None:
    names = (" ".join(words[:length]) for length in (4, 3, 2, 1) if len(words) >= length)
    return next((_ANSWERS[name] for name in names if name in _ANSWERS), None)


def is_answered(words: Sequence[str]) -> bool:
    """Return True if `az WORDS…`, other than `az ml`, does what scripts expect of it."""
    return _find_answer(words) is not None


def _make_client() -> Any:
    """Return the client of the workspace that `az ml` without options means."""
    from smalt.cli.framework.verb import Invocation

    unsaid = dict.fromkeys(("resource_group", "workspace_name", "subscription", "output", "query", "only_show_errors"))
    return Invocation(unsaid).client


def _open_connection() -> Any:
    from smalt.client.connection.connection import ApiConnection

    return ApiConnection.open()


def _write_defaults(**changes: str | None) -> None:
    home = Home.find()
    home.path("programs").mkdir(mode=0o700, parents=True, exist_ok=True)
    state = {**_read_defaults(), **changes}
    home.write(AZ_DEFAULTS, json.dumps({key: value for key, value in state.items() if value}) + "\n")


def _read_defaults() -> dict[str, str]:
    return read_az_defaults(Home.find())


if __name__ == "__main__":
    main()
