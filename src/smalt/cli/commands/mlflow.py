"""`smalt mlflow …`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import click

from smalt.cli.framework.verb import Invocation, Noun

mlflow = Noun("mlflow", "MLflow: where it finds this workspace, and its own pages.")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CREDENTIALS = "~/.mlflow/credentials"


@mlflow.verb(
    "uri",
    click.Option(["--env"], is_flag=True, help='Print lines for a shell: eval "$(smalt mlflow uri --env)".'),
    click.Option(["--with-token"], is_flag=True, help="Print the URI with the token in it."),
)
def uri(to: Invocation, env: bool, with_token: bool) -> Any:
    """Print the tracking URI of the workspace; with --env, all that an MLflow client needs.

    On this machine a client is ready after: eval "$(smalt mlflow uri --env)"
    """
    if env and with_token:
        raise click.UsageError("--env has the token already; give one of --env and --with-token")
    found = tracking_uri(to)
    if env:
        text = "\n".join(_lines(found, token(to)))
    elif with_token:
        text = found.replace("://", f"://smalt:{quote(token(to), safe='')}@", 1)
    else:
        text = found
    if to.wants_result:
        return text
    click.echo(text)
    return None


def tracking_uri(to: Invocation) -> str:
    found = to.client.workspaces.get().mlflow_tracking_uri
    if not found:
        raise click.ClickException("the server is of an older smalt, without tracking; end it with: smalt server stop")
    return str(found)


def token(to: Invocation) -> str:
    """Of the server that this command speaks to."""
    if not to.client.connection.local:
        return str(to.client.connection.server.token)
    found = to.home.token()
    if not found:
        path = to.home.path("token")
        raise click.ClickException(f"{path} is gone; the server makes it again when it next starts: smalt server stop")
    return found


def _lines(uri: str, token: str) -> Iterator[str]:
    """A name and password, where MLflow has some already, go before a token; and so does a proxy."""
    yield _export("MLFLOW_TRACKING_URI", uri)
    yield _export("MLFLOW_TRACKING_TOKEN", token)
    yield _export("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # there is no page at the URI
    if os.environ.get("MLFLOW_TRACKING_USERNAME") or os.path.exists(os.path.expanduser(_CREDENTIALS)):
        yield _export("MLFLOW_TRACKING_USERNAME", "smalt")
        yield _export("MLFLOW_TRACKING_PASSWORD", token)
    if os.environ.get("MLFLOW_REGISTRY_URI"):
        yield "unset MLFLOW_REGISTRY_URI"
    proxies = any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"))
    host = urlsplit(uri).hostname
    for name in ("NO_PROXY", "no_proxy") if proxies and host in _LOOPBACK else ():
        named = [one for one in os.environ.get(name, "").split(",") if one and one != host]
        yield _export(name, ",".join([*named, str(host)]))


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


@mlflow.verb(
    "ui",
    click.Option(["--python"], metavar="PROGRAM", help="A Python that has the full mlflow package."),
    click.Option(["--no-browser"], is_flag=True, help="Only print the address."),
)
def ui(to: Invocation, python: str | None, no_browser: bool) -> None:
    """Open MLflow's own pages, where the full mlflow package is installed; end it with Ctrl-C."""
    import subprocess
    import sys

    from smalt.cli.commands import mlflow_pages

    program = _with_pages(to, python)
    address, secret = tracking_uri(to), token(to)
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


def _with_pages(to: Invocation, python: str | None) -> str:
    """A Python program that has MLflow's pages."""
    import subprocess
    import sys

    named = python or to.connection.get("/smalt/v1/config")["mlflow-python"]
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
