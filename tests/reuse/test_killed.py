"""Reuse while servers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Any

from smalt import wire
from smalt.entities import PipelineJob
from smalt.machine.home import Home
from smalt.service.records import job_attempts, jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from tests.engine.bench import Workbench, workbench
from tests.helpers import WORKSPACE, Server, eventually
from tests.reuse.test_reused import data_of, origins, pipeline, run

STEPS = 40


def chain(last: str = "true") -> dict[str, Any]:
    """Each step adds its number to what the one before wrote."""
    steps: dict[str, Any] = {}
    for number in range(STEPS):
        before = f"${{{{parent.jobs.n{number - 1}.outputs.o}}}}"
        steps[f"n{number}"] = {
            "command": "(cat ${{inputs.i}}/f; " * bool(number)
            + f"echo {number}"
            + ")" * bool(number)
            + " > ${{outputs.o}}/f",
            "environment": "azureml:host",
            "outputs": {"o": {"type": "uri_folder"}},
            **({"inputs": {"i": before}} if number else {}),
        }
    steps[f"n{STEPS - 1}"]["command"] += f"; {last}"
    return {"jobs": steps}


def submit(server: Server, name: str, document: dict[str, Any]) -> str:
    path = f"{WORKSPACE.format('default')}/jobs/{name}"
    body = wire.to_rest(PipelineJob.from_dict(document))["properties"]
    assert server.ask("PUT", path, {"properties": body}).status == 201
    return path


def ended(server: Server, path: str) -> str:
    status = eventually(
        lambda: (found := server.ask("GET", path).body["properties"]["status"]) in jobs.TERMINAL and found, path
    )
    return str(status)


def test_a_server_that_is_killed_while_steps_are_reused(own_server: Server) -> None:
    """Each step is reused or run once, nothing is lost, and the last one reads what the first ones wrote."""
    own_server.start()
    assert ended(own_server, submit(own_server, "one", chain())) == "Completed"
    own_server.kill()
    own_server.start_again()
    for number in range(3):
        path = submit(own_server, f"again{number}", chain(f"echo {number}"))
        own_server.kill()
        own_server.start_again()
        assert ended(own_server, path) == "Completed"
    own_server.end()
    db = Database(own_server.home.path("smalt.db"))
    try:
        for job in jobs.list_unfinished(db):
            raise AssertionError(job.name)
        names = dict(db.rows("SELECT id, name FROM jobs WHERE parent_id IS NOT NULL"))
        assert len(names) == 4 * STEPS
        for id, name in names.items():
            ran = [attempt for attempt in job_attempts.list_attempts(db, id) if attempt.exit_code == 0]
            assert len(ran) + (records.find_origin(db, id) is not None) == 1, name
        reused = [name for id, name in names.items() if records.find_origin(db, id) is not None]
        assert len(reused) == 3 * (STEPS - 1)
    finally:
        db.close()
    (last,) = own_server.home.path("workspaces").glob(
        f"*/datastores/workspaceblobstore/azureml/again2-n{STEPS - 1}/o/f"
    )
    assert last.read_text().split() == [str(number) for number in range(STEPS)]


async def test_a_home_that_is_copied_once_its_server_has_ended(tmp_path: Path) -> None:
    """A step that completed right before that is reused in the copy, though all files in it are new."""
    home = Home(tmp_path / "home")
    async with workbench(home) as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        assert _settled(bench) == 0
    shutil.copytree(home.root, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("run"))
    async with workbench(Home(tmp_path / "elsewhere")) as bench:
        data = data_of(bench)
        assert set(origins(bench, await run(bench, "two", pipeline(data))).values()) == {"one-sum", "one-count"}


async def test_contents_are_looked_at_while_nothing_runs(tmp_path: Path) -> None:
    """Some time after the last step the content of its inputs is known, and stays known when the files are gone."""
    async with workbench(Home(tmp_path / "home")) as bench:
        data = data_of(bench)
        await run(bench, "one", pipeline(data))
        await asyncio.to_thread(eventually, lambda: _settled_in(tmp_path) == 2)
        (data / "a.txt").unlink()
        data.rmdir()
        again = data_of(bench, folder="again")
        assert origins(bench, await run(bench, "two", pipeline(again)))["sum"] == "one-sum"


def _settled(bench: Workbench) -> int:
    return int(bench.db.value("SELECT count(*) FROM reuse_steps WHERE key IS NOT NULL"))


def _settled_in(folder: Path) -> int:
    """Asked over a connection of its own_server, from another thread."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "home" / "smalt.db")) as records, records:
        return int(records.execute("SELECT count(*) FROM reuse_steps WHERE key IS NOT NULL").fetchone()[0])
