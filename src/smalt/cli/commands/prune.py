"""`smalt prune`."""

from __future__ import annotations

import re
from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.transfers.progress import human

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class _Age(click.ParamType[float]):
    """An age such as 7d, in seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", str(value).strip())
        if found is None:
            self.fail(f"'{value}' is not an age; write a number and s, m, h, d or w, such as 7d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


def _prune(to: Invocation, older_than: float, dry_run: bool, yes: bool) -> Any:
    """Free space: working folders of ended jobs, outputs of failed and cancelled ones, and caches that nothing uses."""
    return free(to, older_than, dry_run, yes, "delete the files that old jobs left and the caches that nothing uses?")


def free(to: Invocation, older_than: float, dry_run: bool, yes: bool, question: str, only: str | None = None) -> Any:
    """`only` that kind of thing."""
    if not dry_run:
        to.confirm(yes, question)
    result = to.connection.post("/smalt/v1/prune", {"older_than": older_than, "dry_run": dry_run, "only": only})
    to.note(f"{'would free' if dry_run else 'freed'} {human(result['freed'])}")
    if to.output != "table":
        return result
    to.columns = ("kind", "name", "size")
    return [{**item, "size": human(item["bytes"])} for item in result["items"]]


OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--older-than"], type=_Age(), default="30d", show_default=True, metavar="AGE", help="Such as 7d or 12h."
    ),
    click.Option(["--dry-run"], is_flag=True, help="Only say what would go."),
    click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."),
]

prune = Verb("prune", _prune, OPTIONS, help=_prune.__doc__)
