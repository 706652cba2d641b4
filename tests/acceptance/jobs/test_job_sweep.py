"""`smalt job sweep`: a command job becomes a sweep in one line, and a sweep that has ended goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import yaml
from smalt import MLClient
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

LOG = Path(__file__).parents[2] / "engine" / "log_metric.py"
AIM = "--primary-metric loss --goal minimize"


@pytest.fixture
def files(desk: Desk) -> Desk:
    """A command job that logs one of its inputs as the loss."""
    database = desk.server.home.root / "workspaces" / "default" / "mlflow.db"
    logs = f"{sys.executable} -S -E {LOG} {database} loss"
    desk.write(
        "job.yml",
        f"""
        command: {logs} ${{{{ inputs.n }}}} && ls && echo ${{{{inputs.word}}}} > ${{{{outputs.o}}}}/word.txt
        environment: azureml:host
        code: src
        display_name: a job
        tags: {{a: b}}
        inputs: {{n: 9, word: hi}}
        outputs: {{o: {{type: uri_folder}}}}
        limits: {{timeout: 50}}
        """,
    )
    desk.write("src/there.txt", "")
    return desk


def test_a_job_becomes_a_sweep(files: Desk) -> None:
    """Inputs that vary leave the job's inputs; the rest of the job is that of each trial."""
    ran = files.smalt(f"job sweep job.yml --space 'n=choice(3, 1, 2)' --sampling grid {AIM} --max-total-trials 3 "
                      "--max-concurrent-trials 1 -n best-of-three --stream")  # fmt: skip
    assert ran.code == 0, ran.err
    shown = json.loads(files.smalt("job show best-of-three -o json").out)
    assert (shown["properties"]["best_child_run_id"], shown["inputs"]) == ("best-of-three_1", {"word": "hi"})
    assert (shown["display_name"], shown["tags"]["a"], shown["limits"]["trial_timeout"]) == ("a job", "b", 50)
    assert "there.txt" in files.smalt("job stream best-of-three_1").out


def test_the_file_that_a_line_stands_for_is_printed(files: Desk) -> None:
    """With `-o yaml` nothing runs; the file is one that `job create` takes, with paths of the current folder."""
    job = files.folder / "job.yml"
    text = job.read_text().replace("n: 9", "n: 9, lr: 1").replace("&& ls", "&& echo ${{inputs.lr}}")
    job.write_text(text)
    line = (f"job sweep job.yml --space lr='loguniform(-6,-1)' 'word=choice(\"a, b\", c)' n='quniform(1,9,q=2)' {AIM} "
            "--max-total-trials 4 --max-concurrent-trials 2 --seed 7 --policy 'bandit(slack_factor=0.1)' --timeout 99 "
            "--trial-timeout 9")  # fmt: skip
    before = files.ask("job list --query 'length(@)'")
    printed = files.smalt(f"{line} -o yaml")
    assert (printed.code, files.ask("job list --query 'length(@)'")) == (0, before)
    document = yaml.safe_load(printed.out)
    assert document["search_space"] == {
        "lr": {"type": "loguniform", "min_value": -6, "max_value": -1},
        "word": {"type": "choice", "values": ["a, b", "c"]},
        "n": {"type": "quniform", "min_value": 1, "max_value": 9, "q": 2},
    }
    assert document["sampling_algorithm"] == {"type": "random", "seed": 7}
    assert document["early_termination"] == {"type": "bandit", "slack_factor": 0.1}
    assert document["limits"] == {
        "max_total_trials": 4, "max_concurrent_trials": 2, "timeout": 99, "trial_timeout": 9,
    }  # fmt: skip
    assert document["trial"]["code"] == "./src"
    assert "loss ${{search_space.n}} && " in document["trial"]["command"]
    assert "inputs" not in document
    files.write("sweep.yml", printed.out)
    assert files.smalt("job validate -f sweep.yml").err.strip() == "sweep.yml: ok"


