"""Mini-batches of a parallel step against multiprocessing.Pool: 10,000 one-line files, a `run` that does nothing.

    .venv/bin/python bench/parallel.py [RUNS]

Both list the same files, cut them in the same chunks and start 2 processes; both are programs of their own, timed from
start to end, in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from smalt import inside

FILES, SIZE, WORKERS = 10_000, 10, 2
POOL = f"""
import multiprocessing, os, sys

def run(mini_batch):
    return mini_batch

if __name__ == "__main__":
    root = sys.argv[1]
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    chunks = [files[at : at + {SIZE}] for at in range(0, len(files), {SIZE})]
    with multiprocessing.Pool({WORKERS}) as pool, open(sys.argv[2], "w") as rows:
        for returned in pool.imap(run, chunks):
            rows.writelines(f"{{row}}\\n" for row in returned)
"""


def measure(command: list[str], folder: Path, variables: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        for number in range(FILES):
            (data / f"{number:05d}.txt").write_text(f"{number}\n")
        (folder / "pool.py").write_text(POOL)
        (folder / "score.py").write_text("def run(mini_batch):\n    return mini_batch\n")
        settings = {
            "entry_script": "score.py", "input": "data", "mini_batch_size": SIZE, "per_instance": WORKERS,
            "append_row_to": "rows", "outputs": ["rows"],
        }  # fmt: skip
        site = {"PYTHONPATH": str(Path(inside.__path__[0], "site"))}
        step = {
            **site, "SMALT_PARALLEL": json.dumps(settings), "SMALT_PARALLEL_FOLDER": str(folder / "journal"),
            "SMALT_PARALLEL_CHANGED": "1.0",  # as the server says that it knows what the input holds
            "AZURE_ML_INPUT_data": str(data), "AZURE_ML_OUTPUT_rows": str(folder / "rows.txt"),
        }  # fmt: skip
        times: dict[str, list[float]] = {"pool": [], "parallel": []}
        for _ in range(runs):
            times["pool"].append(
                measure([sys.executable, "pool.py", str(data), str(folder / "pool.txt")], folder, site)
            )
            times["parallel"].append(measure([sys.executable, "-m", "_smalt_parallel"], folder, step))
            assert (folder / "rows.txt").read_bytes() == (folder / "pool.txt").read_bytes()
        medians = {name: statistics.median(found) for name, found in times.items()}
        lowest = {name: min(found) for name, found in times.items()}
        print(f"{FILES} files in chunks of {SIZE}, {WORKERS} processes, {runs} runs each")
        for name in times:
            print(f"  {name:9} median {medians[name]:.3f} s, lowest {lowest[name]:.3f} s")
        ratios = medians["parallel"] / medians["pool"], lowest["parallel"] / lowest["pool"]
        print(f"  ratio of medians {ratios[0]:.2f}, of the lowest {ratios[1]:.2f} (at most 2)")


if __name__ == "__main__":
    main()
