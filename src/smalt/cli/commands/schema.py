"""`smalt schema`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb

KINDS = ("job", "component", "environment", "data", "model", "datastore", "compute", "workspace")


def _print_schema(ctx: Invocation, kind: str | None) -> Any:
    """Print the JSON Schema of a kind of file, or of all kinds together.

    An editor with the YAML language server uses it through a first line such as
    "# yaml-language-server: $schema=/path/to/job.schema.json".
    """
    from smalt.yaml import json_schema

    return json_schema(kind)


schema = Verb(
    "schema",
    _print_schema,
    [click.Argument(["kind"], required=False, type=click.Choice(KINDS))],
    help=_print_schema.__doc__,
)
