"""How the contents that smalt keeps of registered versions were when they were stored."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from smalt.service.records.database import Database


class Stamp(NamedTuple):
    """A file, or a folder with all that is in it, as the file system describes it."""

    exact: str
    """Of names, sizes, times, inodes and modes: nothing is written without a change to it."""
    plain: str
    """The same without what changes where a home is copied or restored."""
    entries: int
    newest: int
    """When anything of it changed last, by its file system; nanoseconds."""
    is_named: bool = False
    """The folder's name was smalt's id of the content when it was noted: another client's is a hash of its own."""


def get(db: Database, place: str) -> Stamp | None:
    row = db.row("SELECT exact, plain, entries, newest, is_named FROM content_stamps WHERE place=?", (place,))
    return Stamp(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


def places(db: Database) -> set[str]:
    """Return every place of which something was noted."""
    return {place for (place,) in db.rows("SELECT place FROM content_stamps")}


def put(db: Database, place: str, stamp: Stamp) -> None:
    db.execute("INSERT OR REPLACE INTO content_stamps VALUES (?,?,?,?,?,?)", (place, *stamp))


def forget_around(db: Database, place: str) -> bool:
    """Forget what is at a place, in it or around it; return whether there was something."""
    above = [str(folder) for folder in PurePosixPath(place).parents]
    marks = ",".join("?" * len(above))
    around = db.execute(f"DELETE FROM content_stamps WHERE place IN (?,{marks})", (place, *above))
    within = db.execute("DELETE FROM content_stamps WHERE place>?||'/' AND place<?||'0'", (place, place))
    return around.rowcount + within.rowcount > 0
