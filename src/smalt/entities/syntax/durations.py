"""Conversions between seconds and ISO 8601 durations."""

from __future__ import annotations

import re

_PATTERN = r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"


def to_iso(seconds: float) -> str:
    """Return seconds as an ISO 8601 duration, such as `PT1M30S`."""
    whole = int(seconds)
    rest = f"{seconds - whole:.6f}".rstrip("0").lstrip("0") if seconds != whole else ""
    days, left = divmod(whole, 86_400)
    hours, left = divmod(left, 3600)
    minutes, left = divmod(left, 60)
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    time += f"{left}{rest.rstrip('.')}S" if left or rest.rstrip(".") else ""
    return ("P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")) if days or time else "PT0S"


def parse_iso(text: str) -> float | None:
    """Return the seconds of a duration, or None if it is not one; years and months have no fixed length."""
    match = re.fullmatch(_PATTERN, text.strip().upper())
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return weeks * 604_800 + days * 86_400 + hours * 3600 + minutes * 60 + seconds
