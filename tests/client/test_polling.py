"""What the `begin_…` methods answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from smalt.client.collections.pollers import CompletedPoller, LROPoller


def test_a_poller_waits_for_the_end() -> None:
    """Its callbacks are called then; one that was taken away is not."""
    answers = iter([False] * 5 + [True] * 2)
    poller = LROPoller(lambda: next(answers), lambda: "result")
    seen: list[Any] = []
    never: list[Any] = []
    poller.add_done_callback(seen.append)
    poller.add_done_callback(never.append)
    poller.remove_done_callback(never.append)
    assert not poller.done()
    assert poller.status() == "InProgress"
    assert poller.result() == "result"
    assert (seen, poller.status()) == ([poller], "Succeeded")


def test_a_wait_may_end_before() -> None:
    """After its time-out, without a callback."""
    poller = LROPoller(lambda: False, lambda: None)
    seen: list[Any] = []
    poller.add_done_callback(seen.append)
    poller.wait(0.01)
    assert seen == []


def test_what_was_done_at_once_is_had_by_name() -> None:
    """Programs read `.name` of what a `begin_…` answered, without `.result()`."""
    poller = CompletedPoller(SimpleNamespace(name="c"))
    seen: list[Any] = []
    poller.add_done_callback(seen.append)
    assert (poller.name, poller.result().name, poller.done(), seen) == ("c", "c", True, [poller])
    with pytest.raises(AttributeError):
        _ = poller.nonsense
