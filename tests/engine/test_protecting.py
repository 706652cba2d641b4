"""What jobs made and is registered is read-only, also where a server died before it could see to that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from smalt.exceptions import Conflict
from smalt.machine.home import Home
from smalt.service.data.files.write_protection import is_write_protected
from smalt.service.engine.versions.protection import protect_output
from smalt.service.records import assets, job_data, jobs, lineage, reuse
from tests.durability.test_recovery import crash
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

HOST = "azureml:host"
STORE = "azureml://datastores/workspaceblobstore/paths/"


def writer(word: str, **more: Any) -> dict[str, Any]:
    return {"command": f"echo {word} >${{{{outputs.o}}}}/{word}", "environment": HOST, "outputs": {"o": None}, **more}


async def test_a_server_dies_before_it_protects_what_it_registered(tmp_path: Path) -> None:
    """The next server makes it read-only; what its user wrote, or a job still writes, stays as it is."""
    home = Home(tmp_path / "home")
    bench = Workbench(home)
    await bench.engine.open()
    bench.engine.protection.start_registered = lambda: None  # type: ignore[method-assign]
    shared = {"outputs": {"o": "${{parent.outputs.p}}"}}
    pipeline = {
        "jobs": {"a": writer("a", **shared), "b": writer("b", **shared)},
        "outputs": {"p": {"type": "uri_folder", "name": "both", "version": "1"}},
    }
    assert (await bench.over(bench.submit("both", pipeline))).status == "Completed"
    begun = tmp_path / "begun"
    text = f"touch {begun}; sleep 300; : ${{{{outputs.o}}}}"
    running = bench.submit("running", {**writer("r"), "command": text})
    await asyncio.to_thread(eventually, begun.exists)
    store = bench.engine.context.data.datastores.get_folder("default", "workspaceblobstore")
    (store / "mine").mkdir()
    for name, uri in (("mine", f"{STORE}mine/"), ("running", f"{STORE}azureml/running/o/")):
        properties = {"dataUri": uri, "dataType": "uri_folder"}
        assets.put_version(bench.db, bench.workspace.id, "data", name, "1", properties, "tester")
    made = assets.get_version(bench.db, bench.workspace.id, "data", "both", "1")
    assert made is not None
    place = bench.engine.context.data.locate(str(made.properties["dataUri"]), bench.workspace).path
    assert place is not None
    assert not is_write_protected(place)
    await crash(bench)
    async with workbench(home) as again:
        await asyncio.to_thread(eventually, lambda: is_write_protected(place), "the protection")
        assert not is_write_protected(store / "mine")
        assert not is_write_protected(store / "azureml" / "running" / "o")
        again.engine.cancel(jobs.get_job(again.db, running.id))
        await again.over(running)


async def test_only_the_writers_of_what_is_registered_are_looked_at(tmp_path: Path) -> None:
    """A request that registers an output looks for reuse at the step that wrote it, not at each step of the home."""
    async with workbench(Home(tmp_path / "home")) as bench:
        await bench.engine.reuse_settler.close()
        steps = []
        for name in ("one", "two"):
            job = bench.submit(name, {"jobs": {"a": writer(name)}})
            assert (await bench.over(job)).status == "Completed"
            steps.append(bench.child(job, "a").id)
        uri = str(job_data.read_data(bench.db, steps[0], "output")["o"][2])
        assert reuse.list_unsettled(bench.db, 0, 10) == steps
        await protect_output(bench.engine.context, bench.engine.step_reuse.reuse, bench.workspace, uri)
        path = bench.engine.context.data.locate(uri, bench.workspace).path
        assert path is not None
        assert is_write_protected(path)
        assert reuse.list_unsettled(bench.db, 0, 10) == steps[1:]


async def test_a_job_that_begins_to_write_while_its_place_is_registered(tmp_path: Path) -> None:
    """The registration is refused, as the version would change, and the job may write; afterwards it is taken."""
    async with workbench(Home(tmp_path / "home")) as bench:
        context, real = bench.engine.context, bench.engine.step_reuse.reuse
        there = {"outputs": {"o": {"type": "uri_folder", "path": f"{STORE}fixed/"}}}
        assert (await bench.over(bench.submit("one", writer("one", **there)))).status == "Completed"
        place = context.data.locate(f"{STORE}fixed/", bench.workspace).path
        assert place is not None
        command = f"until [ -e {tmp_path}/go ]; do sleep 0.01; done; echo two >${{{{outputs.o}}}}/two"
        begun: list[jobs.Job] = []

        class Settlement:
            async def settle_steps(self, ids: list[int]) -> None:
                begun.append(bench.submit("two", {**writer("two", **there), "command": command}))
                while not lineage.find_active_writer(bench.db, str(place)):
                    await asyncio.sleep(0)
                await real.settlement.settle_steps(ids)

        settling = SimpleNamespace(settlement=Settlement())
        with pytest.raises(Conflict, match="job 'two' is not over and writes there"):
            await protect_output(context, cast("Any", settling), bench.workspace, f"{STORE}fixed/")
        (tmp_path / "go").touch()
        assert (await bench.over(begun[0])).status == "Completed"
        assert (place / "two").read_text() == "two\n"
        await protect_output(context, real, bench.workspace, f"{STORE}fixed/")
        assert is_write_protected(place)
