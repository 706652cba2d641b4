"""One line on standard error for each argument of v1 that means nothing in a job."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN: set[tuple[str, tuple[str, ...]]] = set()


def tell_no_effect(owner: str, given: Mapping[str, object], reason: str = "it has no such parameter") -> None:
    """Say once which of the given arguments have no effect; those that are None, False or empty were not given."""
    names = tuple(name for name, value in given.items() if value is not None and value is not False and value != "")
    if names and (owner, names) not in _SHOWN:
        _SHOWN.add((owner, names))
        word = "has" if len(names) == 1 else "have"
        print(f"{owner}: {', '.join(names)} {word} no effect: {reason}", file=sys.stderr, flush=True)
