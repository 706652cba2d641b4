"""What a step finds at a path that its output was given is a part of its key: it may add to it, or read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import job_data
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench
from tests.reuse.test_reused import HOST, origins, run

STORE = "azureml://datastores/workspaceblobstore/paths"


def step(command: str, path: str, type: str = "uri_folder", mode: str | None = None) -> dict[str, Any]:
    output = {"type": type, "path": path, **({"mode": mode} if mode else {})}
    return {"jobs": {"a": {"command": command, "environment": HOST, "outputs": {"o": output}}}}


def place(bench: Workbench, folder: Path, where: str) -> tuple[str, Path]:
    """A path to give to an output, and where it is on the disk."""
    if where == "datastore":
        return f"{STORE}/shared/x", bench.engine.context.data.datastores.get_folder(
            bench.workspace.folder, "workspaceblobstore"
        ) / "shared/x"
    return str(folder / "x"), folder / "x"


@pytest.mark.parametrize("where", ["datastore", "local path"])
@pytest.mark.parametrize("type", ["uri_folder", "uri_file"])
async def test_a_step_that_appends_runs_each_time(tmp_path: Path, type: str, where: str) -> None:
    """A step that adds a line to what it finds gives as many lines as it would without reuse, and says why it ran."""
    async with workbench() as bench:
        path, there = place(bench, tmp_path, where)
        file, below = (there / "f", "/f") if type == "uri_folder" else (there, "")
        document = step(f"echo line >> ${{{{outputs.o}}}}{below}", path, type)
        for count in (1, 2, 3):
            job = await run(bench, f"run{count}", document)
            assert origins(bench, job) == {"a": None}
            assert file.read_text() == "line\n" * count
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "a"))
        assert told["reason"].startswith("outputs.o differs from job run2-a")
        (part,) = [part for part in told["parts"] if not part["same"]]
        assert "found there" in [change["where"] for change in part["changes"]]


async def test_a_step_that_writes_anew_is_reused_where_it_finds_the_same() -> None:
    """A step that replaces what it finds runs for what is new to it; where it finds what it found, it is reused."""
    async with workbench() as bench:
        document = step("echo one > ${{outputs.o}}/f", f"{STORE}/shared/x")
        found = [origins(bench, await run(bench, name, document))["a"] for name in ("one", "two", "three")]
        assert found == [None, None, "two-a"]
        bench.engine.context.data.datastores.get_folder(bench.workspace.folder, "workspaceblobstore").joinpath(
            "shared/x/other"
        ).write_text("other\n")
        four = await run(bench, "four", document)
        assert origins(bench, four) == {"a": None}
        assert sorted(path.name for path in _output(bench, four).iterdir()) == ["f", "other"]


async def test_a_step_that_counts_what_it_finds() -> None:
    """A step that reads what others left at its path has the value of now, though the path is the same."""
    async with workbench() as bench:
        top = bench.engine.context.data.datastores.get_folder(bench.workspace.folder, "workspaceblobstore") / "shared/x"
        document = step("ls ${{outputs.o}} | grep -vc count > ${{outputs.o}}/count", f"{STORE}/shared/x")
        for number in (1, 2):
            top.mkdir(parents=True, exist_ok=True)
            (top / f"file{number}").write_text("other\n")
            (top / "count").unlink(missing_ok=True)
            await run(bench, f"run{number}", document)
            assert (top / "count").read_text() == f"{number}\n"


@pytest.mark.parametrize(("path", "mode"), [(f"{STORE}/shared/x", "upload"), (f"{STORE}/x/${{{{name}}}}/", None)])
async def test_a_step_that_finds_nothing_is_reused(path: str, mode: str | None) -> None:
    """An output that is brought into place at the end, or has a path of its own in each run, is reused at once."""
    async with workbench() as bench:
        document = step("echo one >> ${{outputs.o}}/f", path, mode=mode)
        await run(bench, "one", document)
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"a": "one-a"}
        assert (_output(bench, two) / "f").read_text() == "one\n"


def _output(bench: Workbench, job: Any) -> Path:
    uri = job_data.read_data(bench.db, bench.child(job, "a").id, "output")["o"][2] or ""
    path = bench.engine.context.resolve(uri, bench.workspace).path
    assert path is not None
    return path
