"""Steps that read data of their workspace by name, on a real server: what they get, and that they are never reused."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Server
from tests.tracking.conftest import Tracked
from tests.tracking.conftest import mlflow_python as mlflow_python
from tests.tracking.conftest import tracked as tracked

PREAMBLE = """\
import json, os, sys
from azureml.core import Dataset, Datastore, Model, Run, Workspace
run = Run.get_context()
ws = run.experiment.workspace
"""


class Steps:
    """Pipelines of one step, which is a script of SDK v1."""

    def __init__(self, server: Server, workspace: str, folder: Path) -> None:
        self.server, self.workspace, self.folder = server, workspace, folder

    def register(self, name: str, version: str, files: dict[str, str], **more: Any) -> None:
        """Make a data asset of files."""
        folder = self.folder / f"{name}-{version}"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        body = {"properties": {"dataType": "uri_folder", "dataUri": folder.as_uri(), **more}}
        answer = self.server.ask("PUT", f"{self.workspace}/data/{name}/versions/{version}", body)
        assert answer.status in (200, 201), answer.body

    def put_file(self, store: str, path: str, text: str) -> None:
        where = f"/smalt/v1{self.workspace}/datastores/{store}/files/{path}"
        assert self.server.ask("PUT", where, raw=text.encode()).status == 200

    def run(self, name: str, script: str) -> str:
        """Run the script as the step `read` of a pipeline of that name, and return what it printed."""
        return self.run_all(name, {"read": PREAMBLE + textwrap.dedent(script)})

    def run_all(self, name: str, scripts: dict[str, str]) -> str:
        """Run each script as a step of its name."""
        nodes = {}
        for step, script in scripts.items():
            file = self.folder / f"{step}.py"
            file.write_text(script)
            component = {
                "type": "command", "name": step, "version": "1", "environment": "azureml:host@latest",
                "command": f"{sys.executable} {file}",
            }  # fmt: skip
            nodes[step] = {"type": "command", "component": component}
        body = {"properties": {"jobType": "Pipeline", "jobs": nodes, "settings": {}}}
        answer = self.server.ask("PUT", f"{self.workspace}/jobs/{name}", body)
        assert answer.status == 201, answer.body
        messages = list(self.server.stream(f"/smalt/v1{self.workspace}/jobs/{name}/stream"))
        said = "".join(message["text"] for message in messages if message["t"] == "log")
        assert messages[-1]["status"] == "Completed", said
        return said

    def explain(self, job: str) -> dict[str, Any]:
        """Return the explanation of a step."""
        answer = self.server.ask("GET", f"/smalt/v1{self.workspace}/jobs/{job}/reuse")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body["steps"][0]
        return found


@pytest.fixture
def steps(module_server: Server, workspace: str, tmp_path: Path) -> Steps:
    return Steps(module_server, workspace, tmp_path)


def test_files_of_the_workspace_are_read_by_name(steps: Steps) -> None:
    """By name, version, id and mapping: paths, copies, a mount, rows."""
    steps.register("beans", "1", {"a.csv": "x,y\n1,2\n", "in/b.csv": "x,y\n3,4\n"})
    steps.register("beans", "2", {"a.csv": "x,y\n5,6\n"})
    said = steps.run(
        "by-name",
        """
        one = Dataset.get_by_name(ws, "beans", version=1)
        print(one.name, one.version, one.to_path())
        print([os.path.relpath(path, "down") for path in one.download("down")])
        with ws.datasets["beans"].mount() as mount:
            print(open(os.path.join(mount.mount_point, "a.csv")).read().split())
        print(Dataset.get_by_id(ws, "beans:1").to_pandas_dataframe().values.tolist())
        print("beans" in ws.datasets, "peas" in ws.datasets, sorted(ws.datasets), sorted(ws.datastores)[:1])
        """,
    )
    assert said.splitlines() == [
        "beans 1 ['/a.csv', '/in/b.csv']",
        "['a.csv', 'in/b.csv']",
        "['x,y', '5,6']",
        "[[1, 2], [3, 4]]",
        "True False ['beans'] ['workspaceartifactstore']",
    ]


def test_tables_of_v1_are_read_as_they_were_defined(steps: Steps) -> None:
    """The document of a registered dataset says how; mltable is used where the environment has it, else pandas."""
    pytest.importorskip("pandas")
    steps.put_file("workspaceblobstore", "tables/2020/t.txt", "1;a\n2;b\n")
    document = {
        "paths": [{"pattern": "azureml://datastores/workspaceblobstore/paths/tables/**/*.txt"}],
        "transformations": [
            {"read_delimited": {"delimiter": ";", "header": "no_header", "include_path_column": True}},
            {"keep_columns": ["Path", "Column1"]},
        ],
    }
    steps.register("table", "1", {"MLTable": "paths: []"}, properties={"azureml.v1.dataset": json.dumps(document)})
    script = """
        if without: sys.modules["mltable"] = None
        table = Dataset.get_by_name(ws, "table")
        print(table.to_pandas_dataframe().values.tolist(), table.take(1).to_pandas_dataframe().shape)
        """
    said = [steps.run(f"table-{one}", f"without = {one}\n{textwrap.dedent(script)}") for one in (0, 1)]
    assert said == ["[['/2020/t.txt', 1], ['/2020/t.txt', 2]] (1, 2)\n"] * 2


def test_paths_on_datastores_are_read(steps: Steps) -> None:
    """As a pair, by datastore.path, by pattern, with download; what is not there is one sentence."""
    pytest.importorskip("pandas")
    for name in ("a.csv", "deep/b.csv", "c.txt"):
        steps.put_file("workspaceblobstore", f"raw/{name}", "x\n1\n")
    said = steps.run(
        "stores",
        """
        store = Datastore.get(ws, "workspaceblobstore")
        print(Dataset.File.from_files((store, "raw")).to_path())
        print(Dataset.File.from_files(store.path("raw/*.csv")).to_path())
        print([os.path.basename(one) for one in Dataset.File.from_files(path=[(store, "raw/c.txt")]).download()])
        print(len(Dataset.Tabular.from_delimited_files((store, "raw/**/*.csv")).to_pandas_dataframe()))
        print(ws.get_default_datastore().download("all", prefix="raw/deep", show_progress=False), os.listdir("all/raw"))
        for ask in (lambda: Dataset.File.from_files((store, "none")).download(), lambda: Dataset.get_by_name(ws, "no"),
                    lambda: Dataset.get_by_name(ws, "no", version="3"), lambda: Datastore(ws, "nowhere").download("x")):
            try:
                ask()
            except Exception as error:
                print(type(error).__name__, error)
        """,
    )
    lines = said.splitlines()
    assert lines[:5] == ["['/a.csv', '/c.txt', '/deep/b.csv']", "['/a.csv']", "['c.txt']", "2", "1 ['deep']"]
    assert lines[5] == "UserErrorException there are no files at azureml://datastores/workspaceblobstore/paths/none"
    assert all(line.startswith("UserErrorException the workspace has no such dataset: ") for line in lines[6:8])
    assert "nowhere" in lines[8]
    assert len(lines) == 9


def test_a_step_that_reads_by_name_runs_again_and_says_why(steps: Steps) -> None:
    """Whatever became of the data; the sentence names it. A step that reads nothing is reused."""
    script = "print(open(Dataset.get_by_name(ws, 'price').download()[0]).read())"
    steps.register("price", "1", {"p": "cheap"})
    assert steps.run("price-1", script) == "cheap\n"
    steps.register("price", "2", {"p": "dear"})
    assert steps.run("price-2", script) == "dear\n"
    found = steps.explain("price-2-read")
    assert found["result"] == "ran"
    assert found["reason"] == (
        "job price-1-read, which may have been identical, cannot be reused: it read the data asset 'price' while it "
        "ran, which is none of its inputs"
    )
    plain = "print(ws.name == Workspace.from_config().name, run.id == run.get_context().id)"
    assert steps.run("plain-1", plain) == "True True\n"
    steps.run("plain-2", plain)
    assert (steps.explain("plain-1-read")["result"], steps.explain("plain-2-read")["of"]) == ("ran", "plain-1-read")


READS = {
    "asset": ('get("/data/price/versions/1", "")', "the data asset 'price'"),
    "label": ('get("/data/price/labels/latest", "")', "the data asset 'price'"),
    "versions": ('get("/data/price/versions", "")', "the data asset 'price'"),
    "assets": ('get("/data", "")', "the list of the workspace's data assets"),
    "models": ('get("/models", "")', "the list of the workspace's models"),
    "uri": ("post('/resolve', {'uri': 'azureml:price:1'})", "data by its URI"),
    "folder": ('get("/datastores/workspaceblobstore/list")', "files of the datastore 'workspaceblobstore'"),
    "file": ('get("/datastores/workspaceblobstore/files/one")', "files of the datastore 'workspaceblobstore'"),
    "link": ("blob()", "files of the datastore 'workspaceblobstore'"),
    "listing": ("blobs()", "files of the datastore 'workspaceblobstore'"),
    "metrics": ('get("/jobs/other/metrics")', "the metrics of the job 'other'"),
    "table": ('get("/jobs?limit=5")', "the metrics of jobs"),
    "nothing": ('put("two"), get("/datastores", ""), get("/jobs", "")', ""),
}
ASK = """\
import json, os, urllib.request
def ask(method, url, body=None):
    headers = {"Authorization": "Bearer " + os.environ["SMALT_TOKEN"]} if "sig=" not in url else {}
    data = None if body is None else json.dumps(body).encode()
    try:
        return urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)).read()
    except urllib.error.HTTPError as error:
        assert error.code == 404, error.read()
