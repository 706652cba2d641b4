"""Compare the cost of an iteration of a parallel_for with that of a node of a wide pipeline, in turn on one server.

    python bench/loops.py [--rounds N] [--count N] [--at-once N]

Printed are medians over the rounds, in ms a node; on a machine with other work only the proportions tell.
"""

from __future__ import annotations

import argparse
import json
import statistics

import common
from turns import measure


def loop(count: int, at_once: int | None) -> str:
    """A pipeline whose steps are the iterations of a loop."""
    lines = common.wide(1).replace("  n0:", "  body:").splitlines()
    lines += ["    inputs: {n: 0}", "  each:", "    type: parallel_for", "    body: ${{parent.jobs.body}}"]
    lines.append(f"    items: {json.dumps([{'n': number} for number in range(count)])}")
    if at_once:
        lines.append(f"    max_concurrency: {at_once}")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--at-once", type=int)
    asked = parser.parse_args()
    texts = {"wide": common.wide(asked.count), "loop": loop(asked.count, asked.at_once)}
    files = {kind: common.write(common.folder(), text) for kind, text in texts.items()}
    found: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in files}
    with common.home() as environment:
        common.smalt(environment, "config", "set", "cpus", "2")
        common.smalt(environment, "server", "start")
        for number in range(asked.rounds + 1):
            for kind, file in files.items():
                found[kind].append(measure(environment, file, f"{kind}-{number}", asked.count))
    medians = {
        kind: [statistics.median(column) for column in zip(*rounds[1:], strict=True)] for kind, rounds in found.items()
    }
    print("| ms a node | server, user + system | launcher, user + system | clock |\n|---|---|---|---|")
    for kind, row in medians.items():
        print(f"| {kind} | {' | '.join(f'{value:.2f}' for value in row)} |")
    ratios = [f"{one / two:.2f}" for one, two in zip(medians["loop"], medians["wide"], strict=True)]
    print(f"| loop / wide | {' | '.join(ratios)} |")
    common.clean()


if __name__ == "__main__":
    main()
