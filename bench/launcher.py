"""Steps through the launcher against the same processes from bare `subprocess` loops, in one run.

    python bench/launcher.py [STEPS] [ROUNDS]

No engine and no database: what the launcher, its socket, its journal and the claims cost.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from smalt.machine.home import Home
from smalt.runner.script import build_script
from smalt.service.compute import Exit, LauncherClient, RunnableStep


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = Path(tempfile.mkdtemp(prefix="smalt-bench-"))
    measures: dict[str, Callable[[Path], float]] = {
        "bare chain": lambda at: bare(count),
        "chain": lambda at: asyncio.run(through_launcher(at, count, 1)),
        "bare wide": lambda at: bare_wide(count),
        "wide": lambda at: asyncio.run(through_launcher(at, count, 2)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    try:
        for number in range(rounds):
            for name, measure in measures.items():
                seconds[name].append(measure(folder / f"{number} {name}"))
    finally:
        shutil.rmtree(folder)
    middle = {name: statistics.median(values) / count * 1000 for name, values in seconds.items()}
    print(f"{count} steps, median of {rounds} rounds, {os.cpu_count()} cores")
    for name in ("chain", "wide"):
        base = middle[f"bare {name}"]
        print(
            f"{name:6} bare {base:.2f} ms a step, launcher {middle[name]:.2f} ms: "
            f"{middle[name] / base:.2f}x, {middle[name] - base:+.2f} ms"
        )


def bare(count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        subprocess.run(["bash", "-c", "true"], check=True)
    return time.perf_counter() - begin


def bare_wide(count: int) -> float:
    threads = [threading.Thread(target=bare, args=(count // 2,)) for _ in range(2)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


async def through_launcher(folder: Path, count: int, at_once: int) -> float:
    home = Home(folder)
    home.create()
    compute = LauncherClient(home, restart=[])
    exits: asyncio.Queue[Exit] = asyncio.Queue()
    await compute.open(lambda step_id, process, since: None, exits.put_nowait)
    compute.start([_step(folder, "warm")])
    await exits.get()
    begin = time.perf_counter()
    names = iter(range(count))
    for _ in range(at_once):
        compute.start([_step(folder, f"{next(names)}")])
    for _ in range(count):
        exit = await exits.get()
        assert exit.code == 0, exit
        compute.acknowledge([exit.step_id])
        for name in names:
            compute.start([_step(folder, f"{name}")])
            break
    seconds = time.perf_counter() - begin
    await compute.close()
    return seconds


def _step(root: Path, name: str) -> RunnableStep:
    folder = f"{root}/{name}"
    os.mkdir(folder)
    script = build_script("true", step_id=name, folder=folder, cwd=folder)
    return RunnableStep(name, script, folder, folder, dict(os.environ), f"{folder}/log")


if __name__ == "__main__":
    main()
