"""Versions are copied aside once, whoever writes over their place at the same time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.compute.local.results import LocalResults
from smalt.service.engine.versions.overwrites import copy_versions_aside
from smalt.service.records import assets
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

URI = "azureml://datastores/workspaceblobstore/paths/{}"


async def test_two_jobs_are_about_to_write_over_one_version(tmp_path: Path) -> None:
    """Both may go on, and the version has its content."""
    async with workbench(Home(tmp_path / "home")) as bench:
        context, workspace = bench.engine.context, bench.workspace
        store = context.data.datastores.get_folder(workspace.folder, "workspaceblobstore")
        place = store / "shared" / "many"
        place.mkdir(parents=True)
        for number in range(300):
            (place / str(number)).write_text(str(number))
        properties = {"dataUri": URI.format("shared/many/"), "dataType": "uri_folder"}
        assets.put_version(bench.db, workspace.id, "data", "many", "1", properties, "tester")
        said: list[str] = []
        await asyncio.gather(*(copy_versions_aside(context, workspace, [place], said.append) for _ in range(4)))
        assert len(said) == 1
        found = assets.get_version(bench.db, workspace.id, "data", "many", "1")
        assert found is not None
        kept = context.data.locate(str(found.properties["dataUri"]), workspace).path
        assert kept is not None
        assert kept != place
        assert {path.name: path.read_text() for path in kept.iterdir()} == {str(n): str(n) for n in range(300)}


async def test_a_version_that_is_the_whole_datastore_has_no_place_aside(tmp_path: Path) -> None:
    """A job may write into it; smalt does not copy a folder into itself."""
    async with workbench(Home(tmp_path / "home")) as bench:
        context, workspace = bench.engine.context, bench.workspace
        store = context.data.datastores.get_folder(workspace.folder, "workspaceblobstore")
        place = store / "shared"
        place.mkdir(parents=True)
        (place / "f").write_text("one")
        properties = {"dataUri": URI.format(""), "dataType": "uri_folder"}
        assets.put_version(bench.db, workspace.id, "data", "whole", "1", properties, "tester")
        await copy_versions_aside(context, workspace, [place], print)
        assert [path.name for path in store.iterdir()] == ["shared"]


async def test_an_input_is_written_over_and_the_server_ends_while_it_stores_the_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next server, which stores them again, fails the job that read there as the first one would have."""
    home, begun, go, gate = (tmp_path / name for name in ("home", "begun", "go", "gate"))
    os.mkfifo(gate)
    bench = Workbench(Home(home), cpus=2)
    await bench.engine.open()
    daily = {"o": {"type": "uri_folder", "path": URI.format("daily/"), "name": "d"}}
    writer = {"command": "date > ${{outputs.o}}/f", "environment": "azureml:host", "outputs": daily}
    assert (await bench.over(bench.submit("first", writer))).status == "Completed"
    reader = {
        "command": f"touch {begun}; until [ -e {go} ]; do sleep 0.02; done; cp ${{{{inputs.i}}}}/f ${{{{outputs.o}}}}",
        "environment": "azureml:host",
        "inputs": {"i": {"type": "uri_folder", "path": "azureml:d:1"}},
        "outputs": {"o": {"type": "uri_folder", "mode": "upload"}},
    }
    job = bench.submit("reader", reader)
    await asyncio.to_thread(eventually, begun.exists, "the start of the step")
    assert (await bench.over(bench.submit("second", writer))).status == "Completed"
    finish = LocalResults.finish

    def finish_slowly(*arguments: Any) -> Any:
        gate.read_text()
        return finish(*arguments)

    monkeypatch.setattr(LocalResults, "finish", finish_slowly)
    go.touch()
    await bench.until(job, lambda now: now.status == "Finalizing")
    await bench.kill()
    monkeypatch.setattr(LocalResults, "finish", finish)
    await asyncio.to_thread(gate.write_text, "go\n")
    bench = Workbench(Home(home), cpus=2)
    await bench.engine.open()
    over = await bench.over(job)
    assert over.status == "Failed"
    assert "another job wrote over" in str(over.error)
    await bench.engine.close()
    bench.db.close()
