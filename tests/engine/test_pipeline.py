from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.exceptions import ValidationException
from smalt.service.records import assets, jobs
from tests.engine.bench import workbench

HOST = "azureml:host"


def step(command: str, **more: Any) -> dict[str, Any]:
    return {"command": command, "environment": HOST, **more}


async def test_data_flows_from_step_to_step() -> None:
    """A step's output is the next one's input, and the next one starts after it."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "reads": step("cat ${{inputs.i}}/f", inputs={"i": "${{parent.jobs.writes.outputs.o}}"}),
                "writes": step("echo data > ${{outputs.o}}/f", outputs={"o": None}),
            }
        }
        job = await bench.over(bench.submit("flow", document))
        assert job.status == "Completed", job.error
        assert bench.log("flow-reads") == "data\n"


async def test_a_file_output_declared_only_on_the_pipeline() -> None:
    """A step bound to a pipeline output of type uri_file gets a file path, in a folder that exists."""
    async with workbench() as bench:
        path = "azureml://datastores/workspaceblobstore/paths/${{name}}/hello_world.txt"
        document = {
            "outputs": {"output": {"type": "uri_file", "path": path, "mode": "rw_mount"}},
            "jobs": {"w": step("echo world > ${{outputs.output}}", outputs={"output": "${{parent.outputs.output}}"})},
        }
        job = await bench.over(bench.submit("pipe", document))
        assert job.status == "Completed", job.error
        assert bench.store("pipe-w", "hello_world.txt").read_text() == "world\n"


async def test_artifacts_are_an_output_of_every_step() -> None:
    """`outputs.artifacts` of a step is its artifact root, with what it left in ./outputs."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "a": step("echo world > ./outputs/world.txt", outputs={"artifacts": None}),
                "b": step("cat ${{inputs.w}}/outputs/world.txt", inputs={"w": "${{parent.jobs.a.outputs.artifacts}}"}),
            }
        }
        job = await bench.over(bench.submit("art", document))
        assert job.status == "Completed", job.error
        assert bench.log("art-b") == "world\n"


async def test_components_convert_their_literals() -> None:
    """A registered component's declared types decide how literals are written; defaults fill what is not given."""
    async with workbench() as bench:
        reference = bench.register(
            "types",
            {
                "type": "command",
                "command": "echo ${{inputs.b}} ${{inputs.n}} ${{inputs.d}} $[[${{inputs.o}}]]",
                "environment": HOST,
                "inputs": {
                    "b": {"type": "boolean"},
                    "n": {"type": "number"},
                    "d": {"type": "integer", "default": 7},
                    "o": {"type": "string", "optional": True},
                },
            },
        )
        document = {
            "inputs": {"rate": 0.5},
            "jobs": {
                "s": {
                    "type": "command", "component": reference,
                    "inputs": {"b": "true", "n": "${{parent.inputs.rate}}"},
                }
            },
        }  # fmt: skip
        job = await bench.over(bench.submit("typed", document))
        assert job.status == "Completed", job.error
        assert bench.log("typed-s").split() == ["True", "0.5", "7"]


async def test_steps_tell_the_name_of_their_component() -> None:
    """As the service's property, by which notebooks find steps; a step in place has its own name."""
    async with workbench() as bench:
        kept = bench.register("hello", {"type": "command", "name": "hello", "command": "true", "environment": HOST})
        document = {"jobs": {"a": {"type": "command", "component": kept}, "b": step("true")}}
        job = await bench.over(bench.submit("named", document))
        assert job.status == "Completed", job.error
        found = {
            child.node: jobs.read_properties(bench.db, child.id)["properties"]["azureml.moduleName"]
            for child in jobs.list_children(bench.db, job.id)
        }
        assert found == {"a": "hello", "b": "b"}


async def test_a_required_input_that_is_missing_is_told_at_submission() -> None:
    """A component's required input must be given."""
    async with workbench() as bench:
        reference = bench.register(
            "needs", {"type": "command", "command": "echo ${{inputs.x}}", "environment": HOST,
                      "inputs": {"x": {"type": "string"}}},
        )  # fmt: skip
        with pytest.raises(ValidationException, match=r"the input 'x' \(string\) of the component is not given"):
            bench.submit("missing", {"jobs": {"s": {"type": "command", "component": reference}}})


async def test_nested_pipelines() -> None:
    """A pipeline component runs as a pipeline of its own, its outputs readable by its siblings."""
    async with workbench() as bench:
        inner = bench.register(
            "inner",
            {
                "type": "pipeline",
                "inputs": {"word": {"type": "string"}, "where": {"type": "string", "default": "cpu-cluster"}},
                "outputs": {"out": {"type": "uri_folder"}},
                "jobs": {
                    "first": step("echo ${{inputs.w}} > ${{outputs.o}}/f", inputs={"w": "${{parent.inputs.word}}"},
                                  outputs={"o": None}, compute="${{parent.inputs.where}}"),
                    "second": step("cp ${{inputs.i}}/f ${{outputs.o}}/g",
                                   inputs={"i": "${{parent.jobs.first.outputs.o}}"},
                                   outputs={"o": "${{parent.outputs.out}}"}),
                },
            },
        )  # fmt: skip
        document = {
            "jobs": {
                "sub": {"type": "pipeline", "component": inner, "inputs": {"word": "deep"}},
                "end": step("cat ${{inputs.i}}/g", inputs={"i": "${{parent.jobs.sub.outputs.out}}"}),
            }
        }
        job = await bench.over(bench.submit("outer", document))
        assert job.status == "Completed", job.error
        assert bench.log("outer-end") == "deep\n"
        assert bench.states(bench.child(job, "sub")) == {"first": "Completed", "second": "Completed"}


