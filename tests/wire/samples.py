"""One document of each kind that has as many keys as the kind has, as plain YAML data."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.documents import read
from smalt.entities.schema.entity import Entity
from tests.wire import described

CODE = (
    "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    "/codes/c/versions/1"
)
COMMAND: dict[str, Any] = {
    "type": "command",
    "command": "python x.py ${{inputs.a}} $[[--b ${{inputs.b}}]]",
    "display_name": "d",
    "experiment_name": "e",
    "description": "what it does",
    "tags": {"a": "b"},
    "properties": {"p": "q"},
    "code": CODE,
    "environment": "azureml:env:1",
    "environment_variables": {"A": "1"},
    "compute": "azureml:cpu",
    "inputs": {
        "a": 3,
        "b": True,
        "c": {"type": "uri_file", "path": "azureml:dd:1", "mode": "ro_mount"},
        "d": {"type": "uri_folder", "path": "azureml://datastores/x/paths/y", "mode": "download"},
        "e": {"type": "mlflow_model", "path": "azureml:m@latest", "mode": "direct"},
        "f": {"type": "mltable", "path": "https://host/y", "mode": "eval_mount"},
        "s": 0.5,
    },
    "outputs": {
        "o": None,
        "p": {"type": "uri_file", "mode": "upload", "path": "azureml://datastores/x/y", "name": "n", "version": "3"},
        "q": {"type": "mltable", "mode": "rw_mount"},
    },
    "resources": {
        "instance_count": 2,
        "instance_type": "S",
        "shm_size": "2g",
        "docker_args": "-x",
        "properties": {"k": "v"},
    },
    "limits": {"timeout": 61},
    "distribution": {"type": "pytorch", "process_count_per_instance": 2},
    "identity": {"type": "managed", "client_id": "71e6ee77-e7ef-4a5a-8a75-ca5d3d0e1b9d"},
    "services": {
        "v": {"type": "vs_code"},
        "s": {"type": "ssh", "ssh_public_keys": "key"},
        "t": {"type": "tensor_board", "log_dir": "x", "nodes": "all"},
        "j": {"type": "jupyter_lab", "port": 99},
    },
    "queue_settings": {"job_tier": "standard"},
}
COMPONENT: dict[str, Any] = {
    "type": "command",
    "name": "c",
    "version": "1",
    "display_name": "D",
    "description": "what it does",
    "tags": {"a": "b"},
    "is_deterministic": False,
    "command": "echo ${{inputs.a}} $[[${{inputs.d}}]]",
    "code": CODE,
    "environment": "azureml:e:1",
    "inputs": {
        "a": {"type": "integer", "default": 3, "min": 1, "max": 5, "description": "x"},
        "b": {"type": "number", "default": 0.5, "optional": True},
        "s": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "t": {"type": "boolean", "default": True},
        "d": {"type": "uri_folder", "mode": "download", "optional": True},
    },
    "outputs": {"o": {"type": "uri_folder", "mode": "upload", "description": "q"}},
    "resources": {"instance_count": 2, "shm_size": "1g"},
    "distribution": {"type": "mpi", "process_count_per_instance": 2},
}
PIPELINE: dict[str, Any] = {
    "type": "pipeline",
    "display_name": "p",
    "experiment_name": "e",
    "compute": "azureml:top",
    "inputs": {"a": 3, "d": {"type": "uri_folder", "path": "azureml://datastores/x/paths/y", "mode": "download"}},
    "outputs": {
        "o": {"type": "uri_folder", "mode": "upload"},
        "w": {"type": "uri_file", "path": "azureml://datastores/x/paths/z", "name": "reg", "version": "2"},
    },
    "settings": {
        "default_compute": "azureml:cpu",
        "default_datastore": "azureml:ds",
        "continue_on_step_failure": True,
        "force_rerun": True,
        "on_init": "init",
        "on_finalize": "fin",
        "another": 4,
    },
    "identity": {"type": "user_identity"},
    "jobs": {
        "init": {"command": "echo", "environment": "azureml:e:1"},
        "fin": {"command": "echo", "environment": {"image": "python"}},
        "n1": {
            "type": "command",
            "component": "azureml:c:1",
            "display_name": "dn",
            "description": "dd",
            "tags": {"a": "b"},
            "compute": "azureml:xx",
            "inputs": {
                "a": "${{parent.inputs.a}}",
                "c": {"path": "azureml:dd:1", "mode": "download", "type": "uri_file"},
                "f": 3.5,
            },
            "outputs": {"x": "${{parent.outputs.o}}", "y": {"type": "uri_folder", "mode": "upload"}},
            "resources": {"instance_count": 2, "properties": {"a": {"b": "c"}}},
            "distribution": {"type": "tensorflow", "worker_count": 2},
            "limits": {"timeout": 60},
            "environment_variables": {"A": "B"},
            "identity": {"type": "aml_token"},
            "queue_settings": {"job_tier": "spot"},
            "services": {"v": {"type": "vs_code"}},
        },
        "inline": {
            "component": COMPONENT,
            "inputs": {"a": 2, "d": "${{parent.jobs.n1.outputs.y}}"},
            "outputs": {"o": {"path": "${{parent.outputs.w}}", "name": "own", "version": "7", "mode": "upload"}},
            "properties": {"azureml.x": "y"},
        },
        "sw": {
            "type": "sweep",
            "trial": "azureml:c:1",
            "search_space": {
                "lr": {"type": "uniform", "min_value": 1, "max_value": 2},
                "c": {"type": "choice", "values": [1, 2]},
            },
            "sampling_algorithm": "random",
            "objective": {"goal": "maximize", "primary_metric": "x"},
            "limits": {"max_total_trials": 3, "timeout": 100},
            "early_termination": {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1},
            "resources": {"instance_count": 2},
        },
        "pl": {
            "type": "parallel",
            "component": "azureml:c:1",
            "mini_batch_size": "10",
            "retry_settings": {"timeout": 60, "max_retries": 2},
            "logging_level": "DEBUG",
            "partition_keys": ["a", "b"],
            "mini_batch_error_threshold": 3,
            "error_threshold": -1,
            "max_concurrency_per_instance": 4,
            "inputs": {"d": {"type": "mltable", "path": "azureml:d:1"}},
        },
        "sub": {"type": "pipeline", "component": "azureml:subp:1", "inputs": {"a": 1}},
        "auto": {
            "type": "automl",
            "task": "classification",
            "target_column_name": "y",
            "training_data": "${{parent.inputs.d}}",
            "primary_metric": "accuracy",
            "limits": {"max_trials": 3, "timeout_minutes": 10},
            "training": {"enable_stack_ensemble": False},
            "outputs": {"best_model": {"type": "mlflow_model"}},
        },
        "sp": {
            "type": "spark",
            "component": "azureml:c:1",
            "resources": {"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
            "conf": {"spark.driver.cores": 1},
        },
        "body": {"component": "azureml:c:1"},
        "each": {"type": "parallel_for", "body": "${{parent.jobs.body}}", "items": [{"a": 1}, {"a": 2}]},
    },
}
SWEEP: dict[str, Any] = {
    "type": "sweep",
    "trial": {
        "command": "python main.py --lr ${{search_space.lr}} --x ${{inputs.x}}",
        "environment": "azureml:env:1",
        "environment_variables": {"A": "B"},
        "distribution": {"type": "ray", "port": 1, "include_dashboard": True},
        "resources": {"instance_count": 2},
    },
    "compute": "azureml:cpu",
    "inputs": {"x": 3},
    "outputs": {"o": {"type": "uri_folder"}},
    "sampling_algorithm": {"type": "random", "seed": 3, "rule": "sobol"},
    "search_space": {
        "lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
        "b": {"type": "choice", "values": [16, "a", {"c": 1, "d": {"type": "choice", "values": [2]}}]},
        "e": {"type": "qloguniform", "min_value": -3, "max_value": -1, "q": 1},
        "f": {"type": "normal", "mu": 0, "sigma": 1},
        "i": {"type": "qlognormal", "mu": 0, "sigma": 1, "q": 3},
        "j": {"type": "randint", "upper": 9},
    },
    "objective": {"goal": "maximize", "primary_metric": "acc"},
    "limits": {"max_total_trials": 4, "max_concurrent_trials": 2, "timeout": 600, "trial_timeout": 60},
    "early_termination": {
        "type": "truncation_selection",
        "truncation_percentage": 20,
        "evaluation_interval": 2,
        "delay_evaluation": 3,
    },
    "queue_settings": {"job_tier": "spot"},
}
SPARK: dict[str, Any] = {
    "type": "spark",
    "entry": {"file": "x.py"},
    "py_files": ["a.zip"],
    "jars": ["j.jar"],
    "conf": {"spark.driver.cores": "1", "spark.driver.memory": "2g"},
    "args": "--t ${{inputs.t}}",
    "inputs": {"t": {"type": "uri_file", "path": "azureml://datastores/a/paths/b", "mode": "direct"}},
    "outputs": {"w": {"type": "uri_folder", "path": "azureml://datastores/a/paths/c", "mode": "direct"}},
    "environment": "azureml:env:1",
    "resources": {"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
}
AUTOML: dict[str, Any] = {
    "type": "automl",
    "task": "forecasting",
    "primary_metric": "normalized_root_mean_squared_error",
    "target_column_name": "y",
    "training_data": {"type": "mltable", "path": "azureml:t:1"},
    "test_data": {"type": "mltable", "path": "azureml:t:2"},
    "n_cross_validations": "auto",
    "log_verbosity": "debug",
    "limits": {"max_trials": 4, "timeout_minutes": 180, "trial_timeout_minutes": 20, "enable_early_termination": True},
    "training": {"enable_stack_ensemble": False, "blocked_training_algorithms": ["light_gbm", "knn", "auto_arima"]},
    "featurization": {
        "mode": "custom",
        "blocked_transformers": ["label_encoder"],
        "transformer_params": {"imputer": [{"fields": ["a"], "parameters": {"strategy": "median"}}]},
    },
    "forecasting": {"time_column_name": "t", "forecast_horizon": 14, "target_lags": "auto", "frequency": "D"},
    "compute": "azureml:cpu",
}
FINE_TUNING: dict[str, Any] = {
    "type": "finetuning",
    "name": "f",
    "task": "chat_completion",
    "model_provider": "custom",
    "model": {"type": "mlflow_model", "path": "azureml://registries/r/models/m/versions/1"},
    "training_data": {"type": "uri_file", "path": "azureml:t:1"},
    "hyperparameters": {"epochs": "1"},
    "resources": {"instance_types": ["a", "b"]},
    "outputs": {"registered_model": {"type": "mlflow_model", "name": "n"}},
}
ENVIRONMENT: dict[str, Any] = {
    "name": "e",
    "version": "3",
    "image": "python",
    "conda_file": {"channels": ["c"], "dependencies": ["python=3.10", {"pip": ["x"]}], "name": "q"},
    "description": "d",
    "tags": {"a": "b"},
    "os_type": "linux",
    "inference_config": {
        "liveness_route": {"port": 1, "path": "/a"},
        "readiness_route": {"port": 1, "path": "/a"},
        "scoring_route": {"port": 1, "path": "/a"},
    },
}
MODEL: dict[str, Any] = {
    "name": "m",
    "version": "2",
    "type": "mlflow_model",
    "path": "azureml://jobs/j/outputs/o/paths/x",
    "flavors": {"python_function": {"a": "b"}},
    "stage": "Production",
    "tags": {"a": "b"},
}
BLOB: dict[str, Any] = {
    "name": "b",
    "type": "azure_blob",
    "account_name": "acc",
    "container_name": "con",
    "endpoint": "core.windows.net",
    "protocol": "https",
    "credentials": {"account_key": "abc"},
}
LAKE: dict[str, Any] = {
    "name": "b",
    "type": "azure_data_lake_gen2",
    "account_name": "acc",
    "filesystem": "f",
    "credentials": {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
}
CLUSTER: dict[str, Any] = {
    "name": "cl",
    "type": "amlcompute",
    "size": "S",
    "location": "here",
    "tags": {"a": "b"},
    "min_instances": 0,
    "max_instances": 2,
    "idle_time_before_scale_down": 120,
    "tier": "low_priority",
    "ssh_settings": {"admin_username": "u", "ssh_key_value": "k"},
    "identity": {"type": "system_assigned"},
}

SCHEDULE: dict[str, Any] = {
    "name": "s",
    "display_name": "S",
    "trigger": {
        "type": "recurrence",
        "frequency": "day",
        "interval": 1,
        "schedule": {"hours": [4, 5], "minutes": [0], "week_days": ["monday"]},
        "start_time": "2026-07-10T10:00:00",
        "time_zone": "UTC",
    },
    "create_job": {"type": "pipeline", "jobs": {"n": {"component": "azureml:c:1", "compute": "azureml:cpu"}}},
    "is_enabled": True,
}
BATCH_ENDPOINT: dict[str, Any] = {
    "name": "scores",
    "auth_mode": "aad_token",
    "tags": {"a": "b"},
    "properties": {"p": "q"},
    "defaults": {"deployment_name": "d"},
}
MODEL_DEPLOYMENT: dict[str, Any] = {
    "name": "d",
    "type": "model",
    "model": "azureml:m:1",
    "environment": "azureml:e:1",
    "compute": "azureml:cpu",
    "resources": {"instance_count": 2},
    "mini_batch_size": 10,
    "output_action": "append_row",
    "retry_settings": {"max_retries": 3, "timeout": 30},
}
PIPELINE_DEPLOYMENT: dict[str, Any] = {
    "name": "d",
    "type": "pipeline",
    "component": "azureml:c:1",
    "settings": {"default_compute": "azureml:cpu", "continue_on_step_failure": False},
}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "command job": ("job", COMMAND),
    "pipeline job": ("job", PIPELINE),
    "sweep job": ("job", SWEEP),
    "spark job": ("job", SPARK),
    "automl job": ("job", AUTOML),
    "fine-tuning job": ("job", FINE_TUNING),
    "command component": ("component", COMPONENT),
    "environment": ("environment", ENVIRONMENT),
    "built environment": ("environment", {"name": "e", "build": {"path": "https://host/x", "dockerfile_path": "D"}}),
    "data": ("data", {"name": "d", "version": "2", "type": "mltable", "path": "azureml://datastores/a/paths/b"}),
    "model": ("model", MODEL),
    "blob datastore": ("datastore", BLOB),
    "lake datastore": ("datastore", LAKE),
    "cluster": ("compute", CLUSTER),
    "instance": ("compute", {"name": "ci", "type": "computeinstance", "size": "S", "enable_sso": True}),
    "schedule": ("schedule", SCHEDULE),
    "batch endpoint": ("batch_endpoint", BATCH_ENDPOINT),
    "model deployment": ("batch_deployment", MODEL_DEPLOYMENT),
    "pipeline deployment": ("batch_deployment", PIPELINE_DEPLOYMENT),
    **described.SAMPLES,
    "workspace": ("workspace", {"name": "w", "location": "here", "display_name": "D", "tags": {"a": "b"}}),
}


def entity(name: str) -> Entity:
    kind, data = SAMPLES[name]
    made, problems = read(data, kind)
    assert made is not None
    assert not problems
    return made
