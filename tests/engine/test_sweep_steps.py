"""Sweeps as steps of pipelines, and pipelines as trials."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.sweeps import HOST, UNIT, make_log_command, make_sweep, read_points, read_properties


def make_trial(bench: Workbench, name: str = "train") -> str:
    """Register a component that writes `data` and `x` to its output and logs `x` as the loss; return its reference."""
    command = "cat ${{inputs.data}}/d > ${{outputs.model}}/m && echo ${{inputs.x}} >> ${{outputs.model}}/m && "
    return bench.register(name, {
        "command": command + make_log_command(bench, "${{inputs.x}}"), "environment": HOST,
        "inputs": {"x": {"type": "number"}, "data": {"type": "uri_folder"}},
        "outputs": {"model": {"type": "uri_folder"}},
    })  # fmt: skip


def make_step(trial: str, **more: Any) -> dict[str, Any]:
    sweep = make_sweep("", **more)
    return {**sweep, "type": "sweep", "trial": trial}


def make_pipeline(bench: Workbench, step: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline of a step that makes data, the sweep, and a step that reads the best model."""
    return {
        "outputs": {"final": {"type": "uri_folder", "name": "final"}},
        "jobs": {
            "make": {
                "command": "echo data > ${{outputs.data}}/d", "environment": HOST,
                "outputs": {"data": {"type": "uri_folder"}},
            },
            "tune": {**step, "inputs": {**step.get("inputs", {}), "data": "${{parent.jobs.make.outputs.data}}"}},
            "use": {
                "command": "cat ${{inputs.model}}/m > ${{outputs.copy}}/seen", "environment": HOST,
                "inputs": {"model": {"type": "uri_folder", "path": "${{parent.jobs.tune.outputs.model}}"}},
                "outputs": {"copy": {"type": "uri_folder", "path": "${{parent.outputs.final}}"}},
            },
        },
    }  # fmt: skip


def find_best(bench: Workbench, sweep: Job) -> dict[str, Any]:
    """Return the point of a sweep's best trial, after a look at what the sweep says of it."""
    points = read_points(bench, sweep)
    best = min(points, key=lambda node: float(points[node]["x"]))
    assert read_properties(bench, sweep)["best_child_run_id"] == bench.child(sweep, best).name
    return points[best]


async def test_a_later_step_reads_the_output_of_the_best_trial() -> None:
    """The trials read the output of the step before; all is reused when the pipeline is submitted again."""
    async with workbench() as bench:
        document = make_pipeline(bench, make_step(make_trial(bench), display_name="tuning"))
        job = await bench.over(bench.submit("p", document))
        assert job.status == "Completed", job.error
        tune = bench.child(job, "tune")
        assert [one.name for one in jobs.list_children(bench.db, tune.id)] == [f"p-tune_{n}" for n in range(4)]
        seen = bench.store("azureml", "p", "final", "seen").read_text()
        assert seen == f"data\n{find_best(bench, tune)['x']}\n"
        again = await bench.over(bench.submit("again", document))
        tune = bench.child(again, "tune")
        reused = [
            "azureml.isreused" in read_properties(bench, one)
            for one in (bench.child(again, "use"), *jobs.list_children(bench.db, tune.id))
        ]
        assert again.status == "Completed", again.error
        assert reused == [True] * 5
        assert read_properties(bench, tune)["best_child_run_id"].startswith("again-tune_")


async def test_a_sweep_for_each_item() -> None:
    """The items of a loop give the sweep an input; what the best trial of each wrote is gathered."""
    async with workbench() as bench:
        document = make_pipeline(bench, make_step(make_trial(bench)))
        document["jobs"]["tune"]["inputs"] = {}
        items = {key: {"data": "${{parent.jobs.make.outputs.data}}"} for key in "ab"}
        document["jobs"]["each"] = {"type": "parallel_for", "body": "${{parent.jobs.tune}}", "items": items}
        use = document["jobs"]["use"]
        use["command"] = "cat ${{inputs.model}}/*/m > ${{outputs.copy}}/seen"
        use["inputs"]["model"]["path"] = "${{parent.jobs.each.outputs.model}}"
        job = await bench.over(bench.submit("p", document))
        assert job.status == "Completed", job.error
        sweeps = [bench.child(bench.child(job, "each"), f"tune.{key}") for key in "ab"]
        lines = [f"data\n{find_best(bench, sweep)['x']}\n" for sweep in sweeps]
        assert bench.store("azureml", "p", "final", "seen").read_text() == "".join(lines)


