"""The places on this machine that registered assets and jobs name: what is there outlives the job that made it.

Places are compared, and not how they are spelt: a version may name a folder above, a datastore of another name or of
another workspace may lead there, and so may a link.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from smalt.exceptions import SmaltError, ValidationException
from smalt.service.data import DataAccess
from smalt.service.data.job_data import mltable_inputs
from smalt.service.records import assets, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

_WHOLE = re.compile(r"(?:[a-z0-9+-]+:/|/)[^\n]*", re.IGNORECASE)
"""A text that is a URI or a path from its beginning to its end."""
_INSIDE = re.compile(r"azureml:/[^\s\"'<>|;)]+")
"""A URI within a command, say."""
_LONGEST = 4096

Result = TypeVar("Result")
Named = tuple[Workspace, str]
"""A URI or path, and the workspace by which it is to be understood."""


class Overlaps:
    """Finds which of some places are at, in or around others."""

    def __init__(self, places: Iterable[str]) -> None:
        self._places = frozenset(places)
        self._below: dict[str, list[str]] = defaultdict(list)
        for place in self._places:
            for above in list_folders_above(place):
                self._below[above].append(place)

    def find_overlapping(self, others: Iterable[str]) -> set[str]:
        """Return those of the places that are at, in or around one of `others`."""
        found: set[str] = set()
        for other in others:
            found.update(self._below.get(other, ()))
            found.update(self._places.intersection(list_folders_above(other)))
        return found


class PlaceReferences:
    """Finds the places that are named; each body of a version is read once."""

    def __init__(self, db: Database, data: DataAccess, root: str, plain: str) -> None:
        self._db = db
        self._data = data
        self._root = root
        self._plain = plain
        self._known: dict[int, tuple[float, tuple[str, ...]]] = {}
        """By id of a version: when it was changed, and what it names."""

    async def find_in_assets(self, places: Overlaps, besides: int | None = None) -> dict[str, int]:
        """Return those of `places` that versions of assets name, archived ones too, each with the id of a version.

        The assets of all workspaces count, except those of the workspace `besides`. What is registered meanwhile is
        looked at, too: the little that is new after the second look on this thread, where nothing more is registered.
        """
        found: dict[str, int] = {}
        seen: tuple[Any, ...] | None = None
        for is_last in (False, False, True):
            state = assets.read_last_changes(self._db)
            if state == seen:
                break
            since = seen[0] if seen is not None and seen[1] == state[1] else None
            look = partial(self._find_in_versions, places, since, besides)
            found.update(look(self._db) if is_last else await asyncio.to_thread(self._read_beside, look))
            seen = state
        return found

    async def find_in_jobs(self, places: Overlaps, some: Iterable[Job]) -> dict[int, set[str]]:
        """Return those of `places` that the bodies of these jobs name, by id of the job."""
        by_id = {each.id: each for each in workspaces.list_workspaces(self._db)}
        named = {
            job.id: [
                (by_id[job.workspace_id], text) for text in set(_find_texts(jobs.read_properties(self._db, job.id)))
            ]
            for job in some
        }
        return await asyncio.to_thread(
            lambda: {id: places.find_overlapping(self._resolve_places(texts)) for id, texts in named.items()}
        )

    def _read_beside(self, look: Callable[[Database], Result]) -> Result:
        with self._db.open_reader() as db:
            return look(db)

    def _find_in_versions(
        self, places: Overlaps, since: tuple[Any, ...] | None, besides: int | None, db: Database
    ) -> dict[str, int]:
        by_id = {each.id: each for each in workspaces.list_workspaces(db) if each.id != besides}
        found: dict[str, int] = {}
        for id, workspace_id, modified_at, body in assets.list_bodies(db, since):
            if workspace_id not in by_id:
                continue
            known = self._known.get(id)
            if known is None or known[0] != modified_at or "Versions/" in body:  # moved without another time
                known = self._known[id] = (modified_at, tuple(set(_find_texts(json.loads(body)))))
            named = ((by_id[workspace_id], text) for text in known[1])
            found.update(dict.fromkeys(places.find_overlapping(self._resolve_places(named)), id))
        return found

    def _resolve_places(self, named: Iterable[Named]) -> set[str]:
        """Return where the texts lead, each as it is written and with links followed, and what MLTables there name."""
        found: set[str] = set()
        for workspace, text in named:
            place = self._resolve_place(workspace, text)
            if place is None:
                continue
            found |= self._spell_place(place)
            for uri in _read_table_uris(place):
                other = self._resolve_place(workspace, uri)
                found |= self._spell_place(other) if other is not None else set()
        return found

    def _resolve_place(self, workspace: Workspace, text: str) -> Path | None:
        try:
            return self._data.resolve(text, workspace).path
        except (SmaltError, OSError, ValueError):
            return None

    def _spell_place(self, path: Path) -> set[str]:
        """Return the path below the home's real folder, and the real path: what holds a link is held, too."""
        written = os.path.normpath(path)
        if f"{written}/".startswith(f"{self._plain}/"):
            written = f"{self._root}{written[len(self._plain) :]}"
        return {written, os.path.realpath(path)}


def list_folders_above(path: str) -> Iterator[str]:
    """Yield the path and each folder above it."""
    while path not in ("", "/"):
        yield path
        path = os.path.dirname(path)
    yield "/"


def _read_table_uris(place: Path) -> list[str]:
    try:
        return [one.uri for one in mltable_inputs.list_references(place)] if (place / "MLTable").is_file() else []
    except (ValidationException, OSError):
        return []


def _find_texts(body: Any) -> Iterator[str]:
    """Yield the URIs and paths in the texts of a document; another asset's name is none: that asset names its own."""
    if isinstance(body, dict):
        for value in body.values():
            yield from _find_texts(value)
    elif isinstance(body, list):
        for value in body:
            yield from _find_texts(value)
    elif isinstance(body, str) and (":/" in body or body.startswith("/")):
        if len(body) <= _LONGEST and _WHOLE.fullmatch(body) and "/versions/" not in body:
            yield body
        yield from _INSIDE.findall(body)
