"""What is at a place now, for generators that yield places and are sent what is there.

The same generator is driven within a turn where little is to be read, and beside the event loop where it is much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from smalt.exceptions import SmaltError, Unavailable
from smalt.service.data import Data, Location
from smalt.service.data.job_data.access_modes import COPIED
from smalt.service.data.job_data.mltable_inputs import Named
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.reuse import KnownContent
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse.contents import ALL, Budget, Choice, Content, TooMuch, Unknown, look, together

_BUDGET = Budget(200, 4_000_000)
_SKEW = 5.0
"""Seconds by which the clock of a store elsewhere may be ahead: what a step sent there just before it ended, counts."""


class Place(NamedTuple):
    """A file or folder that is to be looked at."""

    uri: str
    type: str
    workspace: Workspace
    location: Location | None = None
    """Where that is, if it was looked up before."""
    choice: Choice = ALL
    mode: str | None = None
    run: int = 0
    """The id of the root job on whose behalf it is looked at; 0 for none."""


Found = list["Content | Unknown"]
Result = TypeVar("Result")
Looking = Generator[list[Place], Found, Result]


class Looker:
    def __init__(self, db: Database, data: Data) -> None:
        self._db = db
        self._data = data
        self._looks: dict[tuple[str, str], Content] = {}
        """What was there in this turn, in which nothing happens."""
        self._ways: dict[str, int] = {}
        """When the links were made on the ways to what was looked at in this turn."""

    def begin_turn(self) -> None:
        """Forget what was looked at: it may have changed."""
        self._looks.clear()
        self._ways.clear()

    def contents(self, places: Sequence[Place]) -> Looking[Found]:
        """What is at the places; of a table with all that it names."""
        found = yield list(places)
        whole: Found = []
        for place, content in zip(places, found, strict=True):
            if isinstance(content, Content) and content.named:
                whole.append((yield from self._with_named(place, content)))
            else:
                whole.append(content)
        return whole

    def _with_named(self, place: Place, content: Content) -> Looking[Content | Unknown]:
        for one in content.named:
            if why := self.why_not_named(place, one):
                return Unknown(why)
        found = yield [self._named_place(place, one) for one in content.named]
        return self.joined(content, {one.written: each for one, each in zip(content.named, found, strict=True)})

    def joined(self, content: Content, named: dict[str, Content | Unknown]) -> Content | Unknown:
        """A table and what it names, as one content; inside a transaction."""
        known = {}
        for written, one in named.items():
            if isinstance(one, Unknown):
                return Unknown(f"its MLTable names {written}: {one}", for_now=one.for_now)
            known[written] = one
        whole = together(content, known)
        if whole.manifest is not None:
            records.put_manifest(self._db, whole.id, whole.manifest)
        return whole

    def why_not_named(self, place: Place, one: Named) -> str | None:
        """Why nobody can tell what a step reads that loads the table; a sentence."""
        if one.is_relative and (place.mode in COPIED or self.is_elsewhere(place)):
            return f"its MLTable names {one.written}, which is not beside the copy that the step reads"
        if one.is_remote and place.type != "mltable":
            elsewhere = self.is_elsewhere(self._named_place(place, one))
            kind = f"an input of type mltable, not {place.type}"
            return f"its MLTable names {one.written}, which is only fetched for {kind}" if elsewhere else None
        return None

    def _named_place(self, place: Place, one: Named) -> Place:
        location = None if one.is_remote else Location(one.uri, Path(one.uri))
        return Place(one.uri, "", place.workspace, location, Choice(pattern=one.pattern), run=place.run)

    def at_once(self, looking: Looking[Result]) -> Result:
        """Drive it inside a transaction; TooMuch where the budget does not suffice."""
        try:
            places = next(looking)
            while True:
                places = looking.send([self._look_at_once(place) for place in places])
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            looking.close()

    async def beside(self, looking: Looking[Result], budget: Budget | None = None) -> Result:
        """Drive it, however long it takes."""
        found: Found | None = None
        try:
            while True:
                with self._db.transaction():
                    try:
                        places = looking.send(found)  # type: ignore[arg-type]  # None begins it
                    except StopIteration as end:
                        result: Result = end.value
                        return result
                found = [await self._look(place, budget) for place in places]
        finally:
            looking.close()

    async def look_at(self, path: Path, place: Place, budget: Budget | None = None) -> Content | Unknown:
        """What is at a path, to which the place has been brought or which is the place."""
        key = _key(path, place.choice)
        last = records.get_content(self._db, key)
        try:
            content = await asyncio.to_thread(look, path, place.type, last, self._data.snapshots, budget, place.choice)
        except Unknown as unknown:
            return unknown
        with self._db.transaction():
            self._remember(key, last, content)
        return content

    def is_elsewhere(self, place: Place) -> bool:
        try:
            return self._location(place).is_elsewhere
        except SmaltError:
            return False

    def _location(self, place: Place) -> Location:
        return place.location or self._data.resolve(place.uri, place.workspace)

    def _look_at_once(self, place: Place) -> Content | Unknown:
        try:
            location = self._location(place)
            if location.path is None:
                raise TooMuch
            choice = _named_as(place.choice, location)
            key = _key(location.path, choice)
            known = self._looks.get((key, place.type))
            if known is not None:
                return known
            last = records.get_content(self._db, key)
            content = look(location.path, place.type, last, self._data.snapshots, _BUDGET, choice, self._ways)
        except SmaltError as error:
            return Unknown(str(error))
        except Unknown as unknown:
            return unknown
        self._looks[key, place.type] = content
        self._remember(key, last, content)
        return content

    async def _look(self, place: Place, budget: Budget | None) -> Content | Unknown:
        try:
            location = self._location(place)
            if location.is_elsewhere and budget is not None and await self._data.size(location) > budget.bytes:
                raise TooMuch
            path = location.path or await self._data.fetch(location, None, place.type, place.run)
        except SmaltError as error:
            return Unknown(str(error), for_now=isinstance(error, Unavailable))
        content = await self.look_at(path, place._replace(choice=_named_as(place.choice, location)), budget)
        if location.is_elsewhere and isinstance(content, Content):  # its times are those of the copy, but for this one
            content = content._replace(newest=content.modified - _SKEW)
        return content

    def _remember(self, key: str, last: KnownContent | None, content: Content) -> None:
        if content.id and content.seen != last:
            records.put_content(self._db, key, content.seen)
        if content.manifest is not None:
            records.put_manifest(self._db, content.id, content.manifest)


def _named_as(choice: Choice, location: Location) -> Choice:
    """With the name that a file was asked for by, where a link led to it."""
    if location.path is None or location.name in (None, location.path.name):
        return choice
    return choice._replace(name=location.name)


def _key(path: Path, choice: Choice) -> str:
    """What a look is remembered under."""
    key = str(path) if choice == ALL else "\n".join((str(path), choice.name or "", choice.pattern, *choice.without))
    return key.encode("utf-8", "backslashreplace").decode()  # the records hold no bytes that are not UTF-8
