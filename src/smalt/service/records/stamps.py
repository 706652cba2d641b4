"""File-system descriptions of the contents that smalt keeps of registered versions, as of when they were stored."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from smalt.service.records.database import Database


class ContentStamp(NamedTuple):
    """A file, or a folder with everything in it, as described by the file system."""

    exact: str
    """A hash of names, sizes, times, inodes and modes; every write changes it."""
    plain: str
    """A hash of names, sizes and modification times, which a copied or restored home keeps."""
    entries: int
    newest: int
    """The time of its last change, by its file system; nanoseconds."""
    is_named: bool = False
    """True if the folder's name is smalt's id of the content; other clients use a hash of their own."""


def get_stamp(db: Database, place: str) -> ContentStamp | None:
    row = db.row("SELECT exact, plain, entries, newest, is_named FROM content_stamps WHERE place=?", (place,))
    return ContentStamp(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


def list_places(db: Database) -> set[str]:
    """Return every place that has a stamp."""
    return {place for (place,) in db.rows("SELECT place FROM content_stamps")}


def put_stamp(db: Database, place: str, stamp: ContentStamp) -> None:
    db.execute("INSERT OR REPLACE INTO content_stamps VALUES (?,?,?,?,?,?)", (place, *stamp))


def remove_around(db: Database, place: str) -> bool:
    """Remove the stamps of a place, of what is in it and around it; return False if there were none."""
    above = [str(folder) for folder in PurePosixPath(place).parents]
    marks = ",".join("?" * len(above))
    around = db.execute(f"DELETE FROM content_stamps WHERE place IN (?,{marks})", (place, *above))
    within = db.execute("DELETE FROM content_stamps WHERE place>?||'/' AND place<?||'0'", (place, place))
    return around.rowcount + within.rowcount > 0
