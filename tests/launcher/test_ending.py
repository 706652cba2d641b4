"""Nothing of a step outlives it: leftovers, stops and time-outs."""

from __future__ import annotations

import os
import selectors
import time

import pytest

from smalt.launcher.journal import Journal
from smalt.launcher.steps import RunningSteps
from smalt.launcher.timers import Timers
from smalt.machine import processes
from tests.helpers import eventually
from tests.launcher.rig import Client, Rig

_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(1000)"
IGNORING = f"$PYTHON -c '{_STUBBORN}' >ready"
_DAEMON = """
import os, sys, time
place = sys.argv[1]
if os.fork():
    os._exit(0)
os.setsid(), os.chdir("/")
if os.fork():
    os._exit(0)
os.closerange(0, 100)
with open(place, "w") as file:
    print(os.getpid(), file=file)
time.sleep(1000)
"""
_HIDDEN = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"


def dead(pid: int) -> bool:
    stat = processes.read_stat(pid)
    return stat is None or stat.is_dead


_LEAVES = [
    pytest.param("sleep 1000 & echo $! >pid", id="background"),
    pytest.param("setsid sleep 1000 & echo $! >pid", id="own session"),
    pytest.param(
        "setsid bash -c 'setsid bash -c \"echo \\$\\$ >pid; exec sleep 1000\" & exit' &\nuntil [ -s pid ]; do :; done",
        id="orphan of its own session",
    ),
    pytest.param(
        f"(setsid env -i $PYTHON -c '{_HIDDEN}' >pid &); until [ -s pid ]; do :; done", id="no trace in its environment"
    ),
    pytest.param(f"(setsid env -i $PYTHON -c '{_DAEMON}' $PWD/pid &); until [ -s pid ]; do :; done", id="a daemon"),
    pytest.param("nohup sleep 1000 >/dev/null 2>&1 & echo $! >pid; disown", id="nohup"),
]


@pytest.mark.parametrize("left", _LEAVES)
def test_what_a_command_leaves_running_is_ended(rig: Rig, client: Client, left: str) -> None:
    """When the exit is told, whatever the command started is gone, however it hid."""
    client.start(rig.step("a", f"{left}\nexit 4"))
    assert client.exit("a")["code"] == 4
    assert dead(rig.pid("a", "pid"))


@pytest.mark.parametrize("left", _LEAVES)
def test_what_a_command_leaves_is_ended_while_others_run(rig: Rig, client: Client, left: str) -> None:
    """Another step that runs, with a hidden process of its own, neither keeps a leftover alive nor loses its own."""
    hidden = f"(setsid env -i $PYTHON -c '{_HIDDEN}' >pid &); until [ -s pid ]; do :; done; echo 1 >ready; read <go"
    other = rig.step("other", hidden)
    os.mkfifo(f"{other['folder']}/go")
    client.start(other)
    eventually(lambda: rig.file("other", "ready"), "the other step")
    client.start(rig.step("a", left))
    assert client.exit("a")["code"] == 0
    assert dead(rig.pid("a", "pid"))
    assert not dead(rig.pid("other", "pid"))
    with open(f"{other['folder']}/go", "w") as go:
        go.write("\n")
    client.exit("other")
    assert dead(rig.pid("other", "pid"))


@pytest.mark.parametrize("left", _LEAVES)
def test_what_a_command_left_is_ended_by_the_next_launcher(rig: Rig, client: Client, left: str) -> None:
    """A launcher that was killed before the step ended leaves its knowledge to the next."""
    step = rig.step("a", f"{left}; echo 1 >ready; until [ -e go ]; do sleep 0.01; done")
    client.start(step)
    eventually(lambda: rig.file("a", "ready"), "the step")
    rig.kill_launcher()
    open(f"{step['folder']}/go", "w").close()
    rig.launch()
    assert rig.connect().exit("a")["code"] == 0
    assert dead(rig.pid("a", "pid"))


def test_a_leftover_that_ignores_sigterm_is_killed(rig: Rig, client: Client) -> None:
    """SIGTERM is asked first, SIGKILL does not ask."""
    client.start(rig.step("a", f"{IGNORING} & echo $! >pid; until [ -s ready ]; do :; done"))
    assert client.exit("a")["code"] == 0
    assert dead(rig.pid("a", "pid"))


