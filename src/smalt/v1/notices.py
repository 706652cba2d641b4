"""One line on standard error for each argument that v1 has and that means nothing here."""

from __future__ import annotations

from collections.abc import Mapping

from smalt.client.connection.notices import print_notice
from smalt.machine.source_lines import find_caller

_SHOWN: set[tuple[str, tuple[str, ...]]] = set()


def tell_no_effect(owner: str, given: Mapping[str, object], reason: str = "jobs run on this machine") -> None:
    """Say once which of the given arguments have no effect; those that are None or empty were not given."""
    names = tuple(name for name, value in given.items() if value not in (None, "", False, (), [], {}))
    if not names or (owner, names) in _SHOWN:
        return
    _SHOWN.add((owner, names))
    file, line = find_caller()
    place = f"{file}:{line}: " if file else ""
    word = "has" if len(names) == 1 else "have"
    print_notice(f"{place}{owner}: {', '.join(names)} {word} no effect: {reason}")
