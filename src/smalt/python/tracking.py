"""MLflow in a program finds this workspace, as it does on a compute instance; looked up when mlflow is imported."""

from __future__ import annotations

import os

_OWN = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")


def set_mlflow_variables() -> None:
    """Set MLflow's variables to the workspace in effect, unless there are any of the user's own."""
    if any(os.environ.get(name) for name in _OWN):
        return
    from smalt.client import MLClient
    from smalt.exceptions import SmaltError
    from smalt.machine.home import Home

    client = MLClient()
    try:
        uri = client.workspaces.get(client.workspace_name).mlflow_tracking_uri
        token = Home.find().read_token() if client.connection.is_local else client.connection.server.token
    except SmaltError:  # a program that only imports mlflow need not have a server
        return
    if uri and token:
        os.environ.update(MLFLOW_TRACKING_URI=str(uri), MLFLOW_TRACKING_TOKEN=str(token))
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # there is no page at that URI