def test_another_steps_orphans_are_left_alone(rig: Rig, client: Client) -> None:
    """The end of one step ends only what is its own."""
    hidden = "(setsid sleep 1000 & echo $! >pid); echo 1 >ready; read <go"
    step = rig.step("a", hidden)
    os.mkfifo(f"{step['folder']}/go")
    client.start(step)
    eventually(lambda: rig.file("a", "ready"), "the first step")
    client.start(rig.step("b", "sleep 1000 & true"))
    client.exit("b")
    assert not dead(rig.pid("a", "pid"))
    with open(f"{step['folder']}/go", "w") as go:
        go.write("\n")
    client.exit("a")
    assert dead(rig.pid("a", "pid"))


def test_a_stop_ends_the_whole_tree(rig: Rig, client: Client) -> None:
    """Children, and grandchildren in sessions of their own, end with the step."""
    command = "setsid bash -c 'sleep 1000 & echo $! >inner; wait' & sleep 1000 & echo $! >pid; wait"
    client.start(rig.step("a", command))
    inner, pid = rig.pid("a", "inner"), rig.pid("a", "pid")
    client.stop("a", 5)
    assert client.exit("a")["reason"] == "stopped"
    assert dead(inner)
    assert dead(pid)


def test_a_stopped_command_may_save_its_work(rig: Rig, client: Client) -> None:
    """A program that handles SIGTERM has its grace, even though the shell around it was told to end too."""
    program = (
        "import signal, sys, time\n"
        "def save(*_):\n    time.sleep(0.2); open('saved', 'w').write('1\\n'); sys.exit(6)\n"
        "signal.signal(15, save); open('ready', 'w').write('1\\n'); time.sleep(1000)\n"
    )
    (rig.home.path("jobs", "a")).mkdir(parents=True)
    rig.home.path("jobs", "a", "p.py").write_text(program)
    client.start(rig.step("a", "$PYTHON p.py"))
    eventually(lambda: rig.file("a", "ready"), "the program")
    client.stop("a", 100)
    assert client.exit("a")["reason"] == "stopped"
    assert rig.file("a", "saved")


def test_what_does_not_heed_a_stop_is_killed_after_the_grace(rig: Rig, client: Client) -> None:
    """SIGKILL comes when the grace is over, not before."""
    client.start(rig.step("a", IGNORING, grace=1000.0))
    eventually(lambda: rig.file("a", "ready"), "the program")
    begin = time.monotonic()
    client.stop("a", 0.3)
    assert client.exit("a")["reason"] == "stopped"
    assert time.monotonic() - begin > 0.25


def test_a_second_stop_may_shorten_the_grace(rig: Rig, client: Client) -> None:
    """One who cancels again need not wait for the first grace."""
    client.start(rig.step("a", IGNORING))
    eventually(lambda: rig.file("a", "ready"), "the program")
    client.stop("a", 1000)
    client.stop("a", 0)
    assert client.exit("a")["reason"] == "stopped"


def test_a_step_over_its_time_is_ended(rig: Rig, client: Client) -> None:
    """The launcher itself keeps the limit, with SIGTERM, a grace and SIGKILL."""
    client.start(
        rig.step("a", "sleep 1000", timeout=0.2),
        rig.step("b", IGNORING, timeout=0.4, grace=0.1),
        rig.step("c", "true", timeout=600),
    )
    assert client.exit("a")["reason"] == "timeout"
    assert client.exit("b")["reason"] == "timeout"
    assert client.exit("c")["reason"] == "exited"


def test_a_stop_of_what_was_never_started_is_answered(rig: Rig, client: Client) -> None:
    """An unknown step is over as far as the launcher can tell."""
    client.stop("unknown", 1)
    assert client.exit("unknown")["reason"] == "never started"


def test_a_step_that_ended_in_time_is_not_over_its_time(rig: Rig) -> None:
    """Though the launcher, on a busy machine, looks at the limit before it hears of the exit."""
    machine, selector = list(processes.read_machine()), selectors.DefaultSelector()
    journal = Journal(rig.home.path("launcher", "journal"), machine)
    steps = RunningSteps(str(rig.home.root), journal, Timers(), selector, pytest.fail)
    for child in steps._tree.list_children() or ():  # of the tests before
        steps._ending.add_stranger(child)
    steps.start_steps([rig.step("a", "exit 3", timeout=1000)])
    record = steps.records["a"]
    os.waitid(os.P_PID, record.pid, os.WEXITED | os.WNOWAIT)
    record.monotonic -= 1000
    steps._stop_expired()
    steps.handle_child_exit(*os.wait4(record.pid, 0))
    assert record.exit is not None
    assert (record.exit["reason"], record.exit["code"]) == ("exited", 3)
