"""The page of a sweep: parallel coordinates, the importance of its parameters, the best so far, and all trials."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from smalt.cli.jobs.comparison_page import STYLE
from smalt.cli.jobs.sweep_page.axes import build_metric_axis, build_parameter_axes
from smalt.cli.jobs.sweep_page.curve import render_curve
from smalt.cli.jobs.sweep_page.importance import LEAST_TRIALS, Importance, measure_importance
from smalt.cli.jobs.watch import format_duration
from smalt.client.jobs.trials import (
    flatten_point,
    format_metric,
    format_parameter,
    format_point,
    get_number,
    is_terminated,
    list_parameters,
    rank_trials,
)

Json = dict[str, Any]

_SPREAD = frozenset({"random", "grid"})
"""Algorithms that draw without regard to what was found."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render_page(found: Json) -> str:
    """Return the page of a sweep, as the server's route `jobs/NAME/trials` has it."""
    sweep = found["sweep"]
    trials = rank_trials(found["trials"], sweep["goal"])
    title = f"Sweep {sweep['name']}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_read_file('style.css')}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{_render_summary(sweep, trials)}\n"
        f"{_render_coordinates(sweep, trials)}\n"
        f'<div class="pair">\n{_render_importance(sweep, trials)}\n{render_curve(sweep, found["trials"])}</div>\n'
        f"{_render_table(sweep, trials)}\n"
        f"<script>\n{_read_file('script.js')}</script>\n</body>\n</html>\n"
    )


def get_kind(trial: Json) -> str:
    """Return the state of a trial in one of the words that the page has colours for."""
    if is_terminated(trial):
        return "Terminated"
    return str(trial["status"]) if trial["status"] in ("Completed", "Failed", "Canceled") else "Running"


def _render_summary(sweep: Json, trials: Sequence[Json]) -> str:
    counts = ", ".join(f"{number} {kind}" for kind, number in Counter(map(get_kind, trials)).most_common()) or "none"
    facts = {
        "State": sweep["status"],
        "Objective": f"{sweep['goal']} {sweep['primary_metric']}",
        "Sampling": sweep["sampling_algorithm"] or "",
        "Trials": f"{len(trials)} of {sweep['total_trials'] or 'any number'}: {counts}",
    }
    if best := sweep["best"]:
        facts["Best"] = f"{best['name']}: {sweep['primary_metric']} {format_metric(best['value'])}"
        facts["Its parameters"] = format_point(best["parameters"])
    return (
        f"<dl>{''.join(f'<dt>{key}</dt><dd>{escape(str(value))}</dd>' for key, value in facts.items() if value)}</dl>"
    )


