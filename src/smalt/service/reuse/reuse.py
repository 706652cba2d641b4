"""The room's front: whether an earlier step has the outputs of one that is about to start.

What has to be looked at on the disk is asked for by generators, which yield places and are sent what is there: the
same judgement is made at once where little is to be read, and beside the event loop where it is much.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from smalt.exceptions import SmaltError, Unavailable
from smalt.service.data import Data
from smalt.service.data.modes import COPIED
from smalt.service.records import jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import Step
from smalt.service.records.workspaces import Workspace, by_id
from smalt.service.reuse.contents import Budget, Content, TooMuch, Unknown, look
from smalt.service.reuse.keys import Asked, hashes, key_of, whole

_BUDGET = Budget(200, 4_000_000)
_IDLE_BUDGET = Budget(100_000, 2_000_000_000)
"""Of more, the content is looked at when a later step may be the same."""
_MOST_SAME = 5
"""Steps with the same key that are looked at, of which one may still have its outputs."""
_MOST_LOOKED_AT = 200
_MOST_LOOKED_THROUGH = 1000
_SKEW = 5.0
"""Seconds by which the clock of a store elsewhere may be ahead: what a step sent there just before it ended, counts."""
_TOGETHER = 25


class Place(NamedTuple):
    uri: str
    type: str
    workspace: Workspace


class Verdict(NamedTuple):
    """`of` has the outputs of the step that was judged; or it must run, and `reason` tells why where that is odd."""

    key: str | None = None
    contents: dict[str, dict[str, str]] | None = None
    of: Job | None = None
    reason: str | None = None


Found = list["Content | Unknown"]
Result = TypeVar("Result")
Looking = Generator[list[Place], Found, Result]


class Reuse:
    """One for a home; its methods are called on the event loop, which owns the records."""

    def __init__(self, db: Database, data: Data) -> None:
        self.db = self._db = db
        self.data = self._data = data
        self._looks: dict[str, Content] = {}
        """What was there in this turn, in which nothing happens."""

    def begin_turn(self) -> None:
        """What was looked at before may have changed."""
        self._looks.clear()

    def may_be_reused(self, asked: Asked) -> bool:
        """Whether an earlier step is the same as far as can be known before the inputs are there. Quick."""
        return asked.refusal is None and records.may_serve(self._db, asked.job, asked.partial)

    def started(self, asked: Asked, reason: str | None = None) -> None:
        """The step is about to run; inside the transaction that says so."""
        unfit = asked.refusal if asked.refusal and asked.refusal.startswith("never") else None
        records.add(
            self._db, asked.job, asked.partial, asked.text,
            inputs=asked.fetched, copied=asked.copied, unfit=unfit, reason=asked.refusal or reason,
        )  # fmt: skip

    def reused(self, asked: Asked, verdict: Verdict) -> None:
        """The step has the outputs of `verdict.of`; inside the transaction that says so."""
        assert verdict.of is not None
        assert verdict.key is not None
        records.add_reused(
            self._db, asked.job, asked.partial, asked.text, verdict.key, verdict.contents or {}, verdict.of
        )

    def judge_at_once(self, asked: Asked) -> Verdict | None:
        """The verdict; None where it takes longer than can be waited for."""
        try:
            return self._at_once(self._judge(asked))
        except TooMuch:
            return None

    async def judge(self, asked: Asked) -> Verdict:
        """The same, however long it takes."""
        return await self._beside(self._judge(asked))

    async def look_at_fetched(self, asked: Asked, paths: Mapping[str, Path], since: float) -> None:
        """Note what the step will read of what was brought to it `since` then: the original may be another by now."""
        asked.fetched.clear()
        asked.copied.clear()
        for name, data in asked.inputs.items():
            if self.is_elsewhere(Place(data.uri, data.type, asked.workspace)):
                found = await self._look_at(paths[name], data.type)
                if isinstance(found, Content):
                    asked.fetched[name] = found.id
            elif asked.parts[f"inputs.{name}"]["mode"] in COPIED:
                asked.copied[name] = str(since)

    async def settle(self, goes_on: Callable[[], bool]) -> None:
        """Look at what completed steps read and wrote, so that it is known whatever becomes of the files."""
        after = 0
        while goes_on() and (ids := records.unsettled(self._db, after, _TOGETHER)):
            after = ids[-1]
            for id in self._settle_at_once(ids):
                step = records.step(self._db, id)
                if goes_on() and step is not None and step.key is None:
                    with contextlib.suppress(TooMuch):
                        await self._beside(self._settle(step), _IDLE_BUDGET)
            await asyncio.sleep(0)

    def _settle_at_once(self, ids: Sequence[int]) -> list[int]:
        """Those that take longer are left."""
        left = []
        self.begin_turn()
        with self._db.transaction():
            for id in ids:
                step = records.step(self._db, id)
                try:
                    if step is not None:
                        self._at_once(self._settle(step))
                except TooMuch:
                    left.append(id)
        return left

    def _judge(self, asked: Asked) -> Looking[Verdict]:
        found = yield [Place(data.uri, data.type, asked.workspace) for data in asked.inputs.values()]
        contents = {}
        for name, content in zip(asked.inputs, found, strict=True):
            if isinstance(content, Unknown):
                return Verdict(reason=f"the content of its input '{name}' is not known: {content}")
            if not content.id:
                return Verdict()  # it is missing, and the job will say so
            contents[name] = content.id
        key = key_of(whole(asked.parts, contents))
        known = records.with_key(self._db, asked.job, key, _MOST_SAME)
        newest = max((step.root_id for step in known), default=0)
        twin = yield from self._find(asked, key, newest)
        odd: str | None = None
        for step in known if twin is None else ():
            why = yield from self._look_at_outputs(step)
            if why is None:
                twin = step
                break
            odd = odd or why
        if odd is not None and twin is None:
            twin = yield from self._find(asked, key, 0)
        if twin is None:
            return Verdict(reason=odd)
        both = {"inputs": contents, "outputs": twin.contents.get("outputs", {})}
        return Verdict(key, both, jobs.get(self._db, twin.job_id))

    def _find(self, asked: Asked, key: str, after: int) -> Looking[Step | None]:
        """The step with the key among those of later pipelines that nobody has looked at."""
        ids = records.not_looked_at(self._db, asked.job, asked.partial, after, _MOST_LOOKED_THROUGH)
        for id in ids[:_MOST_LOOKED_AT]:
            step = records.step(self._db, id)
            settled = (yield from self._settle(step)) if step is not None else None
            if settled is not None and settled.key == key:
                return settled
        return None

    def _look_at_outputs(self, step: Step) -> Looking[str | None]:
        """Why the outputs of a step cannot be had any more, in a sentence; None where they can."""
        job = jobs.get(self._db, step.job_id)
        written = jobs.data(self._db, job.id, "output")
        found = yield [self._place(job, row) for row in written.values()]
        known = step.contents.get("outputs", {})
        for name, content in zip(written, found, strict=True):
            if isinstance(content, Unknown):
                return f"the content of output '{name}' of job {job.name} is not known: {content}"
            if content.id != known.get(name, ""):
                became = "changed" if content.id else "deleted"
                return f"the output '{name}' of job {job.name} (identical code, inputs, environment) was {became} since"
        return None

    def _settle(self, step: Step) -> Looking[Step | None]:
        """Note what a completed step read when it started and wrote until it ended; None where that is gone."""
        job = jobs.get(self._db, step.job_id)
        noted, copied = step.contents.get("inputs", {}), step.contents.get("copied", {})
        rows = [
            (direction, name, self._place(job, row))
            for direction in ("input", "output")
            for name, row in jobs.data(self._db, job.id, direction).items()
            if direction == "output" or name not in noted
        ]
        for direction, name, place in rows:
            if direction == "input" and self.is_elsewhere(place):
                records.rule_out(self._db, job.id, f"the content of its input '{name}' was not known when it started")
                return None
        found = yield [place for _, _, place in rows]
        contents: dict[str, dict[str, str]] = {"inputs": dict(noted), "outputs": {}}
        for (direction, name, _), content in zip(rows, found, strict=True):
            if isinstance(content, Unknown) and content.for_now:
                return None
            why = _unfit(direction, name, content, job, copied.get(name))
            if why is not None:
                records.rule_out(self._db, job.id, why)
                return None
            assert isinstance(content, Content)
            contents[f"{direction}s"][name] = content.id
        parts = whole(step.parts, contents["inputs"])
        step.key, step.contents = key_of(parts), contents
        records.settle(self._db, job, step.key, contents, hashes(parts))
        return step

    def _place(self, job: Job, row: tuple[str, str | None, str | None, str | None]) -> Place:
        return Place(row[2] or "", row[0], self.workspace(job))

    def workspace(self, job: Job) -> Workspace:
        return by_id(self._db, job.workspace_id)

    def _at_once(self, looking: Looking[Result]) -> Result:
        """Inside a transaction; TooMuch where the budget does not suffice."""
        try:
            places = next(looking)
            while True:
                places = looking.send([self._look_at_once(place) for place in places])
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            looking.close()

    def _look_at_once(self, place: Place) -> Content | Unknown:
        try:
            location = self._data.resolve(place.uri, place.workspace)
            if location.path is None:
                raise TooMuch
            path = str(location.path)
            if path in self._looks:
                return self._looks[path]
            last = records.seen(self._db, path)
            content = self._looks[path] = look(location.path, place.type, last, self._data.snapshots, _BUDGET)
        except SmaltError as error:
            return Unknown(str(error))
        except Unknown as unknown:
            return unknown
        self._remember(path, last, content)
        return content

    async def _beside(self, looking: Looking[Result], budget: Budget | None = None) -> Result:
        found: Found | None = None
        try:
            while True:
                with self._db.transaction():
                    try:
                        places = looking.send(found)  # type: ignore[arg-type]  # None begins it
                    except StopIteration as end:
                        result: Result = end.value
                        return result
                found = [await self.look(place, budget) for place in places]
        finally:
            looking.close()

    async def look(self, place: Place, budget: Budget | None = None) -> Content | Unknown:
        """What is there now."""
        try:
            location = self._data.resolve(place.uri, place.workspace)
            if location.is_elsewhere and budget is not None and await self._data.size(location) > budget.bytes:
                raise TooMuch
            path = location.path or await self._data.fetch(location, None, place.type)
        except SmaltError as error:
            return Unknown(str(error), for_now=isinstance(error, Unavailable))
        content = await self._look_at(path, place.type, budget)
        if location.is_elsewhere and isinstance(content, Content):  # its times are those of the copy, but for this one
            content = content._replace(newest=content.modified - _SKEW)
        return content

    async def _look_at(self, path: Path, type: str, budget: Budget | None = None) -> Content | Unknown:
        last = records.seen(self._db, str(path))
        try:
            content = await asyncio.to_thread(look, path, type, last, self._data.snapshots, budget)
        except Unknown as unknown:
            return unknown
        with self._db.transaction():
            self._remember(str(path), last, content)
        return content

    def is_elsewhere(self, place: Place) -> bool:
        try:
            return self._data.resolve(place.uri, place.workspace).is_elsewhere
        except SmaltError:
            return False

    def _remember(self, path: str, last: Any, content: Content) -> None:
        if content.id and content.seen != last:
            records.note_seen(self._db, path, content.seen)
        if content.manifest is not None:
            records.keep_manifest(self._db, content.id, content.manifest)


def _unfit(direction: str, name: str, content: Content | Unknown, job: Job, copied: str | None) -> str | None:
    """Why nobody knows what that input was when the job started, or the output when it ended; None where one does.

    `copied` is when it began to be copied for the job.
    """
    if isinstance(content, Unknown):
        return f"the content of its {direction} '{name}' is not known: {content}"
    if direction == "output":
        return f"its output '{name}' was changed after it had ended" if content.newest > (job.ended_at or 0.0) else None
    if not content.id:
        return f"its input '{name}' was deleted before its content was looked at"
    if copied is not None and content.newest > float(copied):
        return f"its input '{name}' was changed after it had begun to be copied"
    return f"its input '{name}' was changed after it had started" if content.newest > (job.started_at or 0.0) else None
