"""`smalt schedule …`"""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.commands.stored_nouns import StoredNoun
from smalt.cli.framework import options
from smalt.cli.framework.verb import Invocation

schedule = StoredNoun(
    "schedule",
    "Schedules: jobs at set times.",
    ("name", "display_name", "is_enabled", "trigger.type", "description"),
    "schedules",
)


@schedule.verb(
    "update",
    options.make_name_options("The name; by default the file's.", needed=False),
    options.make_file_option("A file with the whole schedule.", first=False),
    options.EDITS,
    options.NO_WAIT,
)
def update_schedule(ctx: Invocation, name: str | None, file: str | None, **rest: Any) -> Any:
    """Change a schedule, by --set or a file."""
    if name is None and file is None:
        raise click.UsageError("say which one: smalt schedule update NAME, or --file FILE")
    return schedule.update(ctx, name, file, **rest)  # type: ignore[arg-type]  # a file has its own


_NAME = options.make_name_options("The name.")


@schedule.verb("enable", _NAME, options.NO_WAIT)
def enable_schedule(ctx: Invocation, name: str, no_wait: bool) -> Any:
    """Enable a schedule: it runs from its next time on."""
    return ctx.client.schedules.begin_enable(name).result()


@schedule.verb("disable", _NAME, options.NO_WAIT)
def disable_schedule(ctx: Invocation, name: str, no_wait: bool) -> Any:
    """Disable a schedule: it has no ticks until it is enabled again."""
    return ctx.client.schedules.begin_disable(name).result()


@schedule.verb("trigger", _NAME)
def trigger_schedule(ctx: Invocation, name: str) -> Any:
    """Make the job of a schedule now, whether or not it is enabled."""
    return ctx.client.schedules.trigger(name)


@schedule.verb(
    "list",
    options.MAX_RESULTS,
    click.Option(["--include-disabled"], is_flag=True, help="Include disabled schedules."),
    click.Option(["--disabled-only"], is_flag=True, help="Only disabled schedules."),
)
def list_schedules(ctx: Invocation, max_results: int | None, include_disabled: bool, disabled_only: bool) -> Any:
    """List schedules."""
    view = "DisabledOnly" if disabled_only else "All" if include_disabled else "EnabledOnly"
    return list(islice(ctx.client.schedules.list(list_view_type=view), max_results))
