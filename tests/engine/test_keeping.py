"""Versions are copied aside once, whoever writes over their place at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.engine.versions.overwrites import copy_versions_aside
from smalt.service.records import assets
from tests.engine.bench import workbench

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
