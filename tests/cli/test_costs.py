"""What jobs cost of the machine: `job show`, `job list --costs`, `smalt du`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smalt.service.api.native import costs
from tests.cli.conftest import smalt
from tests.cli.test_job_report import on_a_terminal, pipeline, shown

pytestmark = pytest.mark.usefixtures("started")


def asked(*line: str) -> Any:
    done = smalt(*line)
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.fixture
def job(tmp_path: Path) -> str:
    """A pipeline with a step that computes and one that writes."""
    (tmp_path / "busy.py").write_text(
        "import time\nbig = bytearray(80_000_000)\nwhile time.process_time() < 0.3:\n    pass\n"
    )
    file = pipeline(
        tmp_path,
        busy="python busy.py\n    code: busy.py\n",
        writes="head -c 3000000 /dev/zero > ${{outputs.o}}/x\n    outputs: {o: {type: uri_folder}}\n",
    )
    done = smalt("job", "create", "--file", str(file), "--name", "p", "--stream")
    assert done.code == 0, done.err
    return "p"


def test_cpu_and_memory_of_a_job_and_its_steps(job: str) -> None:
    """They are those of the processes, of quick steps too; a pipeline has the sum and the peak."""
    told = shown(job)
    steps = {step["step"]: step for step in told["steps"]}
    assert steps["busy"]["cpu_seconds"] >= 0.3
    assert steps["busy"]["peak_memory_bytes"] > 80_000_000
    assert 0 <= steps["writes"]["cpu_seconds"] < steps["busy"]["cpu_seconds"]
    assert told["cpu_seconds"] == pytest.approx(sum(step["cpu_seconds"] for step in steps.values()), abs=0.002)
    assert told["peak_memory_bytes"] == steps["busy"]["peak_memory_bytes"]
    assert shown(f"{job}-busy")["cpu_seconds"] == steps["busy"]["cpu_seconds"]


def test_the_memory_of_a_small_process_is_not_that_of_its_parent(tmp_path: Path) -> None:
    """Linux tells none that is below that of the process that spawned it, so none is shown."""
    done = smalt("job", "create", "--file", str(pipeline(tmp_path, small="true\n")), "--name", "q", "--stream")
    assert done.code == 0, done.err
    told = shown("q")
    assert told["steps"][0]["cpu_seconds"] >= 0
    assert told["steps"][0].get("peak_memory_bytes") is None
    assert told.get("peak_memory_bytes") is None
    assert asked("job", "list", "--costs")[0].get("peak_memory_bytes") is None


def test_lists_have_costs_as_columns(job: str) -> None:
    told = asked("job", "list", "--costs")[0]
    assert (told["cpu_seconds"], told["peak_memory_bytes"]) == (
        shown(job)["cpu_seconds"],
        shown(job)["peak_memory_bytes"],
    )
    assert on_a_terminal("job", "list", "--costs").splitlines()[0].split()[:3] == ["Name", "Status", "Type"]
    assert "Cpu seconds" in on_a_terminal("job", "list", "--costs")


def test_the_disk_by_workspace_and_kind_and_of_a_job(job: str, home: Path) -> None:
    """`smalt du` tells what takes how much; with --job of each step its output and its logs."""
    whole = asked("du")
    assert {item["workspace"] for item in whole} >= {"default", None}
    assert sum(item["bytes"] for item in whole if item["workspace"] == "default") >= 3_000_000
    of_job = {(item["job"], item["kind"]): item["bytes"] for item in asked("du", "--job", job)}
    assert of_job[f"{job}-writes", "output o"] >= 3_000_000
    missing = smalt("du", "--job", "nope")
    assert (missing.code, missing.out) == (1, "")


def test_files_that_vanish_while_they_are_measured_take_nothing(tmp_path: Path) -> None:
    """SQLite's and a server's temporary files come and go beside `smalt du`."""
    assert costs._get_size(tmp_path / "gone") == 0
    assert costs._list_entries(tmp_path / "gone") == []
    (tmp_path / "there").write_text("x" * 5000)
    assert costs._get_size(tmp_path / "there") > 0
