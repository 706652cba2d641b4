"""Compare the CPU of a pipeline's nodes between worktrees, in turn, so that all of them see the same machine.

    python bench/turns.py KIND WORKTREE… [--rounds N] [--count N] [--stream]

KIND: chain, written (a chain whose steps write what the next one is given), wide, reused or sweep
(whose trials run `true`, two at a time; it fails, as they log nothing). Each worktree is a folder
with a virtual environment `.venv` of its own; `FOLDER@off` runs its server with the hand-over off. Printed are medians
over the rounds, in ms a node; on a machine with other work only the proportions tell. With --stream the command line
follows the job, its CPU is a column of its own, and the clock is that of the command.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import time
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
    parser.add_argument("--stream", action="store_true")
    asked = parser.parse_args()
    file = common.write(common.folder(), KINDS[asked.kind](asked.count))
    found: dict[str, list[tuple[float, ...]]] = {place: [] for place in asked.worktrees}
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
                measure = measure_stream if asked.stream else measure_job
                found[place].append(measure(environment, file, f"bench-{number}", asked.count, ends))
    columns = ["server, user + system", "launcher, user + system", "clock"] + ["command line"] * asked.stream
    print(f"| {asked.kind}: ms a node | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|")
    for place, rounds in found.items():
        medians = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        print(f"| {Path(place).name} | {' | '.join(f'{median:.2f}' for median in medians)} |")
    common.clean()


def measure_job(environment: dict[str, str], file: str, name: str, count: int, ends: str) -> tuple[float, ...]:
    """Run the job; return CPU of server and launcher and the time that it took, in ms a node."""
    usage = breakdown.Usage(environment)
    common.smalt(environment, "job", "create", "-f", file, "--name", name, "-o", "none")
    if (status := common.wait(environment, name)) != ends:
        raise SystemExit(f"{name} is {status}")
    server, launcher = usage.spent(count)
    usage.settle()
    return server, launcher, common.seconds(environment, name) * 1000 / count


def measure_stream(environment: dict[str, str], file: str, name: str, count: int, ends: str) -> tuple[float, ...]:
    """Run the job and follow it; return CPU of server and launcher, the command's time, and its CPU, in ms a node."""
    usage = breakdown.Usage(environment)
    before, began = os.times(), time.perf_counter()
    with open(os.path.join(common.folder(), "output"), "wb") as output:
        command = [*common.PROGRAM, "job", "create", "-f", file, "--name", name, "--stream"]
        subprocess.run(command, env=environment, stdout=output, stderr=output)
    clock, after = time.perf_counter() - began, os.times()
    if (status := common.wait(environment, name)) != ends:
        raise SystemExit(f"{name} is {status}")
    server, launcher = usage.spent(count)
    usage.settle()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return server, launcher, clock * 1000 / count, cpu * 1000 / count


if __name__ == "__main__":
    main()
