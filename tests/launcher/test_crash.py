"""SIGKILL of the launcher at any moment, a server that comes and goes, a machine that restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from smalt.launcher import claims
from smalt.launcher.ending import LEFTOVER_GRACE
from smalt.launcher.recovery import RESTARTED
from smalt.machine import processes
from tests.helpers import LONGEST, eventually
from tests.launcher.rig import Client, Rig

WAITS = "echo run >>runs; read <go; exit 6"


@pytest.fixture
def waiting(rig: Rig, client: Client) -> dict[str, Any]:
    """A running step that ends with code 6 when something is written to its `go`."""
    step = rig.step("a", WAITS)
    os.mkfifo(Path(step["folder"], "go"))
    client.start(step)
    client.pid("a")
    eventually(lambda: rig.file("a", "runs"), "the step")
    return step


def go(step: dict[str, Any]) -> None:
    Path(step["folder"], "go").write_text("\n")


def test_an_exit_is_told_again_until_it_is_acknowledged(rig: Rig, client: Client) -> None:
    """A server that reconnects learns of the exits it may have missed, and of no others."""
    client.start(rig.step("a", "exit 3"), rig.step("b", "exit 4"))
    client.exit("a"), client.exit("b")
    client.acknowledge("a")
    again = rig.connect()
    assert again.hello is not None
    assert [(exit["id"], exit["code"]) for exit in again.hello["exits"]] == [("b", 4)]


def test_unacknowledged_exits_survive_the_launcher(rig: Rig, client: Client) -> None:
    """What was told and not acknowledged is told by the next launcher."""
    client.start(rig.step("a", "exit 3"), rig.step("b", "exit 4"))
    client.exit("a"), client.exit("b")
    client.acknowledge("b")
    client.start(rig.step("c", "true"))  # its start is written after the acknowledgement
    client.exit("c")
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    assert again.exit("a")["code"] == 3
    assert "b" not in again.exits


def test_a_running_step_outlives_the_launcher_and_is_adopted(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """After SIGKILL the next launcher watches the step, and has its exit code although it is not its parent."""
    pid = client.pid("a")
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    assert again.pid("a") == pid
    assert not again.exits
    go(waiting)
    exit = again.exit("a")
    assert (exit["code"], exit["reason"]) == (6, "exited")
    assert rig.file("a", "runs") == "run"


def test_an_adopted_step_can_be_stopped(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """All of an adopted step ends, with what it had started."""
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    again.pid("a")
    again.stop("a", 5)
    assert again.exit("a")["reason"] == "stopped"
    assert not rig.marked()


def test_an_adopted_step_keeps_its_time_limit(rig: Rig, client: Client) -> None:
    """The limit counts from the start, whoever watches."""
    client.start(rig.step("a", "sleep 1000", timeout=0.5))
    client.pid("a")
    rig.kill_launcher()
    rig.launch()
    assert rig.connect().exit("a")["reason"] == "timeout"


def test_a_stop_outlives_the_launcher(rig: Rig, client: Client) -> None:
    """A stop that was asked of a launcher that then dies is carried through by the next."""
    client.start(rig.step("a", "trap '' TERM; echo 1 >ready; sleep 1000 & wait; sleep 1000 & wait"))
    eventually(lambda: rig.file("a", "ready"), "the step")
    client.stop("a", 0.4)
    eventually(lambda: '"t":"stop"' in rig.home.path("launcher", "journal").read_text(), "the stop in the journal")
    rig.kill_launcher()
    rig.launch()
    assert rig.connect().exit("a")["reason"] == "stopped"


def test_what_a_stopped_step_left_keeps_its_grace(rig: Rig, client: Client) -> None:
    """The next launcher gives it what remains, not what a step that ended by itself is given."""
    saves = "(trap 'echo 1 >told' TERM; echo 1 >ready; until [ -e go ]; do sleep 0.05; done; echo 1 >saved) & wait"
    step = rig.step("a", saves)
    client.start(step)
    eventually(lambda: rig.file("a", "ready"), "the step")
    client.stop("a", 1000.0)
    eventually(lambda: rig.file("a", "told"), "SIGTERM")
    eventually(lambda: rig.file("a", "claim.a"), "the end of the step's shell")
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    time.sleep(1.5 * LEFTOVER_GRACE)
    Path(step["folder"], "go").touch()
    assert again.exit("a")["reason"] == "stopped"
    assert rig.file("a", "saved") == "1"


def test_a_step_that_ended_while_nobody_watched_has_its_code(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """Launcher and server are dead when the step ends: its own last word is found."""
    pid = client.pid("a")
    client.close()
    rig.kill_launcher()
    go(waiting)
    eventually(lambda: processes.find_process(pid) is None, "the step's end")
    rig.launch()
    exit = rig.connect().exit("a")
    assert (exit["code"], exit["reason"]) == (6, "exited")


def test_what_an_unwatched_step_left_running_is_ended(rig: Rig, client: Client) -> None:
    """The next launcher ends what the step left, before it tells the exit."""
    step = rig.step("a", "setsid sleep 1000 & read <go; exit 6")
    os.mkfifo(Path(step["folder"], "go"))
    client.start(step)
    pid = client.pid("a")
    rig.kill_launcher()
    go(step)
    eventually(lambda: processes.find_process(pid) is None, "the step's end")
    assert rig.marked()
    rig.launch()
    assert rig.connect().exit("a")["code"] == 6
    assert not rig.marked()


def test_a_step_that_was_killed_while_nobody_watched_is_lost(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """Gone without a record: never taken for a success."""
    pid = client.pid("a")
    rig.kill_launcher()
    os.killpg(pid, signal.SIGKILL)
    eventually(lambda: processes.find_process(pid) is None, "the step's end")
    rig.launch()
    exit = rig.connect().exit("a")
    assert (exit["code"], exit["reason"]) == (None, "lost")
    assert "left no exit code" in exit["message"]


def test_a_step_whose_pid_was_not_written_down_is_found(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """Killed between the start and the line about it, the launcher leaves a step that is found by its mark."""
    pid = client.pid("a")
    rig.kill_launcher()
    _forget(rig, "started")
    rig.launch()
    again = rig.connect()
    assert again.pid("a") == pid
    go(waiting)
    assert again.exit("a")["code"] == 6


def test_what_a_step_left_is_not_taken_for_it(rig: Rig, client: Client) -> None:
    """A daemon of a step whose pid was not written down carries the mark too, and is ended, not watched."""
    step = rig.step("a", "setsid sleep 1000 & read <go; exit 6")
    os.mkfifo(Path(step["folder"], "go"))
    client.start(step)
    pid = client.pid("a")
    rig.kill_launcher()
    _forget(rig, "started")
    go(step)
    eventually(lambda: processes.find_process(pid) is None, "the step's end")
    rig.launch()
    assert rig.connect().exit("a")["code"] == 6
    assert not rig.marked()


def test_a_step_unknown_to_the_journal_is_not_run_twice(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """Even with the journal gone, a step that runs is taken over, not started again."""
    rig.kill_launcher()
    _forget(rig, "start", "started")
    rig.launch()
    again = rig.connect()
    again.start(waiting)
    again.pid("a")
    go(waiting)
    assert again.exit("a")["code"] == 6
    again.acknowledge("a")
    del again.exits["a"]
    again.start(waiting)
    assert again.exit("a")["code"] == 6
    assert rig.file("a", "runs") == "run"


def test_a_step_that_was_only_about_to_start_was_never_started(rig: Rig) -> None:
    """The journal has the intent and nothing ran: the step is given up, and a shell that comes late does nothing."""
    step = rig.step("a", "echo run >>runs")
    intent = {"t": "start", "id": "a", "folder": step["folder"], "timeout": None, "grace": 1}
    _write(rig, intent)
    rig.launch()
    client = rig.connect()
    assert client.exit("a")["reason"] == "never started"
    assert subprocess.run(["bash", "-c", step["script"]]).returncode == claims.TAKEN
    client.acknowledge("a")
    del client.exits["a"]
    client.start(step)
    assert client.exit("a")["code"] == 0
    assert rig.file("a", "runs") == "run"


def test_a_torn_journal_is_read_as_far_as_it_goes(rig: Rig, client: Client) -> None:
    """A power cut in the middle of a line, or rubbish in one, takes only that line."""
    client.start(rig.step("a", "exit 3"))
    client.exit("a")
    rig.kill_launcher()
    journal = rig.home.path("launcher", "journal")
    journal.write_bytes(b"\0\0rubbish\n[1]\n" + journal.read_bytes() + b'{"t":"exi')
    rig.launch()
    assert rig.connect().exit("a")["code"] == 3


def test_after_a_restart_of_the_machine_all_that_ran_is_lost(rig: Rig) -> None:
    """Another boot id: every unfinished step is lost, says so, and no process of the same number is touched."""
    rig.launch(SMALT_BOOT_ID="before")
    client = rig.connect()
    client.start(rig.step("done", "exit 3"), rig.step("a", "sleep 1000"), rig.step("b", "sleep 1000"))
    client.exit("done")
    pid = client.pid("a")
    rig.kill_launcher()
    os.killpg(client.pid("b"), signal.SIGKILL)
    rig.launch(SMALT_BOOT_ID="after")
    again = rig.connect()
    for name in ("a", "b"):
        assert (again.exit(name)["reason"], again.exit(name)["message"]) == ("lost", RESTARTED)
        assert again.exit(name)["process"][1] == "before"
    assert again.exit("done")["code"] == 3
    assert processes.find_process(pid) is not None, "after a restart this number may be anybody's"
    os.killpg(pid, signal.SIGKILL)
    eventually(lambda: not rig.marked(), "the end of the steps")


def test_there_is_one_launcher(rig: Rig, client: Client) -> None:
    """Of several that are started at once one stays; the others end and say nothing."""
    others = [rig.launch() for _ in range(3)]
    client.start(rig.step("a", "true"))
    assert client.exit("a")["code"] == 0
    assert [other.wait(LONGEST) for other in others] == [0, 0, 0]
    assert rig.launchers[0].poll() is None


def test_the_launcher_ends_when_there_is_nothing_to_do(rig: Rig, client: Client) -> None:
    """Without a server it stays for its steps, and no longer."""
    step = rig.step("a", WAITS)
    os.mkfifo(Path(step["folder"], "go"))
    client.start(step)
    client.pid("a")
    client.close()
    go(step)
    assert rig.launchers[0].wait(LONGEST) == 0
    rig.launch()
    assert rig.connect().exit("a")["code"] == 6


def test_a_removed_home_takes_its_steps_with_it(rig: Rig, client: Client) -> None:
    """When the home is deleted nobody can be told of its steps: they are ended, and the launcher too."""
    client.start(rig.step("a", "sleep 1000"))
    client.pid("a")
    rig.home.path("launcher.lock").unlink()
    assert rig.launchers[0].wait(LONGEST) == 1
    eventually(lambda: not rig.marked(), "the end of the steps")


def test_a_retired_launcher_goes_when_it_has_nothing_to_do(rig: Rig, client: Client, waiting: dict[str, Any]) -> None:
    """A server of another version has it replaced, without disturbing what runs."""
    client.send({"t": "retire"})
    go(waiting)
    assert client.exit("a")["code"] == 6
    assert rig.launchers[0].poll() is None, "the exit is not acknowledged yet"
    client.acknowledge("a")
    assert rig.launchers[0].wait(LONGEST) == 0


def test_rubbish_on_the_socket_costs_only_that_connection(rig: Rig, client: Client) -> None:
    """A client that speaks something else is dropped, the others are served."""
    bad = rig.connect()
    bad._socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert bad._socket.recv(1) == b""
    client.send({"t": "hello", "restart": None})
    client.start(rig.step("a", "true"))
    assert client.exit("a")["code"] == 0


def _forget(rig: Rig, *kinds: str) -> None:
    journal = rig.home.path("launcher", "journal")
    lines = [line for line in journal.read_text().splitlines() if json.loads(line)["t"] not in kinds]
    journal.write_text("".join(f"{line}\n" for line in lines))


def _write(rig: Rig, *entries: dict[str, Any]) -> None:
    rig.home.path("launcher").mkdir(exist_ok=True)
    header = {"t": "launcher", "machine": list(processes.read_machine())}
    text = "".join(json.dumps(entry) + "\n" for entry in [header, *entries])
    rig.home.path("launcher", "journal").write_text(text)
