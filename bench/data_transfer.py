"""A `copy_data` job beside `cp -r` of the same files, in turn: 1,000 files of 1 kB, and one file of 500 MB.

    python bench/data_transfer.py [--rounds 5]

Printed are medians of seconds: of `cp -r`; of `cp -r` that is brought to the disk (`sync` of the file system), as a
transfer is; of smalt's own program; and of the whole job, from the command line to its end. Each copy has a new target.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import common

from smalt import inside

JOB = """
type: data_transfer
task: copy_data
data_copy_mode: merge_with_overwrite
inputs: {{data: {{type: uri_folder, path: {source}}}}}
outputs: {{copied: {{type: uri_folder, path: {target}}}}}
"""
SETTINGS = {
    "task": "copy_data", "inputs": ["data"], "output": "copied", "type": "uri_folder", "mode": "merge_with_overwrite",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(common.folder())
    many, large = folder / "many", folder / "large"
    make_files(many, 1000, 1000)
    make_files(large, 1, 500_000_000)
    print("| what | `cp -r` | `cp -r`, synced | program | job | program / `cp -r`, synced | job / `cp -r` |")
    print("|---|---|---|---|---|---|---|")
    with common.home() as environment:
        common.smalt(environment, "server", "start")
        for name, source in (("1,000 files of 1 kB", many), ("one file of 500 MB", large)):
            found = measure_all(environment, folder, source, rounds)
            cells = [f"{found[way]:.3f} s" for way in ("cp", "synced", "program", "job")]
            ratios = [f"{found['program'] / found['synced']:.2f}×", f"{found['job'] / found['cp']:.2f}×"]
            print(f"| {name} | {' | '.join([*cells, *ratios])} |", flush=True)
    common.clean()


def make_files(folder: Path, count: int, size: int) -> None:
    folder.mkdir()
    for number in range(count):
        with open(folder / f"{number:04d}", "wb") as file:
            for start in range(0, size, 1_000_000):
                file.write(os.urandom(min(1_000_000, size - start)))


def measure_all(environment: dict[str, str], folder: Path, source: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of each way to copy."""
    targets = (folder / f"{source.name}-{number}" for number in range(1000))

    def run_program(target: Path) -> None:
        target.mkdir()
        variables = {"AZURE_ML_INPUT_data": str(source), "AZURE_ML_OUTPUT_copied": str(target)}
        site = {"PYTHONPATH": str(Path(inside.__path__[0], "site"))}
        command = [sys.executable, "-m", "_smalt_transfer", json.dumps(SETTINGS)]
        subprocess.run(command, env={**os.environ, **variables, **site}, check=True, capture_output=True)

    def run_job(target: Path) -> None:
        file = folder / "job.yml"
        file.write_text(JOB.format(source=source, target=target))
        common.smalt(environment, "job", "create", "--file", str(file), "--stream")

    ways: dict[str, Callable[[Path], None]] = {
        "cp": lambda target: copy(source, target, is_synced=False),
        "synced": lambda target: copy(source, target, is_synced=True),
        "program": run_program,
        "job": run_job,
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, run in ways.items():
            target = next(targets)
            os.sync()
            began = time.perf_counter()
            run(target)
            took = time.perf_counter() - began
            if sum(path.stat().st_size for path in target.iterdir()) != sum(
                one.stat().st_size for one in source.iterdir()
            ):
                raise SystemExit(f"{way}: {target} is not a copy of {source}")
            if source.name == "large":
                (target / "0000").unlink()
            if number:  # the first of each warms up
                times[way].append(took)
    return {way: statistics.median(found) for way, found in times.items()}


def copy(source: Path, target: Path, *, is_synced: bool) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    if is_synced:
        subprocess.run(["sync", "-f", str(target)], check=True)


if __name__ == "__main__":
    main()
