"""The connection to the home's SQLite database, its transactions and its migrations."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from smalt.exceptions import Unavailable
from smalt.service.records.database_errors import explain_error

_PAGE = 4096
_CHECKPOINT_AT = 1000  # pages of the write-ahead log
_LEAST_FREE = 16 * _CHECKPOINT_AT * _PAGE
_MIGRATIONS = Path(__file__).with_name("migrations")

_NO_METRICS = "key, run_uuid, value, is_nan, PRIMARY KEY (key, run_uuid)"
"""The columns of the metrics that are searched."""


class Database:
    """A connection, owned by the thread that opened it: the server's event loop.

    A transaction is durable when its `with` block ends (WAL, synchronous=FULL). Outside a transaction
    every statement is its own.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.contents_changed = 0
        """The number of times that a version or a datastore was created, changed or removed since the records were
        opened."""
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None, cached_statements=256)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=OFF")
            self._connection.execute("PRAGMA busy_timeout=5000")
            self._connection.execute("PRAGMA cache_size=-16000")
            self._connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_AT}")
            self._depth = 0
            self._migrate()
        except sqlite3.Error as error:
            raise Unavailable(explain_error(self.path, error)) from None

    @contextlib.contextmanager
    def open_reader(self, tracked: Path | None = None) -> Iterator[Database]:
        """Open a second, read-only connection to the same records, for use in any thread.

        With `tracked`, the path of MLflow's database, that is attached under this name; it may be empty or missing.
        """
        other = object.__new__(Database)
        other.path, other._depth, other.contents_changed = self.path, 0, 0
        own = self.path.absolute().as_uri()
        try:
            if tracked is None:
                other._connection = sqlite3.connect(f"{own}?mode=ro", uri=True)
            else:
                other._connection = _open_both(own, tracked)
        except sqlite3.Error as error:
            raise Unavailable(explain_error(self.path, error)) from None
        with contextlib.closing(other._connection):
            yield other

    def close(self) -> None:
        self._connection.close()

    def extend_log(self) -> None:
        """Extend the write-ahead log to its full length, once: a commit that extends its file costs twice the
        time.

        This takes some 40 ms, so call it when nobody waits. A disk that is nearly full is left alone.
        """
        disk = os.statvfs(self.path)
        if disk.f_bavail * disk.f_frsize < _LEAST_FREE:
            return
        self.execute("PRAGMA wal_autocheckpoint=0")
        with self.transaction():
            self.execute("INSERT INTO filler VALUES (zeroblob(?))", (_CHECKPOINT_AT * _PAGE,))
        self.execute("DELETE FROM filler")
        self.execute("PRAGMA wal_checkpoint(RESTART)")
        self.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_AT}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction, all or nothing; an inner transaction joins the outer one."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._begin()
        try:
            yield
        except BaseException:
            self._depth = 0
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._depth = 0
        self._commit()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise Unavailable(explain_error(self.path, error)) from None

    def execute_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, values)
        except sqlite3.OperationalError as error:
            raise Unavailable(explain_error(self.path, error)) from None

    def row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        found = self.execute(sql, values).fetchone()
        return None if found is None else tuple(found)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise Unavailable(explain_error(self.path, error)) from None

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self.execute(sql, values).fetchone()
        return None if found is None else found[0]

    def insert(self, sql: str, values: Sequence[Any]) -> int:
        """Run an INSERT and return the new row's id."""
        return int(self.execute(sql, values).lastrowid or 0)

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise Unavailable(explain_error(self.path, error)) from None
        self._depth = 1

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise Unavailable(explain_error(self.path, error)) from None

    def _migrate(self) -> None:
        """Bring the tables to the newest form, after a backup of the old ones. A newer database is refused."""
        steps = sorted(_MIGRATIONS.glob("*.sql"))
        version = int(self.value("PRAGMA user_version"))
        if version > len(steps):
            raise Unavailable(
                f"{self.path} was made by a newer smalt (records {version}, this one knows {len(steps)}); upgrade smalt"
            )
        if 0 < version < len(steps):
            self._back_up(version)
        for number, step in enumerate(steps[version:], start=version + 1):
            script = f"BEGIN IMMEDIATE;\n{step.read_text()}\nPRAGMA user_version={number};\nCOMMIT;"
            self._connection.executescript(script)

    def _back_up(self, version: int) -> None:
        copy = sqlite3.connect(self.path.with_suffix(f".v{version}.backup"))
        with contextlib.closing(copy):
            self._connection.backup(copy)


def _open_both(own: str, tracked: Path) -> sqlite3.Connection:
    """Open the records with the metrics of MLflow's database beside them; both are only read."""
    connection = sqlite3.connect(":memory:", uri=True)
    try:
        connection.execute("ATTACH ? AS records", (f"{own}?mode=ro",))
        # Not mode=ro: that cannot undo what a killed writer left half.
        place = f"{tracked.absolute().as_uri()}?mode=rw" if tracked.exists() else ":memory:"
        try:
            connection.execute("ATTACH ? AS tracked", (place,))
            is_there = connection.execute("SELECT 1 FROM tracked.sqlite_master WHERE name='latest_metrics'").fetchone()
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"the metrics in {tracked} cannot be read: {error}") from None
        if not is_there:
            connection.execute("DETACH tracked")
            connection.execute("ATTACH ':memory:' AS tracked")
            connection.execute(f"CREATE TABLE tracked.latest_metrics ({_NO_METRICS})")
        connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection
