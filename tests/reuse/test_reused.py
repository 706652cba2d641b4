"""Steps that have the outputs of an earlier one, in an engine with every room real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt.launcher.sealing import MountSealer
from smalt.service.records import assets, events, job_attempts, job_data, jobs
from smalt.service.records import reuse as records
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench

HOST = "azureml:host"

can_seal = pytest.mark.skipif(not MountSealer().is_available, reason="a step whose input changes fails on this machine")


def pipeline(data: str | Path, factor: str = "2", **settings: Any) -> dict[str, Any]:
    """A step that reads a folder, and one that reads what it wrote."""
    return {
        "type": "pipeline",
        "settings": settings,
        "jobs": {
            "sum": {
                "command": "cat ${{inputs.data}}/* > ${{outputs.o}}/sum; echo ${{inputs.factor}} >> ${{outputs.o}}/sum",
                "environment": HOST,
                "inputs": {"data": {"type": "uri_folder", "path": str(data)}, "factor": factor},
                "outputs": {"o": {"type": "uri_folder"}},
            },
            "count": {
                "command": "wc -l < ${{inputs.i}}/sum | tee ${{outputs.o}}/lines",
                "environment": HOST,
                "inputs": {"i": "${{parent.jobs.sum.outputs.o}}"},
                "outputs": {"o": {"type": "uri_folder"}},
            },
        },
    }


def data_of(bench: Workbench, text: str = "1\n", folder: str = "data") -> Path:
    made = bench.home.path(folder)
    made.mkdir(exist_ok=True)
    (made / "a.txt").write_text(text)
    return made


async def run(bench: Workbench, name: str, document: dict[str, Any]) -> Job:
    job = await bench.over(bench.submit(name, document))
    assert job.status == "Completed", job.error
    return job


async def run_while_changing(bench: Workbench, name: str, document: dict[str, Any], change: Callable[[], Any]) -> None:
    """Run the pipeline, and do something when its step `sum` has done its work and not ended."""
    ready, go = bench.home.path("ready"), bench.home.path("go")
    document["jobs"]["sum"]["command"] += f"; touch {ready}; until test -e {go}; do sleep 0.01; done"
    job = bench.submit(name, document)
    while not ready.exists():
        assert not jobs.get_job(bench.db, job.id).is_over
        await asyncio.sleep(0.01)
    change()
    go.touch()
    assert (await bench.over(job)).status == "Completed"


def origins(bench: Workbench, job: Job) -> dict[str, str | None]:
    """By step, the job whose outputs it has."""
    return {str(one.node): records.find_origin(bench.db, one.id) for one in jobs.list_children(bench.db, job.id)}


async def test_second_run_is_reused() -> None:
    """A pipeline that runs again has all outputs of the first run, says so, and starts nothing."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        job = await run(bench, "two", pipeline(data))
        assert origins(bench, job) == {"sum": "one-sum", "count": "one-count"}
        child = bench.child(job, "count")
        assert not job_attempts.list_attempts(bench.db, child.id)
        properties = jobs.read_properties(bench.db, child.id)
        assert properties["properties"]["azureml.isreused"] == "true"
        assert properties["properties"]["azureml.reusedrunid"] == "one-count"
        assert "azureml/one-count/o" in properties["outputs"]["o"]["uri"]
        assert "one-count" in (bench.artifacts("two-count") / "system_logs" / "smalt.log").read_text()


async def test_content_counts_and_not_the_place() -> None:
    """The same data at another path, made later, is the same; other data at the same path is not."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        elsewhere = data_of(bench, folder="elsewhere")
        assert origins(bench, await run(bench, "two", pipeline(elsewhere)))["sum"] == "one-sum"
        data_of(bench, "changed\n")
        three = await run(bench, "three", pipeline(data))
        assert origins(bench, three) == {"sum": None, "count": None}


async def test_a_step_after_one_that_ran_is_reused_if_it_reads_the_same() -> None:
    """What a changed step wrote is the same as before: the steps after it are reused."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        changed = pipeline(data)
        changed["jobs"]["sum"]["command"] += "; true"
        job = await run(bench, "two", changed)
        assert origins(bench, job) == {"sum": None, "count": "one-count"}
        changed["jobs"]["count"]["command"] += "; true"
        job = await run(bench, "three", changed)
        assert origins(bench, job) == {"sum": "two-sum", "count": None}
        assert bench.log("three-count") == "2\n"


