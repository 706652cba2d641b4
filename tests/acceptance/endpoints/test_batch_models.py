"""Batch endpoints of models with a scoring script: the parallel step that they are, and mistakes before it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk, Ran

SCRIPT = """
import glob, os
from pathlib import Path

def init():
    global model
    (model,) = glob.glob(os.environ["AZUREML_MODEL_DIR"] + "/*")
    found = [file for _, _, files in os.walk(os.environ["AZUREML_MODEL_DIR"]) for file in files]
    assert found == ["weights.txt"], found

def run(mini_batch):
    weights = Path(model, "weights.txt").read_text().strip()
    Path(os.environ["AZUREML_BI_OUTPUT_PATH"], Path(mini_batch[0]).stem + ".side").touch()
    return [f"{Path(one).name} {Path(model).name} {weights} {os.environ['GREETING']}" for one in mini_batch]
"""
DEPLOYMENT = """
    name: scorer
    endpoint_name: scored
    type: model
    model: {{name: weighty, path: ./model}}
    code_configuration: {{code: ./code, scoring_script: score.py}}
    environment: azureml:host
    compute: azureml:cpu-cluster
    resources: {{instance_count: 1}}
    settings:
      mini_batch_size: 2
      max_concurrency_per_instance: 2
      output_action: {action}
      output_file_name: predictions.csv
      retry_settings: {{max_retries: 1, timeout: 60}}
      error_threshold: -1
      logging_level: info
      environment_variables: {{GREETING: hello}}
"""


@pytest.fixture
def scored(desk: Desk) -> Desk:
    """A desk with an endpoint 'scored', whose deployment reads a model of its own."""
    desk.write("model/weights.txt", "7")
    desk.write("code/score.py", SCRIPT)
    for number in range(5):
        desk.write(f"data/{number}.txt", str(number))
    desk.smalt("batch-endpoint create -n scored")
    desk.write("deployment.yml", DEPLOYMENT.format(action="append_row"))
    made = desk.smalt("batch-deployment create -f deployment.yml --set-default")
    assert made.code == 0, made.err
    return desk


def invoke(desk: Desk, options: str = "--input data") -> str:
    return desk.ask(f"batch-endpoint invoke -n scored {options} --query name")


def download_results(desk: Desk, job: str, output: str = "score") -> Path:
    ran = desk.smalt(f"job stream -n {job}")
    assert ran.code == 0, ran.err
    assert desk.smalt(f"job download -n {job} --output-name {output} -p {job}").code == 0
    return desk.folder / job / "named-outputs" / output


def test_rows_come_once_and_in_order(scored: Desk) -> None:
    """The script finds its model under the name that it was registered from, and writes files of its own, too."""
    job = invoke(scored)
    results = download_results(scored, job)
    rows = (results / "predictions.csv").read_text().splitlines()
    assert rows == [f"{number}.txt model 7 hello" for number in range(5)]
    assert sorted(path.name for path in results.glob("*.side")) == ["0.side", "2.side", "4.side"]
    (child,) = scored.smalt(f"job list --parent-job-name {job} --query [].name").json
    assert (download_results(scored, child) / "predictions.csv").is_file()
    assert scored.ask(f"job show -n {job} --query experiment_name") == "scored"


def test_each_invocation_runs(scored: Desk) -> None:
    """Nothing is reused: a script may do more than write rows."""
    for job in (invoke(scored), invoke(scored)):
        download_results(scored, job)
        (step,) = scored.smalt(f"job explain-reuse -n {job} -o json").json
        assert "is_deterministic is false" in json.dumps(step)


def test_settings_of_one_invocation(scored: Desk) -> None:
    """Mini-batches, the file's name and the folder are changed for it alone."""
    place = "azureml://datastores/workspaceblobstore/paths/given"
    job = invoke(scored, f"--input data -m 5 -c 1 --output-path {place} --set output_file_name=all.csv")
    results = download_results(scored, job)
    assert sorted(path.name for path in results.iterdir()) == ["0.side", "all.csv"]
    file = f"--input data --outputs score={place}/one.csv --set outputs.score.type=uri_file"
    assert (download_results(scored, invoke(scored, file)) / "one.csv").is_file()
    assert scored.ask("batch-deployment show -n scorer -e scored --query mini_batch_size") == "2"
    changed = scored.smalt("batch-deployment update -n scorer -e scored --set mini_batch_size=5")
    assert changed.code == 0, changed.err
    assert [path.name for path in download_results(scored, invoke(scored)).glob("*.side")] == ["0.side"]


