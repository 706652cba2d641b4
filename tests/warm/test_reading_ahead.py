"""Long programs are read in a thread, once, before their step is prepared: the server's loop goes on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from smalt.service.compute.local import steps, warm_starts
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.steps import LocalSteps
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Folders
from tests.warm.program import Program
from tests.warm.rig import WarmRig, make_spec

LONG = Program("long", "import csv\n" + "NUMBERS = [1, 2, 3]\n" * 400, {})
COMMAND = "python program.py --n ${{inputs.n}}"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each program that is read: whether the loop's own thread reads it."""
    found: list[bool] = []
    read_code = warm_starts._read_code

    def note_thread(*args: Any) -> Any:
        found.append(threading.current_thread() is threading.main_thread())
        return read_code(*args)

    monkeypatch.setattr(warm_starts, "_read_code", note_thread)
    return found


def make_steps(warm_rig: WarmRig, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> LocalSteps:
    """Return a backend's steps, whose code is in the folder and has so many bytes."""
    (folder / "program.py").write_text(LONG.text)

    def is_small(code: str, files: int, bytes: int) -> bool:
        return size <= bytes

    def get_folders(spec: StepSpec) -> Folders:
        return Folders(str(folder), str(folder), str(folder))

    monkeypatch.setattr(steps, "copy_code", lambda *_: None)
    data = SimpleNamespace(snapshots=SimpleNamespace(is_small=is_small))
    context = SimpleNamespace(warm=warm_rig.starts, data=data, get_folders=get_folders)
    return LocalSteps(cast("LocalContext", context))


def test_a_long_program_is_read_in_a_thread_once(
    warm_rig: WarmRig, tmp_path: Path, threads: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first steps with it are not started within a turn; together they read it once, and no later one does."""
    made = make_steps(warm_rig, tmp_path, len(LONG.text), monkeypatch)
    spec = make_spec(warm_rig.name_next(LONG, "warm"), COMMAND, LONG, "warm")

    async def fetch_all() -> None:
        await asyncio.gather(*(made.fetch(spec, lambda line: None) for _ in range(3)))

    assert not made.is_quick(spec)
    asyncio.run(fetch_all())
    assert threads == [False]
    assert made.is_quick(spec)
    assert warm_rig.make_step(LONG, "warm")["warm"]["modules"] == ["csv"]
    assert threads == [False]


@pytest.mark.parametrize("command", ["python program.py", "echo done"])
@pytest.mark.parametrize("kind", ["warm", "cold"])
def test_other_steps_start_within_a_turn(
    warm_rig: WarmRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, kind: str
) -> None:
    """A short program is read at once; no other command is, nor is any where warm starts are off."""
    is_long = kind == "cold" or command == "echo done"
    made = make_steps(warm_rig, tmp_path, 100_000 if is_long else 1_000, monkeypatch)
    assert made.is_quick(make_spec("other", command, LONG, kind))
