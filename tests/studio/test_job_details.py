"""What the page of a job asks beside its graph: code, logs, progress, environment, document, one step alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import yaml
from smalt import MLClient, load_job
from smalt.inside.parallel.reports import Failure, Reports
from smalt.service.api.job_details import log_search
from smalt.service.api.job_details.job_progress import parse_progress
from tests.helpers import Server, host_job
from tests.studio.pipelines import make_step, run_pipeline
from tests.studio.test_rerun import read_log, rerun


def run_job(server: Server, workspace: str, name: str, body: dict[str, Any]) -> None:
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", body)
    assert answer.status == 201, answer.body
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))[-1]["t"] == "end"


def ask(server: Server, workspace: str, job: str, what: str, **query: Any) -> Any:
    answer = server.ask(
        "GET", f"/smalt/v1{workspace}/jobs/{job}/{what}?" + "&".join(f"{k}={v}" for k, v in query.items())
    )
    assert answer.status == 200, answer.body
    return answer.body


def find_lines(server: Server, workspace: str, job: str, text: str, **query: Any) -> list[tuple[int, str]]:
    found = ask(server, workspace, job, "log-search", text=text, **query)
    return [(match["line"], match["text"]) for match in found["matches"]]


def test_lines_of_a_log_are_found(server: Server, workspace: str) -> None:
    """By a text, whatever its letters' size; each line once, with its number and its place in bytes."""
    run_job(server, workspace, "a", host_job("printf 'one\\nTwo two\\n\\nöthree\\nend of two'"))
    assert find_lines(server, workspace, "a", "two") == [(2, "Two two"), (5, "end of two")]
    assert find_lines(server, workspace, "a", "Two", case="true") == [(2, "Two two")]
    assert find_lines(server, workspace, "a", "öth") == [(4, "öthree")]
    assert find_lines(server, workspace, "a", "none") == []
    found = ask(server, workspace, "a", "log-search", text="two")
    assert ([match["at"] for match in found["matches"]], found["next"], found["size"]) == ([4, 21], None, 31)


