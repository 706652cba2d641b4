from __future__ import annotations

import json
from pathlib import Path

import pytest

from smalt.exceptions import Conflict, RefusedError, ValidationException
from smalt.service.records import assets, events, job_attempts, jobs
from tests.engine.bench import workbench

HOST = "azureml:host"


async def test_a_command_runs_and_its_output_is_logged() -> None:
    """A command job completes, and what it prints is in user_logs/std_log.txt."""
    async with workbench() as bench:
        job = await bench.over(bench.submit("hello", {"command": "echo hello", "environment": HOST}))
        assert (job.status, bench.log(job)) == ("Completed", "hello\n")


async def test_each_state_is_an_event() -> None:
    """The event log tells every state that a job passed through, in order."""
    async with workbench() as bench:
        job = await bench.over(bench.submit("hello", {"command": "true", "environment": HOST}))
        states = [event.data for event in events.list_since(bench.db, job.id, 0)]
        assert states[0] == "NotStarted"
        assert states[-3:] == ["Running", "Finalizing", "Completed"]


@pytest.mark.parametrize(
    ("command", "words"),
    [("exit 3", "exited with code 3"), ("kill -9 $$", "SIGKILL"), ("no-such-program", "exited with code 127")],
)
async def test_a_failure_says_how_the_command_ended(command: str, words: str) -> None:
    """A job whose command fails is Failed, with the exit code or signal in its sentence."""
    async with workbench() as bench:
        job = await bench.over(bench.submit("bad", {"command": command, "environment": HOST}))
        assert job.status == "Failed"
        assert words in json.loads(job.error or "{}")["message"]


async def test_inputs_outputs_and_optional_blocks() -> None:
    """Literals, paths and optional blocks are filled into the command; an output folder exists beforehand."""
    async with workbench() as bench:
        bench.store("in").mkdir(parents=True)
        bench.store("in", "x.txt").write_text("data\n")
        document = {
            "command": "echo ${{inputs.number}} $[[-n ${{inputs.number}}]];"
            " cat ${{inputs.file}} > ${{outputs.out}}/copy.txt; echo $AZURE_ML_INPUT_number",
            "environment": HOST,
            "inputs": {
                "number": 42,
                "file": {"type": "uri_file", "path": "azureml://datastores/workspaceblobstore/paths/in/x.txt"},
            },
            "outputs": {"out": {"type": "uri_folder"}},
        }
        job = await bench.over(bench.submit("io", document))
        assert job.status == "Completed", job.error
        assert bench.log(job) == "42 -n 42\n42\n"
        assert bench.store("azureml", "io", "out", "copy.txt").read_text() == "data\n"


async def test_outputs_and_logs_are_kept_with_the_job() -> None:
    """What a command leaves in ./outputs and ./logs is moved to the job's artifacts, also when it fails."""
    async with workbench() as bench:
        document = {"command": "echo o > outputs/o.txt; echo l > logs/l.txt; false", "environment": HOST}
        job = await bench.over(bench.submit("keeps", document))
        assert job.status == "Failed"
        assert (bench.artifacts("keeps") / "outputs" / "o.txt").read_text() == "o\n"
        assert (bench.artifacts("keeps") / "logs" / "l.txt").read_text() == "l\n"


async def test_a_file_output_is_not_made_beforehand() -> None:
    """Of a uri_file output only the folder above exists, so that the command can make the file."""
    async with workbench() as bench:
        path = "azureml://datastores/workspaceblobstore/paths/${{name}}/made.txt"
        document = {
            "command": "echo made > ${{outputs.file}}",
            "environment": HOST,
            "outputs": {"file": {"type": "uri_file", "path": path}},
        }
        job = await bench.over(bench.submit("file", document))
        assert job.status == "Completed", job.error
        assert bench.store("file", "made.txt").read_text() == "made\n"


async def test_an_upload_output_appears_when_the_command_has_ended() -> None:
    """An output of mode upload is written to the job's own folder and moved into place at the end."""
    async with workbench() as bench:
        document = {
            "command": "echo ${{outputs.o}}; echo x > ${{outputs.o}}/x",
            "environment": HOST,
            "outputs": {"o": {"mode": "upload"}},
        }
        job = await bench.over(bench.submit("up", document))
        assert job.status == "Completed", job.error
        assert str(bench.store()) not in bench.log(job)
        assert bench.store("azureml", "up", "o", "x").exists()