async def test_parameters_count() -> None:
    """Another value of a parameter makes another step."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        assert origins(bench, await run(bench, "two", pipeline(data, "3")))["sum"] is None
        assert origins(bench, await run(bench, "three", pipeline(data, "2")))["sum"] == "one-sum"


async def test_force_rerun_and_is_deterministic() -> None:
    """force_rerun lets all steps run, and later ones may reuse them; a step that is not deterministic always runs."""
    async with workbench() as bench:
        data = data_of(bench)
        forced = await run(bench, "one", pipeline(data, force_rerun=True))
        again = await run(bench, "two", pipeline(data, force_rerun=True))
        assert set(origins(bench, again).values()) == {None}
        assert set(origins(bench, await run(bench, "three", pipeline(data))).values()) == {"two-sum", "two-count"}
        component = bench.register(
            "dice", {"type": "command", "command": "echo", "environment": HOST, "is_deterministic": False}
        )
        dice = {"jobs": {"dice": {"type": "command", "component": component}}}
        for name in ("four", "five"):
            assert origins(bench, await run(bench, name, dice)) == {"dice": None}
        assert forced.status == "Completed"


async def test_first_and_last_steps_always_run() -> None:
    """on_init and on_finalize are there for what they do, so they do it in each run; so does what is within them."""
    async with workbench() as bench:
        note = {"command": "echo $USER", "environment": HOST}
        inner = bench.register("notes", {"type": "pipeline", "jobs": {"note": note}})
        document = {
            "settings": {"on_init": "first", "on_finalize": "last"},
            "jobs": {
                "first": note,
                "work": {**note, "command": "true"},
                "last": {"type": "pipeline", "component": inner},
            },
        }
        for name in ("one", "two"):
            job = await run(bench, name, document)
        assert origins(bench, job) == {"first": None, "work": "one-work", "last": None}
        assert origins(bench, bench.child(job, "last")) == {"note": None}
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "first"))
        assert "it is the pipeline's on_init step" in told["reason"]


async def test_is_deterministic_of_an_inline_step() -> None:
    """It may stand with the step itself, be that a command or a pipeline."""
    async with workbench() as bench:
        dice = {"command": "echo $RANDOM", "environment": HOST}
        inner = bench.register("inner", {"type": "pipeline", "jobs": {"dice": {**dice, "display_name": "inner"}}})
        document = {
            "jobs": {
                "dice": {**dice, "is_deterministic": False},
                "more": {"type": "pipeline", "component": inner, "is_deterministic": False},
            }
        }
        for name in ("one", "two"):
            job = await run(bench, name, document)
        assert origins(bench, job) == {"dice": None, "more": None}
        assert origins(bench, bench.child(job, "more")) == {"dice": None}


async def test_equal_steps_of_one_pipeline_all_run() -> None:
    """Ten samples of one command in one pipeline are ten samples."""
    async with workbench() as bench:
        document = {"jobs": {f"n{number}": {"command": "true", "environment": HOST} for number in range(5)}}
        assert set(origins(bench, await run(bench, "one", document)).values()) == {None}
        two = origins(bench, await run(bench, "two", document))
        assert all(of and of.startswith("one-") for of in two.values())


async def test_outputs_that_are_gone_or_changed_are_not_reused() -> None:
    """Where the earlier output was changed or deleted, the step runs, and notes why."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        await run(bench, "two", pipeline(data))
        bench.store("azureml", "one-sum", "o", "sum").write_text("another\n")
        job = await run(bench, "three", pipeline(data))
        assert origins(bench, job)["sum"] is None
        step = records.get_step(bench.db, bench.child(job, "sum").id)
        assert step is not None
        assert "was changed since" in str(step.reason)


