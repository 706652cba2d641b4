"""`smalt exec -- CMD…`: a program written for Azure, led to this server; docs/official-client.md."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import signal
import stat
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.scope.workspace_choice import WEAK
from smalt.exceptions import NotFound, ValidationException
from smalt.machine import certificates

if TYPE_CHECKING:
    from smalt.machine.home import Home

_OTHER_LOGINS = (
    "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "MSI_ENDPOINT", "MSI_SECRET",
    "IDENTITY_SERVER_THUMBPRINT", "AZURE_TOKEN_CREDENTIALS",
)  # fmt: skip
"""DefaultAzureCredential would try these before the server's own token."""


def _exec(to: Invocation, command: tuple[str, ...], print_env: bool) -> None:
    """Run a program written for Azure's SDK or CLI, unedited, against this server.

    \b
        smalt exec -- python submit.py
        smalt exec -- bash train.sh          # 'az ml' in it is smalt
        eval "$(smalt exec --print-env)"
    """
    if bool(command) == print_env:
        raise click.UsageError("give a command after '--', or --print-env: smalt exec -- python submit.py")
    variables = _variables(to)
    if print_env:
        for name in _OTHER_LOGINS:
            click.echo(f"unset {name}")
        for name, value in variables.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        return
    environment = {name: value for name, value in os.environ.items() if name not in _OTHER_LOGINS}
    environment.update(variables)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and `yes | head` would never end
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), environment)
    except OSError as error:
        raise ValidationException(f"cannot run '{command[0]}': {error.strerror}") from None


exec = Verb(
    "exec",
    _exec,
    [
        click.Option(["--print-env"], is_flag=True, help="Print the variables as shell lines instead of running."),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND…"),
    ],
    help=_exec.__doc__,
)


def _variables(to: Invocation) -> dict[str, str]:
    answer: dict[str, str] = to.connection.post("/smalt/v1/tls")
    home = to.home
    token = home.token() if to.connection.local else os.environ.get("SMALT_TOKEN")
    bundle = _bundle(home, answer["authority"])
    hosts = {"127.0.0.1", "localhost", urlsplit(answer["url"]).hostname or ""}
    away = ",".join(sorted({*hosts, *os.environ.get("NO_PROXY", "").split(",")} - {""}))
    return {
        "AZUREML_DEV_URL_MFE": answer["url"],
        "IDENTITY_ENDPOINT": answer["identity"],
        "IDENTITY_HEADER": token or "",
        **dict.fromkeys(certificates.BUNDLES, bundle),
        "NO_PROXY": away,
        "no_proxy": away,
        "PATH": f"{programs(home)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **_workspace(to, answer["url"]),
    }


def _workspace(to: Invocation, url: str) -> dict[str, str]:
    """Return the variables for programs that read where they run, and where the vault is, from the environment."""
    client = to.client
    vault = {}
    with contextlib.suppress(NotFound):  # a workspace that is not made yet has none
        vault = {"AZURE_KEYVAULT_URL": f"{url}/vaults/{str(client.workspaces.get().key_vault).rpartition('/')[2]}"}
    if "AZURE_KEYVAULT_URL" in os.environ:
        vault = {}
    return {
        **vault,
        "SMALT_HOME": str(to.home.root),
        "AZURE_SUBSCRIPTION_ID": client.subscription_id,
        "AZUREML_ARM_SUBSCRIPTION": client.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": client.resource_group_name,
        "AZUREML_ARM_WORKSPACE_NAME": client.workspace_name,
        **({} if client.is_named else {WEAK: client.uploads_id}),
    }


def _bundle(home: Home, authority: str) -> str:
    """One file of all that may be trusted: what was before, and this server's authority."""
    text = certificates.with_own(os.environ, authority)
    home.path("tls").mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"tls/bundle-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pem"
    if not home.path(name).exists():
        home.write(name, text)
    return str(home.path(name))


def programs(home: Home) -> str:
    """The folder with `az`."""
    return program(home, "programs/az", "smalt.cli.az.program")


def program(home: Home, name: str, module: str) -> str:
    """The folder with a program of that name in the home, which runs a module of smalt's."""
    home.path(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n'
    if home.read(name) != text:
        home.write(name, text, mode=stat.S_IRWXU)
    return str(home.path(name).parent)
