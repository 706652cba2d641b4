"""Schedules on the command line: what is wrong with them and with their jobs is told at its line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import LONGEST, Server


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def smalt(module_server: Server, tmp_path: Path) -> Callable[..., Ran]:
    def call(*words: str) -> Ran:
        command = [sys.executable, "-c", "from smalt.cli import main; main()", *words]
        environment = {**os.environ, "SMALT_HOME": str(module_server.home.root)}
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST)
        return Ran(done.returncode, done.stdout, done.stderr)

    (tmp_path / "job.yml").write_text(JOB)
    (tmp_path / "bad.yml").write_text("command: echo\nenvironment: azureml:nosuch:1\n")
    (tmp_path / "import.yml").write_text(IMPORT)
    return call


JOB = """type: pipeline
inputs: {word: one}
jobs:
  a: {command: "echo said ${{inputs.w}}", environment: azureml:host, inputs: {w: "${{parent.inputs.word}}"}}
"""
IMPORT = """name: rows
path: azureml://datastores/workspaceblobstore/paths/rows
source:
  connection: azureml:nosuch
  type: database
  query: select 1
"""
CRON = 'trigger: {type: cron, expression: "0 3 * * *"}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('trigger: {type: cron, expression: "* * * *"}\ncreate_job: ./job.yml\n', "s.yml:2:35: 'expression' is not"),
        ('trigger: {type: cron, expression: "0 0 31 2 *"}\ncreate_job: ./job.yml\n', "s.yml:2:10: the trigger has no"),
        (f"{CRON}create_job: ./bad.yml\n", "bad.yml:2:14: there is no environment 'nosuch:1'"),
        (f"{CRON}create_job:\n  type: command\n  command: x\n  environment: azureml:nosuch:1\n", "s.yml:6:16: there"),
        (f"{CRON}create_job: azureml:nosuch\n", "s.yml:3:13: there is no job 'nosuch'"),
        (f"{CRON}create_job:\n  job: ./job.yml\n  inputs: {{wrd: x}}\n", "s.yml:5:12: the job has no input 'wrd'"),
        (f"{CRON}import_data: ./import.yml\n", "import.yml:4:15: there is no connection 'nosuch'"),
        (f"{CRON}invoke_batch_endpoint: {{endpoint_name: nope}}\n", "s.yml:3:40: there is no batch endpoint 'nope'"),
        (
            f"{CRON}create_job: ./job.yml\ninvoke_batch_endpoint: {{endpoint_name: nope}}\n",
            "s.yml:4:1: a schedule does one thing, and 'create_job' is given as well",
        ),
        (CRON, "s.yml:1:1: a schedule needs 'create_job', 'import_data', 'invoke_batch_endpoint' or 'create_monitor'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(smalt: Callable[..., Ran], tmp_path: Path, text: str, words: str) -> None:
    """In the schedule's file, or in that of its job or import."""
    (tmp_path / "s.yml").write_text(f"name: s\n{text}")
    ran = smalt("schedule", "create", "--file", "s.yml")
    assert (ran.code in (1, 2), words in ran.err) == (True, True), ran


def test_an_end_that_is_past_is_told(smalt: Callable[..., Ran], tmp_path: Path) -> None:
    """The schedule is kept, as the service keeps it, and has no time."""
    ended = CRON.replace("}", ', end_time: "2020-01-01"}')
    (tmp_path / "s.yml").write_text(f"name: ended\n{ended}create_job: ./job.yml\n")
    ran = smalt("schedule", "create", "--file", "s.yml")
    assert (ran.code, "schedule 'ended' has no time to come: its end_time is past" in ran.err) == (0, True), ran


def test_a_named_job_runs_again_with_changes(smalt: Callable[..., Ran], tmp_path: Path) -> None:
    """Its inputs are those of the schedule; an update takes the name from the file."""
    assert smalt("job", "create", "--file", "job.yml", "--name", "first", "--stream").code == 0
    text = f"name: again\n{CRON}create_job: {{job: azureml:first, inputs: {{word: two}}}}\n"
    (tmp_path / "s.yml").write_text(text)
    assert smalt("schedule", "create", "--file", "s.yml").code == 0
    assert smalt("schedule", "update", "--file", "s.yml", "--set", "create_job.inputs.word=three").code == 0
    job = smalt("schedule", "trigger", "again", "--query", "job_name", "-o", "tsv").out.strip()
    assert "said three" in smalt("job", "stream", job).out
    wrong = text.replace("word:", "wrd:")
    (tmp_path / "s.yml").write_text(wrong)
    ran = smalt("schedule", "create", "--file", "s.yml")
    assert "job 'first' has no such input; did you mean 'word'?" in ran.err


STEP = """type: pipeline
name: hello
version: "1"
inputs: {word: {type: string, default: one}}
jobs:
  a:
    type: command
    component: ./step.yml
    inputs: {w: "${{parent.inputs.word}}"}
"""


def test_a_batch_endpoint_is_invoked(smalt: Callable[..., Ran], tmp_path: Path) -> None:
    """The job is one of the endpoint's, with the tick's name."""
    step = "type: command\nname: step\nversion: '1'\ninputs: {w: {type: string}}\ncommand: echo said ${{inputs.w}}\n"
    (tmp_path / "step.yml").write_text(f"{step}environment: azureml:host\n")
    (tmp_path / "pipe.yml").write_text(STEP)
    (tmp_path / "e.yml").write_text("name: hello\nauth_mode: aad_token\n")
    (tmp_path / "d.yml").write_text("name: blue\nendpoint_name: hello\ntype: pipeline\ncomponent: ./pipe.yml\n")
    assert smalt("batch-endpoint", "create", "-f", "e.yml").code == 0
    assert smalt("batch-deployment", "create", "-f", "d.yml", "--set-default").code == 0
    invoked = "invoke_batch_endpoint: {endpoint_name: hello, inputs: {word: '${{creation_context.trigger_time}}'}}"
    (tmp_path / "s.yml").write_text(f"name: invoked\n{CRON}{invoked}\n")
    assert smalt("schedule", "create", "--file", "s.yml").code == 0
    job = smalt("schedule", "trigger", "invoked", "--query", "job_name", "-o", "tsv").out.strip()
    assert "said 20" in smalt("job", "stream", job).out
    assert smalt("batch-endpoint", "list-jobs", "-n", "hello", "--query", "[].name", "-o", "tsv").out.split() == [job]
