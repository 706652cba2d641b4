"""`smalt job show` tells how a job went: why it failed or was canceled, its steps, and what it waits for."""

from __future__ import annotations

import getpass
import json
import os
import pty
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import smalt
from tests.helpers import LONGEST, eventually

pytestmark = pytest.mark.usefixtures("started")

STEP = "    type: command\n    environment: azureml:host@latest\n    compute: azureml:local\n"


def pipeline(folder: Path, settings: str = "", **steps: str) -> Path:
    """Write a pipeline of commands; a command may be followed by further lines of the step."""
    text = f"type: pipeline\nsettings: {{{settings}}}\njobs:\n"
    for name, command in steps.items():
        first, _, rest = command.partition("\n")
        text += f"  {name}:\n{STEP}    command: {json.dumps(first)}\n{rest}"
    (folder / "pipe.yml").write_text(text)
    return folder / "pipe.yml"


def shown(name: str, *query: str) -> Any:
    done = smalt("job", "show", name, *query)
    assert done.code == 0, done.err
    return json.loads(done.out)


def on_a_terminal(*args: str, columns: int = 80) -> str:
    """Return what a command line writes to a terminal of so many columns, without its colours."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "smalt", *args], stdout=terminal, stderr=terminal, stdin=terminal, env=environment
    )
    os.close(terminal)
    written = b""
    try:
        while piece := os.read(controller, 65536):
            written += piece
    except OSError:  # on Linux the end of a terminal
        pass
    os.close(controller)
    process.wait()
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", written.decode()).replace("\r\n", "\n")


@pytest.fixture
def failed(tmp_path: Path) -> str:
    """A pipeline whose step `bad` failed beside one that ended well, so that `late` was not started."""
    file = pipeline(
        tmp_path,
        "continue_on_step_failure: true",
        good="echo fine > ${{outputs.o}}/x\n    outputs: {o: {type: uri_folder}}\n",
        bad="echo first; echo the last words >&2; exit 3",
        late='cat "${{inputs.d}}"\n    inputs:\n      d: {type: uri_folder, path: "${{parent.jobs.bad.outputs.o}}"}\n',
    )
    text = file.read_text().replace('exit 3"\n', 'exit 3"\n    outputs: {o: {type: uri_folder}}\n')
    file.write_text(text)
    assert smalt("job", "create", "--file", str(file), "--name", "p", "--stream").code == 1
    return "p"


def test_a_failed_step_is_shown_with_its_sentence_exit_code_and_last_lines(failed: str) -> None:
    step = shown(f"{failed}-bad")
    assert step["error"] == {"code": "UserError", "message": "the command exited with code 3", "exit_code": 3}
    assert step["log_tail"] == ["first", "the last words"]
    assert step["properties"]["smalt.error"] == "the command exited with code 3"
    assert step["properties"]["smalt.exit-code"] == "3"


def test_a_failed_pipeline_is_shown_with_its_steps_and_what_the_stream_said(failed: str) -> None:
    job = shown(failed)
    assert job["error"]["message"] == "step 'bad' failed: the command exited with code 3"
    steps = {step["step"]: step for step in job["steps"]}
    assert {name: step["status"] for name, step in steps.items()} == {
        "good": "Completed", "bad": "Failed", "late": "Canceled",
    }  # fmt: skip
    assert steps["bad"]["log_tail"] == ["first", "the last words"]
    assert steps["bad"]["duration_seconds"] >= 0
    assert "duration_seconds" not in steps["late"]
    assert steps["late"]["error"]["message"] == "it needs 'bad', which did not complete"


def test_a_terminal_shows_the_steps_as_a_table_and_the_log_as_it_is(failed: str) -> None:
    text = on_a_terminal("job", "show", failed)
    assert "message: 'step ''bad'' failed: the command exited with code 3'" in text
    assert re.search(r"^bad +Failed +[\d.]+ s .*the command exited with code 3$", text, re.MULTILINE)
    assert text.endswith("end of the log of step bad:\n    first\n    the last words\n")


def test_the_official_clients_fields_have_the_reason(failed: str) -> None:
    """Azure's client keeps the properties of a job and reads its error from the run's details."""
    done = smalt("job", "show", failed, "--query", 'properties."smalt.error"', "--output", "tsv")
    assert done.out == "step 'bad' failed: the command exited with code 3\n"


def test_what_a_failed_job_noted_does_not_go_with_it_when_it_is_submitted_again(failed: str, tmp_path: Path) -> None:
    program = (
        "from smalt import MLClient\n"
        "client = MLClient()\n"
        f"job = client.jobs.get('{failed}-bad')\n"
        "job.name, job.id, job.command = 'again', None, 'true'\n"
        "client.jobs.create_or_update(job)\n"
        "client.jobs.stream('again')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST
    )
    assert done.returncode == 0, done.stderr
    assert not {"smalt.error", "smalt.exit-code"} & shown("again")["properties"].keys()


def test_what_is_shown_can_be_submitted_again(failed: str, tmp_path: Path) -> None:
    """All that `job show` prints is taken back, of a step and of a pipeline; a typing error in it is not."""
    for name in (failed, f"{failed}-bad"):
        file = tmp_path / f"{name}.yml"
        file.write_text(smalt("job", "show", name, "--output", "yaml").out)
        done = smalt("job", "create", "--file", str(file), "--name", f"{name}-again", "--stream")
        assert "exited with code 3" in done.err, done.err
    file.write_text(f"{file.read_text()}duration_second: 3\n")
    assert "unknown key 'duration_second'" in smalt("job", "validate", "--file", str(file)).err


def begin(tmp_path: Path) -> str:
    file = pipeline(tmp_path, runs="sleep 600", other="sleep 600")
    done = smalt("job", "create", "--file", str(file), "--name", "p")
    assert done.code == 0, done.err
    eventually(lambda: shown("p-runs")["status"] == "Running")
    return "p"


def test_a_canceled_job_and_its_steps_tell_who_canceled_it(tmp_path: Path) -> None:
    name = begin(tmp_path)
    assert smalt("job", "cancel", name).code == 0
    who = f"canceled by {getpass.getuser()}"
    assert shown(name)["error"] == {"code": "Canceled", "message": who}
    assert {step["error"]["message"] for step in shown(name)["steps"]} == {who}
    streamed = smalt("job", "stream", name)
    assert streamed.code == 1
    assert streamed.err.splitlines()[-1].endswith(f": {who}")


def test_a_canceled_job_that_takes_its_time_says_what_it_waits_for(tmp_path: Path) -> None:
    """At a terminal only: a script gets the end."""
    for name, show in (("p", on_a_terminal), ("q", lambda *args: smalt(*args).err)):
        late = tmp_path / name
        file = pipeline(
            tmp_path,
            slow=f"trap 'sleep 4; exit 1' TERM; touch {late}; while true; do sleep 0.1; done",
            quick="sleep 600",
        )
        assert smalt("job", "create", "--file", str(file), "--name", name).code == 0
        eventually(late.exists)
        said = show("job", "cancel", name).splitlines()
        assert said[-1] == f"job {name} is Canceled"
        assert [line for line in said[:-1] if line] == (
            []
            if name == "q"
            else [
                "job p is being canceled; waiting for the processes of step 'slow', which have up to 30 s to end before"
                " they are killed (Ctrl-C ends only the waiting)"
            ]
        )


def test_an_unknown_job_is_not_drawn() -> None:
    """The error comes before anything about the job."""
    assert on_a_terminal("job", "stream", "no-such-job").startswith("error: ")


def test_a_canceled_step_tells_its_pipeline(tmp_path: Path) -> None:
    name = begin(tmp_path)
    for step in ("runs", "other"):
        assert smalt("job", "cancel", f"{name}-{step}").code == 0
    eventually(lambda: shown(name)["status"] == "Canceled")
    assert shown(name)["error"]["message"] == f"step 'runs' was canceled: canceled by {getpass.getuser()}"


def test_jobs_that_a_forced_stop_canceled_say_so(tmp_path: Path) -> None:
    name = begin(tmp_path)
    assert smalt("server", "stop", "--force").code == 0
    why = f"the server was stopped with --force by {getpass.getuser()}"
    assert shown(name)["error"]["message"] == why
    assert shown(f"{name}-runs")["error"]["message"] == why


def test_a_sibling_of_a_failed_step_tells_which_it_was(tmp_path: Path) -> None:
    file = pipeline(
        tmp_path, "continue_on_step_failure: false", runs="touch ${{outputs.o}}/here; sleep 600", fails="exit 2"
    )
    file.write_text(file.read_text().replace('sleep 600"\n', 'sleep 600"\n    outputs: {o: {type: uri_folder}}\n'))
    assert smalt("job", "create", "--file", str(file), "--name", "p", "--stream").code == 1
    assert shown("p-runs")["error"]["message"] == "step 'fails' failed and continue_on_step_failure is false"


def test_the_reason_of_a_cancellation_survives_the_server(tmp_path: Path, home: Path) -> None:
    """The reason is recorded with the request, so that a server that is killed before the end does not lose it."""
    release = tmp_path / "release"
    file = pipeline(tmp_path, stubborn=f"trap '' TERM; until test -e {release}; do sleep 0.1; done")
    assert smalt("job", "create", "--file", str(file), "--name", "p").code == 0
    eventually(lambda: shown("p-stubborn")["status"] == "Running")
    assert smalt("job", "cancel", "p", "--no-wait").code == 0
    os.kill(json.loads((home / "server.json").read_text())["pid"], 9)
    release.touch()
    eventually(lambda: shown("p")["status"] == "Canceled")
    assert shown("p-stubborn")["error"]["message"] == f"canceled by {getpass.getuser()}"


def test_a_step_that_waits_says_for_what(tmp_path: Path, home: Path) -> None:
    assert smalt("config", "set", "cpus", "1").code == 0
    assert smalt("server", "stop").code == 0
    file = pipeline(
        tmp_path,
        first="sleep 600\n    outputs: {o: {type: uri_folder}}\n",
        second='ls ${{inputs.d}}\n    inputs:\n      d: {type: uri_folder, path: "${{parent.jobs.first.outputs.o}}"}\n',
        third="sleep 600",
    )
    assert smalt("job", "create", "--file", str(file), "--name", "p").code == 0
    eventually(lambda: shown("p-first")["status"] == "Running")
    waits = {step["step"]: step.get("waits_for") for step in shown("p")["steps"]}
    assert waits == {
        "first": None,
        "second": "step 'first' (Running)",
        "third": "a free CPU; the only one is taken by p-first",
    }
    assert shown("p-third")["waits_for"] == waits["third"]


def test_the_status_of_the_server_counts_as_the_lists_do(tmp_path: Path) -> None:
    """`server status` has the numbers of `job list`, by workspace and state, and says what waits for what."""
    assert smalt("config", "set", "cpus", "1").code == 0
    assert smalt("server", "stop").code == 0
    begin(tmp_path)
    (tmp_path / "job.yml").write_text("type: command\ncommand: sleep 600\nenvironment: azureml:host@latest\n")
    assert smalt("job", "create", "--file", str(tmp_path / "job.yml"), "--name", "alone").code == 0
    assert smalt("workspace", "create", "--name", "labs").code == 0
    assert smalt("job", "create", "--file", str(tmp_path / "job.yml"), "--name", "there", "-w", "labs").code == 0
    told = json.loads(smalt("server", "status").out)
    for workspace in told["workspaces"]:
        listed = json.loads(smalt("job", "list", "-w", workspace["name"]).out)
        assert workspace["unfinished"] == dict(Counter(job["status"] for job in listed))
    assert {one["name"]: sum(one["unfinished"].values()) for one in told["workspaces"]} == {"default": 2, "labs": 1}
    assert told["unfinished"] == 3
    why = "a free CPU; the only one is taken by p-runs"
    assert {one["job"]: one["waits_for"] for one in told["waiting"]} == {"p-other": why, "alone": why, "there": why}


def test_all_of_a_pipeline_is_downloaded_into_a_folder_for_each_step(tmp_path: Path) -> None:
    """Logs, artifacts and outputs of all steps come, of nested ones too, and no names clash."""
    inner = pipeline(tmp_path, artifacts="echo deep; echo deep > outputs/a").read_text()
    (tmp_path / "inner.yml").write_text(inner.replace("type: pipeline\n", "type: pipeline\nname: inner\n", 1))
    file = pipeline(
        tmp_path,
        first="echo one; echo 1 > outputs/a; echo o > ${{outputs.o}}/x\n    outputs: {o: {type: uri_folder}}\n",
    )
    text = (tmp_path / "inner.yml").read_text().replace("settings: {}\n", "")
    file.write_text(f"{file.read_text()}  outer:\n    type: pipeline\n    component: ./inner.yml\n")
    (tmp_path / "inner.yml").write_text(text.replace("    compute: azureml:local\n", ""))
    done = smalt(
        "job", "create", "--file", str(file), "--name", "p", "--stream", "--set", "settings.default_compute=local"
    )
    assert done.code == 0, done.err
    assert smalt("job", "download", "p", "--all", "-p", str(tmp_path / "all")).code == 0
    steps = tmp_path / "all" / "steps"
    assert (steps / "first/artifacts/user_logs/std_log.txt").read_text() == "one\n"
    assert (steps / "first/artifacts/outputs/a").read_text() == "1\n"
    assert (steps / "first/named-outputs/o/x").read_text() == "o\n"
    assert (steps / "outer/steps/artifacts/artifacts/user_logs/std_log.txt").read_text() == "deep\n"
    assert (steps / "outer/steps/artifacts/artifacts/outputs/a").read_text() == "deep\n"
