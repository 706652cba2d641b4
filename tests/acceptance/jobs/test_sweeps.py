"""Sweeps as users write them: every form of a trial, alone, as a step and as a component, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, MLClient, command, dsl, load_component, load_job
from smalt.entities import PipelineJob, SweepJob
from smalt.machine.home import Home
from smalt.sweep import BanditPolicy, Choice, Objective, RandomSamplingAlgorithm, SweepJobLimits, Uniform
from tests.acceptance.conftest import Desk
from tests.helpers import eventually

LOG = Path(__file__).parents[2] / "engine" / "log_metric.py"
SPACE = """
search_space:
  n: {type: choice, values: [3, 1, 2]}
objective: {primary_metric: loss, goal: minimize}
sampling_algorithm: grid
limits: {max_total_trials: 3, max_concurrent_trials: 1}
"""


@pytest.fixture
def files(desk: Desk) -> Desk:
    """A command that logs its input as the loss and writes it: as a job, a component, and in a pipeline."""
    database = desk.server.home.root / "workspaces" / "default" / "mlflow.db"
    runs = (
        f"{sys.executable} -S -E {LOG} {database} loss ${{{{inputs.n}}}} && echo ${{{{inputs.n}}}} ${{{{inputs.word}}}}"
    )
    body = f"command: {runs} > ${{{{outputs.o}}}}/n.txt\nenvironment: azureml:host\n"
    ports = "inputs: {n: {type: integer, default: 9}, word: {type: string, default: hi}}\n"
    component = f"type: command\nname: logs\nversion: '1'\n{body}{ports}outputs: {{o: {{type: uri_folder}}}}\n"
    desk.write("component.yml", component)
    desk.write("job.yml", f"{body}inputs: {{n: 9, word: hi}}\noutputs: {{o: {{type: uri_folder}}}}\ncompute: local\n")
    desk.write(
        "pipeline.yml",
        "type: pipeline\nname: whole\nversion: '1'\n" + ports + "outputs: {o: {type: uri_folder}}\njobs:\n"
        "  a: {component: ./component.yml, outputs: {o: '${{parent.outputs.o}}'},\n"
        "      inputs: {n: '${{parent.inputs.n}}', word: '${{parent.inputs.word}}'}}\n",
    )
    trial = body.replace("inputs.n", "search_space.n", 1).replace("\n", "\n  ")
    desk.write("inline.yml", f"type: sweep\ntrial:\n  {trial}\noutputs: {{o: }}\ninputs: {{word: hi}}\n{SPACE}")
    return desk


def read_best(desk: Desk, name: str) -> tuple[str, str]:
    """Return the best trial of a sweep, and what its output `o` has, as the sweep's own output."""
    best = desk.ask(f"job show {name} --query properties.best_child_run_id")
    assert desk.smalt(f"job download {name} --output-name o -p got-{name}").code == 0
    return best.removeprefix(f"{name}_"), next((desk.folder / f"got-{name}").rglob("n.txt")).read_text()


@pytest.mark.parametrize(
    "trial", ["inline", "component.yml", "file:component.yml", "job.yml", "registered", "pipeline.yml"]
)
def test_a_trial_is_a_command_a_component_a_job_or_a_pipeline(files: Desk, trial: str) -> None:
    """In place, of a file or registered: the trial with the lowest metric is the best, and its outputs the sweep's."""
    name = f"s-{trial.replace(':', '-').replace('.', '-')}"
    if trial == "registered":
        assert files.smalt("component create -f component.yml").code == 0
        trial = "azureml:logs:1"
    if trial != "inline":
        files.write("sweep.yml", f"type: sweep\ntrial: {trial}\n{SPACE}")
    file = "inline.yml" if trial == "inline" else "sweep.yml"
    checked = files.smalt(f"job validate -f {file}")
    assert (checked.code, checked.err.strip()) == (0, f"{file}: ok")
    ran = files.smalt(f"job create -f {file} --name {name} --stream")
    assert ran.code == 0, ran.err
    assert read_best(files, name) == ("1", "1 hi\n")


