"""`smalt mlflow …`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import click

from smalt.cli.framework.verb import Invocation, Noun

mlflow = Noun("mlflow", "MLflow: the tracking URI of this workspace, and MLflow's own pages.")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CREDENTIALS = "~/.mlflow/credentials"


@mlflow.verb(
    "uri",
    click.Option(["--env"], is_flag=True, help='Print lines for a shell: eval "$(smalt mlflow uri --env)".'),
    click.Option(["--with-token"], is_flag=True, help="Print the URI with the token in it."),
)
def print_uri(ctx: Invocation, env: bool, with_token: bool) -> Any:
    """Print the tracking URI of the workspace; with --env, all variables that an MLflow client needs.

    To set up a client on this machine: eval "$(smalt mlflow uri --env)"
    """
    if env and with_token:
        raise click.UsageError("--env has the token already; give one of --env and --with-token")
    found = get_tracking_uri(ctx)
    if env:
        text = "\n".join(_make_shell_lines(found, get_token(ctx)))
    elif with_token:
        text = found.replace("://", f"://smalt:{quote(get_token(ctx), safe='')}@", 1)
    else:
        text = found
    if ctx.has_output_options:
        return text
    click.echo(text)
    return None


def get_tracking_uri(ctx: Invocation) -> str:
    found = ctx.client.workspaces.get().mlflow_tracking_uri
    if not found:
        raise click.ClickException("the server is an older smalt without tracking; stop it with: smalt server stop")
    return str(found)


def get_token(ctx: Invocation) -> str:
    """Return the token of the server that this command connects to."""
    if not ctx.client.connection.is_local:
        return str(ctx.client.connection.server.token)
    found = ctx.home.read_token()
    if not found:
        path = ctx.home.path("token")
        raise click.ClickException(
            f"{path} is missing; the server creates it again at its next start: smalt server stop"
        )
    return found


def _make_shell_lines(uri: str, token: str) -> Iterator[str]:
    """Yield the shell lines for an MLflow client.

    A user name and password precede a token in MLflow, and a proxy precedes a direct connection, so both are
    overridden.
    """
    yield _format_export("MLFLOW_TRACKING_URI", uri)
    yield _format_export("MLFLOW_TRACKING_TOKEN", token)
    yield _format_export("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # there is no page at the URI
    if os.environ.get("MLFLOW_TRACKING_USERNAME") or os.path.exists(os.path.expanduser(_CREDENTIALS)):
        yield _format_export("MLFLOW_TRACKING_USERNAME", "smalt")
        yield _format_export("MLFLOW_TRACKING_PASSWORD", token)
    if os.environ.get("MLFLOW_REGISTRY_URI"):
        yield "unset MLFLOW_REGISTRY_URI"
    proxies = any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"))
    host = urlsplit(uri).hostname
    for name in ("NO_PROXY", "no_proxy") if proxies and host in _LOOPBACK else ():
        named = [one for one in os.environ.get(name, "").split(",") if one and one != host]
        yield _format_export(name, ",".join([*named, str(host)]))


def _format_export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


@mlflow.verb(
    "ui",
    click.Option(["--python"], metavar="PROGRAM", help="A Python that has the full mlflow package."),
    click.Option(["--no-browser"], is_flag=True, help="Only print the address."),
)
def open_ui(ctx: Invocation, python: str | None, no_browser: bool) -> None:
    """Open MLflow's own pages, if the full mlflow package is installed; end it with Ctrl-C."""
    import subprocess
    import sys

    from smalt.cli import mlflow_pages

    program = _find_python_with_pages(ctx, python)
    address, secret = get_tracking_uri(ctx), get_token(ctx)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment.update(MLFLOW_TRACKING_URI=address, MLFLOW_TRACKING_TOKEN=secret)
    command = [program, "-I", str(mlflow_pages.__file__), address]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pages:
        assert pages.stdout is not None
        assert pages.stdin is not None
        page = pages.stdout.readline().strip()
        if not page:
            raise click.ClickException(f"MLflow's pages do not start with {program}, for the reason above")
        click.echo(page)
        sys.stdout.flush()
        if not no_browser:
            click.launch(page)
        try:
            pages.wait()
        except KeyboardInterrupt:
            pages.stdin.close()


def _find_python_with_pages(ctx: Invocation, python: str | None) -> str:
    """Return a Python program that has MLflow's pages."""
    import subprocess
    import sys

    named = python or ctx.connection.get("/smalt/v1/config")["mlflow-python"]
    look = "import importlib.util as u; s = u.find_spec('mlflow'); print(s.submodule_search_locations[0] if s else '')"
    for program in [os.path.expanduser(named)] if named else [sys.executable]:
        try:
            found = subprocess.run([program, "-I", "-c", look], capture_output=True, text=True, timeout=60).stdout
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.strip() and os.path.exists(os.path.join(found.strip(), "server", "js", "build", "index.html")):
            return program
    asked = named or sys.executable
    raise click.ClickException(
        f"MLflow's pages are in the full mlflow package, which {asked} does not have; install it with "
        "'python3 -m venv ~/mlflow && ~/mlflow/bin/pip install mlflow==3.17.2', then "
        "'smalt mlflow ui --python ~/mlflow/bin/python'"
    )
