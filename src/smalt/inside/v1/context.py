"""The job that this process belongs to, read from the environment as it was before the script changed it."""

from __future__ import annotations

import os

from .client import RunClient
from .writer import RunWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .workspace import Experiment, Workspace


class RunContext:
    def __init__(self, uri: str, token: str, run_id: str) -> None:
        self.run_id = run_id
        self.client = RunClient(uri, token)
        self.writer = RunWriter(self.client)
        self.subscription_id = os.environ.get("AZUREML_ARM_SUBSCRIPTION", "")
        self.resource_group = os.environ.get("AZUREML_ARM_RESOURCEGROUP", "")
        self.workspace_name = os.environ.get("AZUREML_ARM_WORKSPACE_NAME", "")
        self.experiment_name = os.environ.get("AZUREML_EXPERIMENT_NAME", "")

    @property
    def workspace(self) -> Workspace:
        from .workspace import Workspace

        return Workspace()

    @property
    def experiment(self) -> Experiment:
        from .workspace import Experiment

        return Experiment(self.workspace, self.experiment_name)


def _read_context() -> RunContext | None:
    uri, run_id = os.environ.get("MLFLOW_TRACKING_URI", ""), os.environ.get("AZUREML_RUN_ID", "")
    if not run_id or not uri.startswith(("http://", "https://")):
        return None
    return RunContext(uri, os.environ.get("MLFLOW_TRACKING_TOKEN", ""), run_id)


_CURRENT = _read_context()


def get_current() -> RunContext | None:
    """Return the context of the job; None outside of a job."""
    return _CURRENT
