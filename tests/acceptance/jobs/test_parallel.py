"""Parallel steps from YAML, by a real server: rows, reuse, what is taken over, and mistakes at their lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import yaml
from smalt import MLClient, load_job
from tests.acceptance.conftest import Desk
from tests.helpers import Server, eventually

SCRIPT = """
import argparse, os
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--side")
parser.add_argument("--word")

def init():
    global arguments
    arguments = parser.parse_args()

def run(mini_batch):
    if any(one.endswith("3.txt") for one in mini_batch) and not os.path.exists(os.environ["MENDED"]):
        raise ValueError("not yet")
    Path(arguments.side, Path(mini_batch[0]).name).touch()
    return [f"{arguments.word} {Path(one).name}" for one in mini_batch]
"""


def make_pipeline(desk: Desk, **more: Any) -> str:
    """Write a pipeline with a parallel step; return its file."""
    desk.write("src/score.py", SCRIPT)
    for number in range(4):
        if not (desk.folder / f"input/{number}.txt").exists():
            desk.write(f"input/{number}.txt", str(number))
    step = {
        "type": "parallel",
        "inputs": {"data": {"type": "uri_folder", "path": "./input"}, "word": "it's $HOME"},
        "outputs": {"rows": {"type": "uri_file"}, "side": {"type": "uri_folder"}},
        "input_data": "${{inputs.data}}",
        "mini_batch_size": "1",
        "max_concurrency_per_instance": 1,
        "resources": {"instance_count": 2},
        "retry_settings": {"max_retries": 0},
        "environment_variables": {"MENDED": str(desk.folder / "mended")},
        "task": {
            "type": "run_function", "code": "./src", "entry_script": "score.py", "environment": "azureml:host",
            "program_arguments": "--side ${{outputs.side}} --word '${{inputs.word}}'",
            "append_row_to": "${{outputs.rows}}",
        },
        **more,
    }  # fmt: skip
    desk.write("pipeline.yml", yaml.safe_dump({"type": "pipeline", "jobs": {"score": step}}))
    return "pipeline.yml"


@pytest.fixture
def mended(desk: Desk) -> Path:
    return desk.write("mended", "")


ROWS = [f"it's $HOME {number}.txt" for number in range(4)]


def read_rows(desk: Desk, job: str) -> list[str]:
    got = desk.smalt(f"job download --name {job}-score --output-name rows -p got-{job}")
    assert got.code == 0, got.err
    found = [path for path in (desk.folder / f"got-{job}").rglob("*") if path.is_file()]
    return [line for path in found for line in path.read_text().splitlines()]


def test_a_parallel_step_runs_and_is_reused(desk: Desk, mended: Path) -> None:
    """Its rows are in order, its progress is in the stream, and the same step again is not run."""
    file = make_pipeline(desk)
    ran = desk.smalt(f"job create -f {file} --name one --stream")
    assert ran.code == 0, ran.err
    assert "4 of 4 mini-batches succeeded; 4 rows were written to the output 'rows'" in ran.out + ran.err
    assert read_rows(desk, "one") == ROWS
    again = desk.smalt(f"job create -f {file} --name two --stream")
    assert again.code == 0, again.err
    assert "1 reused" in again.err
    assert "no effect" not in ran.out + ran.err + again.out + again.err
    types = [desk.ask("job list -p one --query [0].type"), desk.ask("job show one-score --query type")]
    assert types == ["command", "command"]


def test_finished_mini_batches_of_a_failed_job_are_taken_over(desk: Desk) -> None:
    """The job says why it failed; the next one runs what is left, and has what the others wrote besides their rows."""
    # One worker: with two, the last mini-batch may fail while the third is still running.
    file = make_pipeline(desk, mini_batch_error_threshold=0, resources={"instance_count": 1})
    failed = desk.smalt(f"job create -f {file} --name bad --stream")
    assert failed.code != 0
    assert "1 mini-batch failed, more than the 0 that mini_batch_error_threshold allows: run() raised" in failed.err
    desk.write("mended", "")
    file = make_pipeline(desk, mini_batch_error_threshold=1, retry_settings={"timeout": 50, "max_retries": 1})
    ran = desk.smalt(f"job create -f {file} --name good --stream")
    assert ran.code == 0, ran.err
    assert "3 mini-batches are taken over from job bad-score" in ran.out + ran.err
    assert read_rows(desk, "good") == ROWS
    shown = desk.smalt("job download --name good-score --output-name side -p side")
    assert shown.code == 0, shown.err
    assert sorted(one.name for one in (desk.folder / "side").rglob("*.txt")) == [f"{one}.txt" for one in range(4)]


PAGE = (Path(__file__).parents[3] / "docs/parallel.md").read_text()
FILES = dict(re.findall(r"```(?:yaml|python)\n# (\S+\.(?:yml|py))\n(.*?)```", PAGE, re.S))
PROGRAM = next(text for text in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "MLClient" in text)


@pytest.fixture
def page(desk: Desk) -> Desk:
    """The files of docs/parallel.md."""
    for name, text in FILES.items():
        desk.write(name, text)
    for number in range(5):
        desk.write(f"data/{number}.txt", "x")
    return desk


def test_the_page_runs(page: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file gives the rows that it says, and its program the same, by reuse or again."""
    ran = page.smalt("job create -f pipeline.yml --name paged --stream")
    assert ran.code == 0, ran.err
    assert "5 files in 3 mini-batches of 2; 2 worker processes, logs in logs/user" in ran.out
    assert "3 of 3 mini-batches succeeded; 5 rows were written to the output 'sizes'" in ran.out
    monkeypatch.chdir(page.folder)
    names: dict[str, Any] = {}
    exec(compile(PROGRAM, "page.py", "exec"), names)
    job = names["client"].jobs.get(names["job"].name)
    names["client"].connection.close()
    assert job.status == "Completed"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("mini_batch_size", "ten", "'ten' is no size of a mini-batch; write a number of files, or a size such as 10kb"),
        ("mini_batch_size", "10kb", "a uri_folder is cut by the number of its files, not by bytes"),
        ("mini_batch_size", "0", "'0' is no size of a mini-batch"),
        ("input_data", "${{inputs.word}}", "the input 'word' is"),
        ("input_data", "./data", "'./data' does not name one of the inputs alone; write"),
        ("input_data", None, "needs 'input_data', the input that is cut into mini-batches"),
        ("error_threshold", -2, "at least -1"),
        ("max_concurrency_per_instance", 0, "at least 1"),
        ("retry_settings", {"timeout": 0}, "at least 1"),
        ("task.entry_script", "scor.py", "there is no file 'scor.py' in the code"),
        ("task.append_row_to", "rows", "'rows' does not name one of the outputs alone"),
        ("task.type", "model", "a task of type 'model' cannot run"),
        (
            "task.program_arguments",
            "--error_threshold many",
            "pipeline.yml:28:26: --error_threshold takes a whole number, or -1 for any number, not 'many'",
        ),
        ("task.program_arguments", "--error_threshold", "or -1 for any number, not ''"),
        ("task.program_arguments", "--allowed_failed_percent 101", "takes a number from 0 to 100, not '101'"),
        ("task.program_arguments", "--task_overhead_timeout=0", "takes a number of seconds, not '0'"),
        ("task.program_arguments", "--append_row_check maybe", "takes 'on' or 'off', not 'maybe'"),
        ("task.program_arguments", "--error_threshold 1 --error_threshold 2", "--error_threshold is given twice"),
        ("task.program_arguments", "--word 'a", "No closing quotation"),
        (
            "task.program_arguments",
            "--error_threshold 0 --allowed_failed_count 9",
            "'error_threshold' is 5 here and 0 by --error_threshold of task.program_arguments; remove one of them",
        ),
        ("partition_keys", ["a", "b", "a"], "the key 'a' is there twice"),
    ],
)
def test_mistakes_are_said_at_their_line(desk: Desk, key: str, value: Any, sentence: str) -> None:
    """Before anything runs."""
    make_pipeline(desk, error_threshold=5)
    document = yaml.safe_load((desk.folder / "pipeline.yml").read_text())
    step = document["jobs"]["score"]
    owner, _, inner = key.rpartition(".")
    (step[owner] if owner else step).update({inner: value})
    if value is None:
        del step[key]
    desk.write("pipeline.yml", yaml.safe_dump(document))
    ran = desk.smalt("job validate -f pipeline.yml")
    assert ran.code == 2, ran.out
    assert sentence in ran.err, ran.err


