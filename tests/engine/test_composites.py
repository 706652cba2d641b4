"""Composites that add children after their plan: the counter of tests/engine/counter.py, alone and killed."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import Changes, CompositeView
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.counter import Counter, submit


@pytest.fixture(autouse=True)
def counter() -> Iterator[None]:
    kinds.add_kind(Counter())
    yield
    kinds.remove_kind("counter")


def begin(tmp_path: Path) -> Home:
    """A home with a counter that has not begun."""

    async def scenario() -> Home:
        home = Home(tmp_path / "home")
        bench = Workbench(home)
        submit(bench.db, bench.workspace.id, tmp_path)
        bench.db.close()
        return home

    return asyncio.run(scenario())


def children(bench: Workbench, job: Job) -> list[tuple[str | None, str, int | None]]:
    return [(one.node, one.status, one.end_number) for one in jobs.list_children(bench.db, job.id)]


def test_the_page_shows_the_counter_as_it_is() -> None:
    """docs/internals/adding-a-job-kind.md has each line of the class that it quotes, but for types."""
    page = Path(__file__).parents[2].joinpath("docs/internals/adding-a-job-kind.md").read_text()
    quoted = page.partition("```python\n")[2].partition("```")[0]
    code = Path(__file__).with_name("counter.py").read_text()
    plain = re.sub(r": (CompositeView|Any|Job \| None|Job|int)(?=[,)])| -> [\w.]+(?=:)", "", code)
    missing = [line for line in quoted.splitlines() if line.strip() not in plain]
    assert quoted
    assert missing == []


ALL = [(f"n{number}", "Completed", number) for number in (1, 2, 3)]


def finish(home: Home) -> list[tuple[str | None, str, int | None]]:
    async def scenario() -> list[tuple[str | None, str, int | None]]:
        async with workbench(home) as bench:
            job = await bench.over(jobs.list_unfinished_roots(bench.db)[0])
            assert job.status == "Completed"
            return children(bench, job)

    return asyncio.run(scenario())


def test_a_composite_adds_children_until_one_says_stop(tmp_path: Path) -> None:
    """Each end is told once, in order, and the parent ends by its kind's word."""
    assert finish(begin(tmp_path)) == ALL
    assert (tmp_path / "log").read_text() == "1\n2\n3\n"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 12))
def test_a_server_that_dies_at_a_commit(tmp_path: Path, number: int, when: str) -> None:
    """Whichever commit it was, no child is lost and none is added or run twice."""
    home = begin(tmp_path)
    command = [sys.executable, "-m", "tests.engine.counter", str(home.root), str(number), when]
    died = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60)
    assert died.returncode in (0, 9), died.stderr
    if died.returncode == 0:
        pytest.skip("it is over before that commit")
    assert finish(home) == ALL
    assert (tmp_path / "log").read_text() == "1\n2\n3\n"


def test_a_cancel_while_a_kind_reads_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child whose end is looked at is the last one: nothing is added after the cancellation."""
    reads, goes_on = threading.Event(), threading.Event()

    def read_slowly(self: Counter, view: CompositeView, child: Job | None) -> Any:
        return None if child is None else lambda: (reads.set(), goes_on.wait(20), False)[-1]

    monkeypatch.setattr(Counter, "read_beside", read_slowly)
    home = begin(tmp_path)

    async def scenario() -> None:
        async with workbench(home) as bench:
            job = jobs.list_unfinished_roots(bench.db)[0]
            assert await asyncio.to_thread(reads.wait, 20)
            bench.engine.cancel(job)
            over = await bench.over(job)
            goes_on.set()
            assert over.status == "Canceled"
            assert children(bench, job) == [("n1", "Completed", 1)]

    asyncio.run(scenario())


@pytest.mark.parametrize("broken", ["read_beside", "child_ended"])
def test_a_kind_that_raises_fails_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """The sentence of the exception is the job's error."""

    def fail(*_: Any) -> Changes:
        raise OSError(5, "the disk is broken")

    if broken == "read_beside":
        monkeypatch.setattr(Counter, "read_beside", lambda self, view, child: child and fail)
    else:
        monkeypatch.setattr(Counter, "child_ended", fail)
    home = begin(tmp_path)

    async def scenario() -> None:
        async with workbench(home) as bench:
            job = await bench.over(jobs.list_unfinished_roots(bench.db)[0])
            assert (job.status, job.ended_by and job.ended_by["message"]) == ("Failed", "the disk is broken")

    asyncio.run(scenario())
