from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.records import assets, job_attempts, jobs
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

HOST = "azureml:host"


async def crash(bench: Workbench) -> None:
    """The server is gone without a word; its launcher and steps are not."""
    await bench.until_taken()
    bench.engine.pause()
    await bench.engine.context.computes.close()
    bench.db.close()
    for _ in range(3):  # the closed connection is let go in the loop's next rounds
        await asyncio.sleep(0)


async def kill_all(bench: Workbench) -> None:
    """A power cut: server, launcher and every process of every step at once."""
    await crash(bench)
    mark = os.fsencode(bench.home.root)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)


async def test_a_step_outlives_its_server(tmp_path: Path) -> None:
    """A step that runs while the server is away is kept, and its end counts."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    os.mkfifo(gate)
    job = bench.submit("long", {"command": f"touch {begun}; read line < {gate}; echo $line", "environment": HOST})
    await asyncio.to_thread(eventually, begun.exists)
    await crash(bench)
    async with workbench(home) as again:
        await asyncio.to_thread(gate.write_text, "done\n")
        over = await again.over(job)
        assert (over.status, again.log("long")) == ("Completed", "done\n")
        assert len(job_attempts.list_attempts(again.db, job.id)) == 1


async def test_a_step_that_ended_while_the_server_was_away(tmp_path: Path) -> None:
    """The result of a step that ended without a server is its result, and what waited for it goes on."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    gate, ended = tmp_path / "gate", tmp_path / "ended"
    os.mkfifo(gate)
    os.mkfifo(ended)
    document = {
        "jobs": {
            "first": {
                "command": f"read line < {gate}; echo > {ended}",
                "environment": HOST,
                "outputs": {"o": None},
            },
            "then": {
                "command": "true",
                "environment": HOST,
                "inputs": {"i": "${{parent.jobs.first.outputs.o}}"},
            },
        }
    }
    job = bench.submit("away", document)
    await bench.until(job, lambda now: bool(jobs.list_children_with_status(bench.db, now.id, "Running")))
    await crash(bench)
    await asyncio.to_thread(gate.write_text, "go\n")
    await asyncio.to_thread(ended.read_text)
    async with workbench(home) as again:
        assert (await again.over(job)).status == "Completed"


async def test_after_a_reboot_every_job_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another boot id, no processes: what ran is Failed, or runs again where retries allow it; the rest runs."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    mark = tmp_path / "mark"
    ran = bench.submit("ran", {"command": "sleep 300", "environment": HOST})
    retried = bench.submit(
        "retried",
        {
            "command": f"[ -e {mark} ] || {{ touch {mark}; sleep 300; }}",
            "environment": HOST,
            "properties": {"smalt.retries": "1"},
        },
    )
    queued = bench.submit("queued", {"command": "echo ran", "environment": HOST})
    for job in (ran, retried):
        await bench.until(job, lambda now: now.status == "Running")
    await asyncio.to_thread(eventually, mark.exists)
    await kill_all(bench)
    monkeypatch.setenv("SMALT_BOOT_ID", "another")
    async with workbench(home) as again:
        failed, second, third = [await again.over(job) for job in (ran, retried, queued)]
        assert failed.status == "Failed"
        assert "restarted" in json.loads(failed.error or "{}")["message"]
        assert second.status == "Completed"
        assert len(job_attempts.list_attempts(again.db, retried.id)) == 2
        assert third.status == "Completed"


async def test_a_plan_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    """Children without a finished plan are dropped and planned again; none runs twice."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    bench.engine.pause()  # accepted, and the server is gone before its first turn
    job = bench.submit("plan", {"jobs": {"a": {"command": "true", "environment": HOST}}})
    half = jobs.NewJob(name="plan-a", type="command", body={}, experiment="Default", node="a")
    jobs.add_job(bench.db, job.workspace_id, half, "tester", jobs.get_job(bench.db, job.id))
    await crash(bench)
    async with workbench(home) as again:
        assert (await again.over(job)).status == "Completed"
        assert again.states(job) == {"a": "Completed"}


async def test_a_failed_step_whose_environment_is_gone_is_settled(tmp_path: Path) -> None:
    """A step that failed while the server was away, and whose environment has since been archived, holds up nobody."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    python = {"host": True, "isAnonymous": False}
    put = (bench.db, bench.workspace.id, "environments", "fleeting", "1")
    assets.put_version(*put, python, "tester")
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    os.mkfifo(gate)
    command = f"touch {begun}; read line < {gate}; exit 3"
    job = bench.submit("orphaned", {"command": command, "environment": "azureml:fleeting@latest"})
    await asyncio.to_thread(eventually, begun.exists)
    assets.put_version(*put, {**python, "isArchived": True}, "tester")
    await crash(bench)
    async with workbench(home) as again:
        await asyncio.to_thread(gate.write_text, "go\n")
        over = await again.over(job)
        assert (over.status, json.loads(over.error or "{}")["exit_code"]) == ("Failed", 3)


async def test_a_pipeline_reads_what_it_named_though_server_and_label_have_moved(tmp_path: Path) -> None:
    """What labels mean is in the records: steps and nested pipelines that a later server plans and starts read it."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    os.mkfifo(gate)

    def register(bench: Workbench, version: str) -> None:
        (tmp_path / version).mkdir()
        (tmp_path / version / "f").write_text(f"data {version}\n")
        properties = {"dataUri": str(tmp_path / version), "dataType": "uri_folder"}
        assets.put_version(bench.db, bench.workspace.id, "data", "d", version, properties, "tester")
        leaf = {"type": "command", "command": f"cat ${{{{inputs.d}}}}/f; echo leaf {version}", "environment": HOST}
        spec = {**leaf, "inputs": {"d": {"type": "uri_folder"}}}
        assets.put_version(
            bench.db, bench.workspace.id, "components", "leaf", version, {"componentSpec": spec}, "tester"
        )

    register(bench, "1")
    given = {"d": {"type": "uri_folder", "path": "azureml:d@latest"}}
    reads = {"type": "command", "component": "azureml:leaf@latest", "inputs": given}
    nested = {"type": "pipeline", "component": bench.register("nested", {"jobs": {"c": reads}})}
    waits = {"type": "command", "command": f"touch {begun}; read line < {gate}", "environment": HOST}
    document = {"settings": {"on_init": "a"}, "jobs": {"a": waits, "b": reads, "n": nested}}
    job = bench.submit("p", document)
    await asyncio.to_thread(eventually, begun.exists)
    await crash(bench)
    async with workbench(home) as again:
        register(again, "2")
        await asyncio.to_thread(gate.write_text, "done\n")
        over = await again.over(job)
        assert over.status == "Completed", over.error
        assert (again.log("p-b"), again.log("p-n-c")) == ("data 1\nleaf 1\n", "data 1\nleaf 1\n")