async def test_pipelines_in_pipelines() -> None:
    """Steps of inner pipelines are reused, and what is bound to the outer one's output is where it was."""
    async with workbench() as bench:
        data = data_of(bench)
        inner = bench.register(
            "inner",
            {
                "type": "pipeline",
                "inputs": {"data": {"type": "uri_folder"}},
                "outputs": {"out": {"type": "uri_folder"}},
                "jobs": {
                    "copy": {
                        "command": "cp ${{inputs.data}}/* ${{outputs.o}}/", "environment": HOST,
                        "inputs": {"data": "${{parent.inputs.data}}"},
                        "outputs": {"o": "${{parent.outputs.out}}"},
                    }
                },
            },
        )  # fmt: skip
        document = {
            "outputs": {"result": {"type": "uri_folder"}},
            "jobs": {
                "first": {"type": "pipeline", "component": inner, "inputs": {"data": {"path": str(data)}}},
                "second": {
                    "type": "pipeline", "component": inner,
                    "inputs": {"data": "${{parent.jobs.first.outputs.out}}"},
                    "outputs": {"out": "${{parent.outputs.result}}"},
                },
                "after": {
                    "command": "cat ${{inputs.i}}/a.txt", "environment": HOST,
                    "inputs": {"i": "${{parent.jobs.second.outputs.out}}"},
                },
            },
        }  # fmt: skip
        one = await run(bench, "one", document)
        document["jobs"]["after"]["command"] += "; true"
        two = await run(bench, "two", document)
        for node in ("first", "second"):
            assert str(origins(bench, bench.child(two, node))["copy"]).startswith("one-")
        assert bench.log("two-after") == "1\n"
        assert one.status == "Completed"
        result = job_data.read_data(bench.db, two.id, "output")["result"][2] or ""
        assert bench.engine.context.resolve(f"{result.rstrip('/')}/a.txt", bench.workspace).exists


async def test_named_outputs() -> None:
    """A reused output with a name is the asset that it was; once another is the newest, it is registered again."""
    async with workbench() as bench:
        data = data_of(bench)

        def named(factor: str) -> dict[str, Any]:
            document = pipeline(data, factor)
            document["jobs"]["sum"]["outputs"]["o"]["name"] = "sums"
            return document

        def versions() -> list[str]:
            return [one.version for one in assets.list_versions(bench.db, bench.workspace.id, "data", "sums", "All")]

        await run(bench, "one", named("1"))
        two = await run(bench, "two", named("1"))
        assert versions() == ["1"]
        assert job_data.read_data(bench.db, bench.child(two, "sum").id, "output")["o"][3] == "data/sums/versions/1"
        await run(bench, "three", named("2"))
        await run(bench, "four", named("1"))
        latest = assets.find_latest(bench.db, bench.workspace.id, "data", "sums")
        assert latest is not None
        assert latest.version == "3"
        assert "one-sum" in latest.properties["dataUri"]
        five = await run(bench, "five", named("1"))
        assert job_data.read_data(bench.db, bench.child(five, "sum").id, "output")["o"][3] == "data/sums/versions/3"
        assert len(versions()) == 3


async def test_named_outputs_of_pipelines() -> None:
    """A pipeline's output that a reused step made is the version that it was; made anew it is a new one."""
    async with workbench() as bench:
        document = pipeline(data_of(bench))
        document["outputs"] = {"all": {"type": "uri_folder", "name": "everything"}}
        document["jobs"]["count"]["outputs"]["o"] = "${{parent.outputs.all}}"
        versions = []
        for name, forced in (("one", False), ("two", False), ("three", True), ("four", False)):
            job = await run(bench, name, {**document, "settings": {"force_rerun": forced}})
            versions.append(str(job_data.read_data(bench.db, job.id, "output")["all"][3]).rpartition("/")[2])
        assert versions == ["1", "1", "2", "2"]


