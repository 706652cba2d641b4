"""The events of a job, over as many connections as needed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from smalt.client.connection.errors import ServerUnreachable
from smalt.client.connection.http1 import ConnectionLost
from smalt.exceptions import Unavailable

Event = dict[str, Any]


class ServerLost(Unavailable):
    """The server of a followed job did not come back, so the end of the job is unknown."""


PATIENCE = 60.0
"""Seconds that a server that went away may take to come back."""
_PAUSE = 0.2


def follow_events(open_stream: Callable[[], Iterable[bytes]], on_event: Callable[[Event], None]) -> tuple[str, str]:
    """Pass every event to `on_event` up to the end; return the job's status, and the reason if it did not complete."""
    reason = ""
    for event in stream_events(open_stream):
        on_event(event)
        if event.get("t") == "end":
            return str(event.get("status")), reason
        if event.get("t") == "job" and event.get("error"):
            reason = _get_message(event["error"]) or reason
    raise Unavailable("the job's events ended before the job")


def stream_events(
    open_stream: Callable[[], Iterable[bytes]],
    on_lost: Callable[[], None] = lambda: None,
    on_back: Callable[[], None] = lambda: None,
) -> Iterator[Event]:
    """Yield the events over all connections, each event once: every connection repeats them from the beginning.

    A server that disappears after the first event is awaited for PATIENCE seconds; `on_lost` is called when the wait
    begins, and `on_back` when it has ended. Raises ServerLost after that.
    """
    seen: dict[tuple[str, str], int] = {}
    has_begun, lost = False, None
    while True:
        skip = dict(seen)
        try:
            for line in open_stream():
                if lost is not None:
                    on_back()
                has_begun, lost = True, None
                event = _skip_seen(json.loads(line), skip, seen)
                if event is None:
                    continue
                yield event
                if event.get("t") == "end":
                    return
        except ConnectionLost:
            pass  # it was there
        except ServerUnreachable:
            if not has_begun:
                raise
        if lost is None:
            lost = time.monotonic()
            on_lost()
        if time.monotonic() - lost > PATIENCE:
            raise ServerLost(
                f"lost the smalt server, which did not come back within {PATIENCE:.0f} s; the job continues to run"
            )
        time.sleep(_PAUSE)


def _skip_seen(event: Event, seen_before: dict[tuple[str, str], int], seen: dict[tuple[str, str], int]) -> Event | None:
    if event.get("t") != "log":
        return event
    key, text = (str(event["name"]), str(event.get("file"))), str(event["text"])
    old = min(seen_before.get(key, 0), len(text))
    seen_before[key] = seen_before.get(key, 0) - old
    seen[key] = seen.get(key, 0) + len(text) - old
    return {**event, "text": text[old:]} if text[old:] else None


def _get_message(error: Any) -> str:
    inner = error.get("error", error) if isinstance(error, dict) else error
    return str(inner.get("message", "")) if isinstance(inner, dict) else str(inner)
