"""Lines about what a followed job, or a step of it, waits for."""

from __future__ import annotations

from typing import Any


class WaitLines:
    """Makes the line for each "wait" event that says something new."""

    def __init__(self) -> None:
        self._last_reported: dict[str, str] = {}
        """The reason in the last line about each job, by its name."""

    def make_line(self, event: dict[str, Any], label: str) -> str | None:
        """Return the line for a "wait" event; None if the wait has ended, or the last line about the job said the same.

        `label` is the path of a step, and "" for the followed job itself. The part after a semicolon says who holds
        what the job waits for; a change of that alone is not reported.
        """
        name, reason = str(event["name"]), str(event["waits_for"])
        subject = reason.partition(";")[0]
        if not reason or self._last_reported.get(name) == subject:
            return None
        self._last_reported[name] = subject
        return f"{label or f'job {name}'}: {event['status']}, waits for {reason}"