def test_a_canceled_sweep_gives_what_its_best_trial_so_far_wrote(files: Desk) -> None:
    """By its name, to a download and to a later job, as a sweep that completed does."""
    text = (files.folder / "inline.yml").read_text()
    waits = "test ${{search_space.n}} != 2 || exec sleep 300; "
    files.write("waits.yml", text.replace("command: ", f"command: {waits}", 1))
    assert files.smalt("job create -f waits.yml --name cut").code == 0
    client = MLClient(home=Home(files.server.home.root), workspace_name="default")
    eventually(lambda: [job.status for job in client.jobs.list(parent_job_name="cut")].count("Completed") == 2, "two")
    assert files.smalt("job cancel cut").code == 0
    eventually(lambda: files.ask("job show cut --query status") == "Canceled", "the end")
    assert read_best(files, "cut") == ("1", "1 hi\n")
    source = "inputs: {o: {type: uri_folder, path: azureml://jobs/cut/outputs/o}}\n"
    files.write("reads.yml", f"command: cat ${{{{inputs.o}}}}/n.txt\nenvironment: azureml:host\n{source}")
    assert files.smalt("job create -f reads.yml --stream").out == "1 hi\n"


def test_a_job_file_gives_a_sweep_what_it_does_not_say(files: Desk) -> None:
    """The compute and the time limit of the job are those of the trials; its inputs are defaults."""
    with files.folder.joinpath("job.yml").open("a") as file:
        file.write("limits: {timeout: 50}\nexperiment_name: tuning\n")
    files.write("sweep.yml", f"type: sweep\ntrial: job.yml\n{SPACE}")
    job = load_job("sweep.yml")
    assert isinstance(job, SweepJob)
    assert (job.compute, job.limits.trial_timeout, job.experiment_name) == ("local", 50, "tuning")
    assert files.smalt("job create -f sweep.yml --name of-job --stream").code == 0
    trial = json.loads(files.smalt("job show of-job_0 -o json").out)
    assert (trial["limits"], trial["inputs"]["word"]) == ({"timeout": 50}, "hi")


STEP_SPACE = (
    "search_space: {n: {type: choice, values: [3, 1, 2]}}, objective: {primary_metric: loss, goal: minimize}, "
    "sampling_algorithm: grid, limits: {max_total_trials: 3, max_concurrent_trials: 1}"
)
STEPS = {
    "of a component": "{type: sweep, trial: ./component.yml, SPACE}",
    "of a job file": "{type: sweep, trial: ./job.yml, SPACE}",
    "of a pipeline": "{type: sweep, trial: ./pipeline.yml, SPACE}",
    "a sweep component": "{component: ./tuned.yml}",
    "a registered sweep component": "{type: sweep, component: azureml:tuned:1}",
    "a sweep component with other limits": "{component: ./tuned.yml, limits: {max_total_trials: 2}}",
}


@pytest.mark.parametrize("what", STEPS)
def test_a_step_reads_the_best_output_of_a_sweep(files: Desk, what: str) -> None:
    """The sweep is a step of any form; the next step gets what the best trial wrote."""
    tuned = (
        f"type: sweep\nname: tuned\nversion: '1'\ntrial: ./component.yml\noutputs: {{o: {{type: uri_folder}}}}\n{SPACE}"
    )
    files.write("tuned.yml", tuned)
    if "registered" in what:
        assert files.smalt("component create -f tuned.yml").code == 0
        shown = json.loads(files.smalt("component show tuned:1 -o json").out)
        assert (shown["type"], shown["limits"]["max_total_trials"]) == ("sweep", 3)
    step = STEPS[what].replace("SPACE", STEP_SPACE)
    files.write(
        "all.yml",
        f"""
        type: pipeline
        jobs:
          tune: {step}
          read:
            command: cat ${{{{inputs.d}}}}/n.txt
            environment: azureml:host
            environment_variables: {{WHAT: "{what}"}}
            inputs: {{d: "${{{{parent.jobs.tune.outputs.o}}}}"}}
        """,
    )
    assert files.smalt("job validate -f all.yml").err.strip() == "all.yml: ok"
    name = what.replace(" ", "-")
    assert files.smalt(f"job create -f all.yml --name {name} --stream").code == 0
    assert "1 hi" in files.smalt(f"job stream {name}-read").out