where = "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.MachineLearningServices/workspaces/%s" % tuple(
    os.environ["AZUREML_ARM_" + name] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME"))
base = os.environ["SMALT_URL"]
def get(path, prefix="/smalt/v1"): return ask("GET", base + prefix + where + path)
def post(path, body, prefix="/smalt/v1"): return ask("POST", base + prefix + where + path, body)
def put(name): return ask("PUT", base + "/smalt/v1" + where + "/datastores/workspaceblobstore/files/" + name, "1")
def link(): return json.loads(post("/datastores/workspaceblobstore/listSecrets", {}, ""))["sasToken"]
def container():
    said = json.loads(get("/datastores/workspaceblobstore", ""))["properties"]
    account = where.rpartition("/")[2]
    return f"{base}/{account}.blob.core.windows.net/{said['containerName']}"
def blob(): return ask("GET", container() + "/one?" + link())
def blobs(): return ask("GET", container() + "?restype=container&comp=list&" + link())
"""


def test_each_way_to_read_is_noted(steps: Steps) -> None:
    """Through the API by the job's token, and by a link; what reads no data is not."""
    steps.register("price", "1", {"p": "cheap"})
    steps.put_file("workspaceblobstore", "one", "1")
    scripts = {step: ASK + call for step, (call, _) in READS.items()}
    steps.run_all("one", scripts)
    steps.run_all("two", scripts)
    for step, (_, what) in READS.items():
        found = steps.explain(f"two-{step}")
        if what:
            assert found["result"] == "ran", step
            assert f"it read {what} while it ran" in found["reason"]
        else:
            assert found["of"] == f"one-{step}"


TRACKED_READS = {
    "own": (
        """
        run.log("loss", 1); run.parent.log("best", 2)
        with run.child_run("part") as child: child.log("inner", 1)
        os.makedirs("outputs", exist_ok=True); open("outputs/m", "w").write("weights")
        made = run.register_model("mine", "outputs/m")
        open(Model.get_model_path("mine", version=made.version)).read()
        run.get_metrics(), [one.get_metrics() for one in run.get_children()], run.get_file_names(), run.get_tags()
        """,
        "",
    ),
    "model": ("print(open(Model.get_model_path('single')).read())", "the model 'single' of the registry"),
    "models": ("print(Model.list(ws))", "the model registry"),
    "run": ("print(ws.get_run('seed').get_metrics())", "the run 'seed'"),
    "runs": ("print([one.id for one in run.experiment.get_runs()])", "other runs"),
    "files": ("ws.get_run('seed').client.list_files('ExperimentRun/dcid.seed')", "files of the run 'seed'"),
}
"""By step: what its script does, and what is said of it."""


def test_reads_of_mlflow_are_noted_but_not_a_steps_own(tracked: Tracked, workspace: str, tmp_path: Path) -> None:
    """Models of the registry and other runs count; the step's run, its children and its own models do not."""
    steps = Steps(tracked.server, workspace, tmp_path)
    tracked.job(workspace, "seed")
    (tmp_path / "one.pkl").write_text("weights")
    body = {"properties": {"modelUri": str(tmp_path / "one.pkl"), "modelType": "custom_model"}}
    assert tracked.server.ask("PUT", f"{workspace}/models/single/versions/3", body).status in (200, 201)
    scripts = {step: PREAMBLE + textwrap.dedent(script) for step, (script, _) in TRACKED_READS.items()}
    steps.run_all("one", scripts)
    steps.run_all("two", scripts)
    for step, (_, what) in TRACKED_READS.items():
        found = steps.explain(f"two-{step}")
        if what:
            assert found["result"] == "ran", step
            assert f"it read {what} while it ran" in found["reason"]
        else:
            assert found["of"] == f"one-{step}", found["reason"]
