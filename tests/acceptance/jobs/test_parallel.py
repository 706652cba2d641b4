"""Parallel steps from YAML, by a real server: rows, reuse, what is taken over, and mistakes at their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import yaml
from tests.acceptance.conftest import Desk

SCRIPT = """
import argparse, os
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--side")
parser.add_argument("--word")

def init():
    global arguments
    arguments = parser.parse_args()

def run(mini_batch):
    if any(one.endswith("3.txt") for one in mini_batch) and not os.path.exists(os.environ["MENDED"]):
        raise ValueError("not yet")
    Path(arguments.side, Path(mini_batch[0]).name).touch()
    return [f"{arguments.word} {Path(one).name}" for one in mini_batch]
"""


def make_pipeline(desk: Desk, **more: Any) -> str:
    """Write a pipeline with a parallel step; return its file."""
    desk.write("src/score.py", SCRIPT)
    for number in range(4):
        if not (desk.folder / f"input/{number}.txt").exists():
            desk.write(f"input/{number}.txt", str(number))
    step = {
        "type": "parallel",
        "inputs": {"data": {"type": "uri_folder", "path": "./input"}, "word": "it's $HOME"},
        "outputs": {"rows": {"type": "uri_file"}, "side": {"type": "uri_folder"}},
        "input_data": "${{inputs.data}}",
        "mini_batch_size": "1",
        "max_concurrency_per_instance": 2,
        "retry_settings": {"max_retries": 0},
        "environment_variables": {"MENDED": str(desk.folder / "mended")},
        "task": {
            "type": "run_function", "code": "./src", "entry_script": "score.py", "environment": "azureml:host",
            "program_arguments": "--side ${{outputs.side}} --word '${{inputs.word}}'",
            "append_row_to": "${{outputs.rows}}",
        },
        **more,
    }  # fmt: skip
    desk.write("pipeline.yml", yaml.safe_dump({"type": "pipeline", "jobs": {"score": step}}))
    return "pipeline.yml"


@pytest.fixture
def mended(desk: Desk) -> Path:
    return desk.write("mended", "")


ROWS = [f"it's $HOME {number}.txt" for number in range(4)]


def read_rows(desk: Desk, job: str) -> list[str]:
    got = desk.smalt(f"job download --name {job}-score --output-name rows -p got-{job}")
    assert got.code == 0, got.err
    found = [path for path in (desk.folder / f"got-{job}").rglob("*") if path.is_file()]
    return [line for path in found for line in path.read_text().splitlines()]


def test_a_parallel_step_runs_and_is_reused(desk: Desk, mended: Path) -> None:
    """Its rows are in order, its progress is in the stream, and the same step again is not run."""
    file = make_pipeline(desk)
    ran = desk.smalt(f"job create -f {file} --name one --stream")
    assert ran.code == 0, ran.err
    assert "4 of 4 mini-batches succeeded; 4 rows were written to the output 'rows'" in ran.out + ran.err
    assert read_rows(desk, "one") == ROWS
    again = desk.smalt(f"job create -f {file} --name two --stream")
    assert again.code == 0, again.err
    assert "1 reused" in again.err


def test_finished_mini_batches_of_a_failed_job_are_taken_over(desk: Desk) -> None:
    """The job says why it failed; the next one runs what is left, and has what the others wrote besides their rows."""
    failed = desk.smalt(f"job create -f {make_pipeline(desk, mini_batch_error_threshold=0)} --name bad --stream")
    assert failed.code != 0
    assert "1 mini-batches failed, more than the 0 that mini_batch_error_threshold allows: run() raised" in failed.err
    desk.write("mended", "")
    file = make_pipeline(desk, mini_batch_error_threshold=1, retry_settings={"timeout": 50, "max_retries": 1})
    ran = desk.smalt(f"job create -f {file} --name good --stream")
    assert ran.code == 0, ran.err
    assert "3 mini-batches are taken over from job bad-score" in ran.out + ran.err
    assert read_rows(desk, "good") == ROWS
    shown = desk.smalt("job download --name good-score --output-name side -p side")
    assert shown.code == 0, shown.err
    assert sorted(one.name for one in (desk.folder / "side").rglob("*.txt")) == [f"{one}.txt" for one in range(4)]
