"""Links to runs: a job prints none to itself unless it asks for it, and each leads a browser to the studio."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from tests.helpers import host_job
from tests.tracking.conftest import Tracked
from tests.tracking.test_v1 import run_job

SCRIPT = "import mlflow; mlflow.start_run(); mlflow.log_metric('a', 1); mlflow.end_run(); print('logged')"


def test_mlflow_prints_its_link_where_the_job_asks_for_it(tracked: Tracked, workspace: str, mlflow_python: str) -> None:
    """The log is the run's own; the link leads a browser, which sends no token, to the run's page in the studio."""
    command = f'{mlflow_python} -c "{SCRIPT}"'
    assert run_job(tracked, f"{workspace}/jobs/quiet", host_job(command)) == "Completed"
    assert tracked.said(workspace, "quiet") == "logged"
    own = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "false"}
    assert run_job(tracked, f"{workspace}/jobs/loud", host_job(command, environmentVariables=own)) == "Completed"
    printed = re.search(r"View run .* at: (\S+)#/experiments/\d+/runs/loud", tracked.said(workspace, "loud"))
    assert printed
    follow_link(tracked, printed[1], workspace)


def follow_link(tracked: Tracked, url: str, workspace: str) -> None:
    """Follow a link as a browser does, from another page; without its headers the path wants a token as ever."""
    path = urlsplit(url).path
    browser = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = tracked.server.ask_as("GET", path, browser)
    assert (answer.status, unquote(answer.headers["location"])) == (303, f"/studio?wsid={workspace}")
    assert tracked.server.ask_as("GET", path, {}).status == 401
    assert tracked.server.ask_as("GET", f"{path}api/2.0/mlflow/experiments/search", browser).status == 403


def test_a_run_of_sdk_v1_has_a_portal_url(tracked: Tracked, workspace: str) -> None:
    """A text, as programs add it to others, that leads to the run's page."""
    script = "from azureml.core import Run; print(Run.get_context().get_portal_url())"
    assert run_job(tracked, f"{workspace}/jobs/v1", host_job(f'python3 -c "{script}"')) == "Completed"
    url = tracked.said(workspace, "v1")
    assert url.endswith("/#/experiments/0/runs/v1")
    follow_link(tracked, url.partition("#")[0], workspace)
