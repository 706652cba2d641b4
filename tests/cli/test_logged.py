from __future__ import annotations

import math
from html.parser import HTMLParser
from typing import Any

import pytest

from smalt.cli.jobs import comparison, comparison_page
from smalt.cli.jobs import metrics as logged
from smalt.cli.output import curves


def metric(name: str, *values: Any, step: bool = True) -> dict[str, Any]:
    points = [[index if step else 0, 1000.0 + index, value] for index, value in enumerate(values)]
    return {"name": name, "value": values[-1], "step": points[-1][0], "time": points[-1][1], "points": points}


def run(label: str, *metrics: dict[str, Any]) -> dict[str, Any]:
    return {"id": label or "job", "job": None, "label": label, "metrics": list(metrics)}


def test_a_curve_falls_from_its_highest_to_its_lowest() -> None:
    """The axes name the ends of both ranges; no line is wider than was asked for."""
    text = curves.draw_curve("loss", [(float(x), 100.0 - x) for x in range(101)], "step", 60)
    title, *rows = text.splitlines()
    assert title == "loss"
    assert rows[0].startswith("100 ┤⠉")
    assert rows[10].startswith("  0 ┤")
    assert rows[10].endswith("⣀")
    assert rows[11].strip() == "└" + "─" * 54
    assert rows[12].split() == ["0", "step", "100"]
    assert max(len(row) for row in rows) <= 60


def test_plain_characters_draw_the_same_curve() -> None:
    """For terminals that have nothing but ASCII."""
    text = curves.draw_curve("loss", [(0.0, 0.0), (10.0, 1.0)], "step", 40, plain=True)
    assert text.isascii()
    rows = text.splitlines()[1:12]
    assert [row.index("*") for row in rows] == sorted((row.index("*") for row in rows), reverse=True)


@pytest.mark.parametrize(
    "values",
    [
        [5.0, 5.0, 5.0],
        [0.0, 0.0],
        [-1.7e308, 1.7e308],
        [1.0, math.nan, 2.0, math.inf, -math.inf],
        [math.nan, math.nan],
        [1e-300, 2e-300],
    ],
)
def test_any_values_can_be_drawn(values: list[float]) -> None:
    """The same value throughout, the largest that there are, and such as are no numbers."""
    text = curves.draw_curve("odd", [(float(x), y) for x, y in enumerate(values)], "step", 50)
    drawn = any("⠀" < letter <= "⣿" for letter in text)
    assert drawn == any(math.isfinite(value) for value in values)


def test_a_gap_is_left_where_a_value_is_no_number() -> None:
    """The curve is not drawn across it."""
    whole = curves.draw_curve("x", [(0.0, 1.0), (50.0, 1.0), (100.0, 1.0)], "step", 50)
    broken = curves.draw_curve("x", [(0.0, 1.0), (50.0, math.nan), (100.0, 1.0)], "step", 50)
    assert sum("⠀" < letter <= "⣿" for letter in broken) == 2 < sum("⠀" < letter <= "⣿" for letter in whole)


def test_what_was_logged_without_steps_goes_over_time() -> None:
    """Steps where there are several; else the seconds since the first value."""
    assert logged.to_xy(metric("loss", 3, "NaN")["points"])[1] == "step"
    points, name = logged.to_xy(metric("loss", 3, 2, 1, step=False)["points"])
    assert (points, name) == ([(0.0, 3.0), (1.0, 2.0), (2.0, 1.0)], "seconds")


