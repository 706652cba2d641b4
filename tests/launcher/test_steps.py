"""Starting steps and their exits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from smalt.launcher import claims
from tests.helpers import eventually
from tests.launcher.rig import Client, Rig


def test_a_step_runs_in_its_folder_with_its_variables_and_log(rig: Rig, client: Client) -> None:
    """A step has its own folder, variables and log, nothing on stdin, and no more of the launcher."""
    step = rig.step("a", "pwd; echo $COLOUR; echo err >&2; cat; env | grep -c LAUNCHER")
    step["env"]["COLOUR"] = "smalt"
    client.start(step)
    assert client.exit("a")["code"] == 1
    folder = rig.home.path("jobs", "a")
    assert (folder / "log").read_text() == f"{folder}\nsmalt\nerr\n0\n"


def test_bash_knows_the_login_shell_and_passes_on_only_the_jobs_own(rig: Rig, client: Client) -> None:
    """The launcher saves bash a look for the user: SHELL is as bash finds it, and no more in the environment."""
    command = "declare -p SHELL; env | grep ^SHELL=; nothing_of_that_name; declare -p SHLVL"
    usual = subprocess.run(
        ["bash", "--norc", "-c", command], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    step, own = rig.step("a", command), rig.step("b", command)
    own["env"]["SHELL"] = "/bin/my own"
    client.start(step)
    client.start(own)
    client.exit("a")
    client.exit("b")
    log = (rig.home.path("jobs", "a") / "log").read_text().splitlines()
    assert [log[0], *log[2:]] == usual.stdout.splitlines()
    assert "nothing_of_that_name: command not found" in log[1]
    assert (rig.home.path("jobs", "b") / "log").read_text().splitlines()[:2] == [
        'declare -x SHELL="/bin/my own"',
        "SHELL=/bin/my own",
    ]


@pytest.mark.parametrize(("before", "line"), [("", 1), ("true\n\n", 3)])
def test_a_message_of_bash_names_the_line_of_the_command(rig: Rig, client: Client, before: str, line: int) -> None:
    """What the launcher adds to the script is no line of its own."""
    client.start(rig.step("a", f"{before}nothing_of_that_name"))
    client.exit("a")
    assert (rig.home.path("jobs", "a") / "log").read_text() == (
        f"bash: line {line}: nothing_of_that_name: command not found\n"
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("false", 1),
        ("", 0),
        ("python_that_is_not_there", 127),
        ("exit 7", 7),
        ("exec bash -c 'exit 8'", 8),
        ("trap 'exit 9' EXIT; true", 9),
        ("trap - EXIT TERM; exit 10", 10),
        ("set -e; false; echo no", 1),
        ("set -euo pipefail\nfalse | true\necho no", 1),
        ("if", 2),
        ("echo 'unbalanced", 2),
        ("cat <<END\n$((1+1))\nEND\n(exit 11)", 11),
        ("echo ') ; exit 0'; exit 12  # comment", 12),
        ("bash -c 'kill -9 $$'", 137),
        ("kill -9 $BASHPID", 137),
        ("exit 253", 253),
        ("(exit 3) && true", 3),
    ],
)
def test_the_exit_code_is_bashs_and_is_left_in_the_claim(rig: Rig, client: Client, command: str, code: int) -> None:
    """Whatever the command does to its shell, its code is told and is on disk."""
    step = rig.step("a", command)
    client.start(step)
    exit = client.exit("a")
    assert (exit["code"], exit["signal"], exit["reason"]) == (code, None, "exited")
    assert claims.read_code(claims.make_path(step["folder"], "a")) == code


def test_a_shell_that_is_killed_has_a_signal_and_leaves_no_code(rig: Rig, client: Client) -> None:
    """A step whose shell is ended from outside is not taken for one that succeeded."""
    step = rig.step("a", "true; sleep 1000")
    client.start(step)
    os.kill(client.pid("a"), 9)
    exit = client.exit("a")
    assert (exit["code"], exit["signal"]) == (None, 9)
    assert claims.read_code(claims.make_path(step["folder"], "a")) is None


def test_a_batch_of_steps_is_started_at_once(rig: Rig, client: Client) -> None:
    """One message starts many, and each exit is told."""
    client.start(*(rig.step(f"s{number}", f"exit {number}") for number in range(20)))
    assert [client.exit(f"s{number}")["code"] for number in range(20)] == list(range(20))


def test_a_step_id_seen_before_is_not_started_again(rig: Rig, client: Client) -> None:
    """The same start, twice in a message, again while it runs, and again after it has ended, is one run."""
    step = rig.step("a", "echo run >>runs; read <go")
    os.mkfifo(Path(step["folder"], "go"))
    client.start(step, step)
    eventually(lambda: rig.file("a", "runs"), "the first run")
    client.start(step)
    Path(step["folder"], "go").write_text("\n")
    client.exit("a")
    client.start(step)
    client.acknowledge("a")
    client.start(step, rig.step("b", "true"))  # when the end of b is told, what was told of a before has come
    client.exit("b")
    assert client.exit("a")["code"] == 0
    assert rig.file("a", "runs") == "run"


def test_a_start_said_twice_in_one_message_ends_once(rig: Rig, client: Client) -> None:
    """Many at once: each runs once, its end is told, and once that is acknowledged nothing of it is left."""
    steps = [rig.step(f"s{number}", "echo run >>runs") for number in range(30)]
    client.start(*steps, *steps)
    for number in range(30):
        assert client.exit(f"s{number}")["code"] == 0
        assert rig.file(f"s{number}", "runs") == "run"
        client.acknowledge(f"s{number}")
    hello = rig.connect().hello
    assert hello is not None
    assert (hello["running"], hello["exits"]) == ([], [])


def test_two_shells_of_one_step_are_one_run(rig: Rig, client: Client) -> None:
    """The claim alone decides: a shell that comes second does nothing and says so."""
    step = rig.step("a", "echo run >>runs")
    Path(claims.make_path(step["folder"], "a")).touch()
    assert subprocess.run(["bash", "-c", step["script"]]).returncode == claims.TAKEN
    assert rig.file("a", "runs") is None


def test_what_cannot_be_started_is_refused_in_a_sentence(rig: Rig, client: Client) -> None:
    """No log folder, too large an environment: an exit that says why, and the launcher goes on."""
    no_log = rig.step("a", "true", log="/nonexistent/log")
    too_large = rig.step("b", "true")
    too_large["env"] = {f"V{number}": "x" * 100_000 for number in range(100)}
    client.start(no_log, too_large, rig.step("c", "true"))
    assert client.exit("a")["reason"] == client.exit("b")["reason"] == "refused"
    assert "/nonexistent/log" in client.exit("a")["message"]
    assert "Argument list too long" in client.exit("b")["message"]
    assert client.exit("c")["code"] == 0


def test_a_long_command_is_run(rig: Rig, client: Client) -> None:
    """A command longer than the system takes as one argument goes by a file."""
    client.start(rig.step("a", f": {'x' * 200_000}; exit 5"))
    assert client.exit("a")["code"] == 5


def test_a_missing_working_folder_is_said_in_the_log(rig: Rig, client: Client) -> None:
    """A step whose folder was deleted fails with a sentence in its log, and leaves its code."""
    step = rig.step("a", "true")
    step["script"] = step["script"].replace(f"cd {step['folder']}", f"cd {step['folder']}/gone")
    client.start(step)
    assert client.exit("a")["code"] == 1
    assert "cannot enter the working folder" in Path(step["log"]).read_text()
    assert claims.read_code(claims.make_path(step["folder"], "a")) == 1
