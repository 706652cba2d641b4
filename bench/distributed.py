"""The start of a distributed command of four processes, beside four processes that are started by hand.

python bench/distributed.py [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time

from smalt.runner.distribution import PROGRAM

COUNT = 4


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as logs:
        plan = {
            "command": "true", "type": "pytorch", "logs": logs, "is_contained": False, "nodes": 1, "per_node": COUNT,
        }  # fmt: skip
        ours, bare = [], []
        for _ in range(rounds):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-I", "-S", PROGRAM, json.dumps(plan)], check=True)
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            for each in [subprocess.Popen(["bash", "--norc", "-c", "true"]) for _ in range(COUNT)]:
                each.wait()
            bare.append(time.perf_counter() - began)
    more = statistics.median(one - other for one, other in zip(ours, bare, strict=True))
    print(
        f"{COUNT} processes of `true`: {statistics.median(ours) * 1000:.0f} ms, by hand"
        f" {statistics.median(bare) * 1000:.0f} ms: {more * 1000:.0f} ms more"
    )


if __name__ == "__main__":
    main()
