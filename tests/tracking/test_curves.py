"""Curves as drawings get them: few points without a lost peak, from a database that is read on and not again."""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from smalt.service.tracking.curve_cache import CurveCache
from smalt.service.tracking.curve_files import RunKey
from smalt.service.tracking.curves import Curve, Drawing, build_curve, cut_curve, smooth_curve, sort_curve, thin_curve
from smalt.service.tracking.run_database import Point
from tests.helpers import Server, eventually, host_job

RUN = RunKey("run", 1)
COUNT = 100_000


def build(values: Iterable[float]) -> Curve:
    return build_curve(Point(value, step, 1000 + step * 10) for step, value in enumerate(values))


def fill_database(path: Path, rows: Iterable[tuple[str, str, float, int, int, int]], latest: bool = False) -> None:
    """Write rows of run, key, value, is_nan, step and timestamp as MLflow lays them out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT"
            " NULL, run_uuid VARCHAR(32) NOT NULL, step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL,"
            " PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan))"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS index_metrics_run_uuid ON metrics (run_uuid)")
        connection.executemany(
            "INSERT INTO metrics (run_uuid, key, value, is_nan, step, timestamp) VALUES (?,?,?,?,?,?)", rows
        )
        if latest:
            connection.execute(
                "CREATE TABLE latest_metrics AS SELECT run_uuid, key, value, is_nan, max(step) AS step, timestamp"
                " FROM metrics GROUP BY run_uuid, key"
            )
        connection.commit()


def test_no_peak_is_lost_by_thinning() -> None:
    """The first, the last, the highest and the lowest are among the points, which keep their order."""
    draw = random.Random(7)
    values = [draw.gauss(0, 1) for _ in range(COUNT)]
    values[31_337], values[77_777] = 1000.0, -1000.0
    thinned = thin_curve(build(values), 2000)
    assert len(thinned.values) <= 2000
    assert (thinned.steps[0], thinned.steps[-1]) == (0, COUNT - 1)
    assert {31_337, 77_777} <= set(thinned.steps)
    assert list(thinned.steps) == sorted(set(thinned.steps))
    assert all(values[int(step)] == value for step, value in zip(thinned.steps, thinned.values, strict=True))
    for first in range(0, COUNT, 1000):  # of whatever stretch, the drawing has its extremes but at its edges
        inner = values[first + 200 : first + 800]
        drawn = [
            value for step, value in zip(thinned.steps, thinned.values, strict=True) if first <= step < first + 1000
        ]
        assert min(drawn) <= min(inner)
        assert max(drawn) >= max(inner)


@pytest.mark.parametrize("most", [4, 5, 10, 1999])
def test_what_is_no_number_survives(most: int) -> None:
    """NaN and both infinities are drawn points, and hide no finite peak beside them."""
    values = [float(k % 100) for k in range(COUNT)]
    values[50_000], values[50_001], values[50_002], values[50_003] = math.nan, math.inf, -math.inf, 5000.0
    thinned = thin_curve(build(values), most)
    there = dict(zip(thinned.steps, thinned.values, strict=True))
    assert math.isnan(there[50_000])
    assert (there[50_001], there[50_002], there[50_003]) == (math.inf, -math.inf, 5000.0)
    assert len(there) <= max(most, 7)


def test_a_short_curve_stays_whole() -> None:
    curve = build([3.0, math.nan, 1.0, 2.0])
    assert thin_curve(curve, 4) is curve


def test_points_are_in_the_order_of_steps_then_times() -> None:
    curve = sort_curve(build_curve([Point(1.0, 2, 5), Point(2.0, 0, 9), Point(3.0, 2, 4), Point(4.0, 1, 1)]))
    assert curve.list_points() == [Point(2.0, 0, 9), Point(4.0, 1, 1), Point(3.0, 2, 4), Point(1.0, 2, 5)]


def test_a_stretch_by_steps_or_by_times() -> None:
    """Both ends belong to it, and times need not rise with the steps."""
    curve = build_curve(Point(float(step), step, 1000 - step) for step in range(100))
    assert list(cut_curve(curve, "step", 10, 12).values) == [10.0, 11.0, 12.0]
    assert list(cut_curve(curve, "time", 980, 982).values) == [18.0, 19.0, 20.0]


def test_smoothing_is_of_all_values_before_they_are_thinned() -> None:
    values = [1.0, 3.0, math.nan, 5.0]
    assert str(list(smooth_curve(build(values), 0.5).values)) == "[1.0, 2.0, nan, 3.5]"
    curve = build([float(k % 2) for k in range(COUNT)])
    drawn, total = Drawing(100, smoothing=0.99).pick_points(curve)
    assert total == COUNT
    assert all(0.4 < value < 0.6 for value, step in zip(drawn.values, drawn.steps, strict=True) if step > 1000)


def rows_of(count: int, key: str = "loss", start: int = 0) -> list[tuple[str, str, float, int, int, int]]:
    return [("run", key, 1 / (k + 1), 0, k, 1000 + k) for k in range(start, count)]


class Reads:
    """Counts the rows that a cache reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from smalt.service.tracking import curve_cache

        self.counts: list[int] = []
        read = curve_cache._read_rows

        def count(*given: Any) -> Any:
            found = read(*given)
            self.counts.append(sum(len(rows) // 3 for rows in found.values()))
            return found

        monkeypatch.setattr(curve_cache, "_read_rows", count)


def test_a_curve_is_read_on_and_not_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was logged since is added, of the metrics that are asked for; NaN and infinities as MLflow writes them."""
    path, cache, reads = tmp_path / "mlflow.db", CurveCache(), Reads(monkeypatch)
    fill_database(path, [("other", "loss", 9.0, 0, 0, 0), *rows_of(10), ("run", "auc", 0.5, 0, 0, 0)])
    assert len(cache.load_curves(path, {RUN: ["loss"]})[RUN]["loss"].values) == 10
    both = cache.load_curves(path, {RUN: ["loss", "auc"]})[RUN]
    assert (len(both["loss"].values), list(both["auc"].values)) == (10, [0.5])
    biggest = sys.float_info.max
    fill_database(
        path,
        [
            ("run", "loss", 0.0, 1, 10, 2000),
            ("run", "loss", biggest, 0, 11, 2001),
            ("run", "loss", -biggest, 0, 12, 2002),
        ],
    )
    both = cache.load_curves(path, {RUN: ["loss", "auc"]})[RUN]
    assert str(list(both["loss"].values)[9:]) == "[0.1, nan, inf, -inf]"
    assert reads.counts == [10, 1, 3]
    assert cache.load_curves(path, {RUN: ["loss", "auc"]})[RUN] == both
    assert reads.counts == [10, 1, 3]


def test_rows_that_were_numbered_anew_are_read_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "mlflow.db", CurveCache()
    fill_database(path, [*(("other", "loss", 0.0, 0, k, k) for k in range(5)), *rows_of(3)])
    cache.load_curves(path, {RUN: ["loss"]})
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM metrics WHERE run_uuid='other'")
        connection.commit()
        connection.execute("VACUUM")
    fill_database(path, rows_of(4, start=3))
    assert list(cache.load_curves(path, {RUN: ["loss"]})[RUN]["loss"].steps) == [0, 1, 2, 3]


def test_the_next_job_of_a_name_has_its_own_curve(tmp_path: Path) -> None:
    """Its rows may have the numbers and the end of the deleted one's."""
    path, cache = tmp_path / "mlflow.db", CurveCache()
    fill_database(path, [("run", "loss", 1.0, 0, 0, 0), ("run", "loss", 2.0, 0, 1, 1)])
    cache.load_curves(path, {RUN: ["loss"]})
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM metrics")
        connection.commit()
    fill_database(path, [("run", "loss", 5.0, 0, 0, 0), ("run", "loss", 2.0, 0, 1, 1)])
    again = RunKey("run", 2)
    assert list(cache.load_curves(path, {again: ["loss"]})[again]["loss"].values) == [5.0, 2.0]


def test_only_so_many_values_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that was asked for last stays, others go; one that is too large is not kept, and drives none out."""
    path, cache, reads = tmp_path / "mlflow.db", CurveCache(most=130), Reads(monkeypatch)
    fill_database(path, [(run, "loss", 1.0, 0, k, k) for run in "abcd" for k in range(90 if run == "c" else 10)])
    for run in "abcabbdba":
        cache.load_curves(path, {RunKey(run, 1): ["loss"]})
    assert reads.counts == [10, 10, 90, 10, 10]


def test_runs_without_values_are_counted(tmp_path: Path) -> None:
    """Each takes memory, too."""
    path, cache = tmp_path / "mlflow.db", CurveCache(most=500)
    fill_database(path, rows_of(1))
    for number in range(100):
        cache.load_curves(path, {RunKey(f"empty{number}", 1): ["loss"]})
    assert 0 < len(cache._runs) <= 20


def test_several_threads_read_one_curve(tmp_path: Path) -> None:
    path, cache = tmp_path / "mlflow.db", CurveCache()
    fill_database(path, rows_of(1000))
    counts: list[int] = []

    def load() -> None:
        for _ in range(20):
            counts.append(len(cache.load_curves(path, {RUN: ["loss"]})[RUN]["loss"].values))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        fill_database(path, rows_of(1001 + number, start=1000 + number))
    for thread in threads:
        thread.join()
    assert set(counts) <= set(range(1000, 1021))
    assert len(counts) == 80
    assert list(cache.load_curves(path, {RUN: ["loss"]})[RUN]["loss"].steps) == list(range(1020))


@pytest.fixture(scope="module")
def curve(server: Server) -> str:
    """The route of the metrics of a job that logged 100,000 values of one, of which one is far above the others."""
    from tests.helpers import WORKSPACE

    workspace = WORKSPACE.format("curves")
    assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
    assert server.ask("PUT", f"{workspace}/jobs/long", host_job("true")).status == 201
    eventually(lambda: server.ask("GET", f"{workspace}/jobs/long").body["properties"]["status"] == "Completed", "end")
    spaces = server.ask("GET", "/smalt/v1/workspaces").body["value"]
    folder = next(one["folder"] for one in spaces if one["name"] == "curves")
    rows = [
        ("long", "loss", 50.0 if k == 12_345 else math.sin(k / 1000), int(k == 500), k, 1000 * k) for k in range(COUNT)
    ]
    fill_database(server.home.path("workspaces", folder, "mlflow.db"), rows, latest=True)
    return f"/smalt/v1{workspace}/jobs/long/metrics"


def ask(server: Server, path: str) -> dict[str, Any]:
    answer = server.ask("GET", path)
    assert answer.status == 200, answer.body
    return next(one for one in answer.body["runs"][0]["metrics"] if one["name"] == "loss")


def test_the_route_is_complete_unless_points_are_given(server: Server, curve: str) -> None:
    whole = ask(server, f"{curve}?history=true")
    assert (len(whole["points"]), "total" in whole) == (COUNT, False)
    assert [whole["points"][k] for k in (0, 500, 12_345)] == [[0, 0, 0], [500, 500, "NaN"], [12_345, 12_345, 50.0]]
    thinned = ask(server, f"{curve}?history=true&points=1000&extremes=true")
    assert (len(thinned["points"]) <= 1000, thinned["total"]) == (True, COUNT)
    assert all(point in whole["points"] for point in thinned["points"][:20])
    assert {(500, "NaN"), (12_345, 50.0)} <= {(step, value) for step, _, value in thinned["points"]}
    with_extremes = ask(server, f"{curve}?extremes=true")
    assert [thinned[key] for key in ("min", "max", "count")] == [with_extremes[key] for key in ("min", "max", "count")]
    assert with_extremes["count"] == COUNT - 1


def test_a_stretch_is_asked_for_by_steps_or_times(server: Server, curve: str) -> None:
    part = ask(server, f"{curve}?history=true&points=1000&from=12000&to=12499.5")
    assert ([step for step, _, _ in part["points"]], part["total"]) == (list(range(12_000, 12_500)), 500)
    part = ask(server, f"{curve}?history=true&points=1000&over=time&from=99998&metric=loss")
    assert [step for step, _, _ in part["points"]] == [99_998, 99_999]
    smoothed = ask(server, f"{curve}?history=true&points=1000&smoothing=0.9&from=12345&to=12346")
    assert smoothed["points"][0][2] == pytest.approx(5 - 0.2, abs=0.1)  # a tenth of the peak beside the sine's nine


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("points=10&over=place", "'over' must be 'step' or 'time', not 'place'"),
        ("points=10&smoothing=1", "'smoothing' must be at least 0 and below 1, not 1.0"),
        ("points=10&from=nan", "'from' must be a number, not 'nan'"),
        ("points=some", "'points' must be a whole number, not 'some'"),
        ("to=5", "'to' is for curves that are drawn; give 'points' as well"),
    ],
)
def test_a_mistake_in_the_query_is_said(server: Server, curve: str, query: str, sentence: str) -> None:
    refused = server.ask("GET", f"{curve}?history=true&{query}")
    assert (refused.status, refused.body["error"]["message"]) == (400, sentence)
