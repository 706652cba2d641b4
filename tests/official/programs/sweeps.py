"""Sweeps as the public notebooks and files make them, and what these read of one that has ended."""

import json
from pathlib import Path

import desk
import requests
from azure.ai.ml import Output, command, dsl, load_component, load_job
from azure.ai.ml.entities import CommandJob
from azure.ai.ml.sweep import (
    BanditPolicy,
    BayesianSamplingAlgorithm,
    Choice,
    LogUniform,
    MedianStoppingPolicy,
    Objective,
    RandomSamplingAlgorithm,
    SweepJob,
    SweepJobLimits,
    Uniform,
)
from azure.identity import DefaultAzureCredential
from desk import HOST, done, folder, ml, refused, waited, write

TRAIN = """
import argparse, json, os, pathlib, urllib.request
parser = argparse.ArgumentParser()
for name in ("--lr", "--kernel", "--model", "--data"):
    parser.add_argument(name)
arguments = parser.parse_args()
loss = abs(float(arguments.lr) - 0.3) + (arguments.kernel == "rbf")
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": loss, "timestamp": 1, "step": 0}
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
pathlib.Path("outputs/loss.txt").write_text(str(loss))
if arguments.model:
    pathlib.Path(arguments.model, "model.json").write_text(json.dumps({"lr": arguments.lr}))
if arguments.data:
    print(pathlib.Path(arguments.data, "a.txt").read_text())
"""
LINE = "python train.py --lr ${{inputs.lr}} --kernel ${{inputs.kernel}} --model ${{outputs.model}}"
SWEEP = f"""
$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
trial:
  code: src
  command: >-
    python train.py --lr ${{{{search_space.lr}}}} --kernel ${{{{search_space.kernel}}}} --data ${{{{inputs.data}}}}
    --model ${{{{outputs.model}}}}
  environment: {HOST}
inputs:
  data: {{type: uri_folder, path: data}}
outputs:
  model: {{type: uri_folder}}
sampling_algorithm: random
search_space:
  kernel: {{type: choice, values: [rbf, linear]}}
  lr: {{type: uniform, min_value: 0.0, max_value: 1.0}}
objective: {{goal: minimize, primary_metric: loss}}
limits: {{max_total_trials: 4, max_concurrent_trials: 2, timeout: 7200}}
display_name: tuned-example
experiment_name: tuned
"""
COMPONENT = f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: train_model
version: "1"
inputs:
  lr: {{type: number}}
  kernel: {{type: string, default: linear}}
outputs:
  model: {{type: uri_folder}}
code: {folder}/src
environment: {HOST}
command: {LINE}
"""
PREDICT = f"""
type: command
name: predict
version: "1"
inputs:
  model: {{type: uri_folder}}
outputs:
  said: {{type: uri_folder}}
environment: {HOST}
command: cp ${{{{inputs.model}}}}/model.json ${{{{outputs.said}}}}/
"""
write("src/train.py", TRAIN)
write("data/a.txt", "some data")


def list_files(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())


def it_runs_a_sweep_from_a_file() -> None:
    """The notebooks read the best trial's name, its files by `jobs.download`, and its outputs by URI."""
    over = done(ml.jobs.create_or_update(load_job(write("sweep.yml", SWEEP))))
    best = over.properties["best_child_run_id"]
    trials = {one.name: one for one in ml.jobs.list(parent_job_name=over.name)}
    assert len(trials) == 4, list(trials)
    assert best in trials
    assert all(json.loads(one.tags["hyperparameters"]).keys() == {"lr", "kernel"} for one in trials.values())
    ml.jobs.download(over.name, download_path=folder / "got")
    assert "artifacts/outputs/loss.txt" in list_files(folder / "got"), list_files(folder / "got")
    ml.jobs.download(over.name, download_path=folder / "named", output_name="model")
    model = json.loads((folder / "named/named-outputs/model/model.json").read_text())
    assert model["lr"] == str(json.loads(trials[best].tags["hyperparameters"])["lr"])
    ml.jobs.download(best, download_path=folder / "best", all=True)
    assert "named-outputs/model/model.json" in list_files(folder / "best")
    assert (over.display_name, over.experiment_name, over.limits.max_total_trials) == ("tuned-example", "tuned", 4)