def _render_coordinates(sweep: Json, trials: Sequence[Json]) -> str:
    """Return the section that the script draws parallel coordinates in, with their data."""
    values = [get_number(trial["value"]) for trial in trials]
    axes = build_parameter_axes([trial["parameters"] for trial in trials], sweep["search_space"])
    axes.append(build_metric_axis(sweep["primary_metric"], values))
    data = {
        "axes": [{**axis._asdict(), "places": [_round_place(place) for place in axis.places]} for axis in axes],
        "shades": _shade_trials(trials, sweep["goal"]),
        "kinds": [get_kind(trial) for trial in trials],
        "titles": [_describe_trial(sweep, trial) for trial in trials],
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return (
        "<h2>Trials by parameter</h2>\n"
        '<p class="hint">Each line is a trial, coloured from <i class="worst"></i> worst to <i class="best"></i> best;'
        ' <i class="ended"></i> ended early by a policy, <i class="failed"></i> failed. Drag along an axis to choose a'
        " range, on several axes to combine them; click an axis to release it."
        ' <span id="chosen" aria-live="polite"></span>'
        ' <button id="release" type="button" hidden>Release all</button></p>\n'
        '<div class="wide"><svg id="coordinates" role="img" aria-label="Parallel coordinates of the trials">'
        "</svg></div>\n"
        "<noscript><p>The drawing needs JavaScript; everything else on this page does without.</p></noscript>\n"
        f'<script type="application/json" id="data">{text}</script>'
    )


def _shade_trials(trials: Sequence[Json], goal: str) -> list[float | None]:
    """Return how good each trial is, from 0 to 1 by rank; None for those that cannot be the best."""
    values = {
        index: value
        for index, trial in enumerate(trials)
        if trial["status"] == "Completed" and math.isfinite(value := get_number(trial["value"]))
    }
    order = sorted(values, key=lambda index: values[index], reverse=goal == "minimize")
    places = {index: number / max(1, len(order) - 1) for number, index in enumerate(order)}
    return [_round_place(places.get(index)) for index in range(len(trials))]


def _round_place(place: float | None) -> float | None:
    return None if place is None else round(place, 4)


def _describe_trial(sweep: Json, trial: Json) -> str:
    value = "" if trial["value"] is None else f", {sweep['primary_metric']} {format_metric(trial['value'])}"
    return f"{trial['node']}: {get_kind(trial)}{value}\n{format_point(trial['parameters'])}"


def _render_importance(sweep: Json, trials: Sequence[Json]) -> str:
    used = [trial for trial in trials if trial["status"] == "Completed" and math.isfinite(get_number(trial["value"]))]
    found = measure_importance([trial["parameters"] for trial in used], [get_number(one["value"]) for one in used])
    head = '<section class="importance"><h2>Importance of the parameters</h2>\n'
    if not found:
        few = f"{len(used)} completed trials are too few to tell; {LEAST_TRIALS} are the least"
        why = few if len(used) < LEAST_TRIALS else "no parameter has more than one value"
        return f'{head}<p class="hint">{why}.</p></section>'
    rows = "".join(_render_bar(one) for one in found)
    uneven = (
        " The points were not drawn evenly, so the shares describe these trials and not the whole space."
        if sweep["sampling_algorithm"] not in _SPREAD
        else ""
    )
    return (
        f'{head}<div class="bars">{rows}</div>\n'
        f'<p class="hint">The share of the variance of {escape(sweep["primary_metric"])} (of its rank) that each'
        f" parameter explains by itself in the {len(used)} completed trials: ε² of a one-way analysis of variance on"
        " ranks, numeric parameters in groups of equal size. The mark is the share that a parameter without any"
        " influence stays below 19 times of 20; a bar that does not pass it (pale) says nothing. What parameters do"
        f" only together is not counted, and early-terminated trials are left out.{uneven}</p></section>"
    )


def _render_bar(found: Importance) -> str:
    pale = "" if found.share > found.chance else ' class="pale"'
    return (
        f'<span>{escape(found.name)}</span><b{pale}><i style="width: {100 * found.share:.1f}%"></i>'
        f'<u style="left: {100 * found.chance:.1f}%"></u></b><span class="number">{found.share:.2f}</span>'
    )


def _render_table(sweep: Json, trials: Sequence[Json]) -> str:
    names = list_parameters(trial["parameters"] for trial in trials)
    titles = ["Trial", sweep["primary_metric"], "Status", *names, "Duration", "Remark"]
    heads = "".join(f'<th><button type="button">{escape(title)}</button></th>' for title in titles)
    rows = "".join(
        f'<tr data-trial="{index}" class="{_get_class(sweep, trial)}">{"".join(_render_cells(trial, names))}</tr>\n'
        for index, trial in enumerate(trials)
    )
    return (
        "<h2>Trials</h2>\n"
        '<p class="hint">Best first; click a heading to sort by it, and again to reverse.</p>\n'
        f'<div class="wide"><table id="trials"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>'
    )


def _get_class(sweep: Json, trial: Json) -> str:
    is_best = sweep["best"] is not None and trial["name"] == sweep["best"]["name"]
    return f"{get_kind(trial).lower()}{' chosen' if is_best else ''}"


def _render_cells(trial: Json, names: Sequence[str]) -> Iterator[str]:
    value, point = trial["value"], flatten_point(trial["parameters"])
    took = trial["end"] - trial["start"] if trial["start"] is not None and trial["end"] is not None else None
    error, number = trial["error"] or {}, trial["node"].rpartition("_")[2]
    yield _render_cell(trial["node"], int(number) if number.isdigit() else trial["node"])
    yield _render_cell("" if value is None else format_metric(value), value)
    yield _render_cell(get_kind(trial), get_kind(trial))
    for name in names:
        there = point.get(name)
        yield _render_cell("" if there is None else format_parameter(there), there)
    yield _render_cell(format_duration(took), took)
    remark = f"reused {trial['reused']}" if trial.get("reused") else str(error.get("message") or "")
    yield _render_cell(remark, remark)


def _render_cell(text: str, value: Any) -> str:
    """Return a cell with the value that the table is sorted by, if it is not the text."""
    key = "" if value is None or str(value) == text else f' data-value="{escape(str(value))}"'
    return f"<td{key}>{escape(text)}</td>"


def _read_file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
