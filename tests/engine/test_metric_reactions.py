"""Composites that hear metrics: tests/engine/watcher.py, alone and killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.records import composite_state
from tests.engine.bench import Workbench, workbench
from tests.engine.watcher import LOGGED, Watcher, find, log, submit, until_running
from tests.forked_programs import ForkedPrograms

ALL = [["a", one.name, one.value, one.step] for one in LOGGED]


@pytest.fixture(autouse=True)
def watcher() -> Iterator[None]:
    kinds.add_kind(Watcher())
    yield
    kinds.remove_kind("watcher")


async def begin(folder: Path) -> Home:
    bench = Workbench(Home(folder / "home"))
    submit(bench.db, bench.workspace.id)
    bench.db.close()
    return bench.home


def read_told(bench: Workbench) -> object:
    return composite_state.read_state(bench.db, find(bench, "w").id).get("told")


def check_end(bench: Workbench) -> None:
    assert find(bench, "w").status == "Completed"
    assert read_told(bench) == ALL
    for name in ("w-a", "w-b"):
        child = find(bench, name)
        assert (child.status, child.ended_by and child.ended_by["message"]) == ("Canceled", "score of 'a' is 0.9")


async def test_a_metric_above_the_limit_stops_the_children(tmp_path: Path) -> None:
    """Each value is told once, as they arrived, though the client sends one of them again."""
    home = await begin(tmp_path)

    async with workbench(home) as bench:
        await until_running(bench)
        first, *others = LOGGED
        await log(bench, [first, first, *others])
        await bench.over(find(bench, "w"))
        check_end(bench)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 3, 4])
async def test_a_server_that_dies_between_a_metric_and_the_reaction(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    """The next server tells what was not told, in the order in which it arrived, and the reaction goes on."""
    home = await begin(tmp_path)
    died = forked_programs.run("tests.engine.watcher", str(home.root), str(number), when)
    assert died.returncode == 9, died.stderr

    async with workbench(home) as bench:
        told = read_told(bench)
        assert isinstance(told, list)
        assert told == ALL[: len(told)]
        await log(bench, LOGGED[len(told) :])
        await bench.over(find(bench, "w"))
        check_end(bench)


async def test_nobody_is_told_of_metrics_of_a_pipeline() -> None:
    """Its kind does not hear them; neither does a job by itself."""
    async with workbench() as bench:
        step = {"command": "echo", "environment": "azureml:host"}
        await bench.over(bench.submit("p", {"jobs": {"s": step}}))
        await bench.over(bench.submit("alone", step))
        for run in ("p", "p-s", "alone", "no job"):
            assert bench.engine.planner.find_metric_listener(bench.workspace, run) is None


async def test_a_metric_after_a_cancel_is_not_told(tmp_path: Path) -> None:
    """A cancel wins."""
    home = await begin(tmp_path)

    async with workbench(home) as bench:
        await until_running(bench)
        bench.engine.cancel(find(bench, "w"))
        await log(bench, LOGGED[:1])
        await bench.over(find(bench, "w"))
        assert read_told(bench) is None