def test_summary_only_writes_no_rows(scored: Desk) -> None:
    """What the script writes by itself is the output."""
    scored.write("deployment.yml", DEPLOYMENT.format(action="summary_only"))
    assert scored.smalt("batch-deployment create -f deployment.yml").code == 0
    results = download_results(scored, invoke(scored))
    assert sorted(path.name for path in results.iterdir()) == ["0.side", "2.side", "4.side"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "takes one input of data, and the request has none"),
        ("--inputs data=data more=data", "the request has 2"),
        ("--inputs data=3", "takes no literals"),
        ("--input azureml:weighty:1 --input-type custom_model", "takes data (uri_folder, uri_file or mltable)"),
        ("--input data --set output_file_name=../x", "'../x' is no name of a file"),
        ("--input nothing", "there is no file or folder"),
        ("--input data --set mini_batchsize=3", "did you mean 'mini_batch_size'"),
    ],
)
def test_requests_that_are_refused(scored: Desk, options: str, words: str) -> None:
    """In one sentence, and without a job."""
    count = len(scored.smalt("batch-endpoint list-jobs -n scored").json)
    refused = scored.smalt(f"batch-endpoint invoke -n scored {options}")
    assert (refused.code != 0, words in refused.err) == (True, True), refused.err
    assert len(scored.smalt("batch-endpoint list-jobs -n scored").json) == count


def refuse_deployment(desk: Desk, text: str) -> Ran:
    desk.smalt("batch-endpoint create -n scored")
    desk.write("model/weights.txt", "7")
    desk.write("bad.yml", text)
    return desk.smalt("batch-deployment create -f bad.yml")


def test_a_script_that_cannot_run_is_told_before_anything_is_made(desk: Desk) -> None:
    """It is not in the code, or no Python; the model is not registered then."""
    text = DEPLOYMENT.format(action="append_row").replace("weighty", "unseen").replace("scorer", "broken")
    desk.write("code/scores.py", SCRIPT)
    missing = refuse_deployment(desk, text)
    assert "there is no file 'score.py' in the code" in missing.err
    assert "did you mean 'scores.py'" in missing.err
    desk.write("code/score.py", "def run(:\n")
    wrong = refuse_deployment(desk, text)
    assert "code/score.py:1:9: invalid syntax" in wrong.err
    assert desk.smalt("model show -n unseen -l latest").code == 1
    skipped = desk.smalt("batch-deployment create -f bad.yml --skip-script-validation")
    assert skipped.code == 0, skipped.err
    assert desk.smalt("batch-deployment delete -n broken -e scored --yes").code == 0
    assert desk.smalt("batch-deployment show -n broken -e scored").code == 1


def test_the_server_checks_what_a_deployment_names(desk: Desk) -> None:
    """All of it at once, whoever sends it."""
    text = """
    name: scorer
    endpoint_name: scored
    model: azureml:nobody:1
    environment: azureml:nothing:1
    compute: azureml:cpu-cluster
    settings: {logging_level: loud}
    """
    refused = refuse_deployment(desk, text).err
    for words in (
        ".yml:4:8: there is no model 'nobody:1'",
        ".yml:5:14: there is no environment 'nothing:1'",
        "logging_level: 'loud'",
        "code_configuration: ",
    ):
        assert words in refused


def test_what_is_in_use_is_not_deleted(scored: Desk) -> None:
    """The refusal says who uses it; with the endpoint its deployments go, and its jobs stay."""
    job = invoke(scored)
    default = scored.smalt("batch-deployment delete -n scorer -e scored --yes")
    assert (default.code, "is the default of endpoint 'scored'" in default.err) == (1, True)
    scored.smalt("compute create -n cpu-cluster --type amlcompute")
    compute = scored.smalt("compute delete -n cpu-cluster --yes")
    assert (compute.code, "batch deployment 'scorer' of endpoint 'scored'" in compute.err) == (1, True)
    assert scored.smalt("batch-endpoint delete -n scored --yes").code == 0
    assert scored.smalt("batch-deployment show -n scorer -e scored").code == 1
    assert scored.smalt(f"job stream -n {job}").code == 0
    assert scored.smalt("compute delete -n cpu-cluster --yes").code == 0


def test_the_times_and_names_of_a_job_and_its_steps(scored: Desk) -> None:
    """Notebooks take a time from the other, `last_modified_at - created_at`, and find steps by their component."""
    job = invoke(scored)
    download_results(scored, job)
    (child,) = scored.smalt(f"job list --parent-job-name {job}").json
    assert child["properties"]["azureml.moduleName"] == "batchscoring"
    for shown in (child, scored.smalt(f"job show -n {job}").json):
        made = shown["creation_context"]
        assert made["last_modified_at"] > made["created_at"]
