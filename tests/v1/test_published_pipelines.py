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


step = PythonScriptStep("echo.py", "say", [text, number], source_directory="src", runconfig=host, allow_reuse=False)
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


def test_a_request_is_refused_with_all_that_is_wrong_and_unknown_parameters_are_told(served: Programs) -> None:
    """As the service did, a parameter that there is not changes nothing; here the job's log says so."""
    lines = _run(
        served,
        """
published = pipeline.publish(name="strict")
wrong = {"ExperimentNam": "e", "ParameterAssignments": {"number": [1]}, "DataPathAssignments": {"text": {"x": 1}}}
print(post(published.endpoint, wrong)["error"]["message"])
print(post(published.endpoint, {"ParameterAssignments": {"number": "many"}})["error"]["message"])
print(post(published.endpoint[:-1], {})["error"]["code"])
made = post(published.endpoint, {"ExperimentName": "e", "ParameterAssignments": {"1": "united"}})
run = PipelineRun(Experiment(ws, "e"), made["Id"])
print(*show(run))
print(run.get_properties()["smalt.unused-parameters"])
published.disable()
print(post(published.endpoint, {})["error"]["message"])
print([published.id in [one.id for one in PublishedPipeline.list(ws, only)] for only in (True, False)])
PublishedPipeline.get(ws, published.id).enable()
print(PublishedPipeline.get(ws, published.id).status)
""",
    )
    text = "\n".join(lines)
    assert "ExperimentNam: a submission has no such setting; did you mean 'ExperimentName'?" in text
    assert "ParameterAssignments.number: must be text, a number or a boolean, not a list" in text
    assert "must have DataStoreName and RelativePath" in text
    assert "'many'" in text
    assert lines[-5:] == [
        "Completed got nobody 10",
        "'1'",
        "published pipeline 'strict' is disabled, so nobody can submit it; call its enable()",
        "[False, True]",
        "Active",
    ]


def test_a_pipeline_endpoint_has_versions_of_which_one_is_the_default(served: Programs) -> None:
    """By id, by name and by version, in the SDK and by REST; a run may be published as well."""
    lines = _run(
        served,
        """
endpoint = PipelineEndpoint.publish(ws, "Many Versions", "of a test", pipeline)
run = Experiment(ws, "e").submit(pipeline, pipeline_parameters={"text": "of the run"})
run.wait_for_completion(show_output=False)
second = run.publish_pipeline("second", "of a run", "2")
endpoint.add(second)
print([one.version for one in endpoint.list_versions()], endpoint.get_default_version(), len(endpoint.list_pipelines()))
endpoint.set_default(second)
endpoint.set_name("New")
found = PipelineEndpoint.get(ws, name="New")
print(found.id == endpoint.id, found.default_version, found.get_pipeline().id == second.id)
print(found.get_pipeline("0").name)
by_name = found.endpoint.split("Id", 1)[0] + "Name?name=New"
for url in (found.endpoint, found.endpoint + "/0", by_name, by_name + "&pipelineVersion=0"):
    print(*show(PipelineRun(Experiment(ws, "e"), post(url, {"ExperimentName": "e"})["Id"])))
print(*show(found.submit("e", {"text": "it's $HOME"})))
print(*show(Experiment(ws, "e").submit(found, tags={"a": "b"}, pipeline_version="0")))
""",
    )
    assert lines == [
        "['0', '1'] 0 2",
        "True 1 True",
        "Many Versions",
        "Completed got of the run 10",
        "Completed got nobody 10",
        "Completed got of the run 10",
        "Completed got nobody 10",
        "Completed got it's $HOME 10",
        "Completed got nobody 10",
    ]


def test_a_schedule_submits_a_published_pipeline(served: Programs) -> None:
    """At once where it has no start; it can be changed and found."""
    lines = _run(
        served,
        """
import time
published = pipeline.publish(name="scheduled")
schedule = Schedule.create(ws, "My Schedule", published.id, "timed", ScheduleRecurrence("Day", 2),
                           pipeline_parameters={"text": "by time"})
end = time.monotonic() + 120
while (run := schedule.get_last_pipeline_run()) is None and time.monotonic() < end:
    time.sleep(0.1)
print(*show(run))
print(schedule.id, schedule.status, [one.id for one in Schedule.list(ws, pipeline_id=published.id)])
schedule.update(name="Renamed", recurrence=ScheduleRecurrence("Week", 1, week_days=["Monday"], time_of_day="22:30"))
schedule.disable()
found = Schedule.get(ws, schedule.id)
print(found.name, found.status, found.recurrence,
      *(len(Schedule.list(ws, only, published.id)) for only in (True, False)))
print(len(found.get_pipeline_runs()))
endpoint = PipelineEndpoint.publish(ws, "timed", "d", published)
of_endpoint = Schedule.create_for_pipeline_endpoint(ws, "E", endpoint.id, "timed",
                                                    ScheduleRecurrence("Day", 1, hours=[22], minutes=[30]))
print(len(Schedule.get_schedules_for_pipeline_endpoint_id(ws, endpoint.id)))
""",
    )
    assert lines[:2] == ["Completed got by time 10", "My-Schedule Active ['My-Schedule']"]
    assert lines[2] == (
        "Renamed Disabled ScheduleRecurrence(frequency='Week', interval=1, time_zone='UTC', hours=[22], minutes=[30], "
        "week_days=['Monday']) 0 1"
    )
    assert lines[3:5] == ["1", "1"]


