"""Death of this process at a commit of its database, for programs that tests start."""

from __future__ import annotations

import os

from smalt.service.records.database import Database


def die_at_commit(number: int, when: str) -> None:
    """End this process at the commit of this number from now on, `before` or `after` it is made."""
    commit, commits = Database._commit, iter(range(1, 1_000_000))

    def commit_or_die(self: Database) -> None:
        is_last = next(commits) == number
        if is_last and when == "before":
            os._exit(9)
        commit(self)
        if is_last:
            os._exit(9)

    Database._commit = commit_or_die  # type: ignore[method-assign]