async def test_a_standalone_command_job_always_runs() -> None:
    """As in the service, only steps of pipelines are reused."""
    async with workbench() as bench:
        for name in ("one", "two"):
            job = await run(bench, name, {"command": "true", "environment": HOST})
            assert len(job_attempts.list_attempts(bench.db, job.id)) == 1


@can_seal
async def test_what_changed_while_a_step_ran_is_not_taken_for_what_it_read() -> None:
    """An input that was changed after a step had started, unseen by anyone, rules that step out."""
    async with workbench() as bench:
        data = data_of(bench)
        document = pipeline(data)
        await run_while_changing(bench, "one", document, lambda: (data / "a.txt").write_text("later\n"))
        job = await run(bench, "two", document)
        assert origins(bench, job)["sum"] is None


@can_seal
async def test_why_a_step_ran_though_it_was_the_same() -> None:
    """The explanation tells of force_rerun, of what was changed since and what is not known."""
    async with workbench() as bench:

        async def reason(job: Job, node: str = "sum") -> str:
            told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, node))
            assert told["result"] == "ran"
            return str(told["reason"])

        data = data_of(bench)
        assert "no earlier pipeline step" in await reason(await run(bench, "one", pipeline(data)))
        assert "force_rerun is true" in await reason(await run(bench, "forced", pipeline(data, force_rerun=True)))
        for name in ("one", "forced"):
            bench.store("azureml", f"{name}-sum", "o", "sum").write_text("another\n")
        assert "was changed since" in await reason(await run(bench, "changed", pipeline(data)))
        document = pipeline(data, "unlike any")
        await run_while_changing(bench, "unfit", document, lambda: (data / "b").touch())
        assert "was changed after it had started" in await reason(await run(bench, "again", document))
        alone = await run(bench, "alone", {"command": "true", "environment": HOST})
        told = await explain_step(bench.engine.step_reuse.reuse, alone)
        assert "only steps of pipelines" in told["reason"]


async def test_equal_pipelines_at_the_same_time() -> None:
    """Both run, and the second one tells why; a later one has the outputs of the newest."""
    async with workbench() as bench:
        gate = bench.home.path("gate")
        command = f"until test -e {gate}; do sleep 0.01; done"
        document = {"jobs": {"wait": {"command": command, "environment": HOST}}}
        both = [bench.submit(name, document) for name in ("one", "two")]
        for job in both:
            await bench.until(job, lambda job: bench.states(job).get("wait") == "Running")
        gate.touch()
        for job in both:
            assert (await bench.over(job)).status == "Completed"
        assert origins(bench, both[1]) == {"wait": None}
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(both[1], "wait"))
        assert told["reason"] == (
            "job one-wait has identical code, inputs and environment, but had not ended when this was decided"
        )
        assert origins(bench, await run(bench, "three", document)) == {"wait": "two-wait"}


async def test_a_step_that_failed_is_explained_and_does_not_serve() -> None:
    """What failed is not reused; what made its key different is told all the same."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        failing = pipeline(data, "$(exit 3) && exit 3")
        for name in ("two", "three"):
            job = await bench.over(bench.submit(name, failing))
            assert job.status == "Failed"
            child = bench.child(job, "sum")
            assert records.find_origin(bench.db, child.id) is None
        told = await explain_step(bench.engine.step_reuse.reuse, child)
        assert told["compared_to"]["job"] == "one-sum"
        assert [part["part"] for part in told["parts"] if not part["same"]] == ["inputs.factor"]


async def test_steps_that_need_an_environment_built_first_are_reused() -> None:
    """Where the environment is not at hand yet, it is made real, and then the step is judged."""
    async with workbench() as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        bench.engine.context.environments._host._known.clear()
        two = await run(bench, "two", pipeline(data))
        assert origins(bench, two) == {"sum": "one-sum", "count": "one-count"}
        happened = [
            event.data for event in events.list_since(bench.db, two.id, 0) if event.job_id == bench.child(two, "sum").id
        ]
        assert happened[-1] == "Completed"
        assert "Running" not in happened
