"""Cycles in the dependency graph of steps."""

from __future__ import annotations

from collections.abc import Mapping


def find_cycles(waits: Mapping[str, set[str]]) -> list[list[str]]:
    """Return one list of names per cycle, each name waiting for the next."""
    left = {name: {other for other in others if other in waits} for name, others in waits.items()}
    _remove_roots(left)
    _remove_leaves(left)
    found: list[list[str]] = []
    seen: set[str] = set()
    for start in left:
        if start in seen:
            continue
        trail: list[str] = []
        name = start
        while name not in trail and name not in seen:
            trail.append(name)
            name = min(left[name])
        seen.update(trail)
        if name in trail:
            found.append(trail[trail.index(name) :])
    return found


def _remove_roots(left: dict[str, set[str]]) -> None:
    """Remove, repeatedly, every name that depends on no other."""
    followers: dict[str, list[str]] = {}
    for name, others in left.items():
        for other in others:
            followers.setdefault(other, []).append(name)
    free = [name for name, others in left.items() if not others]
    while free:
        name = free.pop()
        del left[name]
        for follower in followers.get(name, ()):
            left[follower].discard(name)
            if not left[follower]:
                free.append(follower)


def _remove_leaves(left: dict[str, set[str]]) -> None:
    """Remove, repeatedly, every name that no other depends on."""
    awaited = dict.fromkeys(left, 0)
    for others in left.values():
        for other in others:
            awaited[other] += 1
    free = [name for name, count in awaited.items() if not count]
    while free:
        for other in left.pop(free.pop()):
            awaited[other] -= 1
            if not awaited[other]:
                free.append(other)
