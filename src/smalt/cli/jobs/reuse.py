"""The text of `smalt job explain-reuse`: a step's parts compared with those of the nearest earlier step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from smalt.cli.jobs.watch import format_duration

Json = dict[str, Any]

_LONGEST = 100
_MOST_LINES = 10


def render_explanation(steps: Sequence[Json]) -> str:
    return "\n".join(line for step in steps for line in _render_step(step)) + "\n"


def _render_step(step: Json) -> Iterator[str]:
    name = step["node"] or step["job"]
    how = {"reused": "reused", "ran": "ran"}.get(step["result"], str(step["status"]))
    yield f"{name}: {how}: {step['reason']}"
    if (other := step["compared_to"]) is not None:
        ago = f", {format_duration(time.time() - other['end'])} ago" if other["end"] else ""
        yield f"  compared with {other['job']} (pipeline {other['pipeline']}{ago}):"
    same = [part["part"] for part in step["parts"] if part["same"]]
    if same:
        yield f"  same     {', '.join(same)}"
    if step["compared_to"] is not None:
        for part in step["parts"]:
            if not part["same"]:
                yield from _render_difference(part)


def _render_difference(part: Json) -> Iterator[str]:
    name, before, now = part["part"], part["before"], part["now"]
    if before is None or now is None:
        value = now if before is None else before
        yield f"  {'new' if before is None else 'gone':8} {name}: {_shorten_value(value)}"
    elif not part["changes"]:
        yield f"  differs  {name}: {_shorten_value(now)}, was {_shorten_value(before)}"
    elif [change["where"] for change in part["changes"]] == ["value"]:
        change = part["changes"][0]
        yield f"  differs  {name}: {_shorten_value(change['now'])}, was {_shorten_value(change['before'])}"
    else:
        yield f"  differs  {name}"
        for change in part["changes"]:
            yield from _render_change(change)


def _render_change(change: Json) -> Iterator[str]:
    where, before, now = change["where"], change["before"], change["now"]
    if "\n" in f"{before or ''}{now or ''}" or ":" in where:
        yield f"    {where}"
        for mark, value in (("-", before), ("+", now)):
            lines = value.splitlines() if value is not None else []
            yield from (f"      {mark} {line}" for line in lines[:_MOST_LINES])
            if len(lines) > _MOST_LINES:
                yield f"      {mark} … and {len(lines) - _MOST_LINES} lines more"
    elif before is None:
        yield f"    {where}: new ({now})"
    elif now is None:
        yield f"    {where}: gone (was {before})"
    else:
        yield f"    {where}: {now}, was {before}"


def _shorten_value(value: Any) -> str:
    """Return a value in one line."""
    if isinstance(value, dict):
        if set(value) == {"value"}:
            return _shorten_value(value["value"])
        value = ", ".join(f"{key} {_shorten_value(one)}" for key, one in value.items())
    words = " ".join(str(value).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
