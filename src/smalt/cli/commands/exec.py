"""`smalt exec -- CMD…`: a program written for Azure, run against this server; see docs/official-client.md."""

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


def _run_program(ctx: Invocation, command: tuple[str, ...], print_env: bool) -> None:
    """Run a program written for Azure's SDK or CLI, unedited, against this server.

    \b
        smalt exec -- python submit.py
        smalt exec -- bash train.sh          # 'az ml' in it is smalt
        eval "$(smalt exec --print-env)"
    """
    if bool(command) == print_env:
        raise click.UsageError("give a command after '--', or --print-env: smalt exec -- python submit.py")
    variables = _build_variables(ctx)
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
    _run_program,
    [
        click.Option(["--print-env"], is_flag=True, help="Print the variables as shell lines instead of running."),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND…"),
    ],
    help=_run_program.__doc__,
)


def _build_variables(ctx: Invocation) -> dict[str, str]:
    answer: dict[str, str] = ctx.connection.post("/smalt/v1/tls")
    home = ctx.home
    token = home.read_token() if ctx.connection.is_local else os.environ.get("SMALT_TOKEN")
    bundle = _write_bundle(home, answer["authority"])
    hosts = {"127.0.0.1", "localhost", urlsplit(answer["url"]).hostname or ""}
    away = ",".join(sorted({*hosts, *os.environ.get("NO_PROXY", "").split(",")} - {""}))
    return {
        "AZUREML_DEV_URL_MFE": answer["url"],
        "IDENTITY_ENDPOINT": answer["identity"],
        "IDENTITY_HEADER": token or "",
        **dict.fromkeys(certificates.BUNDLES, bundle),
        "NO_PROXY": away,
        "no_proxy": away,
        "PATH": f"{install_az(home)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **_build_workspace_variables(ctx, answer["url"]),
    }


def _build_workspace_variables(ctx: Invocation, url: str) -> dict[str, str]:
    """Return the variables with the workspace and its vault, for programs that read them from the environment."""
    client = ctx.client
    vault = {}
    with contextlib.suppress(NotFound):  # a workspace that is not made yet has none
        vault = {"AZURE_KEYVAULT_URL": f"{url}/vaults/{str(client.workspaces.get().key_vault).rpartition('/')[2]}"}
    if "AZURE_KEYVAULT_URL" in os.environ:
        vault = {}
    return {
        **vault,
        "SMALT_HOME": str(ctx.home.root),
        "AZURE_SUBSCRIPTION_ID": client.subscription_id,
        "AZUREML_ARM_SUBSCRIPTION": client.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": client.resource_group_name,
        "AZUREML_ARM_WORKSPACE_NAME": client.workspace_name,
        **({} if client.is_named else {WEAK: client.uploads_id}),
    }


def _write_bundle(home: Home, authority: str) -> str:
    """Write one file of all trusted certificates, the user's and this server's authority, and return its path."""
    text = certificates.join_authorities(os.environ, authority)
    home.path("tls").mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"tls/bundle-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pem"
    if not home.path(name).exists():
        home.write(name, text)
    return str(home.path(name))


def install_az(home: Home) -> str:
    """Install `az` in the home and return its folder."""
    return install_program(home, "programs/az", "smalt.cli.az.program")


def install_program(home: Home, name: str, module: str) -> str:
    """Write a program of that name that runs a module of smalt, and return its folder."""
    home.path(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n'
    if home.read(name) != text:
        home.write(name, text, mode=stat.S_IRWXU)
    return str(home.path(name).parent)
