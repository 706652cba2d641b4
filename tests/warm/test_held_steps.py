"""A step waits for a warm parent that will be ready before the step could have imported by itself; for no other."""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smalt.launcher.timers import Timers
from smalt.launcher.tree import ProcessTree
from smalt.launcher.warm.held_steps import HeldSteps
from smalt.launcher.warm.parent import WarmParent
from smalt.launcher.warm.parents import LONGEST_IMPORT, MARK, WarmParents
from tests.helpers import LONGEST, eventually
from tests.launcher.rig import Rig
from tests.warm.program import Program
from tests.warm.rig import WarmRig
from tests.warm.test_starts import find_parents, is_running, launch_with_site, run_in_place

PROGRAM = Program("held", "import tqdm\nprint(tqdm.VALUE)\n", {})
GATED = """
import os, time
open({begun!r}, 'a').write(str(os.getpid()) + '\\n')
while not os.path.exists({gate!r}): sum(range(20_000)); time.sleep(0.01)  # what uses no processor is taken to hang
VALUE = 1
"""


class Gate:
    """A Python whose tqdm is imported once `open` was called."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self._gate, self._begun = folder / "gate", folder / "begun"
        text = GATED.format(gate=str(self._gate), begun=str(self._begun))
        self.rig = launch_with_site(rig, folder, {"tqdm.py": text})

    def start(self, count: int) -> list[dict[str, Any]]:
        """Send so many steps at once, and wait until something imports."""
        steps = [self.rig.make_step(PROGRAM, "warm") for _ in range(count)]
        self.rig.client.start(*steps)
        eventually(self.list_importers, "the import")
        return steps

    def open(self) -> None:
        self._gate.touch()

    def list_importers(self) -> list[int]:
        """Return the processes that import, or have imported, tqdm."""
        text = self._begun.read_text() if self._begun.exists() else ""
        return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def read_modes(self, steps: list[dict[str, Any]]) -> list[str]:
        exits = [self.rig.client.exit(step["id"]) for step in steps]
        assert [exit["code"] for exit in exits] == [0] * len(steps)
        return [exit["mode"] for exit in exits]


@pytest.fixture
def gate(rig: Rig, tmp_path: Path) -> Gate:
    return Gate(rig, tmp_path)


def test_steps_that_come_together_wait_for_their_parent(gate: Gate) -> None:
    """None of them imports what the parent imports just then; the time of the wait is part of the start."""
    steps = gate.start(2)
    time.sleep(0.5)
    assert len(gate.list_importers()) == 1
    gate.open()
    assert gate.read_modes(steps) == ["warm", "warm"]
    assert len(gate.list_importers()) == 1
    assert all(gate.rig.client.exits[step["id"]]["first_line"] > 0.5 for step in steps)


def test_a_step_with_siblings_has_a_parent_at_once(gate: Gate) -> None:
    """The first trial of a sweep needs no second one to show that an interpreter will be worth its while."""
    step = gate.rig.make_step(PROGRAM._replace(is_trial=True), "warm")
    gate.open()
    gate.rig.client.start(step)
    assert gate.read_modes([step]) == ["warm"]


def test_more_steps_than_children_are_all_warm(gate: Gate) -> None:
    """A child that is just being made is waited for, too, for as long as the import took."""
    steps = gate.start(12)
    time.sleep(5.0)
    gate.open()
    assert gate.read_modes(steps) == ["warm"] * 12


def test_steps_start_cold_where_their_parent_ended(gate: Gate) -> None:
    """They wait for one parent only: its successor may end as well."""
    steps = gate.start(2)
    os.kill(gate.list_importers()[0], signal.SIGKILL)
    eventually(lambda: len(gate.list_importers()) >= 3, "their own imports")
    gate.open()
    assert gate.read_modes(steps) == ["cold", "cold"]


def test_a_parent_that_hangs_ends_with_its_launcher(gate: Gate) -> None:
    """It is in an import, and looks at no channel."""
    gate.start(2)
    importers = gate.list_importers()
    gate.rig.rig.kill_launcher()
    eventually(lambda: not any(is_running(pid) for pid in importers), "the parent's end")


STARTING = """
import subprocess
file = open({begun!r}, 'a')
print(subprocess.Popen(['sleep', '1000'], {options}).pid, file=file, flush=True)
file.close()
VALUE = 1
while {hangs}: pass
"""


@pytest.mark.parametrize("hangs", [False, True])
def test_what_an_import_starts_ends_with_its_parent(rig: Rig, tmp_path: Path, hangs: bool) -> None:
    """At once; where the launcher is killed, the next one ends what is left."""
    begun = tmp_path / "begun"
    options = "start_new_session=True" if hangs else "close_fds=False"
    text = STARTING.format(begun=str(begun), options=options, hangs=hangs)
    made = launch_with_site(rig, tmp_path, {"tqdm.py": text})
    made.expect(made.make_step(PROGRAM, "warm")["warm"])
    eventually(lambda: begun.exists() and begun.read_text().endswith("\n"), "the process")
    started = int(begun.read_text().split()[0])
    if hangs:
        made.rig.kill_launcher()
        made.rig.launch()
    eventually(lambda: not is_running(started), "its end")


def test_a_step_that_waits_can_be_stopped(gate: Gate) -> None:
    """It never started, and the other one that waits is none the worse for it."""
    first, second = gate.start(2)
    gate.rig.client.stop(first["id"], 0)
    assert gate.rig.client.exit(first["id"])["reason"] == "never started"
    gate.open()
    assert gate.read_modes([second]) == ["warm"]
    assert not list(Path(first["folder"]).glob("claim.*"))


@pytest.mark.parametrize("leaves", [True, False])
def test_a_server_that_leaves_or_comes_wants_nothing_begun(gate: Gate, leaves: bool) -> None:
    """What waits for a parent is as what waits for a place: a server says it again."""
    steps = gate.start(2)
    if leaves:
        gate.rig.client.send({"t": "hold"})
    else:
        gate.rig.client.send({"t": "hello", "restart": None})
    gate.rig.client.start(steps[1])
    gate.rig.describe()  # answered behind the others
    gate.open()
    assert gate.read_modes([steps[1]]) == ["warm"]
    assert not list(Path(steps[0]["folder"]).glob("claim.*"))


def test_a_step_that_is_sent_twice_while_it_waits_runs_once(gate: Gate) -> None:
    steps = gate.start(2)
    gate.rig.client.start(*steps)
    gate.rig.client.start({**steps[0], "after": []})
    gate.open()
    assert gate.read_modes(steps) == ["warm", "warm"]
    assert [Path(step["log"]).read_text() for step in steps] == ["1\n", "1\n"]


def test_a_step_follows_another_that_waited(gate: Gate) -> None:
    """A place that came free by the end of a step goes to the next, also where that waits for its parent."""
    first, second = gate.start(2)
    third = {**gate.rig.make_step(PROGRAM, "warm"), "after": [first["id"]]}
    gate.rig.client.start(third)
    gate.open()
    assert gate.read_modes([first, second, third]) == ["warm"] * 3


def test_a_step_does_not_wait_twice(rig: Rig, tmp_path: Path) -> None:
    """Of a package that is left to the steps, the parent is of no use; another one comes for later steps."""
    warm_rig = launch_with_site(rig, tmp_path, {"tqdm.py": "print('imported')\n"})
    program = Program("unsafe", "import csv, tqdm\n", {})
    steps = [warm_rig.make_step(program, "warm") for _ in range(2)]
    warm_rig.client.start(*steps)
    assert [warm_rig.client.exit(step["id"])["mode"] for step in steps] == ["cold", "cold"]
    _, exit, _ = run_in_place(warm_rig, program)
    assert exit["mode"] == "warm"


def test_nobody_waits_for_a_parent_that_hangs(warm_rig: WarmRig, tmp_path: Path) -> None:
    """One that does not use the processor between two looks; a second of its kind is not waited for at all."""
    parents, timers, started = make_parents(tmp_path), Timers(), []
    held = HeldSteps(parents, timers, started.extend)
    step = {**warm_rig.make_step(PROGRAM, "warm"), "id": "a"}
    step["warm"]["has_siblings"] = True
    parents.expect_step(step)
    (parent,) = parents._parents
    os.kill(parent.pid, signal.SIGSTOP)
    assert held.hold_back([step]) == []
    parents._look_around()
    timers.run_due()
    assert started == [step]
    assert held.hold_back([step]) == []
    parents._look_around()
    timers.run_due()
    assert started == [step, step]
    assert held.hold_back([step]) == [step]
    parent.started -= LONGEST_IMPORT
    parents._look_around()
    os.waitpid(parent.pid, 0)
    second = start_parent(parents, step)
    assert held.hold_back([{**step, "id": "b"}]) != []
    second.started -= LONGEST_IMPORT + 1
    parents._look_around()
    os.waitpid(second.pid, 0)
    assert not parents._list_modules(step["warm"])


def test_a_parent_that_ended_is_made_up_for_by_one_that_did_not(warm_rig: WarmRig, tmp_path: Path) -> None:
    """Each may have been killed from outside, once; two in turn were not."""
    parents = make_parents(tmp_path)
    step = warm_rig.make_step(Program("ending", "import csv\n", {}), "warm")
    for is_killed in (True, False, True):
        assert parents._list_modules(step["warm"]) == {"csv"}
        parent = start_parent(parents, step)
        if is_killed:
            end_parent(parents, parent)
        else:
            select.select([parent.channel], [], [], LONGEST)
            parents._read_report(parent)
            assert parent.is_ready
            end_parent(parents, parent)
    assert parents._list_modules(step["warm"]) == {"csv"}
    end_parent(parents, start_parent(parents, step))
    assert not parents._list_modules(step["warm"])


def test_a_group_with_the_id_of_a_parent_that_was_reaped_is_left_alone(warm_rig: WarmRig, tmp_path: Path) -> None:
    """Once nobody of its own is left, the id may be another's; what the parent's imports started ends all the same."""
    parents = make_parents(tmp_path)
    parent = start_parent(parents, warm_rig.make_step(Program("reaped", "import csv\n", {}), "warm"))
    join = partial(os.setpgid, 0, parent.pid)
    other = subprocess.Popen(["sleep", "1000"], preexec_fn=join)
    with ProcessTree(str(tmp_path)).make_mark(MARK).apply_number():
        own = subprocess.Popen(["sleep", "1000"], preexec_fn=join)
    try:
        end_parent(parents, parent)
        assert own.wait(LONGEST) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (own, other):
            process.kill()
            process.wait()


def start_parent(parents: WarmParents, step: dict[str, Any]) -> WarmParent:
    for name in "ab":
        parents.expect_step({**step, "id": name})
    (parent,) = parents._parents
    return parent


def end_parent(parents: WarmParents, parent: WarmParent) -> None:
    """Kill it; its exit is the first that one hears of it."""
    os.kill(parent.pid, signal.SIGKILL)
    os.waitpid(parent.pid, 0)
    parents.handle_exit(parent.pid)


def make_parents(folder: Path) -> WarmParents:
    mark = ProcessTree(str(folder)).make_mark(MARK)
    return WarmParents(folder, mark, Timers(), selectors.DefaultSelector(), lambda pid: None, lambda sentence: None)


def test_a_step_that_its_parent_does_not_fit_waits_for_no_child(gate: Gate) -> None:
    """Whether it may start warm is known once the parent says what it has imported."""
    gate.open()
    gate.rig.warm_up(PROGRAM)
    (parent,) = find_parents(gate.rig, gate.rig.make_step(PROGRAM, "warm")["warm"]["key"])
    assert parent["ready"]
    steps = [gate.rig.make_step(PROGRAM._replace(files={"mmap.py": ""}), "warm") for _ in range(6)]
    gate.rig.client.start(*steps)
    assert gate.read_modes(steps) == ["cold"] * 6
