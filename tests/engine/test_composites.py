"""Composites that add children after their plan: the counter of tests/engine/counter.py, alone and killed."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import Changes, CompositeView, NewChild, Plan, make_error
from smalt.service.records import composite_state, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.counter import Counter, submit
from tests.forked_programs import ForkedPrograms
from tests.helpers import LONGEST


@pytest.fixture(autouse=True)
def counter() -> Iterator[None]:
    kinds.add_kind(Counter())
    yield
    kinds.remove_kind("counter")


async def begin(tmp_path: Path) -> Home:
    """A home with a counter that has not begun."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    submit(bench.db, bench.workspace.id, tmp_path)
    bench.db.close()
    return home


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


async def finish(home: Home) -> list[tuple[str | None, str, int | None]]:
    async with workbench(home) as bench:
        begun = jobs.find_by_name(bench.db, bench.workspace.id, "count")
        assert begun is not None
        job = await bench.over(begun)
        assert job.status == "Completed"
        return children(bench, job)


async def test_a_composite_adds_children_until_one_says_stop(tmp_path: Path) -> None:
    """Each end is told once, in order, and the parent ends by its kind's word."""
    assert await finish(await begin(tmp_path)) == ALL
    assert (tmp_path / "log").read_text() == "1\n2\n3\n"


FEWEST_COMMITS = 10
"""A run has 13 commits; two events that come at once share one."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 15))
async def test_a_server_that_dies_at_a_commit(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    """Whichever commit it was, no child is lost and none is added or run twice."""
    home = await begin(tmp_path)
    died = forked_programs.run("tests.engine.counter", str(home.root), str(number), when)
    assert died.returncode in (0, 9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
        pytest.skip("it is over before that commit")
    assert await finish(home) == ALL
    assert (tmp_path / "log").read_text() == "1\n2\n3\n"


async def test_a_cancel_while_a_kind_reads_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child whose end is looked at is the last one: nothing is added after the cancellation."""
    reads, goes_on = threading.Event(), threading.Event()

    def read_slowly(self: Counter, view: CompositeView, child: Job | None) -> Any:
        return None if child is None else lambda: (reads.set(), goes_on.wait(LONGEST), False)[-1]

    monkeypatch.setattr(Counter, "read_beside", read_slowly)
    home = await begin(tmp_path)

    async with workbench(home) as bench:
        job = jobs.list_unfinished_roots(bench.db)[0]
        assert await asyncio.to_thread(reads.wait, 20)
        bench.engine.cancel(job)
        over = await bench.over(job)
        goes_on.set()
        assert over.status == "Canceled"
        assert children(bench, job) == [("n1", "Completed", 1)]


def fail(*_: Any) -> Any:
    raise OSError(5, "the disk is broken")


async def end_of_the_job(home: Home) -> tuple[str, str]:
    """Run the counter to its end; return its state and its error."""
    async with workbench(home) as bench:
        begun = jobs.find_by_name(bench.db, bench.workspace.id, "count")
        assert begun is not None
        job = await bench.over(begun)
        assert all(one.is_over for one in jobs.list_children(bench.db, job.id))
        after = await bench.over(bench.submit("after", {"command": "true", "environment": "azureml:host"}))
        assert after.status == "Completed", "the engine has stalled"
        return job.status, str((job.ended_by or {}).get("message"))


HOOKS = {
    "plan": fail,
    "read_beside": lambda self, view, child: fail() if child else None,
    "what read_beside returned": lambda self, view, child: child and fail,
    "child_ended": fail,
    "outcome": fail,
}


