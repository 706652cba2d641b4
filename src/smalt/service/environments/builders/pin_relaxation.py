"""Pins that cannot be kept with the Python at hand: which they are, and the nearest version that can be had.

Under `fidelity: nearest` only. A pin is touched when it cannot be installed by itself, or could not be built, or
when the others cannot be kept beside it; never one more than needed, and each is told.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol


class Resolved(NamedTuple):
    """What requirements lead to, one pinned line each; None where they lead to nothing, with uv's words."""

    lines: list[str] | None
    said: list[str]


class Resolve(Protocol):
    def __call__(self, lines: Sequence[str], *, lowest: bool = False, wheels: bool = False) -> Awaitable[Resolved]:
        """`lowest` asks for the lowest versions of them, `wheels` for such as need not be built."""


_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^\]]*\])?\s*"
    r"(?P<version>(?:===|==|~=|<=|<)[^;#]+|[^;#]*,\s*(?:==|~=|<=|<)[^;#]+)(?P<marker>;.*)?"
)
_LOWEST = re.compile(r"(?:===|==|~=|<=|<|>=)\s*([\w.+!]+)")
_BUILT = re.compile(r"(?:Failed to (?:download and )?build|Failed to fetch and build) [`']?([A-Za-z0-9][\w.-]*)==")


async def relax(
    requirements: Sequence[str], said: Sequence[str], resolve: Resolve, *, other_python: bool
) -> dict[str, str]:
    """What takes whose place after an installation that failed with these words; nothing where that would not help.

    Pins that go by themselves but not together are the file's own mistake, unless others have been relaxed before or
    the Python is `other_python` than the one that they were made for.
    """
    pins = [line for line in requirements if _PIN.fullmatch(line.strip())]
    failed = {_plain(name) for line in said for name in _BUILT.findall(line)}
    culprits = [line for line in pins if named(line) in failed]
    if not culprits:
        alone = {line: await resolve([line]) for line in pins}
        culprits = [line for line in pins if alone[line].lines is None]
        if any(re.search(r"there is no version of|was not found", " ".join(alone[line].said)) for line in culprits):
            return {}  # a slip of the pen, which no Python can help
    if culprits:
        found = {line: after for line in culprits if (after := await _nearest(line, resolve))}
        return found if len(found) == len(culprits) else {}
    return await _beside(requirements, pins, resolve) if other_python else {}


async def _nearest(line: str, resolve: Resolve) -> str | None:
    """The next newer version that can be installed, else the next older one; one that has a wheel before others."""
    name, version = _name(line), _LOWEST.search(line)
    if version is None:
        return None
    for wheels in (True, False):
        for clause, lowest in ((f">{version[1]}", True), (f"<{version[1]}", False)):
            found = (await resolve([name + clause + _marker(line)], lowest=lowest, wheels=wheels)).lines
            own = next((each for each in found or [] if _plain(_name(each)) == _plain(name)), None)
            if own is not None:
                return own.partition(";")[0].strip() + _marker(line)
    return None


async def _beside(requirements: Sequence[str], pins: Sequence[str], resolve: Resolve) -> dict[str, str]:
    """Each can be had, but not all: the one that is in the way, else one after the other until it goes."""

    async def goes(changed: dict[str, str]) -> bool:
        return (await resolve([changed.get(each, each) for each in requirements])).lines is not None

    for opened in (_from, _any):
        for line in pins:
            if await goes({line: opened(line)}):
                return {line: opened(line)}
    changed: dict[str, str] = {}
    for line in reversed(pins):
        changed[line] = _any(line)
        if await goes(changed):
            return changed
    return {}


def _any(line: str) -> str:
    return _name(line) + _marker(line)


def _from(line: str) -> str:
    """The requirement without an end: from its version on."""
    version = _LOWEST.search(line)
    from_there = f">={version[1]}" if version and not re.search(r"<=?\s*" + re.escape(version[1]), line) else ""
    return _name(line) + from_there + _marker(line)


def _name(line: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?", line)
    return (match[1] + (match[2] or "")) if match else line


def _marker(line: str) -> str:
    return line[line.index(";") :] if ";" in line else ""


def named(line: str) -> str:
    """The package that a requirement is for, as its metadata has it."""
    return _plain(_name(line))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