def test_bounds_are_inputs_of_the_pipeline(files: Desk) -> None:
    """The space of a step ends at an input of the pipeline, also if that is given for one run."""
    files.write(
        "all.yml",
        """
        type: pipeline
        inputs: {most: 4}
        jobs:
          tune:
            type: sweep
            trial: ./component.yml
            search_space:
              n: {type: quniform, min_value: "${{parent.inputs.least}}", max_value: "${{parent.inputs.most}}", q: 1}
            objective: {primary_metric: loss, goal: minimize}
            limits: {max_total_trials: 2}
        """.replace("most: 4", "most: 4, least: 4"),
    )  # fmt: skip
    assert files.smalt("job create -f all.yml --name bound --stream").code == 0
    assert files.ask("job show bound-tune --query best_trial.parameters.n") == "4"
    assert files.smalt("job create -f all.yml --name bound-2 --set inputs.least=7 inputs.most=7 --stream").code == 0
    assert files.ask("job show bound-2-tune --query best_trial.parameters.n") == "7"
    wrong = files.smalt("job validate -f all.yml --set inputs.least=8")
    assert wrong.code == 2
    assert "'max_value' must not be below 'min_value', which is 8" in wrong.err


MISTAKES = {
    "more at a time than in all": ("max_concurrent_trials: 1", "max_concurrent_trials: 4", "sweep.yml:8:54: 'max_conc"),
    "a grid of a range": ("{type: choice, values: [3, 1, 2]}", "{type: randint, upper: 3}", "sweep.yml:5:6: grid sam"),
    "a type": ("[3, 1, 2]", "[3, 1.5]", "sweep.yml:5:33: a value of 'n' must be an integer, not the number 1.5"),
    "a goal": ("goal: minimize", "goal: minimise", "sweep.yml:6:41: 'goal' must be 'minimize' or 'maximize'"),
    "an unknown parameter": ("  n:", "  m:", "sweep.yml:5:3: the component of this sweep has no input 'm' to vary"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
@pytest.mark.parametrize("trial", ["component.yml", "azureml:logs:2"])
def test_a_mistake_is_refused_before_anything_runs(files: Desk, what: str, trial: str) -> None:
    """At its line where a file says it; create answers what validate does, and nothing is submitted."""
    before, after, sentence = MISTAKES[what]
    if trial != "component.yml":
        component = files.folder / "component.yml"
        component.write_text(component.read_text().replace("version: '1'", "version: '2'"))
        assert files.smalt("component create -f component.yml").code == 0
    files.write("sweep.yml", f"type: sweep\ntrial: {trial}\n{SPACE}".replace(before, after))
    checked, created = files.smalt("job validate -f sweep.yml"), files.smalt("job create -f sweep.yml --name wrong")
    told = checked.err.removeprefix("error: ").strip()
    assert (checked.code, created.code) == (2, 2) or trial != "component.yml"
    assert created.err.removeprefix("error: ").strip() == told
    if trial == "component.yml" or what not in ("a type", "an unknown parameter"):
        assert told.startswith(sentence)
    else:
        assert sentence.partition(": ")[2] in told
    assert files.smalt("job show wrong").code == 1


@pytest.fixture
def client(files: Desk) -> MLClient:
    return MLClient(home=Home(files.server.home.root), workspace_name="default")


def run(client: MLClient, job: Any) -> Any:
    ran = client.jobs.create_or_update(job)
    client.jobs.stream(ran.name)
    return client.jobs.get(ran.name)


def test_a_program_sweeps_a_command(files: Desk, client: MLClient) -> None:
    """`command().sweep()` with distributions as inputs, and setters afterwards."""
    text = load_job("job.yml").command
    base = command(command=text, environment="azureml:host", inputs={"n": 9, "word": "hi"}, outputs={"o": {}})
    sweep = base(n=Choice([3, 1, 2])).sweep(primary_metric="loss", goal="maximize", sampling_algorithm="grid")
    sweep.set_limits(max_total_trials=3, max_concurrent_trials=1)
    sweep.set_objective(goal="minimize")
    sweep.early_termination = BanditPolicy(slack_factor=0.5, evaluation_interval=5)
    ran = run(client, sweep)
    assert (ran.status, ran.properties["best_child_run_id"]) == ("Completed", f"{ran.name}_1")


def test_a_program_sweeps_a_component(files: Desk, client: MLClient) -> None:
    """`SweepJob(trial=…)` takes a component, whose defaults are the inputs, and a pipeline component."""
    for file in ("component.yml", "pipeline.yml"):
        sweep = SweepJob(
            trial=load_component(file),
            inputs={"word": "you"},
            search_space={"n": Choice([3, 1, 2])},
            objective=Objective(goal="minimize", primary_metric="loss"),
            sampling_algorithm="grid",
            limits=SweepJobLimits(max_total_trials=3, max_concurrent_trials=2),
        )
        ran = run(client, sweep)
        assert (ran.status, ran.properties["best_child_run_id"]) == ("Completed", f"{ran.name}_1"), file


def test_a_pipeline_function_sweeps(files: Desk, client: MLClient) -> None:
    """A component is called with distributions and swept; bounds are inputs of the function."""
    logs = load_component("component.yml")

    @dsl.pipeline()
    def whole(least: int, most: int) -> Any:
        tune = logs(n=Uniform(least, most)).sweep(
            primary_metric="loss",
            goal="minimize",
            sampling_algorithm=RandomSamplingAlgorithm(seed=1, rule="sobol"),
            max_total_trials=2,
        )
        return {"best": tune.outputs.o}

    number = files.folder / "component.yml"
    number.write_text(number.read_text().replace("type: integer", "type: number"))
    logs = load_component("component.yml")
    ran = run(client, whole(least=4, most=5))
    assert ran.status == "Completed"
    client.jobs.download(ran.name, output_name="best", download_path=files.folder)
    found = float(next(files.folder.joinpath("named-outputs").rglob("n.txt")).read_text().split()[0])
    assert 4 <= found <= 5


def test_a_sweep_component_is_called_in_a_program(files: Desk, client: MLClient) -> None:
    """A sweep component is a function of its inputs, as any component; its step can have other limits."""
    tuned = f"type: sweep\nname: tuned\ntrial: ./component.yml\ninputs: {{word: {{type: string}}}}\n{SPACE}"
    files.write("tuned.yml", tuned)
    tune = load_component("tuned.yml")

    @dsl.pipeline()
    def whole() -> None:
        step = tune(word="you")
        step.set_limits(max_total_trials=2, max_concurrent_trials=1)

    job = whole()
    assert isinstance(job, PipelineJob)
    ran = run(client, job)
    assert ran.status == "Completed"
    trials = list(client.jobs.list(parent_job_name=f"{ran.name}-step"))
    assert len(trials) == 2


def test_data_of_a_component_is_given_to_a_sweep(files: Desk, client: MLClient) -> None:
    """An input of a file's sweep that the component declares as data is a path relative to the file."""
    files.write("data/a.txt", "some data\n")
    text = files.folder.joinpath("component.yml").read_text()
    text = text.replace("inputs: {", "inputs: {d: {type: uri_folder}, ").replace(
        "echo", "cat ${{inputs.d}}/a.txt; echo"
    )
    files.write("component.yml", text)
    files.write("sweep.yml", f"type: sweep\ntrial: ./component.yml\ninputs: {{d: ./data}}\n{SPACE}")
    job = load_job("sweep.yml")
    assert isinstance(job.inputs["d"], Input)
    assert files.smalt("job create -f sweep.yml --name with-data --stream").code == 0
    assert "some data" in files.smalt("job stream with-data_0").out