def test_a_kill_of_the_server_does_not_disturb_the_step(own_server: Server, tmp_path: Path) -> None:
    """Killed while mini-batches run: the step goes on under the launcher, and its rows are there once."""
    script = """
import os, time
from pathlib import Path

def run(mini_batch):
    Path(os.environ["SEEN"], Path(mini_batch[0]).name).touch()
    while len(os.listdir(os.environ["SEEN"])) > 2 and not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    return mini_batch
"""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "score.py").write_text(script)
    seen, data = tmp_path / "seen", tmp_path / "data"
    seen.mkdir()
    data.mkdir()
    for number in range(8):
        (data / f"{number}.txt").touch()
    step = {
        "type": "parallel", "inputs": {"data": {"type": "uri_folder", "path": str(data)}},
        "outputs": {"rows": {"type": "uri_file", "path": f"file://{tmp_path}/rows.txt"}},
        "input_data": "${{inputs.data}}", "max_concurrency_per_instance": 2,
        "environment_variables": {"SEEN": str(seen), "GO": str(tmp_path / "go")},
        "task": {
            "type": "run_function", "code": str(tmp_path / "src"), "entry_script": "score.py",
            "environment": "azureml:host", "append_row_to": "${{outputs.rows}}",
        },
    }  # fmt: skip
    file = tmp_path / "pipeline.yml"
    file.write_text(yaml.safe_dump({"type": "pipeline", "jobs": {"score": step}}))
    own_server.start()
    client = MLClient(home=own_server.home)
    job = client.jobs.create_or_update(load_job(file))
    eventually(lambda: len(list(seen.iterdir())) > 2, "three mini-batches")
    own_server.kill()
    (tmp_path / "go").touch()
    own_server.start_again()
    eventually(lambda: client.jobs.get(job.name).status == "Completed", "the end of the job")
    client.connection.close()
    rows = (tmp_path / "rows.txt").read_text().splitlines()
    assert [Path(row).name for row in rows] == [f"{number}.txt" for number in range(8)]


