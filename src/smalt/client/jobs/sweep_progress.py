"""The sweeps of a followed job and their trials, counted from the events of its stream."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from smalt.client.jobs.trials import (
    describe_progress,
    format_metric,
    format_point,
    get_number,
    is_terminated,
    is_trial,
)

Json = dict[str, Any]

_OVER = frozenset({"Completed", "Failed", "Canceled"})
_REPEATED = re.compile(r"trial_\d+(: | completed: | is (Failed|Canceled)$)")
_MOST_NOTES = 3
_UNKNOWN_TOTAL = 50
"""The number of trials that is assumed where only time limits them."""


class SweepTracker:
    """The sweeps of a followed job."""

    def __init__(self) -> None:
        self.sweeps: dict[str, SweepProgress] = {}
        self._above: dict[str, str] = {}
        """Trial, or job below one → the outermost sweep above it."""

    def add_event(self, event: Json) -> None:
        """Note the objective of a sweep, or the state of a trial; parents come first."""
        name, parent = str(event["name"]), str(event.get("parent") or "")
        if goal := event.get("sweep"):
            self.sweeps.setdefault(name, SweepProgress(goal)).set_goal(goal)
        is_child = parent in self.sweeps and is_trial(event)
        if is_child:
            self.sweeps[parent].add_event(event)
        above = self._above.get(parent) or (parent if is_child else "")
        if above:
            self._above[name] = above

    def get_sweep(self, name: str) -> str:
        """Return the outermost sweep that has the job as a trial or as a part of one; "" if there is none."""
        return self._above.get(name, "")


class SweepProgress:
    """The trials of one sweep by status, the best so far, and the last that ended."""

    def __init__(self, goal: Mapping[str, Any]) -> None:
        self._goal = dict(goal)
        self._trials: dict[str, Json] = {}
        self.best: Json | None = None
        """The last event of the best trial."""
        self.last: Json | None = None
        """The last event of the trial that ended last."""
        self.shown_tails = 0
        """Failed trials whose logs' ends were shown."""
        self._tenth = 0
        self._notes = 0

    @property
    def metric(self) -> str:
        return str(self._goal["primary_metric"])

    @property
    def total(self) -> int | None:
        """As many trials as there are to be; None if only time limits them."""
        total = self._goal["total_trials"]
        return None if total is None else max(int(total), len(self._trials))

    @property
    def counts(self) -> Counter[str]:
        return Counter(
            "Terminated" if is_terminated(trial) else str(trial["status"]) for trial in self._trials.values()
        )

    @property
    def running(self) -> list[Json]:
        """The last events of the trials that have begun and not ended."""
        return [one for one in self._trials.values() if one["status"] not in _OVER | {"NotStarted", "Queued"}]

    def get_trial(self, name: str) -> Json:
        """Return the last event of a trial."""
        return self._trials[name]

    def set_goal(self, goal: Mapping[str, Any]) -> None:
        """Take the objective of a later event; that of the sweep's end has its trials by status and the best, too."""
        self._goal = dict(goal)

    def is_repetition(self, line: str) -> bool:
        """Return True for a line of the sweep's own log about a trial that the trial's events tell as well.

        Of the lines about trials without a metric the first few are news, as they say what else was logged.
        """
        if _REPEATED.match(line):
            return True
        if not line.startswith("trial_"):
            return False
        self._notes += 1
        return self._notes > _MOST_NOTES

    def add_event(self, event: Json) -> Json:
        """Count a trial's event; return it with the point that an earlier event had."""
        before = self._trials.get(event["name"], {})
        trial = {**event, "trial": event.get("trial") or before.get("trial") or {"parameters": {}, "value": None}}
        self._trials[event["name"]] = trial
        if trial["status"] in _OVER and before.get("status") not in _OVER:
            self.last = trial
            if trial["status"] == "Completed" and self._is_best(trial):
                self.best = trial
        return trial

    def describe(self) -> str:
        """Return how far the sweep is in one line."""
        if "counts" in self._goal:
            return describe_progress(self._goal)
        summary = {
            "counts": Counter(str(trial["status"]) for trial in self._trials.values()),
            "total_trials": self.total,
            "best": None if self.best is None else {"node": self.best["node"], "value": self.best["trial"]["value"]},
        }
        return describe_progress(summary)

    def describe_trial(self, trial: Json) -> str:
        """Return the metric and the point of a trial: `accuracy 0.93 (lr=0.01, depth=5)`."""
        value, point = trial["trial"]["value"], format_point(trial["trial"]["parameters"])
        if value is None:
            told = f"no {self.metric}" if trial["status"] == "Completed" else ""
        else:
            told = f"{self.metric} {format_metric(value)}"
        return f"{told} ({point})".strip() if point else told

    def describe_end(self, trial: Json) -> str:
        """Return what follows the status of a trial that ended: its metric, its point, and why it did not complete."""
        told = self.describe_trial(trial)
        told = f"{' ' if told.startswith('(') else ', '}{told}" if told else ""
        is_best = self.best is not None and trial["name"] == self.best["name"]
        message = str((trial.get("error") or {}).get("message") or "").rstrip(".")
        why = f": {message}" if trial["status"] != "Completed" and message else ""
        return f"{told}{', the best so far' if is_best else ''}{why}"

    def is_worth_a_line(self) -> bool:
        """Return True at about every tenth of the trials, for a sweep that is one step among others and not over."""
        if "counts" in self._goal:
            return False
        over = sum(one["status"] in _OVER for one in self._trials.values())
        tenth = over * 10 // max(self.total or _UNKNOWN_TOTAL, 1)
        is_further, self._tenth = tenth > self._tenth, max(tenth, self._tenth)
        return is_further and over != self.total

    def describe_best(self) -> str:
        """Return the name of the best trial with its metric and point; "" if there is none."""
        return "" if self.best is None else f"{self.best['name']}, {self.describe_trial(self.best)}"

    def _is_best(self, trial: Json) -> bool:
        value = get_number(trial["trial"]["value"])
        if math.isnan(value) or self.best is None:
            return not math.isnan(value)
        best = get_number(self.best["trial"]["value"])
        if value == best:
            return _get_number(trial) < _get_number(self.best)
        return value > best if self._goal["goal"] == "maximize" else value < best


def _get_number(trial: Json) -> tuple[int, str]:
    """Return the place of a trial among its siblings, by the number at the end of its name."""
    node = str(trial.get("node") or trial["name"])
    digits = node.rpartition("_")[2]
    return (int(digits) if digits.isdigit() else 0, node)
