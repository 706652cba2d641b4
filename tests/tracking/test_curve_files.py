"""Long curves from files: the values of the database, whatever has happened to the files or to the database."""

from __future__ import annotations

import contextlib
import math
import random
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities import PipelineJob
from smalt.service.tracking.curve_cache import LEAST_STORED, CurveCache
from smalt.service.tracking.curve_files import CurveFiles, RunKey
from smalt.service.tracking.curves import Curve
from tests.helpers import WORKSPACE, Server, eventually
from tests.tracking.conftest import M, Tracked
from tests.tracking.test_curves import RUN, Reads, fill_database, rows_of

LONG = LEAST_STORED + 5


def load(path: Path, key: RunKey = RUN, cache: CurveCache | None = None, name: str = "loss") -> Curve:
    """Load a curve as a server does that has none in memory, unless a cache is given."""
    return (cache or CurveCache()).load_curves(path, {key: [name]})[key][name]


def list_files(path: Path) -> list[Path]:
    return sorted(one for one in path.with_name("curves").rglob("*") if one.is_file())


def list_folders(path: Path) -> list[str]:
    return sorted(one.name for one in path.with_name("curves").iterdir())


def run_sql(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
            connection.commit()


def test_a_long_curve_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart only what was logged since is read from the database; NaN, infinities and the order are kept."""
    path, biggest = tmp_path / "mlflow.db", sys.float_info.max
    odd = [(0.0, 1), (biggest, 0), (-biggest, 0)]
    rows = [("run", "loss", value, is_nan, LONG + k, 5) for k, (value, is_nan) in enumerate(odd)] + rows_of(LONG)
    draw = random.Random(7)
    draw.shuffle(rows)
    fill_database(path, [*rows_of(20, "short"), *rows])
    reads = Reads(monkeypatch)
    first = load(path)
    assert reads.counts == [LONG + 3]
    assert list(first.steps) == list(range(LONG + 3))
    assert [str(value) for value in first.values[-3:]] == ["nan", "inf", "-inf"]
    again = load(path)
    assert reads.counts == [LONG + 3]
    assert str(again) == str(first)
    fill_database(path, [("run", "loss", 4.0, 0, LONG + 3, 6)])
    assert load(path).values[-1] == 4.0
    assert reads.counts == [LONG + 3, 1]


def test_a_short_curve_has_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    fill_database(path, rows_of(LEAST_STORED - 1))
    assert len(load(path).values) == LEAST_STORED - 1
    assert list_files(path) == []


def test_a_file_grows_with_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New values are seen at once, and go into the file when they are many."""
    path, cache, reads = tmp_path / "mlflow.db", CurveCache(), Reads(monkeypatch)
    fill_database(path, rows_of(LONG))
    load(path, cache=cache)
    size = list_files(path)[0].stat().st_size
    fill_database(path, rows_of(LONG + 10, start=LONG))
    assert list(load(path, cache=cache).steps) == list(range(LONG + 10))
    assert list_files(path)[0].stat().st_size == size
    fill_database(path, rows_of(3 * LONG, start=LONG + 10))
    assert list(load(path, cache=cache).steps) == list(range(3 * LONG))
    assert list_files(path)[0].stat().st_size > 2 * size
    reads.counts.clear()
    assert list(load(path).steps) == list(range(3 * LONG))
    assert reads.counts == []


@pytest.mark.parametrize("place", [0, 30, 1000, -1000, -1])
def test_a_damaged_file_costs_no_value(tmp_path: Path, place: int) -> None:
    """As a crash of the machine or a bad disk leaves one; blocks before the damage are used, and the file is mended."""
    path = tmp_path / "mlflow.db"
    fill_database(path, rows_of(LONG))
    cache = CurveCache()
    load(path, cache=cache)
    fill_database(path, rows_of(2 * LONG, start=LONG))
    whole = load(path, cache=cache)
    file = list_files(path)[0]
    content = file.read_bytes()
    damaged = bytearray(content)
    damaged[place] ^= 0xFF
    renamed = [content.replace(b'"%b"' % key, b'"other"', 1) for key in (b"begin", b"count", b"checksum", b"newest")]
    for bad in (bytes(damaged), content[:place], b"", *renamed, content + content, b"[1]\n", b'{"count": 1.5}\n'):
        file.write_bytes(bad)
        assert load(path) == whole
    stored = CurveFiles(path).load_curve(RUN, "loss")
    assert stored is not None
    assert len(stored.curve.values) == 2 * LONG


def test_a_file_that_was_removed_under_a_server_is_written_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "mlflow.db", CurveCache()
    fill_database(path, rows_of(LONG))
    load(path, cache=cache)
    shutil.rmtree(path.with_name("curves"))
    fill_database(path, rows_of(2 * LONG, start=LONG))
    assert list(load(path, cache=cache).steps) == list(range(2 * LONG))
    for _ in range(2):
        assert list(load(path).steps) == list(range(2 * LONG))


def test_the_file_of_another_database_is_not_believed(tmp_path: Path) -> None:
    """After VACUUM rows have other numbers, and a backup that was restored has others."""
    path = tmp_path / "mlflow.db"
    fill_database(path, [*(("other", "loss", 0.0, 0, k, k) for k in range(5)), *rows_of(LONG)])
    load(path)
    run_sql(path, "DELETE FROM metrics WHERE run_uuid='other'", "VACUUM")
    fill_database(path, rows_of(LONG + 3, start=LONG))
    for _ in range(2):
        assert list(load(path).steps) == list(range(LONG + 3))
    run_sql(path, "DELETE FROM metrics WHERE step>100")
    fill_database(path, [("run", "loss", 7.0, 0, 101, 0)])
    assert list(load(path).steps) == list(range(102))
    assert list_files(path) == []


def test_the_next_job_of_a_name_has_its_own_file(tmp_path: Path) -> None:
    path, second = tmp_path / "mlflow.db", RunKey("run", 2)
    fill_database(path, rows_of(LONG))
    load(path)
    run_sql(path, "UPDATE metrics SET value=5.0 WHERE step=0")
    assert (load(path).values[0], load(path, second).values[0]) == (1.0, 5.0)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mlflow.db"
    path.with_name("curves").write_text("no folder")
    fill_database(path, rows_of(LONG))
    cache = CurveCache()
    for _ in range(2):
        assert list(load(path, cache=cache).steps) == list(range(LONG))
    assert "the values of 'loss' of run run are not kept in a file" in caplog.text


def test_curves_that_are_written_drive_none_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = tmp_path / "mlflow.db", CurveCache(most=100)
    fill_database(path, [*rows_of(LONG), ("seen", "loss", 1.0, 0, 0, 0)])
    load(path, RunKey("seen", 2), cache)
    assert cache.store_curves(path, RUN, ["loss", "no"]) == {"loss": LONG, "no": 0}
    reads = Reads(monkeypatch)
    load(path, RunKey("seen", 2), cache)
    assert (len(list_files(path)), reads.counts) == (1, [])


def test_only_runs_that_are_gone_lose_their_files(tmp_path: Path) -> None:
    path, odd = tmp_path / "mlflow.db", RunKey("a/b.c %", 3)
    fill_database(path, [*rows_of(LONG), *((odd.id, *row[1:]) for row in rows_of(LONG))])
    run_sql(path, "CREATE TABLE runs (run_uuid VARCHAR(32))", "INSERT INTO runs VALUES ('run'),('a/b.c %')")
    cache, jobs = CurveCache(), {1: "run", 3: odd.id}
    cache.remove_orphans(path, lambda ids: jobs)
    cache.store_curves(path, RUN, ["loss"])
    cache.store_curves(path, odd, ["loss"])
    cache.store_curves(path, RunKey(odd.id, 0), ["loss"])
    path.with_name("curves").joinpath("no run").mkdir()
    cache.remove_orphans(path, lambda ids: {id: jobs[id] for id in ids if id})
    assert list_folders(path) == ["a%2Fb.c%20%25.0", "a%2Fb.c%20%25.3", "run.1"]
    run_sql(path, "DELETE FROM runs WHERE run_uuid='run'")
    cache.remove_orphans(path, lambda ids: jobs)
    assert list_folders(path) == ["a%2Fb.c%20%25.0", "a%2Fb.c%20%25.3"]


def test_runs_with_long_names_have_files(tmp_path: Path) -> None:
    """No name of a file may be so long; those that differ at their ends only have files of their own."""
    path, cache = tmp_path / "mlflow.db", CurveCache()
    jobs = {1: "a" * 254, 123: "a" * 253 + "b"}
    fill_database(path, [(name, *row[1:]) for name in jobs.values() for row in rows_of(LONG)])
    run_sql(path, "CREATE TABLE runs (run_uuid VARCHAR(32))")
    for id, name in jobs.items():
        run_sql(path, f"INSERT INTO runs VALUES ('{name}')")
        for _ in range(2):
            assert len(load(path, RunKey(name, id)).values) == LONG
    folders = list_folders(path)
    assert len(folders) == 2
    cache.remove_orphans(path, lambda ids: jobs)
    assert list_folders(path) == folders
    cache.remove_orphans(path, lambda ids: {123: jobs[123]})
    assert [one.rpartition(".")[2] for one in list_folders(path)] == ["123"]


def test_files_that_another_job_has_now_are_removed(tmp_path: Path) -> None:
    """As those that were made with the id of a job that reuses the outputs of the run's."""
    path, cache = tmp_path / "mlflow.db", CurveCache()
    fill_database(path, rows_of(LONG))
    run_sql(path, "CREATE TABLE runs (run_uuid VARCHAR(32))", "INSERT INTO runs VALUES ('run')")
    for key in (RUN, RunKey("run", 2), RunKey("run", 3)):
        load(path, key)
    cache.remove_orphans(path, lambda ids: {1: "run", 2: "again"})
    assert list_folders(path) == ["run.1"]


def test_reused_steps_are_drawn_from_the_file_of_the_earlier_one(server: Server) -> None:
    """Each look at another of them made another file of the same values."""
    workspace = WORKSPACE.format("reused-curves")
    assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
    step = {"command": "true", "environment": "azureml:host"}
    body = wire.to_rest(PipelineJob.from_dict({"type": "pipeline", "jobs": {"train": step}}))
    for name in ("made", "again", "third"):
        path = f"{workspace}/jobs/{name}"
        assert server.ask("PUT", path, body).status == 201
        eventually(lambda path=path: server.ask("GET", path).body["properties"]["status"] == "Completed", name)
    spaces = server.ask("GET", "/smalt/v1/workspaces").body["value"]
    folder = next(one["folder"] for one in spaces if one["name"] == "reused-curves")
    database = server.home.path("workspaces", folder, "mlflow.db")
    fill_database(database, [("made-train", *row[1:]) for row in rows_of(LONG)], latest=True)
    found = []
    for name in ("made-train", "again", "third", "again-train"):
        answer = server.ask("GET", f"/smalt/v1{workspace}/jobs/{name}/metrics?history=true&points=1000")
        assert answer.body["runs"][-1]["metrics"][0]["total"] == LONG
        found.append(list_folders(database))
    assert [one.rpartition(".")[0] for one in found[0]] == ["made-train"]
    assert found == [found[0]] * 4


def test_a_job_that_logs_much_has_a_file_until_it_is_deleted(tracked: Tracked) -> None:
    """The file is there before anybody looks; what is logged later is seen at once."""
    workspace, server = WORKSPACE.format("long-curves"), tracked.server
    assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
    job = tracked.job(workspace, "long")
    for first in range(0, LONG, 1000):
        log_values(tracked, job, range(first, min(first + 1000, LONG)))
    spaces = server.ask("GET", "/smalt/v1/workspaces").body["value"]
    folder = next(one["folder"] for one in spaces if one["name"] == "long-curves")
    curves = server.home.path("workspaces", folder, "curves")
    eventually(lambda: len(list(curves.glob("long.*/*"))) == 1, "a file")
    log_values(tracked, job, range(LONG, LONG + 3))
    answer = server.ask("GET", f"/smalt/v1{workspace}/jobs/long/metrics?history=true&points=1000&metric=loss")
    (metric,) = answer.body["runs"][0]["metrics"]
    assert metric["total"] == LONG + 3
    assert [metric["points"][k][::2] for k in (0, -1)] == [[0, 1.0], [LONG + 2, math.sqrt(LONG + 3)]]
    assert server.ask("DELETE", f"{workspace}/jobs/long").status in (200, 202, 204)
    eventually(lambda: not list(curves.iterdir()), "no file")


def log_values(tracked: Tracked, job: Any, steps: range) -> None:
    metrics = [{"key": "loss", "value": math.sqrt(k + 1), "step": k, "timestamp": k} for k in steps]
    answer = tracked.as_job(job, "POST", f"{M}/runs/log-batch", {"run_id": job.name, "metrics": metrics})
    assert answer.status == 200, answer.body