async def test_force_rerun_and_the_defaults_of_the_pipeline_reach_the_trials() -> None:
    async with workbench() as bench:
        document = make_pipeline(bench, make_step(make_trial(bench)))
        await bench.over(bench.submit("p", document))
        document["settings"] = {"force_rerun": True, "default_compute": "azureml:other"}
        again = await bench.over(bench.submit("again", document))
        assert again.status == "Completed", again.error
        children = jobs.list_children(bench.db, bench.child(again, "tune").id)
        assert not any("azureml.isreused" in read_properties(bench, one) for one in children)
        bodies = [jobs.read_properties(bench.db, one.id) for one in children]
        assert {body["computeId"] for body in bodies} == {"azureml:other"}


async def test_the_best_trial_is_the_registered_output_of_a_pipeline() -> None:
    """The sweep's output is bound to the pipeline's, which has a name."""
    async with workbench() as bench:
        document = make_pipeline(bench, make_step(make_trial(bench)))
        document["jobs"]["tune"]["outputs"] = {"model": "${{parent.outputs.final}}"}
        document["jobs"].pop("use")
        job = await bench.over(bench.submit("p", document))
        assert job.status == "Completed", job.error
        tune = bench.child(job, "tune")
        find_best(bench, tune)
        best = read_properties(bench, tune)["best_child_run_id"]
        _, _, uri, asset = job_data.read_data(bench.db, job.id, "output")["final"]
        assert asset == "data/final/versions/1"
        assert uri == f"azureml://datastores/workspaceblobstore/paths/azureml/{best}/model/"


async def test_a_pipeline_component_is_the_trial() -> None:
    """A metric of any of its steps is the objective; a step within a nested pipeline sweeps as one at the top does."""
    async with workbench() as bench:
        trial = bench.register("both", {
            "inputs": {"x": {"type": "number"}, "data": {"type": "uri_folder"}},
            "outputs": {"model": {"type": "uri_folder"}},
            "jobs": {
                "first": {"command": "true", "environment": HOST},
                "second": {
                    "type": "command", "component": make_trial(bench),
                    "inputs": {"x": "${{parent.inputs.x}}", "data": "${{parent.inputs.data}}"},
                    "outputs": {"model": "${{parent.outputs.model}}"},
                },
            },
        })  # fmt: skip
        document = make_pipeline(bench, make_step(trial))
        job = await bench.over(bench.submit("p", document))
        assert job.status == "Completed", job.error
        tune = bench.child(job, "tune")
        assert {one.type for one in jobs.list_children(bench.db, tune.id)} == {"pipeline"}
        best = find_best(bench, tune)["x"]
        assert bench.store("azureml", "p", "final", "seen").read_text() == f"data\n{best}\n"
        again = await bench.over(bench.submit("again", document))
        assert find_best(bench, bench.child(again, "tune"))["x"] == best


async def test_a_nested_pipeline_sweeps() -> None:
    """A bound of its space is an input of the pipeline around it."""
    async with workbench() as bench:
        step = make_step(
            make_trial(bench),
            search_space={"x": {**UNIT, "min_value": "${{parent.inputs.low}}", "max_value": 8}},
            inputs={"data": "${{parent.inputs.data}}"}, outputs={"model": "${{parent.outputs.model}}"},
        )  # fmt: skip
        inner = bench.register("inner", {
            "inputs": {"low": {"type": "number"}, "data": {"type": "uri_folder"}},
            "outputs": {"model": {"type": "uri_folder"}}, "jobs": {"search": step},
        })  # fmt: skip
        document = make_pipeline(bench, {"type": "pipeline", "component": inner, "inputs": {"low": 7}})
        job = await bench.over(bench.submit("p", document))
        assert job.status == "Completed", job.error
        search = bench.child(bench.child(job, "tune"), "search")
        points = read_points(bench, search)
        assert all(7 <= point["x"] <= 8 for point in points.values())
        seen = bench.store("azureml", "p", "final", "seen").read_text()
        assert seen == f"data\n{find_best(bench, search)['x']}\n"


