"""AutoML as its notebooks use it: a job, the tag of its best trial, that trial's metrics and files, and a pipeline."""

from __future__ import annotations

import os
import re
from pathlib import Path

import mlflow
from azure.ai.ml import Input, Output, automl, command, dsl
from azure.ai.ml.automl import ClassificationModels, ForecastingSettings
from azure.ai.ml.entities import Job
from azure.identity import DefaultAzureCredential
from desk import HOST, done, folder, ml, report, write
from mlflow.artifacts import download_artifacts
from mlflow.tracking.client import MlflowClient

import yaml

TABLE = "paths: [{file: ./table.csv}]\ntransformations: [read_delimited: {delimiter: ',', encoding: ascii}]\n"


def make_table(name: str, header: str, rows: list[str]) -> Input:
    write(f"{name}/MLTable", TABLE)
    write(f"{name}/table.csv", "\n".join([header, *rows]) + "\n")
    return Input(type="mltable", path=str(folder / name))


def flowers() -> Input:
    rows = [f"{5 + kind + n % 7 / 9:.2f},{n % 5 / 4},{'abc'[kind]}" for n in range(50) for kind in range(3)]
    return make_table("flowers", "length,width,species", rows)


def make_client() -> MlflowClient:
    """Return MLflow's client for the workspace, with a token as a notebook outside of Azure has it."""
    os.environ["MLFLOW_TRACKING_TOKEN"] = (
        DefaultAzureCredential().get_token("https://management.azure.com/.default").token
    )
    mlflow.set_tracking_uri(ml.workspaces.get(ml.workspace_name).mlflow_tracking_uri)
    return MlflowClient()


def make_job() -> Job:
    job = automl.classification(
        compute="cpu",
        experiment_name="flowers",
        training_data=flowers(),
        target_column_name="species",
        primary_metric="accuracy",
        n_cross_validations=2,
        enable_model_explainability=True,
        tags={"my_custom_tag": "My custom value"},
    )
    job.set_limits(timeout_minutes=5, trial_timeout_minutes=1, max_trials=3, enable_early_termination=True)
    job.set_training(blocked_training_algorithms=[ClassificationModels.LOGISTIC_REGRESSION])
    return job


def it_runs_a_job_and_reads_its_best_trial() -> None:
    """As the notebook about bank marketing does."""
    sent = done(ml.jobs.create_or_update(make_job()))
    assert (sent.task_type.lower(), sent.limits.max_trials, sent.tags["my_custom_tag"]) == (
        "classification", 3, "My custom value",
    )  # fmt: skip
    client = make_client()
    parent = client.get_run(sent.name)
    best_name = parent.data.tags["automl_best_child_run_id"]
    assert re.fullmatch(rf"{sent.name}_\d+", best_name), best_name
    best = client.get_run(best_name)
    assert best.info.status == "FINISHED"
    assert best.data.metrics["accuracy"] > 0.8
    assert parent.data.metrics["accuracy"] == best.data.metrics["accuracy"]
    assert best.data.params["algorithm"]
    assert best.data.tags["mlflow.parentRunId"] == sent.name
    local = Path(download_artifacts(run_id=best_name, artifact_path="outputs", dst_path=str(folder / "best")))
    assert {"mlflow-model", "model.pkl", "conda_env_v_1_0_0.yml", "scoring_file_v_2_0_0.py"} <= set(os.listdir(local))
    model = yaml.safe_load((local / "mlflow-model" / "MLmodel").read_text())
    assert model["run_id"] == best_name
    assert ":" in model["metadata"]["azureml.base_image"]
    trials = [job for job in ml.jobs.list(parent_job_name=sent.name) if re.search(r"_\d+$", job.name)]
    assert len(trials) >= 3
    for trial in trials:
        assert client.get_run(trial.name).data.metrics["accuracy"] <= best.data.metrics["accuracy"]
    ml.jobs.download(sent.name, download_path=str(folder / "got"))  # 1.35.2 cannot download an output that is a model
    assert (folder / "got" / "artifacts" / "outputs" / "automl" / "leaderboard.csv").is_file()


def it_forecasts_in_a_pipeline() -> None:
    """The model goes on to the next step, and the step's best trial is found by its tag."""
    rows = [f"2024-01-{day:02d},{10 + day % 7 + day / 10:.1f}" for day in range(1, 32)]
    rows += [f"2024-02-{day:02d},{10 + (day + 3) % 7 + 3 + day / 10:.1f}" for day in range(1, 29)]
    series = make_table("series", "day,sales", rows)

    @dsl.pipeline(compute="cpu")
    def forecasts(table):
        node = automl.forecasting(
            training_data=table,
            target_column_name="sales",
            primary_metric="normalized_root_mean_squared_error",
            n_cross_validations=2,
            forecasting_settings=ForecastingSettings(time_column_name="day", forecast_horizon=3, frequency="D"),
            outputs={"best_model": Output(type="custom_model")},
        )
        node.set_limits(timeout_minutes=5, trial_timeout_minutes=1, max_trials=2)
        node.set_training(enable_stack_ensemble=False, enable_vote_ensemble=False)
        show = command(
            command="grep run_id ${{inputs.model}}/MLmodel", environment=HOST,
            inputs={"model": Input(type="custom_model")},
        )  # fmt: skip
        show(model=node.outputs.best_model)
        return {"best_model": node.outputs.best_model}

    over = done(ml.jobs.create_or_update(forecasts(series), experiment_name="pipeline_samples"))
    node = next(job for job in ml.jobs.list(parent_job_name=over.name) if job.name.endswith("-node"))
    client = make_client()
    best = client.get_run(client.get_run(node.name).data.tags["automl_best_child_run_id"])
    assert best.data.metrics["normalized_root_mean_squared_error"] >= 0


report()