def test_a_schedule_watches_a_datastore(served: Programs) -> None:
    """A folder, or all of it; the changed file is the DataPath of the parameter; it can be changed and found."""
    served.write("src/read.py", "import sys\nprint('got', open(sys.argv[1]).read())\n")
    lines = _run(
        served,
        """
path = PipelineParameter("path", DataPath(store, "watched"))
pair = (path, DataPathComputeBinding(mode="mount"))
step = PythonScriptStep("read.py", "read", [pair], inputs=[pair], source_directory="src", runconfig=host)
published = Pipeline(ws, [step]).publish(name="watching")
schedule = Schedule.create(ws, "Arrivals", published.id, "arrivals", datastore=store, path_on_datastore="watched",
                           data_path_parameter_name="path", polling_interval=1)
print(schedule.id, schedule.schedule_type, schedule.recurrence, schedule.polling_interval)
schedule.update(polling_interval=7)
found = Schedule.get(ws, schedule.id)
print(found.datastore_name, found.path_on_datastore, found.polling_interval, found.data_path_parameter_name)
print(ws.client.schedules.get(schedule.id).trigger.path)
print(Schedule.create(ws, "all", published.id, "arrivals", datastore=store).polling_interval, found.get_pipeline_runs())
found.update(recurrence=ScheduleRecurrence("Day", 1, hours=[1]))
print(found.schedule_type, found.datastore_name)
found.update(datastore=store)
print(repr(found))
for more in ({}, {"datastore": store, "recurrence": ScheduleRecurrence("Day", 1)},
             {"datastore": store, "data_path_parameter_name": "pth"},
             {"data_path_parameter_name": "path", "recurrence": ScheduleRecurrence("Day", 1)}):
    try:
        Schedule.create(ws, "wrong", published.id, "arrivals", **more)
    except Exception as error:
        print(error)
""",
    )
    assert lines[:5] == [
        "Arrivals DataStore None 1",
        "workspaceblobstore watched 7 path",
        "azureml://datastores/workspaceblobstore/paths/watched",
        "5 []",
        "Recurrence None",
    ]
    assert lines[5:9] == [
        "Schedule(Name: Arrivals,",
        "Id: Arrivals,",
        "Status: Active,",
        "Datastore: workspaceblobstore,",
    ]
    assert lines[10] == "a schedule needs recurrence, a ScheduleRecurrence, or the datastore that it watches"
    assert lines[11] == "a schedule has a recurrence, or watches a datastore; leave out recurrence, or datastore"
    assert "pth" in lines[12]
    assert lines[13].endswith("leave out recurrence, or data_path_parameter_name")


def test_data_of_a_published_pipeline_is_given_by_path_or_dataset(served: Programs) -> None:
    """`DataPathAssignments`, and `DataSetDefinitionValueAssignments` with the id of a dataset."""
    served.write("data/one.txt", "one")
    served.write("data/two.txt", "two")
    served.write("src/read.py", "import sys\nprint('got', *(open(name).read() for name in sys.argv[1:]))\n")
    lines = _run(
        served,
        """
store.upload("data", "given", overwrite=True, show_progress=False)
one, two = (Dataset.File.from_files((store, f"given/{name}.txt")) for name in ("one", "two"))
path = PipelineParameter("path", DataPath(store, "given/one.txt"))
pair = (path, DataPathComputeBinding(mode="mount"))
data = DatasetConsumptionConfig("files", PipelineParameter("files", one)).as_mount()
step = PythonScriptStep("read.py", "read", [pair, data], inputs=[pair, data], source_directory="src", runconfig=host)
published = Pipeline(ws, [step]).publish(name="data")
print(*show(published.submit(ws, "e")))
print(*show(published.submit(ws, "e", {"path": DataPath(store, "given/two.txt"), "files": two})))
""",
    )
    assert lines == ["Completed got one one", "Completed got two two"]


def test_a_data_path_that_is_not_there_is_an_empty_folder(served: Programs) -> None:
    """Also in a request, as v1 mounts an absent path; the log of the job says so."""
    served.write("src/list.py", "import os, sys\nprint('got', os.listdir(sys.argv[1]))\n")
    lines = _run(
        served,
        """
path = PipelineParameter("path", DataPath(store, "absent1"))
pair = (path, DataPathComputeBinding(mode="mount"))
step = PythonScriptStep("list.py", "list", [pair], inputs=[pair], source_directory="src", runconfig=host)
published = Pipeline(ws, [step]).publish(name="absent")
given = {"path": {"DataStoreName": store.name, "RelativePath": "absent2"}}
made = post(published.endpoint, {"ExperimentName": "e", "DataPathAssignments": given})
run = PipelineRun(Experiment(ws, "e"), made["Id"])
print(*show(run))
print(run.get_properties()["smalt.made-folders"])
""",
    )
    assert lines[-2:] == ["Completed got []", "azureml://datastores/workspaceblobstore/paths/absent2"]
