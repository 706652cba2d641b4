"""docs/sweeps.md: its files, lines and programs run as they stand, and say what the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import yaml
from smalt import MLClient, load_job
from smalt.entities import PipelineJob, SweepJob
from smalt.machine.home import Home
from tests.acceptance import conftest
from tests.acceptance.conftest import Desk

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/sweeps.md").read_text()
LOG = ROOT / "tests" / "engine" / "log_metric.py"
BUILT = "azureml:sklearn-1.5@latest"
FILES = dict(re.findall(r"```(?:yaml|python)\n# (\S+\.(?:yml|py))\n(.*?)```", PAGE, re.S))
PROGRAMS = [text for text in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "SweepJob" in text]


@pytest.fixture
def files(desk: Desk) -> Desk:
    """The files of the page; trials run in the host's Python and log without mlflow, which that does not have."""
    database = desk.server.home.root / "workspaces" / "default" / "mlflow.db"
    logs = (
        f"subprocess.run([{sys.executable!r}, '-SE', {str(LOG)!r}, {str(database)!r}, 'loss', str(loss)], check=True)"
    )
    for name, text in FILES.items():
        text = text.replace("import mlflow", "import subprocess").replace('mlflow.log_metric("loss", loss)', logs)
        desk.write(name, text.replace(BUILT, "azureml:host"))
    return desk


def find_command(start: str) -> str:
    """Return an indented command of the page, without the continuation of its lines."""
    found = re.search(rf"^    smalt ({start}.*(?:\n        .*)*)", PAGE, re.M)
    assert found is not None
    return re.sub(r" \\\n\s*", " ", found[1])


def test_the_line_and_the_file_are_one_sweep(files: Desk) -> None:
    """The line with `-o yaml` prints the file of the page; with `--stream` it runs to its end."""
    line = find_command("job sweep job.yml")
    printed = files.smalt(line.replace("--stream", "-o yaml"))
    assert printed.code == 0, printed.err
    document = yaml.safe_load(printed.out)
    document["trial"]["code"] = document["trial"]["code"].removeprefix("./")
    assert document == yaml.safe_load(FILES["sweep.yml"].replace(BUILT, "azureml:host"))
    ran = files.smalt(f"{line} --name tune".replace("-trials 20", "-trials 3").replace("-trials 4", "-trials 2"))
    assert ran.code == 0, ran.err
    more = files.smalt(find_command("job sweep tune").replace("40", "4") + " --stream")
    assert more.code == 0, more.err
    assert "3 reused" in more.err


@pytest.mark.integration
def test_the_first_example_runs_as_printed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the environment that the page names, which is built, and with MLflow, which the home installs."""
    monkeypatch.setattr(conftest, "LONGEST", 600)
    for name, text in FILES.items():
        desk.write(name, text)
    ran = desk.smalt(find_command("job sweep job.yml").replace("-trials 20", "-trials 4"))
    assert ran.code == 0, ran.err
    assert "4 Completed" in ran.err


@pytest.mark.parametrize("file", ["pipeline.yml", "of-component.yml"])
def test_the_pipelines_run(files: Desk, file: str) -> None:
    """The step after the sweep reads the best trial's model."""
    ran = files.smalt(f"job create -f {file} --name {file.removesuffix('.yml')} --stream")
    assert ran.code == 0, ran.err
    if file == "pipeline.yml":
        assert " rbf" in files.smalt("job stream pipeline-show").out


def test_the_sweep_component_is_registered(files: Desk) -> None:
    """By the command line, and a step that names it by its name and version runs."""
    assert files.smalt("component create -f tuned.yml").code == 0
    text = (files.folder / "of-component.yml").read_text().replace("./tuned.yml", "azureml:tuned_training:1")
    files.write("of-component.yml", text)
    assert files.smalt("job create -f of-component.yml --stream").code == 0


def test_the_programs_run(files: Desk) -> None:
    """With `ml_client`, one after the other; the second one makes a job that runs, too, with a quick algorithm."""
    ml_client = MLClient(home=Home(files.server.home.root), workspace_name="default")
    names: dict[str, Any] = {"ml_client": ml_client}
    for program in PROGRAMS:
        program = program.replace('"bayesian"', '"random"').replace(BUILT, "azureml:host")
        exec(compile(program, "program", "exec"), names)
    assert str(names["best"]).startswith(f"{names['sweep'].name or ''}")
    assert isinstance(names["job"], SweepJob)
    ran = ml_client.jobs.create_or_update(names["job"])
    ml_client.jobs.stream(ran.name)
    assert len(list(ml_client.jobs.list(parent_job_name=ran.name))) == 4
    assert list(files.folder.rglob("model.txt")) != []


def test_the_mistakes_are_said_as_on_the_page(files: Desk) -> None:
    """Each with the words of the page."""
    told = re.findall(r"^      sweep\.yml:\d+:\d+: (.*)$", PAGE, re.M)
    wrong = (
        "type: sweep\ntrial: {type: command, command: 'echo ${{inputs.n}}', environment: 'azureml:host', "
        "inputs: {n: {type: integer}, lr: {type: number}}}\nsearch_space:\n"
        "  lr: {type: uniform, min_value: 0, max_value: 1}\n  n: {type: uniform, min_value: 0, max_value: 1}\n"
        "objective: {goal: minimize, primary_metric: loss}\nsampling_algorithm: ALGORITHM\n"
        "limits: {max_total_trials: 4, max_concurrent_trials: 5}\n"
    )
    files.write("wrong.yml", wrong.replace("ALGORITHM", "grid"))
    said = files.smalt("job validate -f wrong.yml").err
    assert len(told) == 3
    assert [sentence for sentence in told if sentence not in said] == []


def test_the_examples_are_read() -> None:
    """The files of the example that the page names have no problem."""
    for file, noun in (("sweep.yml", SweepJob), ("pipeline.yml", PipelineJob)):
        path = f"examples/sweep-of-a-classifier/{file}"
        assert f"smalt job create -f {path} --stream" in PAGE
        assert isinstance(load_job(ROOT / path), noun)