def find_method(hook: str) -> str:
    return next(word for word in hook.split() if hasattr(Counter, word))


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_hook_that_raises_fails_its_composite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    """The sentence of the exception is the job's error, and other jobs go on."""
    home = await begin(tmp_path)
    monkeypatch.setattr(Counter, find_method(hook), HOOKS[hook])
    assert await end_of_the_job(home) == ("Failed", "the disk is broken")


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook != "plan"])
async def test_a_hook_that_raises_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    """A server that is to tell an end which an earlier one left untold starts all the same."""
    reads, goes_on = threading.Event(), threading.Event()

    def read_slowly(self: Counter, view: CompositeView, child: Job | None) -> Any:
        return None if child is None else lambda: (reads.set(), goes_on.wait(LONGEST))

    monkeypatch.setattr(Counter, "read_beside", read_slowly)
    home = await begin(tmp_path)

    bench = Workbench(home)
    await bench.engine.open()
    assert await asyncio.to_thread(reads.wait, 20)
    await bench.kill()
    goes_on.set()
    monkeypatch.setattr(Counter, "read_beside", lambda self, view, child: None)
    monkeypatch.setattr(Counter, "child_ended", lambda self, view, child, found: Changes())
    monkeypatch.setattr(Counter, find_method(hook), HOOKS[hook])
    assert await end_of_the_job(home) == ("Failed", "the disk is broken")


def plan_pair(self: Counter, view: CompositeView, found: Any) -> Plan:
    """A step that fails, one that waits for it, and one that takes a while."""
    bad = step(view, "bad", "exit 3")
    return Plan(iter([bad, step(view, "next", "true", needs=["bad"])]))


def step(view: CompositeView, node: str, command: str, needs: Sequence[str] = ()) -> NewChild:
    body = {"jobType": "Command", "command": command, "environmentId": "azureml:host"}
    return NewChild(node, f"{view.job.name}-{node}", "command", body, needs)


async def test_dependents_that_a_kind_leaves_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The composite fails with a sentence, and does not wait for ever."""
    monkeypatch.setattr(Counter, "read_beside", lambda self, view, child: None)
    monkeypatch.setattr(Counter, "plan", plan_pair)
    monkeypatch.setattr(Counter, "child_ended", lambda self, view, child, found: Changes())
    status, message = await end_of_the_job(await begin(tmp_path))
    assert status == "Failed"
    assert message.startswith("'next' waits for 'bad', which did not complete")


async def test_an_outcome_of_none_with_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing could ever add a child, so the composite fails."""
    monkeypatch.setattr(Counter, "outcome", lambda self, view: None)
    status, message = await end_of_the_job(await begin(tmp_path))
    assert status == "Failed"
    assert "expects more children" in message


@pytest.mark.parametrize(
    ("needs", "name", "why"),
    [
        (["bad"], "late", "its child 'late' needs 'bad', which did not complete"),
        (["nobody"], "late", "its child 'late' needs 'nobody', which is not there"),
        ([], "bad", "it adds two children of the same name among their siblings"),
    ],
)
async def test_children_that_could_never_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: list[str], name: str, why: str
) -> None:
    """A kind that adds one fails its composite, with the sentence."""
    monkeypatch.setattr(Counter, "read_beside", lambda self, view, child: None)
    monkeypatch.setattr(Counter, "plan", lambda self, view, found: Plan(iter([step(view, "bad", "exit 3")])))
    monkeypatch.setattr(
        Counter, "child_ended", lambda self, view, child, found: Changes(add=[step(view, name, "true", needs)])
    )
    assert await end_of_the_job(await begin(tmp_path)) == ("Failed", why)


async def test_a_failing_composite_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children are open when one end fails it; the other's end would add a child and overwrite the state."""
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"

    def child_ended(self: Counter, view: CompositeView, child: Job, found: Any) -> Changes:
        if child.node == "first":
            return Changes(error=make_error("the first has ended"), state={"of": "the first"})
        return Changes(add=[step(view, "more", "true")], state={"of": "the second"})

    monkeypatch.setattr(Counter, "read_beside", lambda self, view, child: None)
    monkeypatch.setattr(
        Counter, "plan", lambda self, view, found: Plan(iter([step(view, "first", "true"), step(view, "second", wait)]))
    )
    monkeypatch.setattr(Counter, "child_ended", child_ended)
    home = await begin(tmp_path)
    assert await end_of_the_job(home) == ("Failed", "the first has ended")

    async with workbench(home) as bench:
        job = jobs.find_by_name(bench.db, bench.workspace.id, "count")
        assert job is not None
        assert [node for node, *_ in children(bench, job)] == ["first", "second"]
        assert composite_state.read_state(bench.db, job.id)["of"] == "the second"
