"""The drawing of a sweep's best value so far, over the trials in the order in which they ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from smalt.cli.jobs.comparison_page import PlotFrame
from smalt.client.jobs.trials import format_metric, get_number, is_terminated

Json = dict[str, Any]


def render_curve(sweep: Json, trials: Sequence[Json]) -> str:
    """Return the section with a dot for each trial that has a value, and the line of the best so far."""
    ended = sorted((trial for trial in trials if trial["end"] is not None), key=lambda trial: trial["end"])
    dots = [
        (number, get_number(trial["value"]), trial)
        for number, trial in enumerate(ended, 1)
        if math.isfinite(get_number(trial["value"])) and trial["status"] in ("Completed", "Canceled")
    ]
    head, metric = "<section><h2>Best so far</h2>\n", escape(sweep["primary_metric"])
    if not any(trial["status"] == "Completed" for _, _, trial in dots):
        return f'{head}<p class="hint">No trial has completed with a value of {metric}.</p></section>'
    steps = _list_steps(dots, sweep["goal"])
    last = (len(ended), steps[-1][1])
    frame = PlotFrame([(number, value) for number, value, _ in dots] + [(1, dots[0][1]), last])
    marks = "".join(
        f'<circle r="2.5" {frame.format_place(number, value)} class="{_get_class(trial)}">'
        f"<title>{escape(trial['node'])}: {format_metric(value)}</title></circle>"
        for number, value, trial in dots
    )
    line = frame.format_points([*steps, last])
    size = f'viewBox="0 0 {frame.width} {frame.height}" width="{frame.width}" height="{frame.height}"'
    return (
        f'{head}<svg {size} role="img" aria-label="Best {metric} so far">\n'
        f"{''.join(frame.render_axes('trials that ended'))}"
        f'{marks}<polyline class="so-far" points="{line}"/></svg>\n'
        f'<p class="hint">{metric}: a dot for each trial; early-terminated ones, which cannot be the best, are hollow.'
        "</p></section>"
    )


def _list_steps(dots: Sequence[tuple[int, float, Json]], goal: str) -> list[tuple[float, float]]:
    """Return the corners of the line of the best completed trial so far."""
    corners: list[tuple[float, float]] = []
    for number, value, trial in dots:
        if trial["status"] != "Completed":
            continue
        if corners and not (value > corners[-1][1] if goal == "maximize" else value < corners[-1][1]):
            continue
        if corners:
            corners.append((number, corners[-1][1]))
        corners.append((number, value))
    return corners


def _get_class(trial: Json) -> str:
    return "terminated" if is_terminated(trial) or trial["status"] != "Completed" else "completed"
