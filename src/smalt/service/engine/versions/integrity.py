"""Checks that the content of a registered version is still as it was when it was registered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from pathlib import Path

from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import RefusedError
from smalt.service.data import Location
from smalt.service.data.datastores.managed_folders import find_managed
from smalt.service.data.files.file_stamps import find_changed, make_stamp
from smalt.service.data.files.write_protection import is_write_protected
from smalt.service.data.integrity import content_differs
from smalt.service.data.job_data.access_modes import format_uri
from smalt.service.records import stamps
from smalt.service.records.database import Database
from smalt.service.records.stamps import ContentStamp

_DIGEST = re.compile(r"[0-9a-f]{64}")
_QUICK = 200
"""Entries that are looked at within a turn of the loop."""


class VersionIntegrity:
    def __init__(self, db: Database, root: str) -> None:
        self._db = db
        self._root = root
        self._places = stamps.list_places(db)
        """The places with a note, in memory: each input of each step is looked up."""

    def is_stamped(self, location: Location) -> bool:
        """Return whether what is read is known to be as it was stored; quick, and False if in doubt."""
        top, digest = self._find_top(str(location.path))
        known = self._get_stamp(self._make_key(top))
        if known is None:
            return digest is None or not _is_asset(location)
        try:
            return known.entries <= _QUICK and make_stamp(top).exact == known.exact
        except OSError:
            return False

    async def refuse_changed(self, location: Location) -> None:
        """Raise where a version's content is not what was stored, however long it takes to tell.

        What is named as a path, and was never noted, is nobody's version.
        """
        if location.path is None or not os.path.lexists(location.path):
            return
        top, digest = self._find_top(str(location.path))
        if not _is_asset(location) and self._get_stamp(self._make_key(top)) is None:
            return
        if self._get_stamp(self._make_key(top)) is None and digest is not None:
            await self._record_unnoted(top, digest)
            return
        changed = await self._find_change(top, digest)
        if changed is None:
            return
        known = self._get_stamp(self._make_key(top))
        back = "create it again from the original data" if known and known.is_named else "put the original back"
        raise RefusedError(
            f"{format_uri(location)} is not what was registered, and a registered version never changes: {changed} was "
            f"changed; {back}, or archive this version and create another"
        )

    async def is_whole(self, place: str) -> bool:
        """Return whether what is stored at a place is what its name says, or what was noted of it."""
        return await self._find_change(*self._find_top(os.path.realpath(place))) is None

    async def record_stamp(self, place: str, *, is_named: bool = False) -> None:
        """Note how a content is that has just been stored, unless that is known; not of what others may write.

        `is_named` says that smalt stored it, under its own id of the content.
        """
        place = os.path.realpath(place)
        top, digest = self._find_top(place)
        if top != place or not (digest is not None or is_write_protected(place)):
            return
        known, is_named = self._get_stamp(self._make_key(place)), is_named and bool(_DIGEST.fullmatch(digest or ""))
        if known is not None and not (is_named and not known.is_named):
            await self._find_change(place, digest)  # of the same content that was stored again the stamp is renewed
            return
        try:
            stamp = await asyncio.to_thread(make_stamp, place)
        except OSError:
            return
        if digest is not None or is_write_protected(place):  # else a job is about to write there
            self._save_stamp(self._make_key(place), stamp._replace(is_named=is_named))

    async def _record_unnoted(self, top: str, digest: str) -> None:
        """Note how a content is that nobody noted when it was stored: by another client, or by an earlier smalt."""
        with contextlib.suppress(OSError):
            stamp = await asyncio.to_thread(make_stamp, top)
            is_named = await asyncio.to_thread(is_named_by_content, top, digest)
            self._save_stamp(self._make_key(top), stamp._replace(is_named=is_named))

    def forget_place(self, place: str) -> None:
        """Forget what was noted at, in or around a place that is about to be written."""
        if stamps.remove_around(self._db, self._make_key(os.path.realpath(place))):
            self._places = stamps.list_places(self._db)

    def _get_stamp(self, key: str) -> ContentStamp | None:
        return stamps.get_stamp(self._db, key) if key in self._places else None

    def _save_stamp(self, key: str, stamp: ContentStamp) -> None:
        stamps.put_stamp(self._db, key, stamp)
        self._places.add(key)

    async def _find_change(self, top: str, digest: str | None) -> str | None:
        """Return the path of what changed in a content; None where nothing did, or nobody noted how it was."""
        key = self._make_key(top)
        known = self._get_stamp(key)
        if known is None and digest is None:
            return None
        try:
            now = await asyncio.to_thread(make_stamp, top)
        except OSError:
            return top
        if known is not None and known.exact == now.exact:
            return None
        is_named = await asyncio.to_thread(is_named_by_content, top, digest)
        if is_named or is_as_recorded(known, now):
            self._save_stamp(key, now._replace(is_named=is_named))
            return None
        return await asyncio.to_thread(find_changed, top, known.newest if known else 0)

    def _find_top(self, place: str) -> tuple[str, str | None]:
        return _find_top(self._root, place)

    def _make_key(self, place: str) -> str:
        return _make_key(self._root, place)


def is_changed(db: Database, root: str, place: str) -> bool:
    """Read a content that smalt keeps, and return whether it is another than was stored; in whatever thread asks."""
    top, digest = _find_top(root, os.path.realpath(place))
    known = stamps.get_stamp(db, _make_key(root, top))
    if digest and _DIGEST.fullmatch(digest) and (known is None or known.is_named):
        return content_differs(Path(top), digest)
    try:
        return known is not None and known.plain != make_stamp(top).plain
    except OSError:
        return True


def is_named_by_content(place: str | Path, digest: str | None) -> bool:
    """Read a whole content, and return whether its name is smalt's id of it."""
    return digest is not None and bool(_DIGEST.fullmatch(digest)) and not content_differs(Path(place), digest)


def is_as_recorded(known: ContentStamp | None, now: ContentStamp) -> bool:
    """Return whether a content whose name says nothing is what it was, as far as its sizes and times tell."""
    return known is not None and not known.is_named and known.plain == now.plain


def _is_asset(location: Location) -> bool:
    return isinstance(parse_uri(location.uri), Reference)


def _find_top(root: str, place: str) -> tuple[str, str | None]:
    """Return the whole content in which a real path lies, and its digest, "" where its name has none.

    None as the digest says that it is no place where smalt stores contents.
    """
    if "/LocalUpload/" not in place and "/Versions/" not in place:
        return place, None
    found = find_managed(root, place)
    return (place, None) if found is None or found.top is None else (found.top, found.digest)


def _make_key(root: str, place: str) -> str:
    return place[len(root) + 1 :] if place.startswith(f"{root}/") else place
