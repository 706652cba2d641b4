"""A comparison of jobs as one HTML file, which loads nothing and runs no script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.jobs.comparison import format_cell
from smalt.cli.jobs.metrics import to_xy
from smalt.cli.output.curves import format_number

if TYPE_CHECKING:
    from smalt.client.jobs.metrics import MetricsReader

Json = dict[str, Any]
Curves = dict[str, dict[str, Sequence[Sequence[Any]]]]
"""metric → job → [[step, time, value], …]"""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _AROUND = 460, 240, 62, 34, 12
_COLOURS = 8
_POINTS = 500
STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --faint: #6b7280; --line: #d8dce2; --mark: #fff3c4; --page: #fff;
  --c0: #1f6feb; --c1: #d1242f; --c2: #1a7f37; --c3: #9a6700; --c4: #8250df; --c5: #bf3989; --c6: #0e7c86;
  --c7: #57606a }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --faint: #9aa4b2; --line: #3a424d; --mark: #4a3d10;
  --page: #14181d; --c0: #6cb1ff; --c1: #ff8182; --c2: #57d364; --c3: #e3b341; --c4: #bc8cff; --c5: #ff80c8;
  --c6: #4fd1d9; --c7: #a9b3bf } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin-top: 2rem }
.wide { overflow-x: auto } table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem; border-bottom: 1px solid var(--line) }
td { font-family: ui-monospace, monospace; font-size: 12.5px; max-width: 32rem; overflow-wrap: anywhere }
th { font-weight: 600 } tr.differs { background: var(--mark) } tr.differs th::after { content: " ≠" }
tr.what th { color: var(--faint); padding-top: 1rem; text-transform: capitalize }
.curves { display: flex; flex-wrap: wrap; gap: 1.2rem } figure { margin: 0 } figcaption { font-weight: 600 }
svg text { fill: var(--faint); font-size: 11px } svg .axis { stroke: var(--line) }
svg polyline { fill: none; stroke-width: 1.6 } .key span { margin-right: 1.2rem; white-space: nowrap }
.key i { display: inline-block; width: 1.4em; height: 3px; vertical-align: middle; margin-right: .4em }
"""


def write_page(path: str, rows: Sequence[Json], jobs: Sequence[str], reader: MetricsReader) -> None:
    """Write the page, with the curves of the jobs' own metrics and of runs below them with the same label."""
    curves: Curves = {}
    for job in jobs:
        for run in reader.get_runs(job, history=True, points=_POINTS, trials=False):
            for metric in run["metrics"]:
                name = f"{run['label']}: {metric['name']}" if run["label"] else metric["name"]
                curves.setdefault(name, {})[job] = metric["points"]
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(render_page(rows, jobs, curves))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


def render_page(rows: Sequence[Json], jobs: Sequence[str], curves: Curves) -> str:
    """Return the page with the rows of `comparison.build_rows` as a table, and a drawing for each metric."""
    title = f"{len(jobs)} jobs: {', '.join(jobs)}"
    drawings = "".join(_render_figure(metric, of, jobs) for metric, of in curves.items())
    drawn = f'<h2>Curves</h2>\n{_render_key(jobs)}\n<div class="curves">\n{drawings}</div>\n' if drawings else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<div class="wide">\n<table>\n{_render_table(rows, jobs)}</table>\n</div>\n{drawn}</body>\n</html>\n'
    )


def _render_table(rows: Sequence[Json], jobs: Sequence[str]) -> str:
    lines = [f"<tr><th></th>{''.join(f'<th>{escape(job)}</th>' for job in jobs)}</tr>\n"]
    for what, some in groupby(rows, key=lambda row: row["what"]):
        lines.append(f'<tr class="what"><th colspan="{len(jobs) + 1}">{escape(what)}</th></tr>\n')
        for row in some:
            cells = "".join(f"<td>{escape(format_cell(row[job], what))}</td>" for job in jobs)
            mark = ' class="differs"' if row["differs"] else ""
            lines.append(f"<tr{mark}><th>{escape(row['name'])}</th>{cells}</tr>\n")
    return "".join(lines)


def _render_key(jobs: Sequence[str]) -> str:
    """Return the legend: the colour of each job."""
    entries = (
        f'<span><i style="background: {_get_colour(index)}"></i>{escape(job)}</span>' for index, job in enumerate(jobs)
    )
    return f'<p class="key">{"".join(entries)}</p>'


def _render_figure(metric: str, of: dict[str, Sequence[Sequence[Any]]], jobs: Sequence[str]) -> str:
    """Return the drawing of one metric of all jobs; "" if no job has two finite values."""
    series = {job: to_xy(points) for job, points in of.items()}
    x_name = "step" if any(name == "step" for _, name in series.values()) else "seconds"
    drawn = {
        job: [(x, y) for x, y in points if math.isfinite(y)] for job, (points, name) in series.items() if name == x_name
    }
    every = [point for points in drawn.values() for point in points]
    if not any(len(points) > 1 for points in drawn.values()):
        return ""
    frame = PlotFrame(every)
    lines = "".join(
        f'<polyline stroke="{_get_colour(index)}" points="{frame.format_points(drawn[job])}">'
        f"<title>{escape(job)}</title></polyline>\n"
        for index, job in enumerate(jobs)
        if len(drawn.get(job, ())) > 1
    )
    return (
        f"<figure><figcaption>{escape(metric)}</figcaption>\n"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(metric)}">\n{"".join(frame.render_axes(x_name))}{lines}</svg>\n</figure>\n'
    )


class PlotFrame:
    """The scale of a drawing, which maps values to coordinates."""

    width, height = _WIDTH, _HEIGHT

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self._left, self._right = min(xs), max(xs)
        self._low, self._high = min(ys), max(ys)

    def format_points(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self._scale_x(x):.1f},{self._scale_y(y):.1f}" for x, y in points)

    def format_place(self, x: float, y: float) -> str:
        """Return the place of a dot."""
        return f'cx="{self._scale_x(x):.1f}" cy="{self._scale_y(y):.1f}"'

    def render_axes(self, x_name: str) -> Iterator[str]:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _AROUND
        for y in sorted({self._low, self._low / 2 + self._high / 2, self._high}):
            place = f"{self._scale_y(y):.1f}"
            yield f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{place}" y2="{place}"/>'
            anchor = 'text-anchor="end" dominant-baseline="middle"'
            yield f'<text x="{_LEFT - 6}" y="{place}" {anchor}>{format_number(y)}</text>'
        yield f'<text x="{_LEFT}" y="{bottom + 16}">{format_number(self._left)}</text>'
        yield f'<text x="{right}" y="{bottom + 16}" text-anchor="end">{format_number(self._right)}</text>'
        yield f'<text x="{(_LEFT + right) / 2}" y="{bottom + 30}" text-anchor="middle">{x_name}</text>\n'

    def _scale_x(self, value: float) -> float:
        return _LEFT + _get_fraction(value, self._left, self._right) * (_WIDTH - _AROUND - _LEFT)

    def _scale_y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - _get_fraction(value, self._low, self._high) * (_HEIGHT - _BOTTOM - _AROUND)


def _get_fraction(value: float, low: float, high: float) -> float:
    return 0.5 if low == high else (value / 2 - low / 2) / (high / 2 - low / 2)


def _get_colour(index: int) -> str:
    return f"var(--c{index % _COLOURS})"
