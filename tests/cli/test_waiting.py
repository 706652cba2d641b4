"""Who follows a job that has not started is told what it waits for."""

from __future__ import annotations

import io
import select
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from smalt.cli.jobs.step_tree import StepTree
from smalt.cli.jobs.watch import JobWatch
from tests.cli.conftest import smalt
from tests.cli.test_follow import job
from tests.cli.test_job_report import begin, pipeline
from tests.helpers import LONGEST, Server

WAITING = "Queued, waits for a free CPU; the only one is taken by p-runs"


@pytest.fixture(autouse=True)
def busy(tmp_path: Path, home: Path, own_server: Server) -> None:
    """The only CPU is taken by the first step of a pipeline that waits for nobody."""
    own_server.set(cpus=1)
    own_server.start()
    begin(tmp_path)


def test_a_followed_job_that_is_queued_says_once_what_it_waits_for() -> None:
    """On the stream of the progress, which is not the log's; and no more once it has its place."""
    following = follow("p-other")
    assert read_line(following) == f"job p-other: {WAITING}"
    assert smalt("job", "cancel", "p-runs").code == 0
    assert smalt("job", "cancel", "p-other").code == 0
    log, rest = following.communicate(timeout=LONGEST)
    assert "waits for" not in log + rest


def test_a_pipeline_of_which_nothing_runs_says_what_its_first_step_waits_for(tmp_path: Path) -> None:
    """It has started itself, as its steps are planned; they have not."""
    file = pipeline(tmp_path, first="true", second="true")
    assert smalt("job", "create", "--file", str(file), "--name", "later").code == 0
    following = follow("later")
    assert read_line(following) == f"first: {WAITING}"
    assert smalt("job", "cancel", "later").code == 0
    following.communicate(timeout=LONGEST)


def test_a_pipeline_of_which_something_runs_says_nothing() -> None:
    """Its other step waits, and who follows that one is told; what the pipeline does is in the logs."""
    pipeline, step = follow("p"), follow("p-other")
    assert read_line(pipeline) == "runs: Running"
    assert read_line(step) == f"job p-other: {WAITING}"
    assert smalt("job", "cancel", "p").code == 0
    step.communicate(timeout=LONGEST)
    assert "waits for" not in "".join(pipeline.communicate(timeout=LONGEST))


def test_on_a_terminal_the_wait_stands_beside_the_state() -> None:
    """Until the state changes."""
    watch, console = JobWatch("j"), Console(file=io.StringIO(), width=100, force_terminal=False, highlight=False)
    view = StepTree(watch, console=console)
    wait = {"t": "wait", "name": "j", "status": "Queued", "waits_for": "a free CPU; all 2 are taken by a, b"}
    watch.apply_event(job("j", "Queued"))
    watch.apply_wait(wait)
    console.print(view.render_tree())
    watch.apply_event(job("j", "Running", start=1.0, end=2.0))
    console.print(view.render_tree())
    assert isinstance(console.file, io.StringIO)
    waiting, running = console.file.getvalue().splitlines()
    assert waiting.endswith("j  Queued  waits for a free CPU; all 2 are taken by a, b")
    assert "waits for" not in running


def test_a_terminal_shows_one_wait_at_a_time() -> None:
    """A wait replaces the one before, and an empty one ends it."""
    watch = JobWatch("p")
    watch.apply_event(job("p", "Running", type="pipeline"))
    for name in ("a", "b"):
        watch.apply_event(job(name, "Queued", parent="p", node=name, type="command"))
    wait = {"t": "wait", "name": "a", "status": "Queued", "waits_for": "a free CPU; the only one is taken by z"}
    assert watch.apply_wait(wait) == "a: Queued, waits for a free CPU; the only one is taken by z"
    assert watch.apply_wait({**wait, "name": "b"}) == "b: Queued, waits for a free CPU; the only one is taken by z"
    assert {one.name: one.waits_for for one in watch.jobs.values() if one.waits_for} == {"b": wait["waits_for"]}
    assert watch.apply_wait({**wait, "name": "b", "waits_for": ""}) is None
    assert [one.name for one in watch.jobs.values() if one.waits_for] == []


def follow(name: str) -> subprocess.Popen[str]:
    """Follow a job as a program does, which reads the log on one stream and the progress on the other."""
    command = [sys.executable, "-m", "smalt", "job", "stream", name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read_line(following: subprocess.Popen[str]) -> str:
    """Return the first line about the progress; it comes within a deadline, or not at all."""
    assert following.stderr is not None
    assert select.select([following.stderr], [], [], LONGEST)[0], "nothing was said"
    return following.stderr.readline().rstrip()
