"""The states of jobs, as Azure ML names them."""

from __future__ import annotations

from smalt.entities.schema.problems import did_you_mean, format_value
from smalt.exceptions import ValidationException

STATES = (
    "NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Running", "Finalizing", "CancelRequested",
    "Completed", "Failed", "Canceled", "NotResponding", "Paused",
)  # fmt: skip


def parse_state(text: str) -> str:
    """Return the state that the text names in any case; raise ValidationException if there is none."""
    known = {each.lower(): each for each in STATES}
    found = known.get(text.strip().lower())
    if found is None:
        hint = did_you_mean(text, STATES) or "; the states are " + ", ".join(STATES)
        raise ValidationException(f"{format_value(text)} is not a state of jobs{hint}")
    return found
