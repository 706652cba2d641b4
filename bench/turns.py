"""Compare the CPU of a pipeline's nodes between worktrees, in turn, so that all of them see the same machine.

    python bench/turns.py KIND WORKTREE… [--rounds N] [--count N]

KIND: chain, written (a chain whose steps write what the next one is given), wide, reused or sweep
(whose trials run `true`, two at a time; it fails, as they log nothing). Each worktree is a folder
with a virtual environment `.venv` of its own; `FOLDER@off` runs its server with the hand-over off. Printed are medians
over the rounds, in ms a node; on a machine with other work only the proportions tell.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from pathlib import Path

import breakdown
import common
import sweep

KINDS = {
    "chain": common.chain,
    "written": lambda count: common.chain(count).replace("'true'", "'echo 1 > ${{outputs.o}}/f'"),
    "wide": common.wide,
    "reused": lambda count: common.chain(count, force_rerun=False),
    "sweep": lambda count: sweep.TRUE.format(count=count),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("worktrees", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=200)
    asked = parser.parse_args()
    file = common.write(common.folder(), KINDS[asked.kind](asked.count))
    found: dict[str, list[tuple[float, float, float]]] = {place: [] for place in asked.worktrees}
    with contextlib.ExitStack() as homes:
        environments = {}
        for place in asked.worktrees:
            folder, _, switch = place.partition("@")
            common.PROGRAM[:] = [f"{folder}/.venv/bin/smalt"]
            environments[place] = homes.enter_context(common.home(hands_over=switch != "off"))
            common.smalt(environments[place], "config", "set", "cpus", "2")
            common.smalt(environments[place], "server", "start")
        for number in range(asked.rounds + 1):
            for place, environment in environments.items():
                common.PROGRAM[:] = [f"{place.partition('@')[0]}/.venv/bin/smalt"]
                ends = "Failed" if asked.kind == "sweep" else "Completed"
                found[place].append(measure(environment, file, f"bench-{number}", asked.count, ends))
    print(f"| {asked.kind}: ms a node | server, user + system | launcher, user + system | clock |\n|---|---|---|---|")
    for place, rounds in found.items():
        server, launcher, clock = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        print(f"| {Path(place).name} | {server:.2f} | {launcher:.2f} | {clock:.2f} |")
    common.clean()


def measure(
    environment: dict[str, str], file: str, name: str, count: int, ends: str = "Completed"
) -> tuple[float, float, float]:
    """Run the job; return CPU of server and launcher and the time that it took, in ms a node."""
    usage = breakdown.Usage(environment)
    common.smalt(environment, "job", "create", "-f", file, "--name", name, "-o", "none")
    if (status := common.wait(environment, name)) != ends:
        raise SystemExit(f"{name} is {status}")
    server, launcher = usage.spent(count)
    usage.settle()
    return server, launcher, common.seconds(environment, name) * 1000 / count


if __name__ == "__main__":
    main()
