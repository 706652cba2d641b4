"""Jobs that are canceled and deleted at once, while the engine still has them in its queues."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from smalt.service.api.arm import jobs as jobs_api
from smalt.service.api.request import ApiRequest
from smalt.service.api.server_context import ServerContext
from smalt.service.records import events, jobs
from tests.engine.bench import Workbench, workbench
from tests.engine.test_hand_over import Gates, attempts
from tests.helpers import LONGEST, eventually

_MORE_THAN_WAIT = 20
"""Steps of which some wait at the launcher and others in the engine's queue."""


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


async def delete(bench: Workbench, name: str) -> None:
    job = jobs.find_by_name(bench.db, bench.workspace.id, name)
    assert job is not None
    bench.engine.cancel(job)
    await bench.over(job)
    await bench.engine.deletions.delete_job(bench.workspace, job, "tester")


async def test_what_waited_behind_a_deleted_job_runs(gates: Gates, caplog: pytest.LogCaptureFixture) -> None:
    """A pipeline whose steps were queued for a slot is deleted: no turn fails, and the jobs behind it complete."""
    async with workbench(cpus=1) as bench:
        bench.submit("first", gates.command("first"))
        await gates.begun("first")
        before = [bench.submit(f"b{each}", gates.mark(f"b{each}")) for each in range(_MORE_THAN_WAIT)]
        deleted = bench.submit("deleted", {"jobs": {f"s{each}": gates.mark("deleted") for each in range(3)}})
        await bench.until(deleted, lambda now: bool(now.planned))
        behind = bench.submit("behind", gates.mark("behind"))
        await delete(bench, "deleted")
        await gates.open("first")
        for job in (*before, behind):
            assert (await bench.over(job)).status == "Completed"
        assert gates.marks == [*(job.name for job in before), "behind"]
        assert attempts(bench, behind) == ["exited"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_pipeline_that_is_deleted_before_its_plan(gates: Gates, caplog: pytest.LogCaptureFixture) -> None:
    """Its place in the queue of plans means nothing any more."""
    async with workbench() as bench:
        bench.engine.pause()
        bench.submit("deleted", {"jobs": {"s": gates.mark("s")}})
        await delete(bench, "deleted")
        bench.engine.resume()
        assert (await bench.over(bench.submit("next", gates.mark("next")))).status == "Completed"
        assert gates.marks == ["next"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_pipeline_that_is_deleted_while_its_inputs_are_looked_for(
    gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found of its inputs afterwards concerns nobody."""
    async with workbench() as bench:
        looks, goes_on = threading.Event(), threading.Event()

        def look(*_: object) -> str:
            looks.set()
            goes_on.wait(LONGEST)
            return "there is no such file"

        monkeypatch.setattr(bench.engine.context.data, "check_exists", look)
        step = {**gates.mark("s"), "inputs": {"i": "${{parent.inputs.i}}"}}
        data = {"type": "uri_file", "path": "https://nowhere.example/f.csv"}
        deleted = bench.submit("deleted", {"inputs": {"i": data}, "jobs": {"s": step}})
        await asyncio.to_thread(looks.wait, LONGEST)
        assert "network" in bench.engine.get_wait_reason(deleted)
        await delete(bench, "deleted")
        noted = events.list_since(bench.db, deleted.id, 0)
        goes_on.set()
        await asyncio.to_thread(eventually, lambda: deleted not in bench.engine._input_checks, "the answer")
        assert (await bench.over(bench.submit("next", gates.mark("next")))).status == "Completed"
        assert events.list_since(bench.db, deleted.id, 0) == noted


async def test_who_waits_for_a_job_that_is_deleted(gates: Gates) -> None:
    """A server that ends waits for its jobs; one that is deleted meanwhile is over."""
    async with workbench() as bench:
        job = bench.submit("deleted", gates.command("deleted"))
        await gates.begun("deleted")
        context = cast("ServerContext", SimpleNamespace(engine=bench.engine, db=bench.db))
        waiting = asyncio.create_task(ServerContext.wait_until_over(context, job, time.monotonic() + LONGEST))
        await asyncio.sleep(0)
        bench.engine.cancel(job)
        await bench.over(job)
        await bench.engine.deletions.delete_job(bench.workspace, job, "tester")
        assert await waiting is True
        assert await ServerContext.wait_until_over(context, job, time.monotonic() + LONGEST) is True


async def test_a_job_that_is_deleted_while_it_is_put_again(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its data is looked at beside the loop; a job that is gone after that is submitted as a new one."""
    async with workbench() as bench:
        job = await bench.over(bench.submit("again", gates.mark("again")))
        body = jobs.read_properties(bench.db, job.id)

        async def delete_meanwhile(*_: object) -> None:
            await bench.engine.deletions.delete_job(bench.workspace, job, "tester")

        async def read_object() -> dict[str, object]:
            return {"properties": body}

        monkeypatch.setattr(jobs_api, "_check_same_data", delete_meanwhile)
        monkeypatch.setattr(jobs_api, "_render_job", lambda request, found: {"id": found.id})
        server = SimpleNamespace(engine=bench.engine, db=bench.db)
        request = SimpleNamespace(
            server=server, workspace=bench.workspace, principal="me", read_object=read_object, get_name=lambda: "again"
        )
        answer = await jobs_api.put_job(cast("ApiRequest", request))
        assert answer.status_code == 201
        assert json.loads(answer.body) == {"id": job.id + 1}