def test_a_killed_coordinator_is_told_by_its_signal(desk: Desk) -> None:
    """Its shell outlives it, and has the signal in its exit code."""
    file = make_pipeline(desk)
    desk.write(
        "src/score.py", "import os, time\ndef run(mini_batch):\n    os.kill(os.getppid(), 9)\n    time.sleep(60)\n"
    )
    ran = desk.smalt(f"job create -f {file} --stream")
    assert ran.code == 1
    killed = "the command exited with code 137, which stands for SIGKILL (possibly out of memory)"
    assert f"error: step score failed: {killed}" in ran.err


def test_arguments_named_like_settings_go_to_the_script(desk: Desk, mended: Path) -> None:
    """The stream says that they set nothing of the step; a threshold that both set alike is accepted."""
    file = make_pipeline(desk, error_threshold=0)
    document = yaml.safe_load((desk.folder / file).read_text())
    document["jobs"]["score"]["task"]["program_arguments"] += " --error_threshold 0 --mini_batch_size 9"
    desk.write(file, yaml.safe_dump(document))
    desk.write("src/score.py", SCRIPT.replace("parse_args()", "parse_known_args()[0]"))
    ran = desk.smalt(f"job create -f {file} --name named --stream")
    assert ran.code == 0, ran.err
    line = "task.program_arguments: --mini_batch_size goes to the script; the setting of the step is 'mini_batch_size'"
    assert line in ran.out + ran.err
    assert "4 files in 4 mini-batches" in ran.out + ran.err


def test_a_step_over_a_table_can_be_debugged(desk: Desk, mended: Path) -> None:
    """`smalt job debug` runs the program on a copy of the step, which takes nothing over."""
    desk.write("input/MLTable", "type: mltable\npaths:\n  - pattern: ./*.txt\n")
    data = {"data": {"type": "mltable", "path": "./input", "mode": "eval_mount"}, "word": "it's $HOME"}
    ran = desk.smalt(f"job create -f {make_pipeline(desk, inputs=data)} --name table --stream")
    assert ran.code == 0, ran.err
    desk.write("look.sh", f"python -m _smalt_parallel > {desk.folder}/seen 2>&1")
    looked = desk.smalt(f"job debug table --node score -- bash {desk.folder}/look.sh")
    seen = (desk.folder / "seen").read_text()
    assert looked.code == 0, looked.err + seen
    assert "4 files in 4 mini-batches of 1" in seen
    assert "4 of 4 mini-batches succeeded; 4 rows were written to the output 'rows'" in seen
    assert "taken over" not in seen
    (desk.folder / "input/MLTable").unlink()
