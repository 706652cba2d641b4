"""Relaxation of pins that cannot be met with the Python on this machine: the nearest versions that can be
installed.

Under `fidelity: nearest` only. A pin is relaxed if it cannot be installed by itself, or could not be built, or
if the others cannot be met beside it; never one more than needed, and each is reported.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol


class PinResolution(NamedTuple):
    """The pinned lines that requirements resolve to; None if they do not resolve, with uv's output."""

    lines: list[str] | None
    said: list[str]


class ResolvePins(Protocol):
    def __call__(self, lines: Sequence[str], *, lowest: bool = False, wheels: bool = False) -> Awaitable[PinResolution]:
        """Resolve the lines; `lowest` to their lowest versions, `wheels` to versions that need not be built."""


_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^\]]*\])?\s*"
    r"(?P<version>(?:===|==|~=|<=|<)[^;#]+|[^;#]*,\s*(?:==|~=|<=|<)[^;#]+)(?P<marker>;.*)?"
)
_LOWEST = re.compile(r"(?:===|==|~=|<=|<|>=)\s*([\w.+!]+)")
_BUILT = re.compile(r"(?:Failed to (?:download and )?build|Failed to fetch and build) [`']?([A-Za-z0-9][\w.-]*)==")


async def relax_pins(
    requirements: Sequence[str], said: Sequence[str], resolve: ResolvePins, *, other_python: bool
) -> dict[str, str]:
    """Return the replacements for pins after an installation that failed with this output; empty if that would not
    help.

    Pins that can be met one by one but not together are the file's own mistake, unless others were relaxed
    before or the Python is `other_python` than the one they were made for.
    """
    pins = [line for line in requirements if _PIN.fullmatch(line.strip())]
    failed = {_normalize(name) for line in said for name in _BUILT.findall(line)}
    culprits = [line for line in pins if get_package(line) in failed]
    if not culprits:
        alone = {line: await resolve([line]) for line in pins}
        culprits = [line for line in pins if alone[line].lines is None]
        if any(re.search(r"there is no version of|was not found", " ".join(alone[line].said)) for line in culprits):
            return {}  # a slip of the pen, which no Python can help
    if culprits:
        found = {line: after for line in culprits if (after := await _find_nearest(line, resolve))}
        return found if len(found) == len(culprits) else {}
    return await _relax_conflicting(requirements, pins, resolve) if other_python else {}


async def _find_nearest(line: str, resolve: ResolvePins) -> str | None:
    """Return the next newer version that can be installed, else the next older one; one with a wheel before others."""
    name, version = _get_name(line), _LOWEST.search(line)
    if version is None:
        return None
    for wheels in (True, False):
        for clause, lowest in ((f">{version[1]}", True), (f"<{version[1]}", False)):
            found = (await resolve([name + clause + _get_marker(line)], lowest=lowest, wheels=wheels)).lines
            own = next((each for each in found or [] if _normalize(_get_name(each)) == _normalize(name)), None)
            if own is not None:
                return own.partition(";")[0].strip() + _get_marker(line)
    return None


async def _relax_conflicting(requirements: Sequence[str], pins: Sequence[str], resolve: ResolvePins) -> dict[str, str]:
    """Relax the conflicting pin, else one after the other until the rest can be met."""

    async def goes(changed: dict[str, str]) -> bool:
        return (await resolve([changed.get(each, each) for each in requirements])).lines is not None

    for opened in (_remove_upper_bound, _remove_version):
        for line in pins:
            if await goes({line: opened(line)}):
                return {line: opened(line)}
    changed: dict[str, str] = {}
    for line in reversed(pins):
        changed[line] = _remove_version(line)
        if await goes(changed):
            return changed
    return {}


def _remove_version(line: str) -> str:
    return _get_name(line) + _get_marker(line)


def _remove_upper_bound(line: str) -> str:
    """Return the requirement without an upper bound."""
    version = _LOWEST.search(line)
    from_there = f">={version[1]}" if version and not re.search(r"<=?\s*" + re.escape(version[1]), line) else ""
    return _get_name(line) + from_there + _get_marker(line)


def _get_name(line: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?", line)
    return (match[1] + (match[2] or "")) if match else line


def _get_marker(line: str) -> str:
    return line[line.index(";") :] if ";" in line else ""


def get_package(line: str) -> str:
    """Return the package of a requirement, as its metadata spells it."""
    return _normalize(_get_name(line))


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
