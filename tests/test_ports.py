"""Ports for programs that are told where to listen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smalt.machine import ports


def test_ports_are_different_and_not_those_of_connections() -> None:
    """What the system gives to any connection might be taken before the program listens."""
    found = ports.find_free_ports(100)
    assert len(set(found)) == 100
    if sys.platform == "linux":
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
        assert first < 30_000 or not [port for port in found if first <= port <= last]


def test_all_ports_may_be_those_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the system gives one."""
    monkeypatch.setattr(ports, "_read_first_given", lambda: 1024)
    assert len(set(ports.find_free_ports(3))) == 3
