"""Lines about what a followed job, or a step of it, waits for."""

from __future__ import annotations

import time
from typing import Any

_AGAIN = 30.0
"""Seconds after which it is said who else holds now what a job waits for: that may change every moment."""


class WaitLines:
    """Makes the line for each "wait" event that says something new.

    The part of a reason after a semicolon says who holds what the job waits for. A change of that alone is said later,
    if it is still so then; the last line would name a holder that is long over.
    """

    def __init__(self) -> None:
        self._last_reported: dict[str, tuple[str, float]] = {}
        """The reason in the last line about each job, by its name, and when that was."""
        self._delayed: tuple[dict[str, Any], str] | None = None

    def make_line(self, event: dict[str, Any], label: str) -> str | None:
        """Return the line for a "wait" event; None if the wait has ended, or the last line about the job said the same.

        `label` is the path of a step, and "" for the followed job itself.
        """
        self._delayed = None
        name, reason = str(event["name"]), str(event["waits_for"])
        before, told = self._last_reported.get(name, ("", 0.0))
        if not reason or reason == before:
            return None
        if reason.partition(";")[0] == before.partition(";")[0] and time.monotonic() - told < _AGAIN:
            self._delayed = event, label
            return None
        self._last_reported[name] = reason, time.monotonic()
        return f"{label or f'job {name}'}: {event['status']}, waits for {reason}"

    def make_delayed_line(self) -> str | None:
        """Return the line that was too early, if it is due now; to be called now and then while nothing changes."""
        return None if self._delayed is None else self.make_line(*self._delayed)