async def test_a_named_output_becomes_an_asset() -> None:
    """An output with a name is registered as the next version of that data asset, once."""
    from smalt.service.records import assets

    async with workbench() as bench:
        document = {
            "command": "echo x > ${{outputs.o}}/x",
            "environment": HOST,
            "outputs": {"o": {"type": "uri_folder", "name": "made"}},
        }
        for number in ("1", "2"):
            job = await bench.over(bench.submit(f"names{number}", document))
            assert job.status == "Completed", job.error
            version = assets.find_version(bench.db, bench.workspace.id, "data", "made", number, None)
            assert version.properties["dataUri"].endswith(f"/azureml/names{number}/o/")


async def test_a_timeout_of_zero_is_none() -> None:
    """Azure's client does not send it to the service, so that there is no limit."""
    async with workbench() as bench:
        job = await bench.over(
            bench.submit("j", {"command": "sleep 0.5", "environment": HOST, "limits": {"timeout": 0}})
        )
        assert job.status == "Completed"


async def test_a_timeout_ends_the_whole_tree() -> None:
    """limits.timeout ends the command and what it started, and the sentence says so."""
    async with workbench() as bench:
        document = {"command": "sleep 300 & sleep 300", "environment": HOST, "limits": {"timeout": 1}}
        job = await bench.over(bench.submit("slow", document))
        assert job.status == "Failed"
        assert "longer than 1 s" in (job.error or "")


async def test_cancel_ends_a_running_job() -> None:
    """A running job that is cancelled becomes Canceled."""
    async with workbench() as bench:
        job = bench.submit("endless", {"command": "sleep 300", "environment": HOST})
        await bench.until(job, lambda now: now.status == "Running")
        bench.engine.cancel(jobs.get_job(bench.db, job.id))
        assert (await bench.over(job)).status == "Canceled"


async def test_the_same_put_is_the_same_job() -> None:
    """Submitting the same body under the same name gives the same job; another body is a conflict."""
    async with workbench() as bench:
        first = bench.submit("one", {"command": "true", "environment": HOST})
        assert bench.submit("one", {"command": "true", "environment": HOST}).id == first.id
        with pytest.raises(Conflict, match="another name"):
            bench.submit("one", {"command": "false", "environment": HOST})
        await bench.over(first)


async def test_what_must_be_there_is_checked_at_submission(tmp_path: Path) -> None:
    """A missing file and an unknown environment are both told at once, before anything runs."""
    async with workbench() as bench:
        document = {
            "command": "true",
            "environment": "azureml:nowhere@latest",
            "inputs": {"x": {"type": "uri_file", "path": str(tmp_path / "missing.csv")}},
        }
        with pytest.raises(ValidationException) as caught:
            bench.submit("checks", document)
        assert "nowhere" in str(caught.value)
        assert "missing.csv" in str(caught.value)


async def test_registered_data_of_the_other_kind_is_refused_at_submission(tmp_path: Path) -> None:
    """A folder as uri_file and a file as uri_folder: both in one sentence each, before anything runs."""
    async with workbench() as bench:
        (tmp_path / "file.csv").write_text("1")
        for name, path in (("folder", tmp_path), ("file", tmp_path / "file.csv")):
            content = {"dataUri": path.as_uri(), "dataType": f"uri_{name}"}
            assets.put_version(bench.db, bench.workspace.id, "data", name, "1", content, "tester")
        inputs = {
            "a": {"type": "uri_file", "path": "azureml:folder:1"},
            "b": {"type": "uri_folder", "path": "azureml:file:1"},
            "c": {"type": "uri_file", "path": tmp_path.as_uri()},
            "d": {"type": "uri_file", "path": "azureml:file:1"},
            "e": {"type": "uri_folder", "path": "azureml:folder:1"},
        }
        with pytest.raises(ValidationException) as caught:
            bench.submit("kinds", {"command": "true", "environment": HOST, "inputs": inputs})
        told = [str(problem) for problem in caught.value.problems]
        assert [line.partition(":")[0] for line in told] == ["inputs.a", "inputs.b", "inputs.c"]
        assert "azureml:folder:1 is a folder, but the input's type is uri_file; make it uri_folder" in told[0]
        assert "azureml:file:1 is a file, but the input's type is uri_folder; make it uri_file" in told[1]