def it_sweeps_a_command() -> None:
    """`command(...)(lr=Uniform(…)).sweep(…)`, with a policy, limits and resources set afterwards."""
    base = command(
        code=str(folder / "src"),
        command=LINE,
        environment=HOST,
        inputs={"lr": 0.1, "kernel": "linear"},
        outputs={"model": Output(type="uri_folder")},
        compute="cpu",
    )
    sweep = base(lr=LogUniform(min_value=-6, max_value=-1), kernel=Choice(["rbf", "linear"])).sweep(
        compute="cpu",
        primary_metric="loss",
        goal="Minimize",
        sampling_algorithm=RandomSamplingAlgorithm(seed=3, rule="sobol", logbase="e"),
        early_termination_policy=BanditPolicy(slack_factor=0.1, evaluation_interval=2, delay_evaluation=5),
    )
    sweep.set_limits(max_total_trials=4, max_concurrent_trials=2, timeout=600, trial_timeout=100)
    over = done(ml.jobs.create_or_update(sweep))
    assert over.early_termination.slack_factor == 0.1
    assert (over.sampling_algorithm.seed, over.limits.trial_timeout) == (3, 100)
    assert over.properties["best_child_run_id"].startswith(f"{over.name}_")
    again = done(ml.jobs.create_or_update(sweep))
    trials = {one.name: json.loads(one.tags["hyperparameters"]) for one in ml.jobs.list(parent_job_name=over.name)}
    points = {one.name: json.loads(one.tags["hyperparameters"]) for one in ml.jobs.list(parent_job_name=again.name)}
    assert sorted(map(str, trials.values())) == sorted(map(str, points.values()))


def it_sweeps_a_component_and_a_job() -> None:
    """`SweepJob(trial=…)` with a command component and with a command job, median stopping and Bayesian sampling."""
    component = load_component(write("train.yml", COMPONENT))
    job = CommandJob(
        code=str(folder / "src"),
        command="python train.py --lr ${{search_space.lr}} --kernel ${{inputs.kernel}}",
        environment=HOST,
        inputs={"kernel": "linear"},
        compute="cpu",
    )
    aim = {
        "objective": Objective(goal="minimize", primary_metric="loss"),
        "limits": SweepJobLimits(max_total_trials=2, max_concurrent_trials=1),
        "search_space": {"lr": Uniform(0, 1)},
    }
    for trial, more in (
        (component, {"inputs": {"kernel": "linear", "lr": 0.1}, "search_space": {"rate": Choice([1, 2])}}),
        (job, {"early_termination": MedianStoppingPolicy(delay_evaluation=5, evaluation_interval=2)}),
    ):
        sweep = SweepJob(trial=trial, compute="cpu", sampling_algorithm="random", **{**aim, **more})
        if trial is component:
            sweep.outputs = {"model": Output(type="uri_folder")}
        over = done(ml.jobs.create_or_update(sweep))
        assert over.properties["best_child_run_id"] in [one.name for one in ml.jobs.list(parent_job_name=over.name)]


def it_sweeps_in_a_pipeline() -> None:
    """The next step gets the best trial's model: 1c_pipeline_with_hyperparameter_sweep."""
    train = load_component(write("train.yml", COMPONENT))
    predict = load_component(write("predict.yml", PREDICT))

    @dsl.pipeline()
    def tune_and_predict(kernel):
        train_model = train(lr=Uniform(min_value=0.1, max_value=0.9), kernel=kernel)
        sweep_step = train_model.sweep(
            primary_metric="loss", goal="minimize", sampling_algorithm="random", compute="cpu"
        )
        sweep_step.set_limits(max_total_trials=4, max_concurrent_trials=2, timeout=7200)
        predicted = predict(model=sweep_step.outputs.model)
        return {"said": predicted.outputs.said}

    job = tune_and_predict(kernel="linear")
    job.settings.default_compute = "cpu"
    over = done(ml.jobs.create_or_update(job))
    sweep = ml.jobs.get(f"{over.name}-sweep_step")
    best = ml.jobs.get(sweep.properties["best_child_run_id"])
    ml.jobs.download(over.name, download_path=folder / "piped", output_name="said")
    said = json.loads((folder / "piped/named-outputs/said/model.json").read_text())
    assert said["lr"] == str(json.loads(best.tags["hyperparameters"])["lr"])
    assert over.jobs["sweep_step"].limits.max_total_trials == 4
    again = ml.jobs.get(over.name)
    assert (again.jobs["sweep_step"].objective.goal, again.jobs["sweep_step"].type) == ("minimize", "sweep")


