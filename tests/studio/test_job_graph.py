"""What the page of a job asks for: its graph, its timeline, its attempts, its inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from smalt.service.api.job_details.job_graph import get_graph
from tests.engine.bench import workbench
from tests.helpers import WORKSPACE, Server, host_job, running_server
from tests.studio.pipelines import make_step, run_pipeline

STEPS = {
    "make": make_step(
        "mkdir -p ${{outputs.o}}/sub; echo 'a,b' > ${{outputs.o}}/t.csv; echo deep > ${{outputs.o}}/sub/x.txt",
        outputs={"o": {"type": "uri_folder"}},
    ),
    "read": make_step(
        "cat ${{inputs.i}}/t.csv; exit ${{inputs.code}}",
        inputs={"i": {"type": "uri_folder"}, "code": {"type": "integer"}},
        values={
            "i": {"job_input_type": "uri_folder", "uri": "${{parent.jobs.make.outputs.o}}"},
            "code": {"job_input_type": "literal", "value": "3"},
        },
    ),
}


def test_a_pipeline_as_a_graph(server: Server, workspace: str) -> None:
    """Steps with their states and errors, an edge for what waits, the time of each state, and each attempt."""
    run_pipeline(server, workspace, "p", STEPS)
    own = f"/smalt/v1{workspace}/jobs"
    graph = server.ask("GET", f"{own}/p/graph").body
    assert [(job["label"], job["status"], job["composite"]) for job in graph["jobs"]] == [
        ("", "Failed", True), ("make", "Completed", False), ("read", "Failed", False),
    ]  # fmt: skip
    assert (graph["edges"], graph["orders"]) == ([[1, 2]], [])
    read = graph["jobs"][2]
    assert (read["attempts"], read["error"]["exit_code"]) == (1, 3)
    states = {job["label"]: job["states"] for job in server.ask("GET", f"{own}/p/timeline").body["jobs"]}
    assert states["make"][0][0] == "NotStarted"
    assert [state for state, _ in states["make"]][-2:] == ["Finalizing", "Completed"]
    assert [at for _, at in states["read"]] == sorted(at for _, at in states["read"])
    attempt = server.ask("GET", f"{own}/{read['name']}/attempts").body["attempts"][0]
    assert (attempt["number"], attempt["exit_code"], attempt["start"] <= attempt["end"]) == (1, 3, True)
    assert server.ask("GET", f"{own}/none/graph").status == 404


async def test_a_graph_reads_no_body_on_the_event_loop() -> None:
    """That of a pipeline has all its steps, and takes as long to parse as the pipeline is large."""
    async with workbench() as bench:
        steps = {name: {"command": "true", "environment": "azureml:host"} for name in ("first", "other")}
        job = bench.submit("p", {"settings": {"on_init": "first"}, "jobs": steps})
        await bench.over(job)
        request: Any = SimpleNamespace(
            server=SimpleNamespace(db=bench.db), workspace=bench.workspace, get_name=lambda: "p"
        )
        statements: list[str] = []
        bench.db._connection.set_trace_callback(statements.append)
        graph = await get_graph(request)
        bench.db._connection.set_trace_callback(None)
    assert (graph["edges"], graph["orders"]) == ([[1, 2]], [0])
    assert statements
    assert not [statement for statement in statements if "job_bodies" in statement]


def test_a_graph_tells_order_from_data(server: Server, workspace: str) -> None:
    """Those from a first and to a last step pass none; iterations follow each other, with or without data."""
    folder = {"type": "uri_folder"}
    maker = {"outputs": {"o": folder}}
    reader = {"inputs": {"i": {**folder, "optional": True}}}

    def read(step: str) -> dict[str, Any]:
        return {"values": {"i": {"job_input_type": "uri_folder", "uri": f"${{{{parent.jobs.{step}.outputs.o}}}}"}}}

    loop = {"type": "do_while", "limits": {"max_iteration_count": 3}}
    steps = {
        "first": make_step("true"),
        "makes": make_step("true", **maker),
        "reads": make_step("true", **reader, **read("makes")),
        "last": make_step("true"),
        "again": make_step("true"),
        "repeats": {**loop, "body": "${{parent.jobs.again}}", "mapping": {}},
        "grow": make_step("echo 1 > ${{outputs.o}}/x", **maker, **reader),
        "grows": {**loop, "body": "${{parent.jobs.grow}}", "mapping": {"o": "i"}},
    }
    settings = {"on_init": "first", "on_finalize": "last"}
    assert run_pipeline(server, workspace, "o", steps, settings=settings) == "Completed"
    graph = server.ask("GET", f"/smalt/v1{workspace}/jobs/o/graph").body
    nodes = [str(job["node"]) for job in graph["jobs"]]
    found = {(nodes[a], nodes[b]): place in graph["orders"] for place, (a, b) in enumerate(graph["edges"])}
    others = ("makes", "reads", "repeats", "grows")
    assert [found.pop(edge) for name in others for edge in (("first", name), (name, "last"))] == [True] * 8
    assert found == {
        ("first", "last"): True, ("makes", "reads"): False,
        ("again.1", "again.2"): True, ("again.2", "again.3"): True,
        ("grow.1", "grow.2"): False, ("grow.2", "grow.3"): False,
    }  # fmt: skip
    loop_name = next(job["name"] for job in graph["jobs"] if job["node"] == "repeats")
    part = server.ask("GET", f"/smalt/v1{workspace}/jobs/{loop_name}/graph").body
    assert (part["edges"], part["orders"]) == ([[1, 2], [2, 3]], [0, 1])


def test_a_waiting_job_has_one_state_everywhere() -> None:
    """In the list, on its page, in its stream, and in what `smalt job show` reads, which says what it waits for."""
    with running_server(cpus=1) as server:
        workspace = WORKSPACE.format("waits")
        assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
        for name in ("busy", "waiting"):
            assert server.ask("PUT", f"{workspace}/jobs/{name}", host_job("sleep 600")).status == 201
        own = f"/smalt/v1{workspace}/jobs"
        listed = {job["name"]: job["status"] for job in server.ask("GET", own).body["jobs"]}
        (graph,) = server.ask("GET", f"{own}/waiting/graph").body["jobs"]
        (shown,) = server.ask("GET", f"{own}/waiting/overview").body["jobs"]
        body = server.ask("GET", f"{workspace}/jobs/waiting").body["properties"]
        streamed = next(iter(server.stream(f"{own}/waiting/stream")))
        states = [listed["waiting"], graph["status"], shown["status"], body["status"], streamed["status"]]
        assert states == ["Queued"] * 5
        assert shown["waits_for"] == "a free CPU; the only one is taken by busy"
        for name in ("waiting", "busy"):
            server.ask("POST", f"{workspace}/jobs/{name}/cancel")


def test_inputs_and_outputs_with_their_files(server: Server, workspace: str) -> None:
    """A value, a folder that another step made, a folder in it, a part of a file; nothing outside."""
    run_pipeline(server, workspace, "p", STEPS)
    own = f"/smalt/v1{workspace}/jobs"
    make, read = (job["name"] for job in server.ask("GET", f"{own}/p/graph").body["jobs"][1:])
    ports = server.ask("GET", f"{own}/{read}/ports").body
    assert {port["name"]: port.get("value") for port in ports["inputs"]} == {"i": None, "code": "3"}
    assert server.ask("GET", f"{own}/{read}/ports/inputs/i/list").body["value"] == [
        {"path": "sub", "size": 0, "is_dir": True}, {"path": "t.csv", "size": 4, "is_dir": False},
    ]  # fmt: skip
    deep = server.ask("GET", f"{own}/{make}/ports/outputs/o/list?path=sub").body["value"]
    assert deep == [{"path": "sub/x.txt", "size": 5, "is_dir": False}]
    assert server.ask("GET", f"{own}/{make}/ports/outputs/o/file?path=sub/x.txt").body == b"deep\n"
    part = server.ask_tcp("GET", f"{own}/{make}/ports/outputs/o/file?path=t.csv", headers={"Range": "bytes=2-2"})
    assert (part.status, part.body) == (206, b"b")
    refusals = {
        f"{make}/ports/outputs/o/file?path=../t.csv": 403,
        f"{make}/ports/outputs/o/file?path=sub": 404,
        f"{make}/ports/outputs/o/list?path=none": 404,
        f"{make}/ports/outputs/none/list": 404,
        f"{make}/ports/sideways/o/list": 404,
        f"{read}/ports/inputs/code/file": 403,
    }
    assert {path: server.ask("GET", f"{own}/{path}").status for path in refusals} == refusals


def test_a_file_beside_the_server_is_shown_to_whoever_may_read_the_job(
    server: Server, workspace: str, tmp_path: Path
) -> None:
    """An input that is a path of the server's machine, which was read where it lies; one that is gone says so."""
    (tmp_path / "a.txt").write_text("here")
    given = {"jobInputType": "uri_file", "uri": (tmp_path / "a.txt").as_uri()}
    job = host_job("cat ${{inputs.f}}", inputs={"f": given})
    assert server.ask("PUT", f"{workspace}/jobs/f", job).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/f/stream"))[-1]["status"] == "Completed"
    path = f"/smalt/v1{workspace}/jobs/f/ports/inputs/f"
    assert server.ask_tcp("GET", f"{path}/file").body == b"here"
    assert server.ask_tcp("GET", f"{path}/list").body["value"] == [
        {"path": "", "size": 4, "is_dir": False, "name": "a.txt"}
    ]
    (tmp_path / "a.txt").unlink()
    assert server.ask_tcp("GET", f"{path}/file").status == 404


def test_a_part_of_a_log_with_hidden_secrets(server: Server, workspace: str) -> None:
    """A range of a masked log has the same bytes as the whole of it."""
    server.ask("PUT", f"/smalt/v1{workspace}/secrets/key", {"value": "hunter2-hunter2"})
    assert server.ask("PUT", f"{workspace}/jobs/s", host_job("echo before hunter2-hunter2 after")).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/s/stream"))[-1]["status"] == "Completed"
    path = f"/smalt/v1{workspace}/datastores/workspaceartifactstore/files/ExperimentRun/dcid.s/user_logs/std_log.txt"
    whole = server.ask("GET", path).body
    assert b"hunter2" not in whole
    assert whole.endswith(b" after\n")
    for given, status, expected in (
        ("bytes=-6", 206, whole[-6:]),
        ("bytes=7-12", 206, whole[7:13]),
        ("bytes=7-", 206, whole[7:]),
        (f"bytes={len(whole)}-", 416, b""),
        ("bytes=-", 200, whole),
        ("lines=1-2", 200, whole),
    ):
        answer = server.ask_tcp("GET", path, headers={"Range": given})
        assert (answer.status, answer.body) == (status, expected)
