"""Lookups of the content of places, for generators that yield places and are sent their contents.

The same generator is driven within a turn if little has to be read, and beside the event loop if it is much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from smalt.exceptions import SmaltError, Unavailable
from smalt.service.data import DataAccess, Location
from smalt.service.data.job_data.access_modes import COPIED
from smalt.service.data.job_data.mltable_inputs import TableReference
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.reuse import KnownContent
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse.contents import (
    ALL,
    BudgetExceeded,
    ContentFilter,
    PathContent,
    ReadBudget,
    UnknownContent,
    combine_contents,
    examine_path,
)

_BUDGET = ReadBudget(200, 4_000_000)
_SKEW = 5.0
"""Seconds by which the clock of a store elsewhere may be ahead: what a step sent there just before it ended, counts."""


class LookupPlace(NamedTuple):
    """A file or folder whose content is looked up."""

    uri: str
    type: str
    workspace: Workspace
    location: Location | None = None
    """The location of the URI, if it was resolved before."""
    choice: ContentFilter = ALL
    mode: str | None = None
    run: int = 0
    """The id of the root job on whose behalf it is looked at; 0 for none."""


Found = list["PathContent | UnknownContent"]
Result = TypeVar("Result")
Looking = Generator[list[LookupPlace], Found, Result]


class ContentLookup:
    def __init__(self, db: Database, data: DataAccess) -> None:
        self._db = db
        self._data = data
        self._looks: dict[tuple[str, str], PathContent] = {}
        """Contents seen in this turn, during which nothing changes."""
        self.turn_began = 0.0
        self._ways: dict[str, int] = {}
        """Creation times of links on the way to the paths examined in this turn."""

    def begin_turn(self) -> None:
        """Forget the contents seen in the last turn: they may have changed."""
        self.turn_began = time.time()
        self._looks.clear()
        self._ways.clear()

    def look_up_all(self, places: Sequence[LookupPlace]) -> Looking[Found]:
        """Return the contents of the places; of a table with everything it refers to."""
        found = yield list(places)
        whole: Found = []
        for place, content in zip(places, found, strict=True):
            if isinstance(content, PathContent) and content.named:
                whole.append((yield from self._add_references(place, content)))
            else:
                whole.append(content)
        return whole

    def _add_references(self, place: LookupPlace, content: PathContent) -> Looking[PathContent | UnknownContent]:
        for one in content.named:
            if why := self.explain_unreadable(place, one):
                return UnknownContent(why)
        found = yield [self._make_place(place, one) for one in content.named]
        return self.join_table(content, {one.written: each for one, each in zip(content.named, found, strict=True)})

    def join_table(
        self, content: PathContent, named: dict[str, PathContent | UnknownContent]
    ) -> PathContent | UnknownContent:
        """Return a table and the data it refers to as one content; inside a transaction."""
        known = {}
        for written, one in named.items():
            if isinstance(one, UnknownContent):
                return UnknownContent(f"its MLTable names {written}: {one}", for_now=one.for_now)
            known[written] = one
        whole = combine_contents(content, known)
        if whole.manifest is not None:
            records.put_manifest(self._db, whole.id, whole.manifest)
        return whole

    def explain_unreadable(self, place: LookupPlace, one: TableReference) -> str | None:
        """Return the sentence that says why the data a step reads through the table cannot be determined, if so."""
        if one.is_relative and (place.mode in COPIED or self.is_elsewhere(place)):
            return f"its MLTable names {one.written}, which is not beside the copy that the step reads"
        if one.is_remote and place.type != "mltable":
            elsewhere = self.is_elsewhere(self._make_place(place, one))
            kind = f"an input of type mltable, not {place.type}"
            return f"its MLTable names {one.written}, which is only fetched for {kind}" if elsewhere else None
        return None

    def _make_place(self, place: LookupPlace, one: TableReference) -> LookupPlace:
        location = None if one.is_remote else Location(one.uri, Path(one.uri))
        return LookupPlace(one.uri, "", place.workspace, location, ContentFilter(pattern=one.pattern), run=place.run)

    def run_within_turn(self, looking: Looking[Result]) -> Result:
        """Drive a lookup inside a transaction; raise BudgetExceeded if it would read too much."""
        try:
            places = next(looking)
            while True:
                places = looking.send([self._examine_within_turn(place) for place in places])
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            looking.close()

    async def run_in_background(self, looking: Looking[Result], budget: ReadBudget | None = None) -> Result:
        """Drive a lookup to its end, however long it takes."""
        found: Found | None = None
        try:
            while True:
                with self._db.transaction():
                    try:
                        places = looking.send(found)  # type: ignore[arg-type]  # None begins it
                    except StopIteration as end:
                        result: Result = end.value
                        return result
                found = [await self._fetch_and_examine(place, budget) for place in places]
        finally:
            looking.close()

    async def examine(
        self, path: Path, place: LookupPlace, budget: ReadBudget | None = None
    ) -> PathContent | UnknownContent:
        """Return the content of a path, to which the place was brought or which is the place."""
        key = _make_memory_key(path, place.choice)
        last = records.get_content(self._db, key)
        try:
            content = await asyncio.to_thread(
                examine_path, path, place.type, last, self._data.snapshots, budget, place.choice
            )
        except UnknownContent as unknown:
            return unknown
        with self._db.transaction():
            self._remember_content(key, last, content)
        return content

    def is_elsewhere(self, place: LookupPlace) -> bool:
        try:
            return self._resolve_place(place).is_remote
        except SmaltError:
            return False

    def _resolve_place(self, place: LookupPlace) -> Location:
        return place.location or self._data.resolve(place.uri, place.workspace)

    def _examine_within_turn(self, place: LookupPlace) -> PathContent | UnknownContent:
        try:
            location = self._resolve_place(place)
            if location.path is None:
                raise BudgetExceeded
            choice = _with_file_name(place.choice, location)
            key = _make_memory_key(location.path, choice)
            known = self._looks.get((key, place.type))
            if known is not None:
                return known
            last = records.get_content(self._db, key)
            content = examine_path(location.path, place.type, last, self._data.snapshots, _BUDGET, choice, self._ways)
        except SmaltError as error:
            return UnknownContent(str(error))
        except UnknownContent as unknown:
            return unknown
        self._looks[key, place.type] = content
        self._remember_content(key, last, content)
        return content

    async def _fetch_and_examine(self, place: LookupPlace, budget: ReadBudget | None) -> PathContent | UnknownContent:
        try:
            location = self._resolve_place(place)
            if location.is_remote and budget is not None and await self._data.get_remote_size(location) > budget.bytes:
                raise BudgetExceeded
            path = location.path or await self._data.fetch(location, None, place.type, place.run)
        except SmaltError as error:
            return UnknownContent(str(error), for_now=isinstance(error, Unavailable))
        content = await self.examine(path, place._replace(choice=_with_file_name(place.choice, location)), budget)
        if location.is_remote and isinstance(content, PathContent):  # its times are those of the copy, but for this one
            content = content._replace(newest=content.modified - _SKEW)
        return content

    def _remember_content(self, key: str, last: KnownContent | None, content: PathContent) -> None:
        if content.id and content.seen != last:
            records.put_content(self._db, key, content.seen)
        if content.manifest is not None:
            records.put_manifest(self._db, content.id, content.manifest)


def _with_file_name(choice: ContentFilter, location: Location) -> ContentFilter:
    """Return the filter with the name by which a file was requested, if a link led to it."""
    if location.path is None or location.name in (None, location.path.name):
        return choice
    return choice._replace(name=location.name)


def _make_memory_key(path: Path, choice: ContentFilter) -> str:
    """Return the key under which an examination is remembered."""
    key = str(path) if choice == ALL else "\n".join((str(path), choice.name or "", choice.pattern, *choice.without))
    return key.encode("utf-8", "backslashreplace").decode()  # the records hold no bytes that are not UTF-8
