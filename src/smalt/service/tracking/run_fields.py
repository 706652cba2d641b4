"""The fields of a job's run in the tracking store, built from the job's records."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from typing import Any

from smalt.service.records.jobs import Job
from smalt.service.records.tracked_runs import RunFacts
from smalt.wire.encoding import artifact_paths

Json = dict[str, Any]

_SCHEDULED = frozenset({"NotStarted", "Queued", "Preparing", "Provisioning", "Starting"})
_ENDS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}

_LONGEST_VALUE, _LONGEST_NAME = 6000, 250  # what MLflow's own clients may send
_ITS_TAGS = ("azureml.", "mlflow.", "_azureml.")
"""Prefixes of the job properties that the service shows as tags of the run."""
_SCRIPTS = (".py", ".sh", ".R", ".r", ".ipynb")


def get_status(job: Job) -> str:
    """Return MLflow's word for the job's state."""
    if job.status in _SCHEDULED:
        return "SCHEDULED"
    return _ENDS.get(job.status, "RUNNING")


def build_run(job: Job, facts: RunFacts, parent: str | None, root: str) -> Json:
    """Return everything that smalt knows of the run."""
    return {
        **build_end(job, facts),
        "user_id": job.created_by,
        "tags": build_tags(job, facts, parent, root),
        "inputs": [_build_input(name, *found) for name, found in facts.data.items()],
        "artifact_uri": artifact_paths.MLFLOW_URI.format(job=job.name),
        "metrics": _build_metrics(job, facts.metrics),
    }


def build_end(job: Job, facts: RunFacts) -> Json:
    """Return the fields that change in an existing run: tags that the script has set since then stay.

    Literal inputs come with the end only: MLflow refuses another value of a parameter, so a script that logs `0.001`
    for an input that was written `1e-3` would fail because of ours.
    """
    return {
        "run_id": job.name,
        "experiment": job.experiment,
        "run_name": job.display_name or job.name,
        "status": get_status(job),
        "start_time": _to_milliseconds(job.started_at or job.created_at),
        "end_time": _to_milliseconds(job.ended_at),
        "params": get_literals(facts.inputs) if job.is_over else {},
    }


def build_tags(job: Job, facts: RunFacts, parent: str | None, root: str) -> dict[str, str]:
    """Return the job's own tags and those that the service gives every run."""
    known = {
        "mlflow.user": job.created_by,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": _find_script(facts.command) or job.display_name or job.name,
        "mlflow.rootRunId": root,
        "mlflow.parentRunId": parent,
        "mlflow.note.content": facts.description,
        "mlflow.source.git.commit": facts.properties.get("azureml.git.commit"),
        "mlflow.source.git.branch": facts.properties.get("azureml.git.branch"),
        "mlflow.source.git.repoURL": facts.properties.get("azureml.git.repository_uri"),
        "azureml.jobType": job.type,
        "azureml.ContentSnapshotId": get_snapshot(facts.code),
        **{key: value for key, value in facts.properties.items() if key.startswith(_ITS_TAGS)},
    }
    every = {**{key: value for key, value in known.items() if value is not None}, **facts.tags}
    return {
        _cut_text(key, _LONGEST_NAME): _cut_text(str(value), 8000) for key, value in every.items() if value is not None
    }


def get_literals(inputs: Json) -> dict[str, str]:
    """Return the inputs that are values, as texts."""
    found = {}
    for name, value in inputs.items():
        if not isinstance(value, dict):
            continue
        kind = value.get("jobInputType", value.get("job_input_type", value.get("type", "")))
        if str(kind).lower() == "literal" and value.get("value") is not None:
            found[_cut_text(name, _LONGEST_NAME)] = _cut_text(str(value["value"]), _LONGEST_VALUE)
    return found


def get_snapshot(code: str | None) -> str | None:
    """Return the content hash in the id of a job's code."""
    return code.partition("/codes/")[2].partition("/")[0] or None if code else None


def _build_input(name: str, type: str, uri: str | None, asset: str | None) -> Json:
    """Return input data as one of MLflow's data sets."""
    where = uri or ""
    source: Json
    if where.startswith(("http://", "https://")):
        kind, source = "http", {"url": where}
    elif where.startswith("file:") or ":" not in where.partition("/")[0]:
        kind, source = "local", {"uri": where}
    else:
        kind, source = "azureml", {"uri": uri, "asset": asset, "type": type}
    return {
        "name": _get_asset_name(asset) or name,
        "digest": hashlib.sha256((asset or where).encode()).hexdigest()[:8],
        "source_type": kind,
        "source": json.dumps(source),
        "context": name,
    }


def _build_metrics(job: Job, metrics: Mapping[str, float]) -> list[Json]:
    time = _to_milliseconds(job.ended_at or job.created_at)
    return [{"key": key, "value": float(value), "timestamp": time} for key, value in metrics.items()]


def _get_asset_name(asset: str | None) -> str | None:
    """Return `iris` for `data/iris/versions/1`, with or without a registry before it."""
    parts = (asset or "").split("/")
    return parts[-3] if len(parts) > 3 else None


def _find_script(command: str | None) -> str | None:
    """Return the script that a command runs, or None."""
    try:
        words = shlex.split(command or "", comments=True)
    except ValueError:
        words = (command or "").split()
    return next((word for word in words if word.endswith(_SCRIPTS)), None)


def _to_milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _cut_text(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
