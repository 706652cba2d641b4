"""`smalt prune`."""

from __future__ import annotations

import re
from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.transfers.progress import format_bytes

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class _AgeType(click.ParamType[float]):
    """An age such as 7d, converted to seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", str(value).strip())
        if found is None:
            self.fail(f"'{value}' is not an age; write a number and s, m, h, d or w, such as 7d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


def _prune_all(ctx: Invocation, older_than: float, dry_run: bool, yes: bool) -> Any:
    """Free disk space: working folders of ended jobs, outputs of failed and canceled jobs, and unused caches."""
    return free_space(ctx, older_than, dry_run, yes, "delete old jobs' files and unused caches?")


def free_space(
    ctx: Invocation, older_than: float, dry_run: bool, yes: bool, question: str, only: str | None = None
) -> Any:
    """Delete old files of all kinds, or of the kind `only`, after asking `question`; return what was freed."""
    if not dry_run:
        ctx.confirm(yes, question)
    result = ctx.connection.post("/smalt/v1/prune", {"older_than": older_than, "dry_run": dry_run, "only": only})
    ctx.print_note(f"{'would free' if dry_run else 'freed'} {format_bytes(result['freed'])}")
    if ctx.output != "table":
        return result
    ctx.columns = ("kind", "name", "size")
    return [{**item, "size": format_bytes(item["bytes"])} for item in result["items"]]


OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--older-than"],
        type=_AgeType(),
        default="30d",
        show_default=True,
        metavar="AGE",
        help="The least age, such as 7d or 12h.",
    ),
    click.Option(["--dry-run"], is_flag=True, help="Only show what would be deleted."),
    click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."),
]

prune = Verb("prune", _prune_all, OPTIONS, help=_prune_all.__doc__)
