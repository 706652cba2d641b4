"""Inputs that lead elsewhere by the time at which someone looks at what a step read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.bench import Workbench, workbench
from tests.reuse.test_reused import HOST, origins, run


@contextlib.asynccontextmanager
async def busy_bench() -> AsyncIterator[Workbench]:
    """An engine with a job that runs all the time, so that nothing is looked at in quiet times."""
    async with workbench() as bench:
        gate = bench.home.path("gate")
        job = bench.submit("busy", {"command": f"until test -e {gate}; do sleep 0.01; done", "environment": HOST})
        await bench.until(job, lambda job: job.status == "Running")
        for month in ("october", "november"):
            folder = bench.home.path("data", month)
            folder.mkdir(parents=True)
            (folder / "f.txt").write_text(f"{month}\n")
        yield bench
        gate.touch()
        await bench.over(job)


def link(path: Path, target: str | Path) -> None:
    """As `ln -sfn`."""
    path.unlink(missing_ok=True)
    os.symlink(target, path)


def reading(path: str | Path, below: str = "/f.txt", **more: Any) -> dict[str, Any]:
    inputs = {"d": {"type": "uri_folder", "path": str(path), **more}}
    command = f"cat ${{{{inputs.d}}}}{below} | tee ${{{{outputs.o}}}}/f.txt"
    step = {"command": command, "environment": HOST, "inputs": inputs, "outputs": {"o": {"type": "uri_folder"}}}
    return {"jobs": {"a": step}}


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
@pytest.mark.parametrize("kind", ["input", "above", "within", "chain", "file"])
async def test_a_link_that_is_moved_before_the_step_is_looked_at(kind: str, mode: str) -> None:
    """The next run reads what the link leads to now, whether it is the input, above it, within it or behind another."""
    async with busy_bench() as bench:
        data = bench.home.path("data")
        moved = data / "current"
        link(moved, "october")
        document = reading(moved, mode=mode)
        if kind == "above":
            moved = bench.home.path("top")
            (data / "both").mkdir()
            for month in ("october", "november"):
                (data / "both" / month / "in").mkdir(parents=True)
                (data / "both" / month / "in" / "f.txt").write_text(f"{month}\n")
            link(moved, data / "both" / "october")
            document = reading(moved / "in", mode=mode)
        elif kind in ("within", "chain"):
            folder = bench.home.path("in")
            folder.mkdir()
            os.symlink(moved if kind == "chain" else data / "october", folder / "l")
            moved = moved if kind == "chain" else folder / "l"
            document = reading(folder, "/l/f.txt", mode=mode)
        elif kind == "file":
            moved = data / "current.txt"
            link(moved, "october/f.txt")
            document = reading(moved, "", mode=mode, type="uri_file")
        await run(bench, "one", document)
        assert bench.log("one-a") == "october\n"
        target = os.readlink(moved)
        link(moved, target.replace("october", "november"))
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"a": None}
        assert bench.log("two-a") == "november\n"
        link(moved, target)
        three = await run(bench, "three", document)
        (output,) = [path.read_text() for path in bench.store("azureml").glob("three-a/o/*")] or ["october\n"]
        assert output == "october\n"
        assert origins(bench, three)["a"] in (None, "one-a")


async def test_a_file_is_known_by_the_name_of_its_link() -> None:
    """Two names of one file are two inputs: scripts look at a name's ending."""
    async with busy_bench() as bench:
        data = bench.home.path("data")
        for name in ("a.txt", "b.txt"):
            os.symlink("october/f.txt", data / name)
        first, second = (reading(data / name, "", type="uri_file") for name in ("a.txt", "b.txt"))
        await run(bench, "one", first)
        assert origins(bench, await run(bench, "two", first)) == {"a": "one-a"}
        assert origins(bench, await run(bench, "three", second)) == {"a": None}
        assert origins(bench, await run(bench, "four", second)) == {"a": "three-a"}
        assert origins(bench, await run(bench, "five", first)) == {"a": "one-a"}


async def test_a_folder_above_the_input_that_is_another_by_then() -> None:
    """A folder that was renamed into the place of the one that was read is not taken for it."""
    async with busy_bench() as bench:
        for name in ("top", "other"):
            (bench.home.path(name) / "in").mkdir(parents=True)
            (bench.home.path(name) / "in" / "f.txt").write_text(f"{name}\n")
        document = reading(bench.home.path("top") / "in")
        await run(bench, "one", document)
        bench.home.path("top").rename(bench.home.path("old"))
        bench.home.path("other").rename(bench.home.path("top"))
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"a": None}
        assert bench.log("two-a") == "other\n"


async def test_a_url_map_that_leads_elsewhere_by_then() -> None:
    """The step is known by the folder that the map led to when it started."""
    async with busy_bench() as bench:
        document = reading("https://example.org/data/")
        for name, month in (("one", "october"), ("two", "november"), ("three", "october")):
            bench.settings.update({"url-map": {"https://example.org/data/": f"{bench.home.path('data', month)}/"}})
            job = await run(bench, name, document)
        assert bench.log("two-a") == "november\n"
        assert origins(bench, job) == {"a": "one-a"}
