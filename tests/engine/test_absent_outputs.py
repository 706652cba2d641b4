"""Outputs that no step writes, as the step that would have is in the other block of an if_else, or was skipped."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.service.records import assets, job_data, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.test_control_flow import COUNT, branch, flag, log, loop, reader, run, say, tree

TO_SAID = {"outputs": {"out": "${{parent.outputs.said}}"}}
NAMED = {"said": {"type": "uri_folder", "name": "said"}}


def writer(*sources: str) -> dict[str, Any]:
    """A reader with an output."""
    step = reader(*sources)
    step["component"]["outputs"] = {"out": {"type": "uri_folder"}}
    return step


def why(bench: Workbench, name: str) -> str | None:
    job = jobs.find_by_name(bench.db, bench.workspace.id, name)
    return job and job.ended_by and job.ended_by["message"]


NOT_RUN = "it reads the output 'out' of step 'no', which 'cond' did not run"
CHOICE = {"yes": say("yes"), "no": say("no"), "cond": branch(True)}

ABSENT = {
    "of the other block": {**CHOICE, "no": {**say("no"), **TO_SAID}},
    "of a block that is not there": {"yes": {**say("yes"), **TO_SAID}, "cond": branch(False, false=None)},
    "of a skipped step": {**CHOICE, "of_no": {**writer("no"), **TO_SAID}},
    "of a loop in the other block": {
        **loop(), "cond": branch(False, true="again", false=None),
        "one": {**loop()["one"], **TO_SAID},
    },
}  # fmt: skip


@pytest.mark.parametrize("path", [None, "azureml://datastores/workspaceblobstore/paths/given/"])
@pytest.mark.parametrize("case", ABSENT)
async def test_a_named_output_that_no_step_writes_becomes_no_version(case: str, path: str | None) -> None:
    """The pipeline completes, its log says so, and what another run left at a given path is not taken for it."""
    async with workbench() as bench:
        bench.store("given").mkdir(parents=True)
        bench.store("given", "word").write_text("of another run")
        document = {"outputs": {"said": {**NAMED["said"], "path": path}}, "jobs": ABSENT[case]}
        job = await bench.over(bench.submit("p", document))
        assert (job.status, job.error) == ("Completed", None)
        assert job_data.read_data(bench.db, job.id, "output") == {}
        assert assets.find_container(bench.db, bench.workspace.id, "data", "said") is None
        told = (bench.artifacts("p") / "system_logs" / "smalt.log").read_text()
        assert "no step that writes 'said' ran, so there is no data of that output" in told


async def test_both_blocks_with_a_path_of_the_job_that_writes() -> None:
    """A path with ${{name}} is known only when the block is chosen: the output is there."""
    path = "azureml://datastores/workspaceblobstore/paths/mine/${{name}}/"
    steps = {"yes": {**say("yes"), **TO_SAID}, "no": {**say("no"), **TO_SAID}, "cond": branch(False)}

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        uri, asset = job_data.read_data(bench.db, job.id, "output")["said"][2:]
        assert asset == "data/said/versions/1"
        assert uri == "azureml://datastores/workspaceblobstore/paths/mine/p-cond-no/"
        assert (bench.store("mine", "p-cond-no") / "word").read_text() == "no\n"

    await run({"outputs": {"said": {**NAMED["said"], "path": path}}, "jobs": steps}, then)


async def test_a_loop_whose_first_iteration_fails_registers_nothing() -> None:
    """The pipeline fails for the iteration, and for nothing else."""
    steps = loop()
    steps["one"] = {**steps["one"], **TO_SAID, "component": {**COUNT, "command": "exit 3"}}

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Failed"
        assert why(bench, "p") == "step 'again' failed: step 'one.1' failed: the command exited with code 3"
        assert assets.find_container(bench.db, bench.workspace.id, "data", "said") is None

    await run({"outputs": NAMED, "jobs": steps}, then)


async def test_an_output_that_a_nested_pipeline_did_not_write() -> None:
    """It is that of a step that did not run: an optional input is left out, and a step that needs it is skipped."""
    inner = {
        "type": "pipeline", "name": "inner", "outputs": {"out": {"type": "uri_folder"}},
        "jobs": {**CHOICE, "no": {**say("no"), "outputs": {"out": "${{parent.outputs.out}}"}}},
    }  # fmt: skip
    nested = {"type": "pipeline", "component": inner, "outputs": {"out": "${{parent.outputs.said}}"}}
    steps = {"nested": nested, "needs": reader("nested"), "goes_on": reader("nested", optional=True)}

    def then(bench: Workbench, job: Job) -> None:
        states = dict.fromkeys(("nested", "nested-cond", "nested-cond-yes", "goes_on"), "Completed")
        assert tree(bench, job) == {**states, "needs": "Canceled"}
        assert job.status == "Completed"
        assert why(bench, "p-needs") == "it reads the output 'out' of step 'nested', which no step in it wrote"
        assert log(bench, "p-goes_on") == "end\n"

    await run({"outputs": NAMED, "jobs": steps}, then)


@pytest.mark.parametrize("chosen", [True, False])
async def test_a_block_that_reads_outputs_of_another_choice(chosen: bool) -> None:
    """An optional input is left out, a step that needs the output is skipped, and the other block does not matter."""
    steps = {
        **CHOICE, "optional": reader("no", "yes", optional=True), "needs": writer("no"), "beside": say("beside"),
        "second": branch(chosen, true="optional", false=["needs", "beside"]),
        "of_needs": reader("needs"), "of_beside": reader("beside"), "either": reader("needs", "beside", optional=True),
    }  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        states = tree(bench, job)
        assert job.status == "Completed"
        assert states["second"] == "Completed"
        assert states["of_needs"] == "Canceled"
        if chosen:
            assert log(bench, "p-second-optional") == "yes\nend\n"
            assert log(bench, "p-either") == "end\n"
        else:
            assert why(bench, "p-second-needs") == NOT_RUN
            assert log(bench, "p-of_beside") == "beside\nend\n"
            assert log(bench, "p-either") == "beside\nend\n"

    await run({"jobs": steps}, then)


async def test_an_optional_input_from_a_skipped_step_is_left_out() -> None:
    """What needs the skipped step is skipped as well."""
    steps = {
        **CHOICE,
        "of_no": writer("no"),
        "needs": reader("of_no"),
        "goes_on": reader("of_no", "yes", optional=True),
    }

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        assert why(bench, "p-of_no") == NOT_RUN
        assert why(bench, "p-needs") == "it needs 'of_no', which was skipped"
        assert log(bench, "p-goes_on") == "yes\nend\n"

    await run({"jobs": steps}, then)


@pytest.mark.parametrize("is_inside", [False, True])
async def test_a_loop_that_needs_an_output_of_the_other_block_is_skipped(is_inside: bool) -> None:
    """Alone, and in the block of another choice, which completes."""
    steps = loop()
    needed = {"n": {"type": "integer"}, "before": {"type": "uri_folder"}}
    steps["one"]["component"] = {**COUNT, "inputs": needed}
    steps["one"]["inputs"] = {"n": 0, "before": "${{parent.jobs.no.outputs.out}}"}
    steps["after"] = reader("one", optional=True)
    if is_inside:
        steps["second"] = branch(True, true="again", false=None)

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        assert why(bench, "p-second-again" if is_inside else "p-again") == NOT_RUN
        assert log(bench, "p-after") == "end\n"

    await run({"jobs": {**CHOICE, **steps}}, then)


@pytest.mark.parametrize("is_inside", [False, True])
async def test_a_condition_that_was_not_written_skips_its_choice(is_inside: bool) -> None:
    """Alone, and in the block of another choice."""
    steps: dict[str, Any] = {"flag": flag("true"), "first": branch(False, true="flag", false=None), "x": say("x")}
    steps["second"] = branch("${{parent.jobs.flag.outputs.flag}}", true="x", false=None)
    if is_inside:
        steps["third"] = branch(True, true="second", false=None)

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        expected = "it reads the output 'flag' of step 'flag', which 'first' did not run"
        assert why(bench, "p-third-second" if is_inside else "p-second") == expected

    await run({"jobs": steps}, then)
