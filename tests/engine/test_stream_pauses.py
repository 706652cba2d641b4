"""Who follows a job of which much changes at a time is told seldom, and of its end at once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.service.api.job_details import job_stream
from smalt.service.records.jobs import Job
from tests.engine.bench import LONGEST, Workbench, workbench

HOST = "azureml:host"


async def follow(bench: Workbench, job: Job, go: Path | None = None) -> list[list[dict[str, Any]]]:
    """The pieces of the job's stream, up to its end; `go` is made once all of its steps are said to run."""
    service: Any = SimpleNamespace(
        db=bench.db, engine=bench.engine, home=bench.home, stopping=asyncio.Event(), readers=None
    )
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    bodies = job_stream._JobFollower(service, bench.workspace, job).render_bodies(gone)
    pieces = []
    async for body in bodies:
        pieces.append([json.loads(line) for line in body.splitlines()])
        if go is not None and all("Running" in states(pieces, node) for node in bench.states(job)):
            go.touch()
    return pieces


def wait_for(go: Path) -> dict[str, str]:
    return {"command": f"until [ -e {go} ]; do sleep 0.01; done", "environment": HOST}


def states(pieces: list[list[dict[str, Any]]], node: str) -> list[str]:
    return [one["status"] for piece in pieces for one in piece if one["t"] == "job" and one["node"] == node]


async def test_the_end_of_a_job_is_told_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last state of each step, and none of those between."""
    monkeypatch.setattr(job_stream, "_MANY", 1)
    monkeypatch.setattr(job_stream, "_PAUSE", 2 * LONGEST)
    async with workbench() as bench:
        steps = {f"n{number}": {"command": "sleep 0.02", "environment": HOST} for number in range(40)}
        job = bench.submit("wide", {"jobs": steps})
        pieces = await asyncio.wait_for(follow(bench, job), LONGEST)
        assert pieces[-1] == [{"t": "end", "status": "Completed"}]
        assert all(states(pieces, node)[-1] == "Completed" for node in steps)
        changes = [piece for piece in pieces if piece[0]["t"] == "job"]  # else what the job waits for, or its end
        assert len(changes) <= 3


async def test_a_change_in_a_pause_is_told_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if nothing else changes until then."""
    monkeypatch.setattr(job_stream, "_MANY", 1)
    monkeypatch.setattr(job_stream, "_PAUSE", 0.3)
    async with workbench() as bench:
        job = bench.submit("one", {"jobs": {"a": wait_for(tmp_path / "go")}})
        pieces = await asyncio.wait_for(follow(bench, job, tmp_path / "go"), LONGEST)
        assert states(pieces, "a")[-2:] == ["Running", "Completed"]


async def test_few_changes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause is only for those of many jobs."""
    monkeypatch.setattr(job_stream, "_PAUSE", 2 * LONGEST)
    async with workbench() as bench:
        steps = {f"n{number}": wait_for(tmp_path / "go") for number in range(2)}
        job = bench.submit("two", {"jobs": steps})
        pieces = await asyncio.wait_for(follow(bench, job, tmp_path / "go"), LONGEST)
        assert all("Running" in states(pieces, node) for node in steps)