def it_sees_sweeps_that_only_smalt_writes() -> None:
    """Sweeps by smalt's own algorithms and of registered components, and steps of sweep components, do not upset it."""
    train = ml.components.create_or_update(load_component(write("train.yml", COMPONENT)))
    aim = {"objective": {"goal": "minimize", "primary_metric": "loss"}, "limits": {"max_total_trials": 1}}
    space = {"lr": {"type": "choice", "values": [0.1]}}
    tuned = {"type": "sweep", "name": "tuned", "version": "1", "trial": train.id, "search_space": space, **aim}
    put("components/tuned/versions/1", {"componentSpec": {**tuned, "trial": f"azureml:{train.id}"}})
    sweep = {
        "jobType": "Sweep",
        "trial": {"componentId": train.id},
        "searchSpace": {"lr": ["choice", [[0.1, 0.2]]]},
        "objective": {"goal": "minimize", "primaryMetric": "loss"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 1},
        "samplingAlgorithm": {"samplingAlgorithmType": "Gp", "seed": 3},
    }
    step = {"type": "sweep", "trial": {"componentId": put_id("components/tuned/versions/1"), "type": "sweep"}}
    put("jobs/by-gp", sweep)
    put("jobs/of-tuned", {"jobType": "Pipeline", "jobs": {"tune": step}})
    assert {"by-gp", "of-tuned"} <= {one.name for one in ml.jobs.list()}
    assert {"tuned", "train_model"} <= {one.name for one in ml.components.list()}
    got = ml.jobs.get("by-gp")
    assert (got.type, got.limits.max_total_trials, list(got.outputs)) == ("sweep", 1, ["model"])
    assert ml.jobs.get("of-tuned").jobs["tune"].type == "sweep"
    for name in ("by-gp", "of-tuned"):
        waited(ml.jobs.begin_cancel(name))


def put_id(path: str) -> str:
    workspace = ml.workspaces.get(ml.workspace_name)
    return f"{workspace.id}/{path}"


def put(path: str, properties: dict) -> None:
    """Send a body that the official client's classes cannot make, as it sends its own."""
    token = DefaultAzureCredential().get_token("https://management.azure.com/.default").token
    url = f"{ml._base_url.rstrip('/')}{put_id(path)}?api-version=2024-01-01-preview"
    answer = requests.put(
        url, json={"properties": properties}, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    assert answer.status_code in (200, 201), answer.text


def it_is_told_of_mistakes() -> None:
    """Before anything runs: the service's own limits, and a grid over a range."""
    wrong = SWEEP.replace("max_concurrent_trials: 2", "max_concurrent_trials: 5")
    message = refused(lambda: ml.jobs.create_or_update(load_job(write("wrong.yml", wrong))))
    assert "'max_concurrent_trials' must not be more than 'max_total_trials', which is 4" in message, message
    grid = SWEEP.replace("sampling_algorithm: random", "sampling_algorithm: grid")
    message = refused(lambda: ml.jobs.create_or_update(load_job(write("wrong.yml", grid))))
    assert "grid sampling takes choices alone, and 'lr' has a uniform distribution" in message, message


def it_cancels_a_sweep() -> None:
    """`jobs.begin_cancel` ends the trials, too."""
    slow = command(command="sleep 600 && echo ${{inputs.n}}", environment=HOST, inputs={"n": 1})
    sweep = slow(n=Choice([1, 2])).sweep(
        primary_metric="m", goal="maximize", sampling_algorithm=BayesianSamplingAlgorithm()
    )
    sweep.sampling_algorithm = "random"
    sweep.set_limits(max_total_trials=2)
    sent = ml.jobs.create_or_update(sweep)
    waited(ml.jobs.begin_cancel(sent.name))
    assert ml.jobs.get(sent.name).status == "Canceled"
    assert {one.status for one in ml.jobs.list(parent_job_name=sent.name)} <= {"Canceled"}


desk.report()