async def test_a_sweep_without_a_best_trial_fails_its_pipeline() -> None:
    async with workbench() as bench:
        trial = bench.register("bad", {
            "command": "exit 3", "environment": HOST, "inputs": {"x": {"type": "number"}},
            "outputs": {"model": {"type": "uri_folder"}},
        })  # fmt: skip
        step = {**make_step(trial), "inputs": {}}
        document = make_pipeline(bench, step)
        document["jobs"]["tune"]["inputs"] = {}
        job = await bench.over(bench.submit("p", document))
        assert (job.status, bench.states(job)["use"]) == ("Failed", "Canceled")
        assert "all 4 trials failed; the first: the command exited with code 3" in str(job.error)


@pytest.mark.parametrize("type", [None, "sweep"])
async def test_a_sweep_is_a_component(type: str | None) -> None:
    """The step gives it inputs, and may set the limits."""
    async with workbench() as bench:
        sweep = bench.register("tuning", {
            "inputs": {"data": {"type": "uri_folder"}}, "outputs": {"model": {"type": "uri_folder"}},
            **make_sweep("") | {"trial": make_trial(bench)},
        })  # fmt: skip
        step = {"type": type, "component": sweep}
        if type is not None:
            step["limits"] = {"max_total_trials": 3}
        job = await bench.over(bench.submit("p", make_pipeline(bench, step)))
        assert job.status == "Completed", job.error
        tune = bench.child(job, "tune")
        assert (tune.type, len(jobs.list_children(bench.db, tune.id))) == ("sweep", 4 if type is None else 3)
        seen = bench.store("azureml", "p", "final", "seen").read_text()
        assert seen == f"data\n{find_best(bench, tune)['x']}\n"


async def test_a_sweep_component_has_its_command_in_place() -> None:
    async with workbench() as bench:
        command = f"cat ${{{{inputs.data}}}}/d > ${{{{outputs.model}}}}/m && {make_log_command(bench)}"
        sweep = bench.register("tuning", {
            "inputs": {"data": {"type": "uri_folder"}}, "outputs": {"model": {"type": "uri_folder"}},
            **make_sweep(command),
        })  # fmt: skip
        job = await bench.over(bench.submit("p", make_pipeline(bench, {"component": sweep})))
        assert job.status == "Completed", job.error
        find_best(bench, bench.child(job, "tune"))


async def test_the_component_of_the_trials_is_in_place() -> None:
    """As a client that uploads nothing sends it: its defaults and types count all the same."""
    async with workbench() as bench:
        trial = {
            "type": "command", "environment": HOST, "command": make_log_command(bench, "${{inputs.x}}"),
            "inputs": {"x": {"type": "number"}, "size": {"type": "integer", "default": 3}},
        }  # fmt: skip
        step = {**make_sweep("", search_space={"x": UNIT}), "type": "sweep", "trial": trial}
        job = await bench.over(bench.submit("p", {"jobs": {"tune": step}}))
        assert job.status == "Completed", job.error
        child = jobs.list_children(bench.db, bench.child(job, "tune").id)[0]
        assert jobs.read_properties(bench.db, child.id)["inputs"]["size"]["value"] == "3"


async def test_a_pipeline_in_place_is_the_trial_of_a_step() -> None:
    async with workbench() as bench:
        trial = {
            "type": "pipeline", "inputs": {"x": {"type": "number"}},
            "jobs": {"fit": {
                "command": make_log_command(bench, "${{inputs.x}}"), "environment": HOST,
                "inputs": {"x": "${{parent.inputs.x}}"},
            }},
        }  # fmt: skip
        step = {**make_sweep(""), "type": "sweep", "trial": trial}
        job = await bench.over(bench.submit("p", {"jobs": {"tune": step}}))
        assert job.status == "Completed", job.error
        find_best(bench, bench.child(job, "tune"))