def test_a_value_of_a_choice_may_be_a_distribution_or_a_text_with_parentheses(files: Desk) -> None:
    """What is no distribution is text as in a file, also a date."""
    space = "n=choice(choice(1, 2), uniform(0, 1), f(1, 2), 2020-01-01, 'randint(3)')"
    printed = files.smalt(f'job sweep job.yml --space "{space}" {AIM} --max-total-trials 2 -o yaml')
    assert yaml.load(printed.out, yaml.BaseLoader)["search_space"]["n"]["values"] == [
        {"type": "choice", "values": ["1", "2"]}, {"type": "uniform", "min_value": "0", "max_value": "1"},
        "f(1, 2)", "2020-01-01", "randint(3)",
    ]  # fmt: skip


def test_a_parameter_that_the_command_does_not_name_is_told(files: Desk) -> None:
    """The trials have it as a variable alone."""
    document = (
        "{type: sweep, trial: {command: 'true', environment: 'azureml:host'}, limits: {max_total_trials: 1},\n"
        "search_space: {lr: {type: randint, upper: 2}}, objective: {primary_metric: loss, goal: minimize}}"
    )
    files.write("sweep.yml", document)
    told = "the trial's command does not name 'lr' of the search space, which it has as AZUREML_SWEEP_lr alone"
    assert told in files.smalt("job validate -f sweep.yml").err
    assert told in files.smalt("job create -f sweep.yml -n unnamed --stream").err


def test_a_component_becomes_a_sweep(files: Desk) -> None:
    """The file of a component is named by the sweep's file, and its inputs are held to their types."""
    files.write("c.yml", "type: command\ncommand: echo ${{inputs.n}}\nenvironment: azureml:host\n"
                         "inputs: {n: {type: integer}}\n")  # fmt: skip
    printed = files.smalt(f"job sweep c.yml --space 'n=randint(3)' {AIM} --max-total-trials 2 -o yaml")
    assert yaml.safe_load(printed.out)["trial"] == "file:c.yml"
    wrong = files.smalt(f"job sweep c.yml --space 'n=uniform(0,3)' {AIM} --max-total-trials 2")
    assert "the input 'n' of the trial is an integer, and a uniform distribution gives fractions" in wrong.err


def test_a_sweep_goes_on_with_more_trials(files: Desk) -> None:
    """The new sweep has the seed that was drawn for the old one, so that its first trials are reused."""
    line = f"job sweep job.yml --space 'n=uniform(0,1)' {AIM} --max-total-trials 3 --max-concurrent-trials 1"
    assert files.smalt(f"{line} -n first --stream").code == 0
    ran = files.smalt("job sweep first --max-total-trials 5 -n second --stream")
    assert ran.code == 0, ran.err
    second = json.loads(files.smalt("job show second -o json").out)
    reused = {one["trial"]: one.get("reused") for one in second["trials"]}
    assert reused == {**{f"trial_{n}": f"first_{n}" for n in range(3)}, "trial_3": None, "trial_4": None}
    first = json.loads(files.smalt("job show first -o json").out)
    points = {one["trial"]: one["parameters"] for one in second["trials"]}
    assert all(points[one["trial"]] == one["parameters"] for one in first["trials"])


def test_an_ended_sweep_that_is_submitted_again_knows_no_best_trial(files: Desk) -> None:
    """A program gets a sweep and submits it under another name: the record of the best trial stays behind."""
    line = f"job sweep job.yml --space 'n=uniform(0,1)' {AIM} --max-total-trials 1 -n once --stream"
    assert files.smalt(line).code == 0
    client = MLClient(home=Home(files.server.home.root), workspace_name="default")
    job = client.jobs.get("once")
    job.name = "again"
    created = client.jobs.create_or_update(job)
    assert "best_child_run_id" not in {**created.properties, **created.tags}
    client.jobs.stream("again")
    assert client.jobs.get("again").properties["best_child_run_id"] == "again_0"


