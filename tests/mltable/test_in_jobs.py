"""Jobs read tables: `import mltable` finds smalt's own, in every mode of an input, with what a table names by URI."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.bench import Workbench, workbench

pytest.importorskip("polars", reason="jobs read MLTables with polars")
pytest.importorskip("pandas", reason="jobs read MLTables with pandas")

_READ = """
import sys, mltable
for table in sys.argv[1:]:
    print(len(mltable.load(table).to_pandas_dataframe()), end=" ")
"""
_TABLE = "paths:\n  - {}\ntransformations:\n  - read_delimited\n"


def _run(folder: Path, inputs: dict[str, Any], prepare: Callable[[Workbench], object] | None = None) -> tuple[str, str]:
    """A job that reads its inputs as tables: its state, and its log or why it failed."""
    script = folder / "read.py"
    script.write_text(_READ)
    arguments = " ".join(f"${{{{inputs.{name}}}}}" for name in inputs)
    document = {"command": f"python {script} {arguments}", "environment": "azureml:host", "inputs": inputs}

    async def run() -> tuple[str, str]:
        async with workbench() as bench:
            bench.settings.update({"host-python": sys.executable})
            if prepare:
                prepare(bench)
            job = await bench.over(bench.submit("reads", document))
            return job.status, bench.log(job) if job.status == "Completed" else str(job.error)

    return asyncio.run(run())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "a.csv").write_text("a,b\n1,x\n2,y\n")
    (folder / "MLTable").write_text(_TABLE.format("file: ./a.csv"))
    return folder


def test_a_table_is_read_in_every_mode(tmp_path: Path, table: Path) -> None:
    """A script loads what its input names, whichever mode the input has."""
    modes = ("direct", "eval_mount", "eval_download", "ro_mount", "download")
    inputs = {mode: {"type": "mltable", "path": str(table), "mode": mode} for mode in modes}
    assert _run(tmp_path, inputs) == ("Completed", "2 2 2 2 2 ")


def test_what_a_table_names_by_uri_is_there(tmp_path: Path, table: Path) -> None:
    """Paths of datastores in an MLTable are found before the job starts."""
    (table / "MLTable").write_text(_TABLE.format("pattern: azureml://datastores/workspaceblobstore/paths/raw/*.csv"))

    def prepare(bench: Workbench) -> None:
        for name in ("one.csv", "two.csv"):
            path = bench.store("raw", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a,b\n1,x\n2,y\n")

    inputs = {"t": {"type": "mltable", "path": str(table)}}
    assert _run(tmp_path, inputs, prepare) == ("Completed", "4 ")


def test_a_table_with_a_mistake_fails_the_job_before_it_runs(tmp_path: Path, table: Path) -> None:
    """The job says where in the MLTable the mistake is, and its command does not run."""
    (table / "MLTable").write_text("paths:\n  - fil: ./a.csv\n")
    status, error = _run(tmp_path, {"t": {"type": "mltable", "path": str(table)}})
    assert status == "Failed"
    assert f"{table}/MLTable:2:5: a path has no 'fil'" in error


def test_data_that_a_table_names_and_that_is_missing_fails_the_job(tmp_path: Path, table: Path) -> None:
    """A path of a datastore where nothing is, is told by its URI."""
    (table / "MLTable").write_text(_TABLE.format("file: azureml://datastores/workspaceblobstore/paths/none.csv"))
    status, error = _run(tmp_path, {"t": {"type": "mltable", "path": str(table)}})
    assert status == "Failed"
    assert "azureml://datastores/workspaceblobstore/paths/none.csv" in error
