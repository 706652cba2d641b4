"""The local compute over a real launcher, which comes and goes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.machine import processes
from smalt.machine.processes import Process
from smalt.runner import script
from smalt.service.compute import Capacity, Exit, LauncherClient, RunnableStep
from smalt.service.compute.backend import Runner
from tests.helpers import eventually
from tests.launcher.rig import DEADLINE, Rig


class Server:
    """What a server sees of its compute."""

    def __init__(self, rig: Rig, **options: Any) -> None:
        self.rig = rig
        self.compute = LauncherClient(rig.home, restart=[], **options)
        self.started: dict[str, Process] = {}
        self.exits: list[Exit] = []
        self._news = asyncio.Event()

    async def open(self, unfinished: list[str] | None = None) -> Any:
        await self.compute.open(self._on_started, self._on_exit)
        return await self.compute.recover(unfinished or [])

    def start(self, *steps: RunnableStep) -> None:
        self.compute.start(list(steps))

    def step(self, name: str, command: str, **more: Any) -> RunnableStep:
        folder = str(self.rig.home.path("jobs", name))
        os.makedirs(folder, exist_ok=True)
        text = script.build_script(command, step_id=name, folder=folder, cwd=folder)
        return RunnableStep(name, text, folder, folder, {"PATH": os.environ["PATH"]}, f"{folder}/log", **more)

    async def exit(self, step_id: str) -> Exit:
        return await self._wait(lambda: next((exit for exit in self.exits if exit.step_id == step_id), None))

    async def process(self, step_id: str) -> Process:
        return await self._wait(lambda: self.started.get(step_id))

    async def launcher(self) -> int:
        """The pid of the launcher that is there now."""
        return (await asyncio.to_thread(eventually, lambda: launchers(self.rig), "the launcher"))[0]

    async def _wait(self, found: Callable[[], Any]) -> Any:
        while (result := found()) is None:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), DEADLINE)
        return result

    def _on_started(self, step_id: str, process: Process, since: float) -> None:
        self.started[step_id] = process
        self._news.set()

    def _on_exit(self, exit: Exit) -> None:
        self.exits.append(exit)
        self._news.set()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    for pid in launchers(made):
        os.kill(pid, signal.SIGKILL)
    left = made.close()
    assert not left, f"processes left behind: {left}"


def launchers(rig: Rig) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            arguments = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(rig.home.root) in arguments and b"-I" in arguments and processes.find_process(int(name)):
            found.append(int(name))
    return found


def test_it_is_a_compute(rig: Rig) -> None:
    """It has all that the engine asks of one, with the settings' capacity."""
    compute: Runner = LauncherClient(rig.home, cpus=7, gpus=["0", "3"])
    assert compute.capacity == Capacity(7, ["0", "3"])


async def test_steps_are_started_and_told(rig: Rig) -> None:
    """Steps handed over before any launcher is there run, each with its process, exit and times."""
    server = Server(rig)
    await server.open()
    server.start(server.step("a", "exit 3"), server.step("b", "true"))
    server.start(server.step("c", "kill -9 $$"))
    exit = await server.exit("a")
    assert (exit.code, exit.signal, exit.reason, exit.message) == (3, None, "exited", None)
    assert exit.process == server.started["a"]
    assert exit.started is not None
    assert exit.started <= exit.ended
    assert (await server.exit("b")).code == 0
    assert (await server.exit("c")).signal == 9
    await server.compute.close()


async def test_a_server_that_comes_back_learns_what_became_of_its_steps(rig: Rig) -> None:
    """Finished meanwhile: its exit. Running: its process, later its exit. Never handed over: never started."""
    first = Server(rig)
    await first.open()
    os.mkfifo(_mkdir(rig, "runs") / "go")
    first.start(first.step("runs", "read <go; exit 4"), first.step("done", "exit 3"), first.step("old", "true"))
    process = await first.process("runs")
    await first.exit("done"), await first.exit("old")
    await first.compute.close()

    second = Server(rig)
    states = await second.open(["runs", "done", "unknown"])
    assert states["runs"] == "running"
    assert second.started == {"runs": process}
    assert states["done"].code == 3
    assert states["unknown"].reason == "never started"
    assert not second.exits
    second.compute.acknowledge(["done"])
    (rig.home.path("jobs", "runs") / "go").write_text("\n")
    assert (await second.exit("runs")).code == 4
    second.compute.acknowledge(["runs"])
    await second.compute.close()

    third = Server(rig)
    states = await third.open(["done", "runs", "old"])
    assert {state.reason for state in states.values()} == {"never started"}, "all were acknowledged"
    await third.compute.close()


