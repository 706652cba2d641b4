"""The folders of jobs' artifacts (logs and default outputs), named and placed as the service does."""

from __future__ import annotations

STORE = "workspaceartifactstore"
"""The datastore that holds the artifacts of all jobs of a workspace."""
PREFIX = "ExperimentRun/dcid."
"""The path of a job's folder in the store, up to the job's name."""
URI = f"azureml://datastores/{STORE}/paths/{PREFIX}{{job}}/"
"""The URI of a job's folder, to be formatted with `job`."""
MLFLOW_URI = f"mlflow-artifacts:/{PREFIX}{{job}}"
"""MLflow's URI of a run's folder, to be formatted with `job`."""


def parse_artifacts_path(path: str) -> tuple[str, str] | None:
    """Return the job, or run, of a path in the store and the path below its folder; None for any other path."""
    job, _, rest = path.removeprefix(PREFIX).partition("/")
    return (job, rest) if path.startswith(PREFIX) else None
