"""Published pipelines, pipeline endpoints and schedules of SDK v1 on a real server, and their REST contract of 2020."""

from __future__ import annotations

from tests.unedited.conftest import Ran
from tests.v1.conftest import Programs

HEAD = """\
import json
import urllib.error
import urllib.request

from azureml.core import Dataset, Datastore, Experiment, RunConfiguration, Workspace
from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineEndpoint, PipelineParameter, PipelineRun, PublishedPipeline
from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence
from azureml.pipeline.steps import PythonScriptStep

ws = Workspace.from_config()
store = ws.get_default_datastore()
host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
text = PipelineParameter("text", "nobody")
number = PipelineParameter("number", 10)


def post(url, body):
    '''As `requests.post(url, headers=…, json=body)`.'''
    headers = {**InteractiveLoginAuthentication().get_authentication_header(), "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def show(run):
    run.wait_for_completion(show_output=False)
    return run.get_status(), list(run.get_steps())[0].get_job_log().strip()


step = PythonScriptStep("echo.py", "say", [text, number], source_directory="src", runconfig=host)
pipeline = Pipeline(ws, [step])
"""
ECHO = "import sys\nprint('got', *sys.argv[1:])\n"


def _try(served: Programs, body: str) -> Ran:
    served.write("src/echo.py", ECHO)
    served.write("program.py", HEAD + body)
    return served.python("program.py")


def _run(served: Programs, body: str) -> list[str]:
    ran = _try(served, body)
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def test_a_request_of_2020_runs_a_published_pipeline(served: Programs) -> None:
    """With its defaults, and with other values of its parameters; the answer names the run."""
    lines = _run(
        served,
        """
published = pipeline.publish(name="My_New Pipeline", description="of a test", version="0.1")
print(published.name, published.version, published.status, published.total_run_steps)
body = {"ExperimentName": "by-rest", "RunSource": "SDK"}
for values in ({}, {"text": "a  b", "number": 45}):
    made = post(PublishedPipeline.get(ws, published.id).endpoint, {**body, "ParameterAssignments": values})
    print(*show(PipelineRun(ws.experiments["by-rest"], made["Id"])))
print(made["RunHistoryExperimentName"], made["PipelineId"] == published.id)
print(*show(published.submit(ws, "by-sdk", pipeline_parameters={"text": "sdk"})))
print([run.get_properties()["runSource"] for run in PipelineRun.get_pipeline_runs(ws, published.id)])
""",
    )
    assert lines == [
        "My_New Pipeline 0.1 Active 1",
        "Completed got nobody 10",
        "Completed got a  b 45",
        "by-rest True",
        "Completed got sdk 10",
        "['SDK', 'SDK', 'SDK']",
    ]
    ran = served.smalt("batch-endpoint", "invoke", "-n", "My-New-Pipeline", "--inputs", "text=v2")
    assert ran.code == 0, ran.err
