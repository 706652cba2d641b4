"""The submission of a job's file: the selection of its steps, its warnings, and the file of the created job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from smalt.cli.framework import documents
from smalt.cli.framework.verb import Invocation

_NO_EFFECT = "smalt.no_effect"
"""The server's property of a job with all that it says and that does nothing."""


def select_steps(
    ctx: Invocation, entity: Any, sets: Sequence[str], only: Sequence[str], since: Sequence[str], of: str | None
) -> tuple[Any, list[str]]:
    """Return the pipeline of the chosen steps, and lines about the others."""
    from smalt.client.jobs import step_selection

    selected, lines = step_selection.select_steps(ctx.client, entity, only, since, of, "--of")
    documents.check_sets_apply(sets, selected)
    return selected, list(lines)


def print_ineffective(ctx: Invocation, created: Any) -> None:
    """Print a warning for each part of the created job that the server says has no effect."""
    print_warnings(ctx, filter(None, str((created.properties or {}).get(_NO_EFFECT) or "").split("; ")))


def print_warnings(ctx: Invocation, warnings: Iterable[str]) -> None:
    for warning in warnings:
        ctx.print_note(f"warning: {warning}")


def find_ineffective(job: Any) -> list[str]:
    """Return a line for each part of the job that has no effect, as far as its files tell."""
    from smalt.entities.rules.ineffective_keys import list_ineffective_keys, list_shared_places, list_unused_inputs

    return [*list_unused_inputs(job), *list_shared_places(job), *list_ineffective_keys(job)]


def save_job(created: Any, path: str) -> None:
    """Write the created job to a file as YAML."""
    from smalt import yaml

    try:
        with open(path, "w") as file:
            file.write(yaml.dump(created))
    except OSError as error:
        raise click.ClickException(f"the job was created, but {path} cannot be written: {error.strerror}") from None
