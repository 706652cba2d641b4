"""SQLite's errors become one sentence each; a full disk is not taken for a damaged file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.disk_reserve import DiskSpace
from smalt.service.api.native import doctor
from smalt.service.records import database_errors
from smalt.service.records.database import Database
from smalt.service.tracking.run_database import read_database

FULL = "is full; what was recorded is not lost: free some space (smalt prune) and try again"


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "smalt.db")


def fill(db: Database) -> None:
    db.execute("CREATE TABLE filling (x)")
    pages = db.value("PRAGMA page_count")
    db.execute(f"PRAGMA max_page_count={pages}")


def test_a_full_disk_has_its_own_sentence(db: Database, tmp_path: Path) -> None:
    """SQLite's own error; what was written before can still be read."""
    fill(db)
    with pytest.raises(Unavailable) as caught:
        db.execute("INSERT INTO filling VALUES (zeroblob(1000000))")
    assert str(caught.value) == f"the disk of {tmp_path} {FULL}"
    assert db.value("SELECT count(*) FROM filling") == 0


@pytest.mark.parametrize("text", ["database or disk is full", "disk I/O error", "unable to open database file"])
def test_the_disk_of_temporary_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """SQLite sorts there, and does not always say that a disk is full."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(temporary))
    space = {str(temporary): DiskSpace(0, 10**9), str(tmp_path): DiskSpace(10**9, 10**9)}
    monkeypatch.setattr(database_errors.DiskSpace, "measure", lambda folder: space[str(folder)])
    said = database_errors.explain_error(tmp_path / "smalt.db", sqlite3.OperationalError(text))
    assert said == f"the disk of {temporary} {FULL}"


def test_other_errors_are_not_of_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "full.db"
    explain = database_errors.explain_error
    assert "writable" in explain(path, sqlite3.OperationalError("unable to open database file"))
    assert "backup" in explain(path, sqlite3.DatabaseError("database disk image is malformed"))
    assert "full;" not in explain(path, sqlite3.OperationalError("disk I/O error"))


def test_rows_are_read_with_a_sentence(db: Database, tmp_path: Path) -> None:
    """The error may come with a later row only."""

    def fail(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    db._connection = SimpleNamespace(execute=lambda *_: SimpleNamespace(fetchall=fail))  # type: ignore[assignment]
    with pytest.raises(Unavailable, match="is full; what was recorded"):
        db.rows("SELECT 1")


def test_the_doctor_gives_no_advice_of_a_damaged_file(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(doctor, "_check_records", fail)
    service: Any = SimpleNamespace(db=db)
    with pytest.raises(Unavailable) as caught:
        doctor._find_troubles(service, False)
    assert str(caught.value) == f"the records cannot be checked: the disk of {db.path.parent} {FULL}"


def test_metrics_on_a_full_disk(tmp_path: Path) -> None:
    def fail(_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    path = tmp_path / "mlflow.db"
    path.touch()
    with pytest.raises(Unavailable, match=f"mlflow.db cannot be read: the disk of {tmp_path} is full"):
        read_database(path, fail, [])
