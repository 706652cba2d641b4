"""`smalt doctor`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.transfers.progress import format_bytes


def _run_doctor(ctx: Invocation, repair: bool, full: bool) -> Any:
    """Check that all stored files and records are sound; with --repair, repair them."""
    result = ctx.connection.post("/smalt/v1/doctor", {"repair": repair, "full": full})
    troubles = result["troubles"]
    for one in troubles:
        done = "repaired: " if one["repaired"] else "with --repair: " if one["repairable"] else ""
        ctx.print_note(f"{one['check']} {one['what']}: {one['problem']}; {done}{one['advice']}")
    ctx.print_note(describe_disk(result["disk"]))
    left = [one for one in troubles if not one["repaired"]]
    if not troubles:
        ctx.print_note(
            "everything is sound" if full else "no problems found; --full also reads the content of every file"
        )
    elif left:
        count = sum(one["repairable"] for one in left)
        hint = f"; smalt doctor --repair fixes {count}" if count and not repair else ""
        ctx.print_note(
            f"{len(left)} {'problem remains' if len(left) == 1 else 'problems remain'} of {len(troubles)}{hint}"
        )
    if ctx.has_output_options:
        ctx.print_result(troubles if ctx.output == "table" else result)
    if left:
        raise click.exceptions.Exit(1)


def describe_disk(disk: dict[str, Any]) -> str:
    """Return a sentence about how full a disk is."""
    share = 100 * (1 - disk["free"] / disk["size"]) if disk["size"] else 100
    free, size = format_bytes(disk["free"]), format_bytes(disk["size"])
    return f"the disk of the home is {share:.0f}% full: {free} of {size} are free"


doctor = Verb(
    "doctor",
    _run_doctor,
    [
        click.Option(["--repair"], is_flag=True, help="Repair what can be repaired without losing anything."),
        click.Option(["--full"], is_flag=True, help="Also read the content of every file."),
    ],
    help=_run_doctor.__doc__,
)
