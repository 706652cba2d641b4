"""HTML views of jobs for notebooks: a small table, and the graph of a pipeline."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from html import escape
from typing import Any

from smalt.entities.schema.entity import Entity

_NAMED = re.compile(r"\$\{\{\s*parent\.jobs\.([A-Za-z0-9_-]+)")
_WORKSPACE = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/.*/workspaces/([^/]+)/", re.IGNORECASE)
_WITHIN = ("component", "trial", "jobs")
"""Keys of a step with steps of their own, whose names may be the same."""
_MOST = 300
_WIDTH, _HEIGHT, _GAP, _STEP = 168, 40, 24, 84
_LONGEST = 20


def render_table(job: Any) -> str:
    """Return a table with experiment, name, type and status, and a link or command for details."""
    cells = {
        "Experiment": job.experiment_name,
        "Name": job.name,
        "Type": getattr(job, "type", None),
        "Status": job.status,
    }
    shown = {key: escape(str(value)) if value is not None else "" for key, value in cells.items()}
    url = job.studio_url
    if url:
        link = f'<a href="{escape(url)}" target="_blank" rel="noopener">Link to the studio</a>'
        shown["Details Page"] = link
    elif job.id:
        shown["Details"] = f"<code>{escape(_make_show_command(str(job.id), str(job.name)))}</code>"
    head = "".join(f"<th>{key}</th>" for key in shown)
    row = "".join(f"<td>{value}</td>" for value in shown.values())
    return f'<table style="width:100%"><tr>{head}</tr><tr>{row}</tr></table>'


def _make_show_command(id: str, name: str) -> str:
    """Return the command that shows a job from any folder: it names the workspace in the job's id."""
    words, found = ["smalt job show -n", shlex.quote(name)], _WORKSPACE.match(id)
    if found is not None:
        subscription, group, workspace = map(shlex.quote, found.groups())
        words += ["-g", group, "-w", workspace]
        words += [] if set(subscription) <= set("0-") else ["--subscription", subscription]  # smalt's own is of zeros
    return " ".join(words)


def render_graph(steps: Mapping[str, Any]) -> str:
    """Return the steps and their dependencies, from top to bottom, as SVG."""
    if not steps:
        return ""
    if len(steps) > _MOST:
        return f"<p>{len(steps)} steps</p>"
    waits = {name: _find_dependencies(name, step, steps) for name, step in steps.items()}
    rows = _split_into_rows(waits)
    widest = max(map(len, rows))
    width = widest * (_WIDTH + _GAP) + _GAP
    places: dict[str, tuple[float, float]] = {}
    for depth, row in enumerate(rows):
        left = (width - len(row) * (_WIDTH + _GAP) + _GAP) / 2
        for index, name in enumerate(row):
            places[name] = left + index * (_WIDTH + _GAP), _GAP + depth * _STEP
    height = len(rows) * _STEP - (_STEP - _HEIGHT) + 2 * _GAP
    edges = [_render_edge(places[other], places[name]) for name, others in waits.items() for other in others]
    boxes = [_render_box(name, steps[name], *places[name]) for name in steps]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'style="max-width:{width:g}px;width:100%;font:12px sans-serif">{"".join((*edges, *boxes))}</svg>'
    )


def _find_dependencies(name: str, step: Any, steps: Mapping[str, Any]) -> list[str]:
    """Return the steps that a step refers to, each once."""
    document = step.to_dict() if isinstance(step, Entity) else step
    own = {key: value for key, value in document.items() if key not in _WITHIN} if isinstance(document, dict) else {}
    found = dict.fromkeys(_NAMED.findall(json.dumps(own, default=str)))
    return [other for other in found if other in steps and other != name]


def _split_into_rows(waits: Mapping[str, list[str]]) -> list[list[str]]:
    """Return the rows of the graph, each step below its dependencies and near them.

    A cycle, which no valid pipeline has, is cut.
    """
    depth: dict[str, int] = {}
    left = dict(waits)
    while left:
        ready = [name for name, others in left.items() if all(other in depth for other in others)] or [next(iter(left))]
        for name in ready:
            known = [depth[other] for other in waits[name] if other in depth]
            depth[name] = max(known) + 1 if known else 0
            del left[name]
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in waits:
        rows[depth[name]].append(name)
    middle: dict[str, float] = {}
    for row in rows:
        near = {name: [middle[other] for other in waits[name] if other in middle] for name in row}
        row.sort(key=lambda name: sum(near[name]) / len(near[name]) if near[name] else 0.5)
        middle.update({name: (index + 0.5) / len(row) for index, name in enumerate(row)})
    return rows


def _render_edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH / 2, start[1] + _HEIGHT, end[0] + _WIDTH / 2, end[1]
    bend = (y1 + y2) / 2
    passes = end[1] - start[1] > 1.5 * _STEP and abs(x1 - x2) < _WIDTH / 2
    aside, high, low = (0.74 * _WIDTH, y1 + _GAP, y2 - _GAP) if passes else (0, bend, bend)
    path = f"M{x1:g},{y1:g} C{x1 - aside:g},{high:g} {x2 - aside:g},{low:g} {x2:g},{y2:g}"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>'


def _render_box(name: str, step: Any, x: float, y: float) -> str:
    type = escape(str(getattr(step, "type", None) or "command"))
    label = escape(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
    middle = x + _WIDTH / 2
    return (
        f"<g><title>{escape(name)} ({type})</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
        'fill="currentColor" fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.6"/>'
        f'<text x="{middle:g}" y="{y + 17:g}" text-anchor="middle" fill="currentColor">{label}</text>'
        f'<text x="{middle:g}" y="{y + 32:g}" text-anchor="middle" fill="currentColor" fill-opacity="0.6" '
        f'font-size="10">{type}</text></g>'
    )
