"""How a built environment comes into use by a server that did not build it: watched, and beside the loop."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import threading
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.data.files.write_protection import allow_writing
from smalt.service.environments import BuiltEnvironment, Environments
from smalt.service.environments.views.change_watch import ChangeWatch, WatchedEnvironment
from tests.helpers import LONGEST

from .conftest import Settings, conda

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
ASSET = conda("shade==1.0")


@pytest.fixture
def built(environments: Environments) -> BuiltEnvironment:
    return asyncio.run(environments.get_or_build(ASSET, lambda line: None))


@pytest.fixture
def walkers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads that walked the folders of an environment, one for each walk."""
    found: list[threading.Thread] = []
    walk = ChangeWatch.add_environment

    def note_walk(watch: ChangeWatch, watched: WatchedEnvironment) -> None:
        found.append(threading.current_thread())
        walk(watch, watched)

    monkeypatch.setattr(ChangeWatch, "add_environment", note_walk)
    return found


def change(environment: BuiltEnvironment) -> None:
    """Add a file to an environment, as root can and others do who give themselves the right."""
    assert environment.shared is not None
    allow_writing(environment.shared)
    Path(environment.shared, "more").touch()


def test_a_built_environment_is_watched_in_a_thread(walkers: list[threading.Thread], built: BuiltEnvironment) -> None:
    """Its walk takes a tenth of a second for a large one."""
    assert len(walkers) == 1
    assert walkers[0] is not threading.main_thread()


def test_one_of_an_earlier_server_serves_no_step_before_it_is_watched(
    built: BuiltEnvironment, walkers: list[threading.Thread], home: Home, settings: Settings
) -> None:
    """Whoever asks at once is told that there is none yet; one walk, in a thread, is for all who wait."""
    later = Environments(home, settings)

    async def use() -> list[BuiltEnvironment]:
        assert later.find_built(ASSET) is None
        assert walkers == []
        return list(await asyncio.gather(*(later.get_or_build(ASSET, print) for _ in range(3))))

    first, *others = asyncio.run(use())
    assert len(walkers) == 1
    assert walkers[0] is not threading.main_thread()
    assert others == [first, first] == [later.find_built(ASSET)] * 2
    change(first)
    assert "more was added" in str(later.find_change(first.stored_as))


class SlowWalk:
    """The first walk of an environment's folders waits until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.walked: list[WatchedEnvironment] = []
        self.go, self._begun, self._walk = threading.Event(), threading.Event(), ChangeWatch.add_environment
        monkeypatch.setattr(ChangeWatch, "add_environment", lambda watch, watched: self._wait_then_walk(watch, watched))

    async def begin(self, environments: Environments) -> asyncio.Task[tuple[BuiltEnvironment | None, bool]]:
        """Return a task that loads the environment, once its walk waits."""
        slow = asyncio.ensure_future(environments.find_build(ASSET))
        assert await asyncio.to_thread(self._begun.wait, LONGEST)
        return slow

    def _wait_then_walk(self, watch: ChangeWatch, watched: WatchedEnvironment) -> None:
        if not self._begun.is_set():
            self._begun.set()
            self.go.wait(LONGEST)
        self.walked.append(watched)
        self._walk(watch, watched)


def test_one_that_a_job_waits_for_is_not_removed(
    built: BuiltEnvironment, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has no view of it yet, and would be given a folder that is not there."""
    later, walk = Environments(home, settings), SlowWalk(monkeypatch)

    async def use() -> BuiltEnvironment | None:
        slow = await walk.begin(later)
        assert await later.remove(built.declared_hash) is None
        walk.go.set()
        found, _ = await slow
        return found

    found = asyncio.run(use())
    assert found is not None
    assert Path(found.python).exists()
    change(found)
    assert "more was added" in str(later.find_change(found.stored_as))
    assert asyncio.run(later.remove(built.declared_hash))


def test_one_that_another_process_removes_while_it_is_loaded_is_not_built(
    built: BuiltEnvironment, environments: Environments, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it is given nothing, rather than a path that does not exist; who asks later builds it."""
    later, walk = Environments(home, settings), SlowWalk(monkeypatch)

    async def use() -> tuple[BuiltEnvironment | None, BuiltEnvironment]:
        slow = await walk.begin(later)
        assert await environments.remove(built.declared_hash)
        walk.go.set()
        found, _ = await slow
        return found, await later.get_or_build(ASSET, print)

    found, again = asyncio.run(use())
    assert found is None
    assert Path(again.python).exists()
    change(again)
    assert "more was added" in str(later.find_change(again.stored_as))


def test_one_that_another_process_builds_again_while_it_is_loaded_is_watched(
    built: BuiltEnvironment, environments: Environments, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was walked of the removed one counts for nothing."""
    later, walk = Environments(home, settings), SlowWalk(monkeypatch)

    async def use() -> BuiltEnvironment | None:
        slow = await walk.begin(later)
        assert await environments.remove(built.declared_hash)
        await environments.get_or_build(ASSET, print)
        walk.go.set()
        found, _ = await slow
        return found

    found = asyncio.run(use())
    assert found is not None
    assert len(walk.walked) == 3  # one of them by the process that built it
    change(found)
    assert "more was added" in str(later.find_change(found.stored_as))


def test_a_job_that_waits_for_one_that_is_removed_builds_it(
    built: BuiltEnvironment, environments: Environments, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts in an environment that is there."""
    later, walk = Environments(home, settings), SlowWalk(monkeypatch)

    async def use() -> BuiltEnvironment:
        await walk.begin(later)
        job = asyncio.ensure_future(later.get_or_build(ASSET, print))
        await asyncio.sleep(0)
        assert await environments.remove(built.declared_hash)
        walk.go.set()
        return await job

    assert Path(asyncio.run(use()).python).exists()


def test_environments_of_steps_that_run_are_watched_before_others_use_them(
    built: BuiltEnvironment, home: Home, settings: Settings
) -> None:
    """A change is told of the one that they run in, also once the next job has another one."""
    later = Environments(home, settings)
    asyncio.run(later.watch_used({built.stored_as, "host"}))
    change(built)
    assert later.find_built(ASSET) is None
    again = asyncio.run(later.get_or_build(ASSET, print))
    assert again.stored_as != built.stored_as
    assert "more was added" in str(later.find_change(built.stored_as))
    assert later.find_change(again.stored_as) is None


def test_one_that_cannot_be_watched_keeps_no_other_from_it(
    built: BuiltEnvironment, home: Home, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The record of the first is broken, and nobody waits for the watch who could be told."""
    store = home.path("environments")
    shutil.copytree(store / built.stored_as, store / "broken", symlinks=True)
    allow_writing(store / "broken")
    record = json.loads((store / "broken" / "record.json").read_text())
    (store / "broken" / "record.json").write_text(json.dumps({**record, "declared_hash": "broken", "packages": [None]}))
    later = Environments(home, settings)
    asyncio.run(later.watch_used(["broken", built.stored_as]))
    assert "environment broken, in which steps run, may go unnoticed" in caplog.text
    change(built)
    assert "more was added" in str(later.find_change(built.stored_as))


def test_a_change_that_an_earlier_server_noticed_is_not_forgotten(
    built: BuiltEnvironment, environments: Environments, home: Home, settings: Settings
) -> None:
    """A step that ran in it and ends under the next server has run in a changed one all the same."""
    change(built)
    assert environments.find_built(ASSET) is None
    later = Environments(home, settings)
    asyncio.run(later.watch_used({built.stored_as}))
    assert "an earlier server of this home noticed it" in str(later.find_change(built.stored_as))
