"""What a reference means is looked up once, and recorded: labels at submission, places when a step starts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import jobs
from tests.engine.bench import Workbench, workbench

HOST = "azureml:host"


def step(command: str, **more: Any) -> dict[str, Any]:
    return {"command": command, "environment": HOST, **more}


class Moving:
    """A path that leads to october, and then to november."""

    def __init__(self, bench: Workbench, folder: Path, kind: str) -> None:
        self.kind = kind
        self._bench = bench
        self._link = folder / "current"
        self._folder = folder
        for month in ("october", "november"):
            (folder / month).mkdir()
            (folder / month / "f.txt").write_text(month)
        self.lead_to("october")

    @property
    def uri(self) -> str:
        links = {"link": f"{self._link}", "link to a file": f"{self._link}.txt", "link above": f"{self._link}/."}
        return links.get(self.kind, "https://example.org/data/")

    def lead_to(self, month: str) -> None:
        for link, target in ((self._link, month), (Path(f"{self._link}.txt"), f"{month}/f.txt")):
            link.unlink(missing_ok=True)
            os.symlink(self._folder / target, link)
        settings = self._bench.engine.rooms.data.resolver._settings
        assert isinstance(settings, dict)
        settings["url-map"] = {"https://example.org/data/": str(self._folder / month)}


KINDS = ["link", "link to a file", "link above", "url-map"]


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_that_runs_reads_what_its_input_was_when_it_started(tmp_path: Path, kind: str, mode: str) -> None:
    """A link or mapping that moves while the step runs changes neither what it reads nor what is recorded."""

    async def scenario() -> None:
        async with workbench() as bench:
            moving, go = Moving(bench, tmp_path, kind), tmp_path / "go"
            file = kind == "link to a file"
            read = "${{inputs.i}}" if file else "${{inputs.i}}/f.txt"
            wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
            given = {"type": "uri_file" if file else "uri_folder", "path": moving.uri, "mode": mode}
            job = bench.submit("s", step(f"{wait}; cat {read}", inputs={"i": given}))
            await bench.until(job, lambda now: now.status == "Running")
            moving.lead_to("november")
            go.touch()
            job = await bench.over(job)
            assert job.status == "Completed", job.error
            assert bench.log("s") == "october"
            place = tmp_path / "october" / ("f.txt" if file else "")
            assert jobs.places(bench.db, job.id) == {"i": (jobs.data(bench.db, job.id, "input")["i"][2], str(place))}

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_attempt_reads_what_the_first_one_read(tmp_path: Path, kind: str) -> None:
    """A step that fails is tried again with what its input was when it first started."""

    async def scenario() -> None:
        async with workbench() as bench:
            moving, failed = Moving(bench, tmp_path, kind), tmp_path / "failed"
            file = kind == "link to a file"
            read = "${{inputs.i}}" if file else "${{inputs.i}}/f.txt"
            wait = f"while [ ! -e {failed}.2 ]; do sleep 0.02; done"
            again = f"if [ ! -e {failed} ]; then touch {failed}; {wait}; exit 1; fi"
            given = {"type": "uri_file" if file else "uri_folder", "path": moving.uri}
            document = step(f"cat {read}; {again}", inputs={"i": given}, properties={"smalt.retries": "1"})
            job = bench.submit("s", document)
            await bench.until(job, lambda now: now.status == "Running")
            moving.lead_to("november")
            Path(f"{failed}.2").touch()
            job = await bench.over(job)
            assert job.status == "Completed", job.error
            assert len(jobs.attempts(bench.db, job.id)) == 2
            assert bench.log("s").endswith("october")
            assert "november" not in bench.log("s")

    asyncio.run(scenario())


def test_a_file_keeps_the_name_that_it_was_asked_for_by(tmp_path: Path) -> None:
    """A link to a file of another name is handed on under the link's own name, whose ending programs go by."""

    async def scenario() -> None:
        async with workbench() as bench:
            (tmp_path / "blob").write_text("x\n1\n")
            (tmp_path / "table.csv").symlink_to(tmp_path / "blob")
            given = {"type": "uri_file", "path": str(tmp_path / "table.csv")}
            job = await bench.over(
                bench.submit("s", step("basename ${{inputs.i}}; tail -1 ${{inputs.i}}", inputs={"i": given}))
            )
            assert job.status == "Completed", job.error
            assert bench.log("s") == "table.csv\n1\n"

    asyncio.run(scenario())
