"""No link is printed where there is no page."""

from __future__ import annotations

from tests.helpers import host_job
from tests.tracking.conftest import Tracked
from tests.tracking.test_v1 import run_job

SCRIPT = "import mlflow; mlflow.start_run(); mlflow.log_metric('a', 1); mlflow.end_run(); print('logged')"


def test_mlflow_prints_no_link_to_a_page_that_is_not_there(
    tracked: Tracked, workspace: str, mlflow_python: str
) -> None:
    """Unless the job's own variable asks for it."""
    command = f'{mlflow_python} -c "{SCRIPT}"'
    assert run_job(tracked, f"{workspace}/jobs/quiet", host_job(command)) == "Completed"
    assert tracked.said(workspace, "quiet") == "logged"
    own = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "false"}
    assert run_job(tracked, f"{workspace}/jobs/loud", host_job(command, environmentVariables=own)) == "Completed"
    assert "View run" in tracked.said(workspace, "loud")


def test_a_run_of_sdk_v1_has_no_portal_url(tracked: Tracked, workspace: str) -> None:
    """A text, as programs add it to others, and empty."""
    script = "from azureml.core import Run; print(repr(Run.get_context().get_portal_url()))"
    assert run_job(tracked, f"{workspace}/jobs/v1", host_job(f'python3 -c "{script}"')) == "Completed"
    assert tracked.said(workspace, "v1") == "''"