MISTAKES = {
    "": "say what to sweep: smalt job sweep job.yml --space …, or the name of a sweep",
    "job.yml": "a sweep needs --primary-metric, --goal and --max-total-trials",
    f"job.yml {AIM} --max-total-trials 2": "say what varies, as in --space 'lr=loguniform(-6,-1)'",
    f"job.yml {AIM} --max-total-trials 2 --space lr": "--space 'lr': write NAME=DISTRIBUTION",
    f"job.yml {AIM} --max-total-trials 2 --space lr=unifrom(0,1)": "did you mean 'uniform'?",
    f"job.yml {AIM} --max-total-trials 2 --space lr=uniform(0)": "--space lr: uniform needs max_value, as in uniform(",
    f"job.yml {AIM} --max-total-trials 2 --space lr=uniform(0,1,2)": "uniform takes min_value and max_value, not 3 v",
    f"job.yml {AIM} --max-total-trials 2 --space n=uniform(2,1)": "'max_value' must not be below 'min_value'",
    f"job.yml {AIM} --max-total-trials 2 --space n=choice()": "--space n: choice needs values, as in choice(a,b)",
    f"job.yml {AIM} --max-total-trials 2 --space n=choice(1,2": "--space n: 'choice(1,2' has no ')' at its end",
    f"job.yml {AIM} --max-total-trials 2 --space m=randint(2)": "--space m: the job has no input 'm' to vary; there",
    f"job.yml {AIM} --max-total-trials 2 --space lr=randint(2)": "no input 'lr' to vary; there are n and word",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --set inputs.n=7": "--set inputs.n gives a value",
    f"job.yml {AIM} --max-total-trials 2 --space n=choice(1))": "--space n: the ')' in '1)' closes nothing",
    f"job.yml {AIM} --max-total-trials 2 --space n=choice(a(1,2)": "there is no ) at the end of 'a(1,2'",
    f"job.yml {AIM} --max-total-trials 2 --space \"n=choice('a)\"": "there is no ' at the end of ''a'",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --sampling random(sobol)": "by name: seed=…, rule=…",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --sampling grid(3)": "grid takes no settings, not 1 v",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --sampling random(seed=5) --seed 6": "--seed 6 and the",
    f"job.yml {AIM} --max-total-trials 2 --space n=choice(${{{{inputs.word}}}})": "cannot stand in a value of a sea",
    "job.yml --primary-metric '' --goal minimize --max-total-trials 2 --space n=randint(2)": "must be the name of a m",
    f"job.yml {AIM} --max-total-trials 0 --space n=randint(2)": "'max_total_trials' must be at least 1, not 0",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --sampling bayes": "did you mean 'bayesian'?",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --policy bandit": "'slack_factor' or 'slack_amount'",
    f"job.yml {AIM} --max-total-trials 2 --space n=randint(2) --policy bandit(slak_factor=1)": "did you mean 'slack_f",
    "nothing --max-total-trials 2": "there is no job 'nothing'",
    f"missing.yml {AIM} --max-total-trials 2 --space n=randint(2)": "missing.yml: cannot be read",
}  # fmt: skip


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_on_the_line_is_one_sentence(files: Desk, arguments: str) -> None:
    """It names the option or the field, and nothing is submitted."""
    before = files.ask("job list --query 'length(@)'")
    ran = files.smalt(f"job sweep {arguments}")
    assert ran.code in (1, 2)
    assert MISTAKES[arguments] in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert files.ask("job list --query 'length(@)'") == before


def test_jobs_of_other_types_are_refused(files: Desk) -> None:
    """A sweep's file is one already, and a command job that ran is no sweep to go on with."""
    files.write("s.yml", files.smalt(f"job sweep job.yml --space n=randint(2) {AIM} --max-total-trials 2 -o yaml").out)
    again = files.smalt(f"job sweep s.yml --space n=randint(2) {AIM} --max-total-trials 2")
    assert "s.yml cannot become a sweep: it is one already; run it with: smalt job create" in again.err
    assert files.smalt("job create -f job.yml -n plain --stream").code == 0
    assert "job plain is a command job" in files.smalt("job sweep plain --max-total-trials 2").err
