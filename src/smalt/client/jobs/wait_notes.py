"""The lines by which those who follow a job tell what it, or a step of it, waits for."""

from __future__ import annotations

from typing import Any


class WaitNotes:
    """Tell waits from those that were told before."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def describe(self, event: dict[str, Any], label: str) -> str | None:
        """Return the line for a "wait" event; None if the wait has ended, or the same was said of the job.

        `label` is the path of a step, and "" for the followed job itself. Who else has what the job waits for, after a
        semicolon, may change often, and is no new wait.
        """
        name, reason = str(event["name"]), str(event["waits_for"])
        subject = reason.partition(";")[0]
        if not reason or self._told.get(name) == subject:
            return None
        self._told[name] = subject
        return f"{label or f'job {name}'}: {event['status']}, waits for {reason}"