def test_the_end_of_a_job_tells_its_last_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the job and of each run below it; not those of the machine and of smalt's programs; many are cut short."""
    runs = [run("", metric("loss", 1, 0.25), metric("system/cpu", 1.5)), run("idle", metric("system/cpu", 1.0))]
    runs += [run("search", metric("smalt.trial", 1))]
    runs += [run(f"fold-{number}", metric("loss", "NaN")) for number in range(12)]
    lines = logged.summarise_metrics("train", runs)
    assert lines[:2] == ["metrics: loss 0.25", "metrics of fold-0: loss NaN"]
    assert lines[-1] == "metrics of 3 more runs: smalt job metrics train"
    assert len(lines) == 11
    many = run("", *(metric(f"m{number}", number) for number in range(10)))
    assert logged.summarise_metrics("train", [many]) == [
        "metrics: m0 0, m1 1, m2 2, m3 3, m4 4, m5 5, m6 6, m7 7 and 2 more"
    ]
    assert logged.summarise_metrics("train", [run("")]) == []
    search = {**run("search", metric("trial", 6)), "job": "flowers-search"}
    assert logged.summarise_metrics("flowers", [search], {"flowers-search"}) == []


JOBS = [
    {
        "name": "a", "type": "command", "status": "Completed", "start": 10.0, "end": 12.5,
        "parameters": {"lr": "0.1", "seed": "7"}, "metrics": {"loss": 0.5}, "tags": {"<team>": "blue & green"},
        "code": {"snapshot": "f" * 64, "files": {"same.py": "1", "train.py": "2"}},
        "environment": {"name": "e:1", "packages": {"numpy": "==1", "pandas": "==2"}},
    },
    {
        "name": "b", "type": "command", "status": "Failed", "start": 10.0, "end": 12.5,
        "parameters": {"lr": "0.2", "seed": "7"},
        "code": {"snapshot": "e" * 64, "files": {"same.py": "1", "train.py": "3"}},
        "environment": {"name": "e:1", "packages": {"numpy": "==1", "pandas": "==3"}},
    },
]  # fmt: skip


def test_jobs_are_compared_row_by_row() -> None:
    """What differs has a mark, also where one job lacks it; of files and packages only what differs is there."""
    found = {(row["what"], row["name"]): (row["differs"], row["a"], row["b"]) for row in comparison.build_rows(JOBS)}
    assert found == {
        ("job", "type"): (False, "command", "command"),
        ("job", "status"): (True, "Completed", "Failed"),
        ("job", "duration"): (False, "2.5 s", "2.5 s"),
        ("parameter", "lr"): (True, "0.1", "0.2"),
        ("parameter", "seed"): (False, "7", "7"),
        ("metric", "loss"): (True, 0.5, None),
        ("tag", "<team>"): (True, "blue & green", None),
        ("code", "snapshot"): (True, "f" * 64, "e" * 64),
        ("file", "train.py"): (True, "2", "3"),
        ("environment", "name"): (False, "e:1", "e:1"),
        ("package", "pandas"): (True, "==2", "==3"),
    }
    lines = comparison.render_text(comparison.build_rows(JOBS)).splitlines()
    assert lines[0].split() == ["a", "b"]
    assert [line.split() for line in lines if " lr " in line or " seed " in line] == [
        ["*", "parameter", "lr", "0.1", "0.2"],
        ["parameter", "seed", "7", "7"],
    ]
    assert max(len(line) for line in lines) < 130


class _Page(HTMLParser):
    """Every tag opened is closed; what the page refers to is noted."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_stands_alone() -> None:
    """It is whole, has no script and loads nothing, is light or dark, and what users wrote stays text."""
    points = metric("loss", 3, 2, "NaN", 1)["points"]
    text = comparison_page.render_page(
        comparison.build_rows(JOBS), ["a", "b"], {"loss<script>": {"a": points, "b": points[:2]}}
    )
    page = _Page(text)
    names = {tag for tag, _ in page.tags}
    assert {"table", "svg", "polyline"} <= names
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not [name for _, attributes in page.tags for name in attributes if name in ("src", "href", "onload")]
    assert "http" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "&lt;team&gt;" in text
    curves_drawn = [str(attributes["points"]).split() for tag, attributes in page.tags if tag == "polyline"]
    assert [len(corners) for corners in curves_drawn] == [3, 2]
    assert sum(attributes.get("class") == "differs" for tag, attributes in page.tags if tag == "tr") == 7
