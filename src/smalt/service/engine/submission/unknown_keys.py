"""Keys of a job's body that no job of its type has: refused where a known key is near, else told in the job's log."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from smalt import wire
from smalt.entities.schema.entity import Entity
from smalt.wire.encoding.casing import fold_case

_OF_THE_SERVICE = frozenset(
    {"autologgersettings", "componentid", "parameters", "parentjobname", "priority", "secretsconfiguration"}
    | {"sourcejobid", "status", "provisioningstate"}
)
"""Keys of the service's bodies that smalt's jobs do not have; clients send them back, mostly empty."""
_NEAR = 0.8
"""The least similarity of a slip and its key: above that of 'componentId' and 'computeId'."""


class UnknownKey(NamedTuple):
    key: str
    near: str | None
    """The key that was perhaps meant."""


def find_unknown_keys(job: Entity) -> Iterator[UnknownKey]:
    """Yield the keys at the top of the body; those with a `_` are notes of Azure's clients for themselves."""
    known = {fold_case(key): key for key in wire.list_keys(job)}
    for key in job.extra if "extra" in vars(job) else ():
        if not key.startswith("_") and fold_case(key) not in _OF_THE_SERVICE:
            near = get_close_matches(fold_case(key), known, n=1, cutoff=_NEAR)
            yield UnknownKey(key, known[near[0]] if near else None)
