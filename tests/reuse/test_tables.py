"""Steps that read what an MLTable names outside of its own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import assets
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench
from tests.reuse.test_elsewhere import Web, web
from tests.reuse.test_reused import HOST, origins, run

__all__ = ["web"]


def table(bench: Workbench, entry: str, folder: str = "proj/table") -> Path:
    made = bench.home.path(folder)
    made.mkdir(parents=True, exist_ok=True)
    (made / "MLTable").write_text(f"paths:\n- {{{entry}}}\n")
    return made


def reading(folder: Path, type: str = "mltable", mode: str | None = None, command: str = "true") -> dict[str, Any]:
    """A step that is given a table; what it does with it is for the script to know."""
    value = {"type": type, "path": str(folder), **({"mode": mode} if mode else {})}
    return {
        "jobs": {"read": {"command": f"{command} # ${{{{inputs.t}}}}", "environment": HOST, "inputs": {"t": value}}}
    }


async def told(bench: Workbench, job: Job) -> dict[str, Any]:
    return await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "read"))


async def files_changed(bench: Workbench, job: Job) -> list[str]:
    """The files of the table that explain a run."""
    (part,) = [part for part in (await told(bench, job))["parts"] if part["part"] == "inputs.t"]
    return [str(change["where"]) for change in part["changes"]]


FORMS: dict[str, tuple[Callable[[Path], str], str]] = {
    "relative": (lambda top: "file: ../outside.csv", "../outside.csv"),
    "absolute": (lambda top: f"file: {top}/outside.csv", "{top}/outside.csv"),
    "file URL": (lambda top: f"file: 'file://{top}/outside.csv'", "file://{top}/outside.csv"),
    "folder": (lambda top: "folder: ../more", "../more/deep/"),
    "pattern": (lambda top: "pattern: '../more/**/*.csv'", "../more/deep/inner.csv"),
    "datastore": (
        lambda top: "file: 'azureml://datastores/workspaceblobstore/paths/in/outside.csv'",
        "azureml://datastores/workspaceblobstore/paths/in/outside.csv",
    ),
    "output of a job": (lambda top: "folder: 'azureml://jobs/made-make/outputs/o'", "azureml://jobs/made-make/outputs/o"),
    "asset": (lambda top: "file: 'azureml:rows:1'", "azureml:rows:1"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
async def test_what_a_table_names_outside_of_its_folder_counts(form: str) -> None:
    """Where it changed, the step runs and the explanation names the file; where it is as it was, the step is reused."""
    entry, where = FORMS[form]

    async with workbench() as bench:
        top = bench.home.path("proj")
        made = {"command": "echo 1 > ${{outputs.o}}/f.csv", "environment": HOST,
                "outputs": {"o": {"type": "uri_folder"}}}  # fmt: skip
        await run(bench, "made", {"jobs": {"make": made}})
        places = [top / "outside.csv", top / "more" / "deep" / "inner.csv", bench.store("in", "outside.csv"),
                  bench.store("azureml", "made-make", "o", "f.csv")]  # fmt: skip
        assets.put_version(bench.db, bench.workspace.id, "data", "rows", "1", {"dataUri": str(places[0])}, "tester")

        def write(text: str) -> None:
            for place in places:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)

        write("1\n")
        document = reading(table(bench, entry(top)))
        await run(bench, "one", document)
        assert origins(bench, await run(bench, "two", document)) == {"read": "one-read"}
        (top / "more" / "deep" / "unread.txt").write_text("0\n")
        three = await run(bench, "three", document)
        assert origins(bench, three) == {"read": None if form == "folder" else "one-read"}
        await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
        write("2\n")
        four = await run(bench, "four", document)
        assert origins(bench, four) == {"read": None}
        changed = await files_changed(bench, four)
        assert changed
        assert all(each.startswith(where.format(top=top)) for each in changed), changed
        write("1\n")
        assert origins(bench, await run(bench, "five", document))["read"] in ("one-read", "three-read")


async def test_a_url_in_a_table(web: Web) -> None:
    """What was fetched for the step counts, though the server gives something else a moment later."""
    async with workbench() as bench:
        document = reading(table(bench, f"file: '{web.url('rows.csv')}?sig=SECRET'"))
        await run(bench, "one", document)
        assert origins(bench, await run(bench, "two", document)) == {"read": "one-read"}
        web.content = b"2\n"
        web.becomes = None
        three = await run(bench, "three", document)
        assert origins(bench, three) == {"read": None}
        assert await files_changed(bench, three) == [f"{web.url('rows.csv')}"]
        assert not bench.db.value("SELECT count(*) FROM seen_manifests WHERE CAST(manifest AS TEXT) LIKE '%SECRET%'")
        web.content = b"1\n"
        assert origins(bench, await run(bench, "four", document)) == {"read": "one-read"}


async def test_a_url_that_is_mapped_to_a_folder() -> None:
    """The file that the map leads to counts; a map that leads to another folder later makes no other data of it."""
    async with workbench() as bench:
        folders = [bench.home.path(name) for name in ("first", "second")]
        for folder in folders:
            folder.mkdir()
            (folder / "rows.csv").write_text(f"{folder.name}\n")
        document = reading(table(bench, "file: 'https://example.org/data/rows.csv'"))
        gate = bench.home.path("gate")
        busy = bench.submit("busy", {"command": f"until test -e {gate}; do sleep 0.01; done", "environment": HOST})
        await bench.until(busy, lambda job: job.status == "Running")
        bench.settings.update({"url-map": {"https://example.org/data/": f"{folders[0]}/"}})
        await run(bench, "one", document)
        bench.settings.update({"url-map": {"https://example.org/data/": f"{folders[1]}/"}})
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"read": None}
        assert await files_changed(bench, two) == ["https://example.org/data/rows.csv"]
        bench.settings.update({"url-map": {"https://example.org/data/": f"{folders[0]}/"}})
        assert origins(bench, await run(bench, "three", document)) == {"read": "one-read"}
        gate.touch()


async def test_a_folder_that_holds_a_table(web: Web) -> None:
    """A script may load it: what is named on this machine counts, and what it would fetch itself cannot be known."""
    async with workbench() as bench:
        outside = bench.home.path("proj", "outside.csv")
        outside.parent.mkdir()
        outside.write_text("1\n")
        document = reading(table(bench, "file: ../outside.csv"), "uri_folder")
        await run(bench, "one", document)
        assert origins(bench, await run(bench, "two", document)) == {"read": "one-read"}
        outside.write_text("2\n")
        assert origins(bench, await run(bench, "three", document)) == {"read": None}
        document = reading(table(bench, f"file: '{web.url()}'"), "uri_folder")
        for name in ("four", "five"):
            job = await run(bench, name, document)
            assert origins(bench, job) == {"read": None}
        assert "only fetched for an input of type mltable" in (await told(bench, job))["reason"]
        folder = table(bench, "no: table")
        for name, expected in (("six", None), ("seven", "six-read")):
            assert origins(bench, await run(bench, name, reading(folder, "uri_folder"))) == {"read": expected}


async def test_what_is_not_beside_a_copy() -> None:
    """The step gets a copy of the file; the copy of the table has none beside it, so nobody knows what it read."""
    async with workbench() as bench:
        (bench.home.path("proj")).mkdir()
        bench.home.path("proj", "outside.csv").write_text("1\n")
        command = "grep -q 1 ${{inputs.t}}/outside.csv"
        document = reading(table(bench, "file: ../outside.csv"), mode="eval_download", command=command)
        for name in ("one", "two"):
            job = await run(bench, name, document)
            assert origins(bench, job) == {"read": None}
        assert "names ../outside.csv, which is not beside the copy" in (await told(bench, job))["reason"]


async def test_what_a_table_names_changes_while_the_step_runs() -> None:
    """The step that ran serves nobody."""
    async with workbench() as bench:
        outside = bench.home.path("proj", "outside.csv")
        outside.parent.mkdir()
        outside.write_text("1\n")
        document = reading(table(bench, "file: ../outside.csv"), command=f"echo later > {outside}; sleep 0.02")
        await run(bench, "one", document)
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"read": None}
        assert "its input 't' was changed after it had started" in (await told(bench, two))["reason"]
