"""Inputs of started steps: their content at the start, as far as it can still be determined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from smalt.service.data import Location
from smalt.service.records import job_data
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import KnownContent, ReuseStep
from smalt.service.reuse.content_lookup import ContentLookup, Looking, LookupPlace
from smalt.service.reuse.contents import ContentFilter, PathContent, UnknownContent
from smalt.service.reuse.recorded_places import RecordedPlaces
from smalt.service.reuse.start_notes import get_inode


class StartedInputs:
    def __init__(self, db: Database, lookup: ContentLookup, places: RecordedPlaces) -> None:
        self._db = db
        self._lookup = lookup
        self._places = places

    async def load_inputs(self, step: ReuseStep, job: Job) -> dict[str, PathContent | UnknownContent]:
        """Return the result of `read_inputs`, however long it takes."""
        return await self._lookup.run_in_background(self.read_inputs(step, job))

    def read_inputs(self, step: ReuseStep, job: Job) -> Looking[dict[str, PathContent | UnknownContent]]:
        """Return what a started step read, as far as it can still be determined; see `explain_unfit_input`."""
        notes = step.contents
        rows, at = job_data.read_data(self._db, job.id, "input"), job_data.read_places(self._db, job.id, "input")
        fetched, named = notes.get("inputs", {}), notes.get("named", {})
        contents: dict[str, PathContent | UnknownContent] = {
            name: _make_noted_content(id) for name, id in fetched.items()
        }
        places = {}
        for name, row in rows.items():
            if name not in fetched:
                places[name] = place = self._places.make_place(job, row, at.get(name), notes.get("names", {}).get(name))
                if self._lookup.is_elsewhere(place):
                    contents[name] = UnknownContent("the content fetched for it when it started was not recorded")
        unknown = [name for name in places if name not in contents]
        tables = [name for name in unknown if name in named]
        others = [name for name in unknown if name not in named]
        contents.update(
            zip(others, (yield from self._lookup.look_up_all([places[name] for name in others])), strict=True)
        )
        contents.update(zip(tables, (yield [places[name] for name in tables]), strict=True))
        for name in named:
            content = contents[name]
            if isinstance(content, PathContent):
                contents[name] = yield from self._read_table(job, content, named[name])
        return contents

    def _read_table(
        self, job: Job, content: PathContent, rows: Mapping[str, Sequence[str]]
    ) -> Looking[PathContent | UnknownContent]:
        """Return a table with the data that it referred to when the step started."""
        if not rows:
            return content
        known: dict[str, PathContent | UnknownContent] = {}
        places = {}
        workspace = self._places.get_workspace(job)
        for written, (path, pattern, id) in rows.items():
            if id:
                known[written] = _make_noted_content(id)
            elif not path:
                known[written] = UnknownContent("the content that the step read was not recorded")
            else:
                location = Location(written, Path(path))
                places[written] = LookupPlace(written, "", workspace, location, ContentFilter(pattern=pattern))
        known.update(zip(places, (yield list(places.values())), strict=True))
        return self._lookup.join_table(content, {written: known[written] for written in rows})


def explain_unfit_input(step: ReuseStep, job: Job, name: str, content: PathContent | UnknownContent) -> str | None:
    """Return the sentence that says why an input's content at the start is unknown; None if it is known."""
    if isinstance(content, UnknownContent):
        return f"the content of its input '{name}' is not known: {content}"
    if not content.id:
        return f"its input '{name}' was deleted before its content was examined"
    copied = step.contents.get("copied", {}).get(name)
    if copied is not None and content.newest > float(copied):
        return f"its input '{name}' was changed after it had begun to be copied"
    if content.newest > (job.started_at or 0.0):
        return f"its input '{name}' was changed after it had started"
    path, inode = step.contents.get("inodes", {}).get(name, (None, None))
    if path is not None and get_inode(path) != inode:
        return f"its input '{name}' was moved after it had started"
    return None


def _make_noted_content(id: str) -> PathContent:
    """Return the content recorded when the step started, whatever has changed since then."""
    return PathContent(KnownContent("", id, 0, 0), 0.0, 0.0, None)
