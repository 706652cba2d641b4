"""`smalt job compare SWEEP`: its best trials side by side, or all of them as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smalt.client.jobs.trials import get_number, rank_trials
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation

Json = dict[str, Any]

_MOST = 5


def fetch_trials(ctx: Invocation, name: str) -> Json:
    """Return a sweep with its trials; raise UsageError for any other job."""
    try:
        return ctx.client.jobs.trials(name)
    except RefusedError as error:
        raise click.UsageError(f"{error}; name a second job to compare it with: smalt job compare {name} JOB") from None


def choose_best(ctx: Invocation, found: Json) -> list[str]:
    """Return the names of the best trials."""
    sweep = found["sweep"]
    ranked = rank_trials(found["trials"], sweep["goal"])
    best = [one["name"] for one in ranked if one["status"] == "Completed" and get_number(one["value"]) == one["value"]]
    if not best:
        raise click.ClickException(
            f"no trial of sweep {sweep['name']} has completed with a value of '{sweep['primary_metric']}',"
            " so there is nothing to compare"
        )
    if len(ranked) > min(_MOST, len(best)):
        shown = len(best[:_MOST])
        ctx.print_note(f"the best {shown} of {len(ranked)} trials; all of them: smalt job show {sweep['name']}")
    return best[:_MOST]


def write_page(ctx: Invocation, found: Json, path: str) -> Json | None:
    """Write the page with all trials of a sweep; return the sweep if the command line asks for a result."""
    from smalt.cli.jobs.sweep_page.page import render_page

    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(render_page(found))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    ctx.print_note(f"wrote {path}")
    return found if ctx.has_output_options else None
