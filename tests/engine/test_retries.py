"""A further attempt at a job begins with nothing of what the failed one left."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt.service.compute.local import steps
from smalt.service.data.files import copying
from smalt.service.records import job_attempts, job_data, jobs
from tests.engine.bench import Workbench, workbench
from tests.helpers import LONGEST

FOLDER = {"o": {"type": "uri_folder"}}
RETRIED = {"environment": "azureml:host", "properties": {"smalt.retries": "1"}}


def failing_once(mark: Path, first: str, then: str) -> dict[str, Any]:
    """Return a step that does one thing and fails, and the next time the other."""
    return {"command": f"if [ -e {mark} ]; then {then}; else touch {mark}; {first}; exit 1; fi", **RETRIED}


def files(bench: Workbench, *place: str) -> dict[str, str]:
    folder = bench.store(*place)
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
@pytest.mark.parametrize("first", ["mkdir {o}/sub; echo half > {o}/sub/half", "rmdir {o}; ln -s /usr/lib {o}"])
async def test_an_output_has_nothing_of_an_attempt_that_failed(tmp_path: Path, first: str, mode: str) -> None:
    """Whatever the first attempt put there is gone, and a link in the output's place is not followed."""
    async with workbench() as bench:
        made = failing_once(tmp_path / "mark", first.replace("{o}", "${{outputs.o}}"), "echo whole > ${{outputs.o}}/f")
        document = {**made, "outputs": {"o": {"type": "uri_folder", "mode": mode}}}
        job = await bench.over(bench.submit("again", document))
        assert (job.status, len(job_attempts.list_attempts(bench.db, job.id))) == ("Completed", 2), job.error
        assert files(bench, "azureml", "again", "o") == {"f": "whole\n"}
        assert Path("/usr/lib").is_dir()


def test_what_failed_is_removed_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much an attempt left, the engine goes on while that is removed."""
    threads = []

    def remove_tree(path: Path) -> None:
        threads.append(threading.current_thread())
        copying.remove_tree(path)

    monkeypatch.setattr(steps, "remove_tree", remove_tree)

    async def scenario() -> None:
        async with workbench() as bench:
            made = failing_once(tmp_path / "mark", "echo half > ${{outputs.o}}/f", "true")
            job = await bench.over(bench.submit("again", {**made, "outputs": FOLDER}))
            assert (job.status, len(job_attempts.list_attempts(bench.db, job.id))) == ("Completed", 2), job.error
            assert files(bench, "azureml", "again", "o") == {}

    asyncio.run(scenario())
    assert threads
    assert threading.main_thread() not in threads


async def test_an_output_that_is_a_file_is_not_half_of_each_attempt(tmp_path: Path) -> None:
    """A step that appends to its output begins with no file."""
    async with workbench() as bench:
        append = "echo line >> ${{outputs.o}}"
        made = failing_once(tmp_path / "mark", append, append)
        job = await bench.over(bench.submit("again", {**made, "outputs": {"o": {"type": "uri_file"}}}))
        place = job_data.read_data(bench.db, job.id, "output")["o"][2] or ""
        assert bench.engine.context.data.resolve(place, bench.workspace).path.read_text() == "line\n"  # type: ignore[union-attr]


async def test_an_output_of_the_pipeline_has_nothing_of_a_failed_attempt(tmp_path: Path) -> None:
    """The step after it reads only what the last attempt wrote to the output of their pipeline."""
    async with workbench() as bench:
        write = "echo {} > ${{outputs.o}}/{}"
        step = failing_once(tmp_path / "mark", write.replace("{}", "half"), write.replace("{}", "whole"))
        read = {"command": "ls ${{inputs.i}}", "environment": "azureml:host"}
        document = {
            "outputs": FOLDER,
            "jobs": {
                "a": {**step, "type": "command", "outputs": {"o": "${{parent.outputs.o}}"}},
                "b": {**read, "type": "command", "inputs": {"i": "${{parent.jobs.a.outputs.o}}"}},
            },
        }
        job = await bench.over(bench.submit("pipe", document))
        assert job.status == "Completed", job.error
        assert bench.log(bench.child(job, "b")) == "whole\n"


@pytest.mark.handed_over
async def test_an_attempt_that_never_started_uses_up_no_retry(tmp_path: Path) -> None:
    """A step that was handed over behind one that failed, and was withdrawn, still has its own retry."""
    async with workbench() as bench:
        go = tmp_path / "go"
        first = failing_once(tmp_path / "a", f"while [ ! -e {go} ]; do sleep 0.01; done", "true")
        second = failing_once(tmp_path / "b", "true", "cat ${{inputs.i}}/*; true")
        document = {
            "jobs": {
                "a": {**first, "type": "command", "outputs": FOLDER},
                "b": {**second, "type": "command", "inputs": {"i": "${{parent.jobs.a.outputs.o}}"}},
            },
        }
        job = bench.submit("pipe", document)
        await bench.until(job, lambda now: now.status == "Running" and bool(jobs.list_children(bench.db, job.id)))
        after = bench.child(job, "b")

        async def handed_over() -> None:
            while not job_attempts.list_attempts(bench.db, after.id):
                await asyncio.sleep(0.01)

        await asyncio.wait_for(handed_over(), LONGEST)
        go.touch()
        job = await bench.over(job)
        assert job.status == "Completed", bench.child(job, "b").error
        ended = [(one.reason, one.exit_code) for one in job_attempts.list_attempts(bench.db, after.id)]
        assert ended == [("never started", None), ("exited", 1), ("exited", 0)]


@pytest.mark.parametrize("is_shared", [False, True], ids=["a path that was given", "an output of two steps"])
async def test_what_may_be_of_others_stays(tmp_path: Path, is_shared: bool) -> None:
    """Files in a path that was given, or that another step writes, stay: nobody knows whose they are."""
    async with workbench() as bench:
        place = "azureml://datastores/workspaceblobstore/paths/given/"
        bench.store("given").mkdir(parents=True)
        bench.store("given", "own").write_text("mine\n")
        step = failing_once(tmp_path / "mark", "true", "echo whole > ${{outputs.o}}/f")
        bound = {"outputs": {"o": "${{parent.outputs.o}}"}, "type": "command"}
        second = {"command": "echo b > ${{outputs.o}}/b", "environment": "azureml:host"}
        document = {
            "outputs": FOLDER if is_shared else {"o": {"type": "uri_folder", "path": place}},
            "jobs": {"a": {**step, **bound}, **({"b": {**second, **bound}} if is_shared else {})},
        }
        job = await bench.over(bench.submit("pipe", document))
        assert job.status == "Completed", job.error
        found = files(bench, "azureml", "pipe", "o") if is_shared else files(bench, "given")
        assert found == {"f": "whole\n", **({"b": "b\n"} if is_shared else {"own": "mine\n"})}
