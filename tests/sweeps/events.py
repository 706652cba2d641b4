"""The events of a followed sweep, as the server sends them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from tests.sweeps.recorded import RecordedTrial

Event = dict[str, Any]


def play(trials: Sequence[RecordedTrial], pipeline: str = "", at_once: int = 4) -> Iterator[Event]:
    """Yield a sweep `s` of these trials, in the order in which they end; as a step of a pipeline if one is named."""
    name = f"{pipeline}-s" if pipeline else "s"
    goal = {"primary_metric": "accuracy", "goal": "maximize", "total_trials": len(trials)}
    sweep = {"t": "job", "name": name, "type": "sweep", "start": 100.0, "sweep": goal}
    if pipeline:
        sweep |= {"node": "s", "parent": pipeline}
        yield {"t": "job", "name": pipeline, "type": "pipeline", "status": "Running", "start": 100.0}
    yield {**sweep, "status": "Running"}
    begun = 0
    for number, trial in enumerate(trials):
        while begun < min(len(trials), number + at_once):
            yield from _begin(name, begun, trials[begun])
            begun += 1
        yield from _end(name, number, trial)
    yield {**sweep, "status": "Completed", "end": 109.0}
    if pipeline:
        yield {"t": "job", "name": pipeline, "type": "pipeline", "status": "Completed", "start": 100.0, "end": 110.0}
    yield {"t": "end", "status": "Completed"}


def _begin(sweep: str, number: int, trial: RecordedTrial) -> Iterator[Event]:
    job = _job(sweep, number)
    yield {**job, "status": "NotStarted", "trial": {"parameters": trial.point, "value": None}}
    yield {**job, "status": "Running", "start": 101.0}


def _end(sweep: str, number: int, trial: RecordedTrial) -> Iterator[Event]:
    job = _job(sweep, number)
    if trial.status == "Failed":
        text = f"first {number}\nthe last words {number}\n"
        yield {"t": "log", "name": job["name"], "file": "user_logs/std_log.txt", "text": text}
    value = "NaN" if trial.value is not None and math.isnan(trial.value) else trial.value
    known = {"parameters": trial.point, "value": value}
    yield {**job, "status": trial.status, "start": 101.0, "end": 103.0, "error": trial.error, "trial": known}


def _job(sweep: str, number: int) -> Event:
    return {"t": "job", "name": f"{sweep}_{number}", "node": f"trial_{number}", "parent": sweep, "type": "command"}
