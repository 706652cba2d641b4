"""A rig for the program of parallel steps: real workers in a folder of the test's own, without a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from smalt import inside

SITE = str(Path(inside.__path__[0], "site"))
LONGEST = 300
"""Seconds until a test gives a run up: a table is read by pandas and polars, which a busy machine loads slowly."""


class ParallelRun:
    """One parallel step: its code, its input, what it wrote."""

    def __init__(self, folder: Path, script: str, files: int = 6, **settings: Any) -> None:
        self.folder = folder
        self.code = folder / "code"
        self.input = folder / "input"
        self.rows = folder / "rows.txt"
        self.side = folder / "side"
        for one in (self.code, self.input, self.side):
            one.mkdir(parents=True, exist_ok=True)
        for number in range(files):
            (self.input / f"{number}.txt").write_text(f"{number}\n")
        self.write_script(script)
        self.settings = {
            "entry_script": "score.py", "input": "data", "append_row_to": "rows", "outputs": ["rows", "side"],
            "mini_batch_size": 2, "per_instance": 2, **settings,
        }  # fmt: skip

    def write_script(self, script: str) -> None:
        names = "import os, signal, sys, time\nfrom pathlib import Path\nSIDE = os.environ['AZURE_ML_OUTPUT_side']\n"
        (self.code / "score.py").write_text(names + script)

    def start(self, journal: str = "journal", **variables: str) -> subprocess.Popen[str]:
        given = {
            "PYTHONPATH": SITE, "PYTHONUNBUFFERED": "1", "AZURE_ML_INPUT_data": str(self.input),
            "AZURE_ML_OUTPUT_rows": str(self.rows), "AZURE_ML_OUTPUT_side": str(self.side),
            "SMALT_PARALLEL": json.dumps(self.settings), "SMALT_PARALLEL_FOLDER": str(self.folder / journal),
            "AZUREML_RUN_ID": "this-job", **variables,
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-m", "_smalt_parallel"], cwd=self.code, env={**os.environ, **given}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, **variables: str) -> tuple[int, str]:
        """Run to the end; return the exit code and all that was printed."""
        process = self.start(**variables)
        try:
            out, _ = process.communicate(timeout=LONGEST)
        finally:
            process.kill()
        return process.returncode, out

    def read_rows(self) -> list[str]:
        return self.rows.read_text().splitlines()

    def list_side(self) -> list[str]:
        return sorted(os.listdir(self.side))

    def read_result(self) -> str:
        return (self.code / "logs" / "job_result.txt").read_text().strip()