async def test_a_step_may_be_given_what_its_component_declares() -> None:
    """A step's input that says no type of its own has its component's, though the wire says uri_folder."""
    async with workbench() as bench:
        place = bench.store("file.csv")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("seen")
        content = {"dataUri": place.as_uri(), "dataType": "uri_file"}
        assets.put_version(bench.db, bench.workspace.id, "data", "file", "1", content, "tester")
        reads = {"command": "cat ${{inputs.x}}", "environment": HOST, "inputs": {"x": {"type": "uri_file"}}}
        reader = bench.register("reader", reads)
        step = {"type": "command", "component": reader, "inputs": {"x": {"path": "azureml:file:1"}}}
        job = bench.submit("untyped", {"jobs": {"a": step}})
        assert not job.is_over
        bench.engine.cancel(job)


async def test_a_type_that_does_not_run_yet_is_recorded_and_has_failed() -> None:
    """An AutoML job of images is kept as it was sent, and says why it did not run; the same PUT again gives it back."""
    async with workbench() as bench:
        table = {"jobInputType": "mltable", "uri": "azureml:t:1"}
        task = {"taskType": "ImageClassification", "primaryMetric": "accuracy", "targetColumnName": "y"}
        body = {"jobType": "AutoML", "taskDetails": {**task, "trainingData": table}}
        job = bench.engine.submit(bench.workspace, "images", body, "tester")
        assert (job.status, job.type) == ("Failed", "automl")
        assert "cannot run yet" in str(job.error)
        kept = jobs.read_properties(bench.db, job.id)
        assert {**kept, "outputs": None} == {**body, "outputs": None}
        assert bench.engine.submit(bench.workspace, "images", body, "tester").id == job.id
        model = {"jobInputType": "custom_model", "uri": "azureml:m:1"}
        details = {"modelProvider": "Custom", "taskType": "TextCompletion", "model": model}
        tuning = {"jobType": "FineTuning", "fineTuningDetails": details}
        with pytest.raises(RefusedError, match="finetuning job cannot run yet"):
            bench.engine.submit(bench.workspace, "tuning", tuning, "tester")


async def test_retries_run_the_command_again() -> None:
    """A job with the property smalt.retries runs again after a failure, as a new attempt in a new folder."""
    async with workbench() as bench:
        mark = bench.home.path("mark")
        document = {
            "command": f"[ -e {mark} ] || {{ touch {mark}; exit 1; }}",
            "environment": HOST,
            "properties": {"smalt.retries": "1"},
        }
        job = await bench.over(bench.submit("again", document))
        assert job.status == "Completed"
        assert [one.exit_code for one in job_attempts.list_attempts(bench.db, job.id)] == [1, 0]


async def test_two_cores_are_not_given_to_three_steps() -> None:
    """With two slots, at most two commands run at a time."""
    async with workbench(cpus=2) as bench:
        counts = bench.home.path("counts")
        command = f"touch {counts}.$AZUREML_RUN_ID; ls {counts}.* 2>/dev/null | wc -l; rm {counts}.$AZUREML_RUN_ID"
        started = [bench.submit(f"j{n}", {"command": command, "environment": HOST}) for n in range(6)]
        over = [await bench.over(job) for job in started]
        assert {job.status for job in over} == {"Completed"}
        assert max(int(bench.log(job)) for job in over) <= 2


async def test_a_distributed_command_runs_as_processes() -> None:
    """A pytorch distribution of two nodes with two processes each runs four, each with its rank."""
    async with workbench() as bench:
        document = {
            "command": "echo $RANK of $WORLD_SIZE on $NODE_RANK > ${{outputs.o}}/$RANK",
            "environment": HOST,
            "resources": {"instance_count": 2},
            "distribution": {"type": "pytorch", "process_count_per_instance": 2},
            "outputs": {"o": {"type": "uri_folder"}},
        }
        job = await bench.over(bench.submit("ranks", document))
        assert job.status == "Completed", bench.log(job)
        said = [path.read_text().strip() for path in sorted(bench.store("azureml", "ranks", "o").iterdir())]
        assert said == ["0 of 4 on 0", "1 of 4 on 0", "2 of 4 on 1", "3 of 4 on 1"]
