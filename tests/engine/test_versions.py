"""A registered version is for ever: no job's output changes it, and none is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import ValidationException
from smalt.service.records import assets, job_attempts, job_data, jobs
from tests.engine.bench import Workbench, workbench

HOST = "azureml:host"


def writes(word: str, **output: Any) -> dict[str, Any]:
    return {
        "command": f"echo {word} > ${{{{outputs.o}}}}/f",
        "environment": HOST,
        "outputs": {"o": {"type": "uri_folder", "name": "single", **output}},
    }


def content(bench: Workbench, version: str = "1", name: str = "single") -> str:
    found = assets.find_version(bench.db, bench.workspace.id, "data", name, version, None)
    place = bench.engine.context.resolve(str(found.properties["dataUri"]), bench.workspace).path
    return Path(str(place), "f").read_text().strip()


def versions(bench: Workbench, name: str = "single") -> list[str]:
    return [one.version for one in assets.list_versions(bench.db, bench.workspace.id, "data", name, "All")]


@pytest.mark.parametrize("type", ["uri_folder", "custom_model"])
async def test_a_version_that_exists_is_refused(type: str) -> None:
    """A job whose output is to be a version that exists is refused at once, in one sentence; the first stays."""
    async with workbench() as bench:
        first = await bench.over(bench.submit("first", writes("one", version="1", type=type)))
        assert first.status == "Completed", first.error
        with pytest.raises(ValidationException, match=r"outputs.o: .* 'single:1' exists already"):
            bench.submit("second", writes("two", version="1", type=type))
        assert jobs.find_by_name(bench.db, bench.workspace.id, "second") is None


async def test_two_jobs_that_ask_for_one_version_at_the_same_time() -> None:
    """The job that ends first has the version; the other fails, says why, and changes nothing."""
    async with workbench() as bench:
        both = [bench.submit(word, writes(word, version="1")) for word in ("one", "two")]
        ended = {job.name: await bench.over(job) for job in both}
        assert sorted(job.status for job in ended.values()) == ["Completed", "Failed"]
        failed = next(job for job in ended.values() if job.status == "Failed")
        assert "'single:1' exists already" in str(failed.error)
        good = next(job for job in ended.values() if job.status == "Completed")
        assert content(bench) == good.name
        assert versions(bench) == ["1"]


async def test_two_outputs_of_one_job_cannot_be_one_version() -> None:
    """The second output of the same name and version is refused at its place."""
    async with workbench() as bench:
        document = writes("one", version="1")
        document["outputs"]["p"] = document["outputs"]["o"]
        with pytest.raises(ValidationException, match=r"outputs.p: .* is the output 'o' already"):
            bench.submit("both", document)
        for name in ("o", "p"):
            document["outputs"][name] = {"type": "uri_folder", "name": "single"}
        assert (await bench.over(bench.submit("auto", document))).status == "Completed"
        assert versions(bench) == ["2", "1"]


async def test_eight_jobs_at_once_make_eight_versions() -> None:
    """Automatic versions are chosen when they are registered: each job has its own."""
    async with workbench(cpus=4) as bench:
        many = [bench.submit(f"j{number}", writes(f"w{number}")) for number in range(8)]
        for job in many:
            over = await bench.over(job)
            assert over.status == "Completed", over.error
        assert sorted(versions(bench)) == [str(number) for number in range(1, 9)]
        assert sorted(content(bench, version) for version in versions(bench)) == [f"w{n}" for n in range(8)]


async def test_a_step_that_asks_for_a_version_that_exists() -> None:
    """A step fails before its command starts; a reused one has the very version; the first stays as it was."""
    async with workbench() as bench:
        first = await bench.over(bench.submit("one", {"jobs": {"s": writes("one", version="1")}}))
        assert first.status == "Completed", first.error
        again = await bench.over(bench.submit("two", {"jobs": {"s": writes("one", version="1")}}))
        assert again.status == "Completed", again.error
        assert job_data.read_data(bench.db, bench.child(again, "s").id, "output")["o"][3] == "data/single/versions/1"
        other = await bench.over(bench.submit("three", {"jobs": {"s": writes("other", version="1")}}))
        assert other.status == "Failed"
        assert "'single:1' exists already" in str(other.error)
        assert not job_attempts.list_attempts(bench.db, bench.child(other, "s").id)
        assert (content(bench), versions(bench)) == ("one", ["1"])


async def test_a_pipeline_whose_output_asks_for_a_version_that_exists() -> None:
    """The pipeline fails and says why; what another made by hand is refused at once."""
    async with workbench() as bench:

        def document(word: str) -> dict[str, Any]:
            step = writes(word)
            step["outputs"] = {"o": "${{parent.outputs.p}}"}
            output = {"type": "uri_folder", "name": "single", "version": "1"}
            return {"outputs": {"p": output}, "jobs": {"s": step}}

        first = await bench.over(bench.submit("one", document("one")))
        assert first.status == "Completed", first.error
        other = await bench.over(bench.submit("two", document("two")))
        assert other.status == "Failed"
        assert "'single:1' exists already" in str(other.error)
        assert (content(bench), versions(bench)) == ("one", ["1"])
        properties = {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_folder"}
        assets.put_version(bench.db, bench.workspace.id, "data", "single", "9", properties, "tester")
        bad = document("three")
        bad["outputs"]["p"]["version"] = "9"
        with pytest.raises(ValidationException, match=r"outputs.p: .* 'single:9' exists already"):
            bench.submit("three", bad)


@pytest.mark.parametrize(
    ("command", "type"),
    [("rm -rf ${{outputs.o}}", "uri_folder"), ("true", "uri_file"), ("rm -rf ${{outputs.o}}", "custom_model")],
)
@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
async def test_an_output_that_is_not_there_is_not_registered(command: str, type: str, mode: str) -> None:
    """The job fails, and its error names the output; no version is made of nothing."""
    async with workbench() as bench:
        document = {**writes("x", type=type, mode=mode), "command": command}
        job = await bench.over(bench.submit("j", document))
        assert job.status == "Failed"
        assert "output 'o' of job 'j' was not registered as 'single'" in str(job.error)
        assert versions(bench) == []
