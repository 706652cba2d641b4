"""The environment variables by which a plain `import mlflow` finds the job's run."""

from __future__ import annotations

from collections.abc import Container

from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.ids import build_url_path, build_workspace_id

ROUTE = "/mlflow/v1.0"
NO_LINKS = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
"""The variable that keeps MLflow's "View run … at" out of a job's log, which is of that run; a job may set it to
false."""
_HERE = ("127.0.0.1", "localhost")


def build_route(workspace: Workspace) -> str:
    """Return the path of the workspace's tracking URI."""
    return ROUTE + build_url_path(build_workspace_id(workspace.subscription, workspace.resource_group, workspace.name))


def build_variables(job: Job, uri: str, token: str) -> dict[str, str]:
    """Return the variables of a job's tracking.

    The experiment is named, not numbered: its number is MLflow's, and the job's token makes the name work. The token
    is given in two ways: as a user's name and password it has precedence over a `~/.mlflow/credentials`, which would
    displace a token alone. `AZUREML_RUN_TOKEN` is never set: azureml-core would look for a service of Azure.
    """
    return {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_TRACKING_USERNAME": "job",
        "MLFLOW_TRACKING_PASSWORD": token,
        "MLFLOW_RUN_ID": job.name,
        "MLFLOW_EXPERIMENT_NAME": job.experiment,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        NO_LINKS: "true",
    }


def remove_proxy(environment: dict[str, str], server: str, own: Container[str]) -> None:
    """Make jobs reach this machine and the `server` directly, whatever proxy their environment names.

    Inherited IPv6 addresses are removed, as azureml-fsspec's library panics on them; those in variables that the job
    sets itself (`own`) stay.
    """
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environment.get(name, "").split(",") if host.strip()]
        kept = [host for host in hosts if name in own or host.count(":") < 2]
        environment[name] = ",".join(dict.fromkeys([*kept, *_HERE, server]))
