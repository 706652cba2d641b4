"""Measure smalt against floors and peers of the same run and print the table; --keep adds it to bench/results.md.

    python bench/run.py [row …] [--official PYTHON] [--peers PYTHON]

Rows: chain wide reused large import help build warm cold plugin snapshot peers. Without names, all. --official is a
Python that has azure-ai-ml, --peers one that has luigi and redun; rows that need them are left out without.
`chain` and `wide` are measured with the hand-over off, too (docs/internals/handover.md), and where the time of their
nodes goes is shown in a table of its own.

ext4 makes files ten times slower for five minutes after many were deleted nearby: then name a new folder, best one at
the root of the disk, by TMPDIR.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import breakdown
import building
import common
import pipelines
import snapshot

import client

RESULTS = Path(__file__).with_name("results.md")


class Row(NamedTuple):
    what: str
    measured: str
    floor: str
    ratio: str
    reach: str
    without_handover: str = "–"
    """What was measured with the hand-over switched off."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--official")
    parser.add_argument("--peers")
    parser.add_argument("--keep", action="store_true", help="add the table to bench/results.md")
    arguments = parser.parse_args()
    measures: dict[str, Callable[[], list[tuple[str, ...]]]] = {
        "chain": pipelines.chain,
        "wide": pipelines.wide,
        "reused": pipelines.reused,
        "large": pipelines.large,
        "import": lambda: client.imports(arguments.official),
        "help": client.help,
        "build": lambda: building.build(arguments.official),
        "warm": client.warm,
        "cold": client.cold,
        "plugin": client.plugin,
        "snapshot": lambda: snapshot.rows(),
        "peers": lambda: pipelines.peers(arguments.peers),
    }
    chosen = [measure for name, measure in measures.items() if name in (arguments.rows or measures)]
    try:
        text = render([Row(*row) for measure in chosen for row in measure()])
        if pipelines.parts:
            text += f"\n\n{breakdown.render(pipelines.parts)}"
    finally:
        common.clean()
    print(text)
    if arguments.keep:
        keep(text)
    return 0


def render(table: list[Row]) -> str:
    lines = ["| what | measured | against | ratio | reach | hand-over off |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in table])


def keep(text: str) -> None:
    """Results are kept with their date and commit, newest first."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    head = f"## {datetime.date.today().isoformat()} at {commit}, Python {sys.version.split()[0]}\n\n"
    title = "# Results\n\nRatios within one run; absolute numbers are of that machine and moment only.\n\n"
    old = RESULTS.read_text().removeprefix(title) if RESULTS.exists() else ""
    RESULTS.write_text(f"{title}{head}{text}\n\n{old}")


if __name__ == "__main__":
    sys.exit(main())