async def test_a_launcher_that_dies_is_started_again(rig: Rig) -> None:
    """SIGKILL of the launcher, and the steps run on, are told once, and new ones are started."""
    server = Server(rig)
    await server.open()
    os.mkfifo(_mkdir(rig, "a") / "go")
    server.start(server.step("a", "echo run >>runs; read <go; exit 4"), server.step("b", "exit 3"))
    await server.process("a"), await server.exit("b")
    for name in ("c", "d"):
        os.kill(await server.launcher(), signal.SIGKILL)
        server.start(server.step(name, "exit 5"))
        assert (await server.exit(name)).code == 5
    (rig.home.path("jobs", "a") / "go").write_text("\n")
    assert (await server.exit("a")).code == 4
    assert sorted(exit.step_id for exit in server.exits) == ["a", "b", "c", "d"]
    assert rig.file("a", "runs") == "run"
    await server.compute.close()


async def test_a_stop_reaches_the_next_launcher(rig: Rig) -> None:
    """A stop asked while no launcher is there is not forgotten."""
    server = Server(rig)
    await server.open()
    server.start(server.step("a", "sleep 1000"))
    await server.process("a")
    os.kill(await server.launcher(), signal.SIGKILL)
    server.compute.stop("a", 5)
    assert (await server.exit("a")).reason == "stopped"
    server.compute.stop("unknown", 5)
    assert (await server.exit("unknown")).reason == "never started"
    await server.compute.close()


async def test_both_die_at_once(rig: Rig) -> None:
    """Server and launcher killed together: what ended meanwhile has its code, what runs is kept."""
    first = Server(rig)
    await first.open()
    for name in ("a", "b"):
        os.mkfifo(_mkdir(rig, name) / "go")
    first.start(first.step("a", "read <go; exit 4"), first.step("b", "read <go; exit 5"))
    process = await first.process("a")
    await first.process("b")
    os.kill(await first.launcher(), signal.SIGKILL)
    await first.compute.close()
    for pid in launchers(rig):
        os.kill(pid, signal.SIGKILL)
    (rig.home.path("jobs", "a") / "go").write_text("\n")
    eventually(lambda: not processes.is_alive(process), "the end of a")

    second = Server(rig)
    states = await second.open(["a", "b"])
    assert states["a"].code == 4
    assert states["b"] == "running"
    (rig.home.path("jobs", "b") / "go").write_text("\n")
    assert (await second.exit("b")).code == 5
    await second.compute.close()


async def test_a_launcher_without_its_journal_loses_what_ran(rig: Rig) -> None:
    """If the journal is deleted, its steps are lost in a sentence, not waited for for ever."""
    server = Server(rig)
    await server.open()
    server.start(server.step("a", "sleep 1000"))
    process = await server.process("a")
    rig.home.path("launcher", "journal").unlink()
    os.kill(await server.launcher(), signal.SIGKILL)
    exit = await server.exit("a")
    assert (exit.reason, exit.message) == ("lost", "the launcher and its journal are gone")
    os.killpg(process.pid, signal.SIGKILL)
    eventually(lambda: not rig.marked(), "the end of the step")
    await server.compute.close()


async def test_the_starts_of_one_turn_are_one_message(rig: Rig) -> None:
    """A thousand steps handed over one by one come to the launcher together: one line about intents each, in a row."""
    server = Server(rig)
    await server.open()
    await server.compute._link.wait_until_up(DEADLINE)
    for number in range(30):
        server.start(server.step(f"s{number}", "true"))
    for number in range(30):
        await server.exit(f"s{number}")
    lines = rig.home.path("launcher", "journal").read_text().splitlines()
    kinds = [json.loads(line)["t"] for line in lines[1:31]]
    assert kinds == ["start"] * 30
    await server.compute.close()


def _mkdir(rig: Rig, name: str) -> Path:
    folder = rig.home.path("jobs", name)
    folder.mkdir(parents=True)
    return folder
