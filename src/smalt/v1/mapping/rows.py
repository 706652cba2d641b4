"""A row of the mapping."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["runs", "differs", "no effect", "refused", "later"]
"""`runs`: does what it did. `differs`: runs, and `differs` says how. `no effect`: accepted, and said once.
`refused`: raises `differs`. `later`: comes with a later version; raises `differs` until then."""


class MappedName(NamedTuple):
    name: str
    """`Class`, `Class.member` or a function."""
    v2: str
    """The form in v2, as Python for `azure.ai.ml` or, for what is no Python there, as a phrase."""
    state: State = "runs"
    differs: str = ""
    """A sentence without its full stop: the difference, or what to use instead."""