async def test_a_failure_stops_the_rest() -> None:
    """By default a failed step ends its running siblings, and what has not started never does."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "long": step("sleep 300"),
                "bad": step("exit 5", outputs={"o": None}),
                "after": step("true", inputs={"i": "${{parent.jobs.bad.outputs.o}}"}),
            }
        }
        job = await bench.over(bench.submit("stops", document))
        assert bench.states(job) == {"long": "Canceled", "bad": "Failed", "after": "Canceled"}
        assert job.status == "Failed"
        assert "'bad' failed: the command exited with code 5" in json.loads(job.error or "{}")["message"]


async def test_continue_on_step_failure() -> None:
    """With continue_on_step_failure the other branches go on; only what needs the failed step does not run."""
    async with workbench() as bench:
        document = {
            "settings": {"continue_on_step_failure": True},
            "jobs": {
                "bad": step("exit 5", outputs={"o": None}),
                "after": step("true", inputs={"i": "${{parent.jobs.bad.outputs.o}}"}),
                "good": step("true", outputs={"o": None}),
                "last": step("true", inputs={"i": "${{parent.jobs.good.outputs.o}}"}),
            },
        }
        job = await bench.over(bench.submit("goes-on", document))
        assert bench.states(job) == {"bad": "Failed", "after": "Canceled", "good": "Completed", "last": "Completed"}
        assert job.status == "Failed"


async def test_on_init_and_on_finalize() -> None:
    """on_init runs before all other steps, on_finalize after them even when one failed."""
    async with workbench() as bench:
        trace = bench.home.path("trace")
        document = {
            "settings": {"on_init": "begin", "on_finalize": "end"},
            "jobs": {
                "end": step(f"echo end >> {trace}"),
                "work": step(f"echo work >> {trace}; false"),
                "begin": step(f"echo begin >> {trace}"),
            },
        }
        job = await bench.over(bench.submit("ends", document))
        assert trace.read_text().split() == ["begin", "work", "end"]
        assert job.status == "Failed"


async def test_cancel_ends_every_step() -> None:
    """Cancelling a pipeline ends its running steps and those that have not started."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "long": step("sleep 300", outputs={"o": None}),
                "after": step("true", inputs={"i": "${{parent.jobs.long.outputs.o}}"}),
            }
        }
        job = bench.submit("cancelled", document)
        await bench.until(job, lambda now: bool(jobs.list_children_with_status(bench.db, now.id, "Running")))
        bench.engine.cancel(jobs.get_job(bench.db, job.id))
        job = await bench.over(job)
        assert (job.status, bench.states(job)) == ("Canceled", {"long": "Canceled", "after": "Canceled"})


async def test_a_datastore_path_may_be_made_by_an_earlier_step() -> None:
    """A URI that does not exist at submission is resolved when its step starts."""
    async with workbench() as bench:
        made = "azureml://datastores/workspaceblobstore/paths/made"
        document = {
            "jobs": {
                "makes": step("echo x > ${{outputs.o}}/f.txt", outputs={"o": {"path": made}}),
                "reads": step(
                    "cat ${{inputs.f}}",
                    inputs={
                        "f": {"type": "uri_file", "path": f"{made}/f.txt"},
                        "w": "${{parent.jobs.makes.outputs.o}}",
                    },
                ),
            }
        }
        job = await bench.over(bench.submit("late", document))
        assert job.status == "Completed", job.error


@pytest.mark.parametrize("owner", ["pipeline", "step"])
async def test_a_full_disk_while_outputs_are_registered_fails_no_job(owner: str) -> None:
    """Registering the named outputs of a pipeline, or of its step, is tried again until there is room."""
    async with workbench() as bench:
        refused: list[int] = []

        def full() -> None:
            if len(refused) < 1:
                refused.append(1)
                raise OSError("database or disk is full")

        bench.db._connection.create_function("full_disk", 0, full)
        bench.db.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON asset_versions BEGIN SELECT full_disk(); END")
        named = {"type": "uri_folder", "name": "made"}
        own = named if owner == "step" else "${{parent.outputs.all}}"
        document: dict[str, Any] = {"jobs": {"a": step("echo x > ${{outputs.o}}/x", outputs={"o": own})}}
        if owner == "pipeline":
            document["outputs"] = {"all": named}
        job = await bench.over(bench.submit("crowded", document))
        assert refused
        assert job.status == "Completed", job.error
        assert assets.find_version(bench.db, bench.workspace.id, "data", "made", "1", None)
