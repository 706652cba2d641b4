"""The `az` that `smalt exec` puts on the PATH: `az ml …` is smalt; of the rest, what scripts around it call.

It keeps what `az configure --defaults` and `az account set` say in the home, as `az` keeps it in ~/.azure.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from smalt.cli import app, az_storage, failure, output
from smalt.cli.az_storage import Call
from smalt.home import Home

_STATE = "programs/az.json"
_DEFAULTS = {"subscription": "--subscription", "group": "--resource-group", "workspace": "--workspace-name"}
_SHORT = {"--resource-group": "-g", "--workspace-name": "-w"}
_EXTENSIONS = [{"name": "ml", "version": "2.0.0", "extensionType": "whl", "path": None, "preview": False}]


def main() -> None:
    """The `az` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:]
    if arguments[:1] == ["ml"]:
        words = arguments[1:]
        sys.exit(failure.guarded(app.smalt, [*words[:2], *_defaults(words), *words[2:]]))
    sys.exit(failure.guarded(_az, arguments))


def _defaults(arguments: list[str]) -> list[str]:
    """The options that stand for the configured defaults, where the command does not give its own."""
    if len(arguments) < 2 or any(word in ("-h", "--help", "--version") for word in arguments):
        return []
    state, more = _read(), []
    for key, option in _DEFAULTS.items():
        names = tuple(filter(None, (option, _SHORT.get(option))))
        if state.get(key) and not any(word.partition("=")[0] in names for word in arguments):
            more += [option, state[key]]
    return more


@click.command(
    "az",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _az(arguments: tuple[str, ...]) -> None:
    if not arguments or arguments[0] in ("-h", "--help"):
        click.echo("This 'az' is smalt's: 'az ml …' runs on this machine; account, configure, group … answer for it.")
        return
    call = _parse(list(arguments))
    answer = _answer(call.words)
    if answer is not None:
        result = answer(call)
        output.write(result, call.option("-o", "--output") or "json", call.option("--query"))
        return
    if "--version" in call.options or "-v" in call.options:
        click.echo("azure-cli  2.0.0 (smalt)\n\nExtensions:\nml         2.0.0")
        return
    known = ", ".join(sorted({name.partition(" ")[0] for name in _ANSWERS}))
    raise click.ClickException(
        f"'az {' '.join(call.words[:3])}' is a matter of the cloud, which smalt does without; "
        f"it answers 'az ml' and the usual calls of {known}"
    )


def _parse(arguments: list[str]) -> Call:
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
    return Call(words, options)


def _account(call: Call) -> Any:
    state = _read()
    id = state.get("subscription") or _client().subscription_id
    return {
        "id": id, "name": id, "isDefault": True, "state": "Enabled", "environmentName": "AzureCloud",
        "tenantId": "smalt", "homeTenantId": "smalt", "user": {"name": "smalt", "type": "user"},
    }  # fmt: skip


def _set_account(call: Call) -> None:
    _write(subscription=call.option("-s", "--subscription", "-n", "--name"))


def _token(call: Call) -> Any:
    import time

    resource = call.option("--resource") or (call.option("--scope", "--scopes") or "").removesuffix("/.default")
    query = f"?resource={resource}" if resource else ""
    found = _connection().post(f"/smalt/v1/token{query}")
    expires = int(found["expires_on"])
    local = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(expires))
    return {
        "accessToken": found["access_token"], "expiresOn": local, "expires_on": expires,
        "subscription": _account(call)["id"], "tenant": "smalt", "tokenType": "Bearer",
    }  # fmt: skip


def _configure(call: Call) -> Any:
    for text in [*call.options.get("--defaults", []), *call.options.get("-d", [])]:
        key, _, value = text.partition("=")
        _write(**{key: value or None})
    if "-l" in call.options or "--list-defaults" in call.options:
        return [{"name": key, "source": "smalt", "value": value} for key, value in _read().items()]
    return None


def _config(call: Call) -> Any:
    """`az config get defaults.group`, and without a name all."""
    name = next(iter(call.words[2:]), "").removeprefix("defaults.")
    found = [{"name": key, "source": "smalt", "value": value} for key, value in _read().items()]
    return next((one for one in found if one["name"] == name), None) if name else {"defaults": found}


def _group(call: Call) -> Any:
    name = call.option("-n", "--name", "-g", "--resource-group") or _client().resource_group_name
    id = f"/subscriptions/{_account(call)['id']}/resourceGroups/{name}"
    return {"id": id, "name": name, "location": "local", "properties": {"provisioningState": "Succeeded"}}


_ANSWERS: dict[str, Callable[[Call], Any]] = {
    "account show": _account,
    "account list": lambda call: [_account(call)],
    "account set": _set_account,
    "account get-access-token": _token,
    "account clear": lambda call: None,
    "ad signed-in-user show": lambda call: {"id": "smalt", "displayName": "smalt", "userPrincipalName": "smalt"},
    "configure": _configure,
    "config get": _config,
    "config set": lambda call: None,
    "extension add": lambda call: None,
    "extension update": lambda call: None,
    "extension remove": lambda call: None,
    "extension list": lambda call: _EXTENSIONS,
    "extension show": lambda call: _EXTENSIONS[0],
    "group create": _group,
    "group show": _group,
    "group list": lambda call: [_group(call)],
    "group exists": lambda call: True,
    "group delete": lambda call: None,
    "login": lambda call: [_account(call)],
    "logout": lambda call: None,
    "provider register": lambda call: None,
    **{
        name: partial(lambda answer, call: answer(_client(), call), answer)
        for name, answer in az_storage.ANSWERS.items()
    },
    "version": lambda call: {"azure-cli": "2.0.0", "azure-cli-core": "2.0.0", "extensions": {"ml": "2.0.0"}},
}


def _answer(words: Sequence[str]) -> Callable[[Call], Any] | None:
    names = (" ".join(words[:length]) for length in (4, 3, 2, 1) if len(words) >= length)
    return next((_ANSWERS[name] for name in names if name in _ANSWERS), None)


def is_answered(words: Sequence[str]) -> bool:
    """Whether `az WORDS…`, none of `az ml`, does here what scripts expect of it."""
    return _answer(words) is not None


def _client() -> Any:
    from smalt.client import MLClient

    state = _read()
    return MLClient(
        subscription_id=state.get("subscription"),
        resource_group_name=state.get("group"),
        workspace_name=state.get("workspace"),
    )


def _connection() -> Any:
    from smalt.client.connection import Connection

    return Connection.open()


def _read() -> dict[str, str]:
    try:
        found = json.loads(Home.find().read(_STATE) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(**changes: str | None) -> None:
    home = Home.find()
    home.path("programs").mkdir(mode=0o700, parents=True, exist_ok=True)
    state = {**_read(), **changes}
    home.write(_STATE, json.dumps({key: value for key, value in state.items() if value}) + "\n")


if __name__ == "__main__":
    main()
