"""Requests wait at a deployment's gate, first come, first served, until a process has a free place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from smalt.service.endpoints.online import gate
from smalt.service.endpoints.online.gate import RequestGate, TooManyWaiting


@dataclass(eq=False)
class Process:
    in_flight: int = 0
    is_ready: bool = True


async def test_places_are_given_in_turn() -> None:
    """The process with the fewest requests is taken; whoever waits longest gets the next place."""
    processes = [Process(), Process()]
    door = RequestGate(lambda: processes, lambda: 1)
    first, second = await door.enter(1), await door.enter(1)
    assert {id(first), id(second)} == {id(one) for one in processes}
    waiting = [asyncio.ensure_future(door.enter(30)) for _ in range(3)]
    await asyncio.sleep(0)
    door.leave(second)
    assert await waiting[0] is second
    assert not waiting[1].done()
    door.leave(first)
    assert await waiting[1] is first
    waiting[2].cancel()
    await asyncio.wait(waiting)
    door.leave(first)
    assert (first.in_flight, second.in_flight) == (0, 1)


async def test_nobody_waits_longer_than_its_patience() -> None:
    """And a place that is given up by who waited goes to the next."""
    process = Process()
    door = RequestGate(lambda: [process], lambda: 1)
    await door.enter(1)
    with pytest.raises(asyncio.TimeoutError):
        await door.enter(0.001)
    granted = asyncio.ensure_future(door.enter(30))
    await asyncio.sleep(0)
    door.leave(process)
    granted.cancel()  # in the very turn in which it was granted
    await asyncio.wait({granted})
    assert process.in_flight == (0 if granted.cancelled() else 1)


async def test_a_process_that_is_not_ready_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is; and of those that wait there is a limit."""
    monkeypatch.setattr(gate, "MOST_WAITING", 1)
    process = Process(is_ready=False)
    door = RequestGate(lambda: [process], lambda: 2)
    waiting = asyncio.ensure_future(door.enter(30))
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        await door.enter(30)
    process.is_ready = True
    door.grant_places()
    assert await waiting is process