def test_a_search_goes_on_where_it_was(server: Server, workspace: str) -> None:
    """Each answer says from where, and what number the line there has."""
    run_job(server, workspace, "a", host_job("for k in 1 2 3 4 5; do echo match $k; echo other; done"))
    lines, query = [], {}
    while query is not None:
        found = ask(server, workspace, "a", "log-search", text="match", limit=2, **query)
        lines += [(match["line"], match["text"]) for match in found["matches"]]
        query = found["next"]
    assert lines == [(2 * k - 1, f"match {k}") for k in range(1, 6)]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pieces_of_a_log_are_searched_as_one(
    server: Server, workspace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However small the pieces are: no line is lost, found twice or numbered wrongly."""
    text = "".join(f"line {k} {'needle' if k % 3 == 0 else 'x' * (k % 11)}\n" for k in range(200)) + "needle at the end"
    path = tmp_path / "log"
    path.write_text(text)
    expected = [(k + 1, line) for k, line in enumerate(text.splitlines()) if "needle" in line]
    monkeypatch.setattr(log_search, "_PIECE", 40 + size)
    search = log_search._LogSearch(path, log_search.SecretMask(()), b"needle", has_case=True, limit=1000)
    found = search.find_matches(log_search.LogPosition(0, 1))
    assert [(match["line"], match["text"]) for match in found["matches"]] == expected
    assert found["next"] is None


def test_a_search_shows_no_secret_and_leaves_no_folder(server: Server, workspace: str) -> None:
    """What is hidden in the log is hidden here, and cannot be asked for; other files are no logs."""
    assert server.ask("PUT", f"/smalt/v1{workspace}/secrets/key", {"value": "S3CR3T-VALUE"}).status == 200
    run_job(server, workspace, "a", host_job("echo the key is S3CR3T-VALUE"))
    assert find_lines(server, workspace, "a", "the key") == [(1, "the key is ************")]
    assert find_lines(server, workspace, "a", "S3CR3T") == []
    url = f"/smalt/v1{workspace}/jobs/a/log-search"
    for query, status in (
        ("text=", 400), ("text=a&file=outputs/x", 404), ("text=a&file=user_logs/../../x", 403),
        ("text=a&file=user_logs/none", 404), ("text=" + "a" * 2000, 400),
    ):  # fmt: skip
        assert server.ask("GET", f"{url}?{query}").status == status, query


def test_files_of_code_and_the_run_before(server: Server, workspace: str, tmp_path: Path) -> None:
    """Each file as it was submitted; of a step, the run before is that step of the pipeline before."""
    for number in (1, 2):
        (tmp_path / "main.sh").write_text(f"echo run {number}\n")
        code = server.ask("POST", f"/smalt/v1{workspace}/snapshots", {"path": str(tmp_path)}).body["codeId"]
        run_job(server, workspace, f"run-{number}", host_job("sh main.sh", codeId=code, experimentName="e"))
    snapshot = ask(server, workspace, "run-1", "snapshot")["snapshots"][0]
    (file,) = snapshot["files"]
    assert (file["path"], file["size"]) == ("main.sh", 11)
    url = f"/smalt/v1{workspace}/jobs/run-1/snapshot/file?code={snapshot['hash']}&path="
    answer = server.ask("GET", url + "main.sh")
    assert (answer.status, answer.body) == (200, b"echo run 1\n")
    assert server.ask("GET", url + "other").status == 404
    assert server.ask("GET", url.replace(snapshot["hash"], file["hash"]) + "main.sh").status == 404
    other = ask(server, workspace, "run-2", "snapshot")["snapshots"][0]["files"][0]
    assert file["hash"] != other["hash"]
    assert ask(server, workspace, "run-2", "previous") == {"job": "run-1"}
    assert ask(server, workspace, "run-1", "previous") == {"job": None}
    for name in ("p", "q"):
        assert run_pipeline(server, workspace, name, {"s": make_step("true"), "t": make_step("true")}) == "Completed"
    assert ask(server, workspace, "q-t", "previous") == {"job": "p-t"}
    assert ask(server, workspace, "q", "previous") == {"job": "p"}


def test_a_step_runs_alone(server: Server, workspace: str) -> None:
    """With the inputs that it had, or one changed; its outputs are its own, and the pipeline's stay."""
    ports = {"outputs": {"data": {"type": "uri_folder"}}}
    inputs = {"data": {"type": "uri_folder"}, "n": {"type": "string"}}
    steps = {
        "make": make_step("echo made > ${{outputs.data}}/f", **ports),
        "use": make_step(
            "cat ${{inputs.data}}/f; echo ${{inputs.n}} | tee ${{outputs.data}}/n", inputs=inputs, **ports,
            values={"data": {"job_input_type": "uri_folder", "uri": "${{parent.jobs.make.outputs.data}}"},
                    "n": {"job_input_type": "literal", "value": "7"}},
        ),
    }  # fmt: skip
    assert run_pipeline(server, workspace, "p", steps) == "Completed"
    assert rerun(server, workspace, "p-use", name="alone", only=True) == (201, "alone")
    assert read_log(server, workspace, "alone") == "made\n7\n"
    assert rerun(server, workspace, "p-use", name="other", only=True, inputs={"n": "8"}) == (201, "other")
    assert read_log(server, workspace, "other") == "made\n8\n"
    (output,) = ask(server, workspace, "other", "ports")["outputs"]
    assert output["uri"].endswith("/other/data/")
    file = f"/smalt/v1{workspace}/jobs/p-use/ports/outputs/data/file?path=n"
    assert server.ask("GET", file).body == b"7\n"
    properties = server.ask("GET", f"{workspace}/jobs/other").body["properties"]
    assert (properties["experimentName"], properties.get("parentJobName")) == ("e", None)


def test_the_document_of_a_job_submits_it_again(server: Server, workspace: str) -> None:
    """The YAML has what was submitted, and nothing of the run."""
    inputs = {"n": {"jobInputType": "literal", "value": "3"}}
    run_job(server, workspace, "a", host_job("echo ${{inputs.n}}", inputs=inputs, experimentName="e", tags={"k": "v"}))
    document = yaml.safe_load(ask(server, workspace, "a", "document")["yaml"])
    assert document["command"] == "echo ${{inputs.n}}"
    assert (document["type"], document["environment"], document["tags"]) == (
        "command",
        "azureml:host@latest",
        {"k": "v"},
    )
    assert str(document["inputs"]["n"]) == "3"
    assert not {"status", "id", "name"} & set(document)


LITERALS = """
type: pipeline
inputs: {rate: 0.7, label: '0.7', count: 3, flag: true, tiny: 1.0e-05, padded: '007'}
jobs:
  inline:
    command: echo ${{inputs.x}} ${{inputs.s}} ${{inputs.r}} ${{inputs.c}} ${{inputs.f}} ${{inputs.t}} ${{inputs.p}}
    environment: azureml:host
    inputs:
      x: 0.7
      s: some text
      r: ${{parent.inputs.rate}}
      c: ${{parent.inputs.count}}
      f: ${{parent.inputs.flag}}
      t: ${{parent.inputs.tiny}}
      p: ${{parent.inputs.padded}}
  declared:
    component: ./component.yml
    inputs: {x: 0.7, s: '0.7', label: '${{parent.inputs.label}}'}
  swept:
    type: sweep
    trial: ./component.yml
    inputs: {s: '5', label: '6'}
    search_space: {x: {type: choice, values: [0.5]}}
    objective: {goal: minimize, primary_metric: m}
    limits: {max_total_trials: 1}
"""
COMPONENT = """
type: command
name: declares
version: 1
environment: azureml:host
inputs: {x: {type: number}, s: {type: string}, label: {type: string}}
command: echo ${{inputs.x}} ${{inputs.s}} ${{inputs.label}}
"""


def submit(client: MLClient, file: Path, name: str) -> None:
    job = load_job(file)
    job.name = name
    client.jobs.create_or_update(job)


def test_a_document_has_numbers_as_numbers(server: Server, workspace: str, tmp_path: Path) -> None:
    """And texts that look like numbers as texts, where they are declared so; what is sent again is the same."""
    (tmp_path / "pipeline.yml").write_text(LITERALS)
    (tmp_path / "component.yml").write_text(COMPONENT)
    client = MLClient(None, "sub", "group", workspace.rpartition("/")[2], home=server.home)
    submit(client, tmp_path / "pipeline.yml", "typed")
    document = yaml.safe_load(ask(server, workspace, "typed", "document")["yaml"])
    assert document["inputs"] == yaml.safe_load(LITERALS)["inputs"]
    assert {**document["jobs"]["inline"]["inputs"]} == yaml.safe_load(LITERALS)["jobs"]["inline"]["inputs"]
    assert {**document["jobs"]["declared"]["inputs"]} == yaml.safe_load(LITERALS)["jobs"]["declared"]["inputs"]
    assert document["jobs"]["swept"]["inputs"] == {"s": "5", "label": "6"}
    (tmp_path / "copy.yml").write_text(yaml.safe_dump(document))
    submit(client, tmp_path / "copy.yml", "copy")
    bodies = [server.ask("GET", f"{workspace}/jobs/{name}").body["properties"] for name in ("typed", "copy")]
    assert bodies[0]["inputs"] == bodies[1]["inputs"]
    inputs = [{name: step["inputs"] for name, step in body["jobs"].items()} for body in bodies]
    assert inputs[0] == inputs[1]


def test_a_document_has_references_as_they_were_written(server: Server, workspace: str, tmp_path: Path) -> None:
    """Labels stay labels, and versions versions; a version that was named in two ways stays, and the ways are said."""
    folder = {"properties": {"dataType": "uri_folder", "dataUri": str(tmp_path)}}
    for place in ("cars/versions/1", "cars/versions/2", "vans/versions/1"):
        assert server.ask("PUT", f"{workspace}/data/{place}", folder).status in (200, 201)
    given = {
        name: {"jobInputType": "uri_folder", "uri": uri, "mode": "Direct"}
        for name, uri in (
            ("newest", "azureml:cars@latest"), ("first", "azureml:cars:1"),
            ("a", "azureml:vans@latest"), ("b", "azureml:vans"),
        )
    }  # fmt: skip
    run_job(server, workspace, "a", host_job("true", inputs=given))
    text = ask(server, workspace, "a", "document", as_written="true")["yaml"]
    paths = {name: one["path"] for name, one in yaml.safe_load(text)["inputs"].items()}
    version = f"{workspace}/data/vans/versions/1"
    assert paths == {"newest": "azureml:cars@latest", "first": "azureml:cars:1", "a": version, "b": version}
    assert yaml.safe_load(text)["environment"] == "azureml:host@latest"
    assert text.startswith("# azureml:vans:1 was written as azureml:vans@latest or azureml:vans\n")
    pinned = yaml.safe_load(ask(server, workspace, "a", "document")["yaml"])
    assert pinned["inputs"]["newest"]["path"] == f"{workspace}/data/cars/versions/2"


def test_the_environment_of_a_step(server: Server, workspace: str) -> None:
    """The packages that it had, from the record of what it could be reused by."""
    assert run_pipeline(server, workspace, "p", {"s": make_step("true")}) == "Completed"
    found = ask(server, workspace, "p-s", "environment")
    assert found["name"].startswith("host")
    assert (found["used"], found["python"].count("."), found["built"]) == (True, 2, None)
    assert any(package.startswith("pip==") for package in found["packages"]) or found["packages"]
    assert ask(server, workspace, "p", "environment") == {"name": None}


def test_progress_is_read_as_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of a parallel step's own program, in each of their forms."""
    reports = Reports(str(tmp_path), 40)
    assert parse_progress(["10 files in 40 mini-batches; 2 worker processes, logs in logs/user"]) is None
    for done, failed, taken_over, retried in ((0, 0, 0, 0), (3, 0, 0, 0), (3, 2, 5, 1), (33, 2, 5, 1)):
        reports.done, reports.failed, reports.taken_over, reports.retried = done, failed, taken_over, retried
        reports.show_progress(now=True)
        told = parse_progress(capsys.readouterr().out.splitlines())
        assert told is not None
        assert (told["total"], told["failed"], told["retried"]) == (40, failed, retried)
        assert told["done"] == done + taken_over
    failure = Failure(3, ["a"], 1, "no", "trace", "process", "node")
    reports.note_failure(failure, is_final=True, retries=0)
    assert parse_progress(capsys.readouterr().out.splitlines()) is None


def test_progress_of_a_sweep(server: Server, workspace: str) -> None:
    """The trials that ended well and badly, of how many; a job without such steps has none."""
    run_job(server, workspace, "a", host_job("true"))
    assert ask(server, workspace, "a", "progress") == {"steps": {}}
    trial = {"command": "test ${{search_space.n}} != 2", "environmentId": "azureml:host@latest"}
    sweep = {
        "jobType": "Sweep", "trial": trial, "searchSpace": {"n": ["choice", [[1, 2, 3]]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Grid"}, "limits": {"maxTotalTrials": 3},
        "objective": {"goal": "Maximize", "primaryMetric": "score"},
    }  # fmt: skip
    run_job(server, workspace, "s", {"properties": sweep})
    progress = ask(server, workspace, "s", "progress")["steps"]["s"]
    assert (progress["of"], progress["done"], progress["failed"], progress["total"]) == ("trials", 2, 1, 3)
    assert (progress["running"], progress["best"]) == (0, None)
