"""The room's front: whether an earlier step has the outputs of one that is about to start.

What has to be looked at on the disk is asked for by generators, which yield places and are sent what is there: the
same judgement is made at once where little is to be read, and beside the event loop where it is much.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.data import Data, Location
from smalt.service.data.job_data import mltable_inputs as tables
from smalt.service.data.job_data.access_modes import COPIED
from smalt.service.data.snapshots import manifest
from smalt.service.records import jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import KnownContent, ReuseStep
from smalt.service.records.workspaces import Workspace, get_workspace
from smalt.service.reuse.content_lookup import Looker, Looking, Place
from smalt.service.reuse.contents import Budget, Choice, Content, TooMuch, Unknown
from smalt.service.reuse.keys import Asked, hashes, key_of, whole

_IDLE_BUDGET = Budget(100_000, 2_000_000_000)
"""Of more, the content is looked at when a later step may be the same."""
_MOST_SAME = 5
"""Steps with the same key that are looked at, of which one may still have its outputs."""
_MOST_LOOKED_AT = 200
_MOST_LOOKED_THROUGH = 1000
_TOGETHER = 25
_ARTIFACTS = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/"
_LOGS = "user_logs"
_NOTHING = manifest.content_id(manifest.encode([]))
"""The content of an empty folder."""
_WITHOUT_LOGS = Choice(without=(f"/{_LOGS}/", "/system_logs/"))


HostChanged = Callable[[], "tuple[str, float] | None"]
"""The realised hash of the host's environment, and when it last changed; None while that is not known."""
_TICK = 0.01
"""Seconds by which the file system's clock may be behind."""


class Verdict(NamedTuple):
    """`of` has the outputs of the step that was judged; or it must run, and `reason` tells why where that is odd."""

    key: str | None = None
    contents: dict[str, Any] | None = None
    of: Job | None = None
    reason: str | None = None


class Reuse:
    """One for a home; its methods are called on the event loop, which owns the records."""

    def __init__(self, db: Database, data: Data, host_changed: HostChanged) -> None:
        self._host_changed = host_changed
        self.db = self._db = db
        self.data = self._data = data
        self._looker = Looker(db, data)
        self._turn = 0.0
        self._workspaces: dict[int, Workspace] = {}

    def begin_turn(self) -> None:
        """What was looked at before may have changed."""
        self._turn = time.time()
        self._looker.begin_turn()

    def may_be_reused(self, asked: Asked) -> bool:
        """Whether an earlier step is the same as far as can be known before the inputs are there. Quick."""
        return asked.refusal is None and records.has_candidate(self._db, asked.job, asked.partial)

    def started(self, asked: Asked, reason: str | None = None, *, is_early: bool = False) -> None:
        """The step is about to run; inside the transaction that says so. `is_early` before its inputs are all there."""
        unfit = asked.refusal if asked.refusal and asked.refusal.startswith("never") else None
        noted = {**asked.noted, "names": dict(_names(asked)), "inodes": {} if is_early else dict(_inodes(asked))}
        if "copied" not in noted:  # copies were made in this turn
            noted["copied"] = {name: str(self._turn) for name in asked.inputs if _place(asked, name).mode in COPIED}
        if asked.host is not None:
            noted["host"] = asked.host()
        records.add_started(
            self._db, asked.job, asked.partial, asked.text,
            noted={key: told for key, told in noted.items() if told}, unfit=unfit, reason=asked.refusal or reason,
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
            return self._looker.at_once(self._judge(asked))
        except TooMuch:
            return None

    async def judge(self, asked: Asked) -> Verdict:
        """The same, however long it takes."""
        return await self._looker.beside(self._judge(asked))

    async def look_at_fetched(
        self, asked: Asked, paths: Mapping[str, Path], read: Mapping[str, Mapping[str, str]], since: float
    ) -> None:
        """Note what the step will read of what was brought to it `since` then: the original may be another by now.

        `paths` are those of the inputs, and `read` those of what the tables among them name by URI.
        """
        asked.noted.clear()
        try:
            there = await self._looker.beside(self._find_there(asked), _IDLE_BUDGET)
        except TooMuch:
            there = Unknown("the paths that its outputs are given hold more than 2 GB, which nobody looked at")
        fetched, copied, named = {}, {}, {}
        for name, data in asked.inputs.items():
            place = _place(asked, name)
            if self._looker.is_elsewhere(place):
                found = await self._looker.look_at(paths[name], place)
                if isinstance(found, Content):
                    fetched[name] = found.id
            elif place.mode in COPIED:
                copied[name] = str(since)
            if data.type == "mltable":
                named[name] = await self._look_at_named(place, paths[name], read.get(name, {}))
        asked.noted.update(inputs=fetched, copied=copied, named=named)
        if isinstance(there, Unknown):
            asked.refusal = asked.refusal or f"never: {there}"
        else:
            asked.noted["found"] = there

    async def _look_at_named(self, place: Place, folder: Path, read: Mapping[str, str]) -> dict[str, list[str]]:
        """Of what a table names: its path, the pattern that chooses from it, and its content where it was fetched."""
        rows = {}
        for one in tables.named(folder):
            if self._looker.why_not_named(place, one):
                rows[one.written] = ["", "", ""]
                continue
            path, id = read[one.uri] if one.is_remote else one.uri, ""
            if one.is_remote and self._looker.is_elsewhere(Place(one.uri, "", place.workspace)):
                chosen = place._replace(type="", choice=Choice(pattern=one.pattern))
                found = await self._looker.look_at(Path(path), chosen)
                id = found.id if isinstance(found, Content) else ""
                path = path if id else ""
            rows[one.written] = [path, one.pattern, id]
        return rows

    async def settle(self, goes_on: Callable[[], bool]) -> None:
        """Look at what completed steps read and wrote, so that it is known whatever becomes of the files."""
        after = 0
        while goes_on() and (ids := records.list_unsettled(self._db, after, _TOGETHER)):
            after = ids[-1]
            await self._settle_together(ids, goes_on)
            await asyncio.sleep(0)

    async def settle_steps(self, ids: Sequence[int]) -> None:
        """Look at what those of these jobs read and wrote that are completed steps nobody has looked at."""
        left = records.find_unsettled(self._db, ids)
        for first in range(0, len(left), _TOGETHER):
            await self._settle_together(left[first : first + _TOGETHER], lambda: True)
            await asyncio.sleep(0)

    async def _settle_together(self, ids: Sequence[int], goes_on: Callable[[], bool]) -> None:
        for id in self._settle_at_once(ids):
            step = records.get_step(self._db, id)
            if goes_on() and step is not None and step.key is None:
                with contextlib.suppress(TooMuch):
                    await self._looker.beside(self._settle(step), _IDLE_BUDGET)

    def _settle_at_once(self, ids: Sequence[int]) -> list[int]:
        """Those that take longer are left."""
        left = []
        self.begin_turn()
        with self._db.transaction():
            for id in ids:
                step = records.get_step(self._db, id)
                try:
                    if step is not None:
                        self._looker.at_once(self._settle(step))
                except TooMuch:
                    left.append(id)
        return left

    def _judge(self, asked: Asked) -> Looking[Verdict]:
        found = yield from self._looker.contents([_place(asked, name) for name in asked.inputs])
        there = yield from self._find_there(asked)
        if isinstance(there, Unknown):
            return Verdict(reason=str(there))
        contents = {}
        for name, content in zip(asked.inputs, found, strict=True):
            if isinstance(content, Unknown):
                return Verdict(reason=f"the content of its input '{name}' is not known: {content}")
            if not content.id:
                return Verdict()  # it is missing, and the job will say so
            contents[name] = content.id
        key = key_of(whole(asked.parts, contents, there))
        known = records.list_with_key(self._db, asked.job, key, _MOST_SAME)
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
        known_contents = {"inputs": contents, "outputs": twin.contents.get("outputs", {}), "found": there}
        return Verdict(key, known_contents, jobs.get_job(self._db, twin.job_id))

    def _find_there(self, asked: Asked) -> Looking[dict[str, str] | Unknown]:
        """Look at the given paths of outputs: a step that finds something there may add to it, or read it.

        What lies elsewhere, and what is only brought into place at the end, no command finds.
        """
        places = {name: Place(data.uri, data.type, asked.workspace) for name, data in asked.given.items()}
        places = {name: place for name, place in places.items() if not self._looker.is_elsewhere(place)}
        found = yield list(places.values())
        there = {}
        for name, content in zip(places, found, strict=True):
            if isinstance(content, Unknown):
                return Unknown(f"what is at the path of its output '{name}' is not known: {content}")
            if content.id not in ("", _NOTHING):
                there[name] = content.id
        return there

    def _find(self, asked: Asked, key: str, after: int) -> Looking[ReuseStep | None]:
        """The step with the key among those of later pipelines that nobody has looked at."""
        ids = records.list_unexamined(self._db, asked.job, asked.partial, after, _MOST_LOOKED_THROUGH)
        for id in ids[:_MOST_LOOKED_AT]:
            step = records.get_step(self._db, id)
            settled = (yield from self._settle(step)) if step is not None else None
            if settled is not None and settled.key == key:
                return settled
        return None

    def _look_at_outputs(self, step: ReuseStep) -> Looking[str | None]:
        """Why the outputs of a step cannot be had any more, in a sentence; None where they can."""
        job = jobs.get_job(self._db, step.job_id)
        places = {
            f"output '{name}'": Place(row[2] or "", row[0], self.workspace(job))
            for name, row in jobs.read_data(self._db, job.id, "output").items()
        }
        places["artifacts"] = artifacts = self._artifacts(job)
        known = {f"output '{name}'": id for name, id in step.contents.get("outputs", {}).items()}
        known["artifacts"] = step.contents.get("artifacts", "")
        found = yield list(places.values())
        for what, content in zip(places, found, strict=True):
            if isinstance(content, Unknown):
                return f"the content of the {what} of job {job.name} is not known: {content}"
            if content.id != known.get(what, ""):
                became = "changed" if content.id else "deleted"
                verb = "were" if what == "artifacts" else "was"
                return f"the {what} of job {job.name} (identical code, inputs, environment) {verb} {became} since"
        if _logs(artifacts) != step.contents.get("logs", []):
            return f"the logs of job {job.name} (identical code, inputs, environment) were changed or deleted since"
        return None

    def inputs_of(self, step: ReuseStep, job: Job) -> Looking[dict[str, Content | Unknown]]:
        """What a step that was started read, as far as it can be told now; see `why_unfit` for what can be told."""
        noted = step.contents
        rows, at = jobs.read_data(self._db, job.id, "input"), jobs.read_places(self._db, job.id, "input")
        fetched, named = noted.get("inputs", {}), noted.get("named", {})
        contents: dict[str, Content | Unknown] = {name: _noted(id) for name, id in fetched.items()}
        places = {}
        for name, row in rows.items():
            if name not in fetched:
                places[name] = place = self._noted_place(job, row, at.get(name), noted.get("names", {}).get(name))
                if self._looker.is_elsewhere(place):
                    contents[name] = Unknown("nobody noted what was fetched for it when it started")
        looked = [name for name in places if name not in contents]
        tables = [name for name in looked if name in named]
        others = [name for name in looked if name not in named]
        contents.update(zip(others, (yield from self._looker.contents([places[name] for name in others])), strict=True))
        contents.update(zip(tables, (yield [places[name] for name in tables]), strict=True))
        for name in named:
            content = contents[name]
            if isinstance(content, Content):
                contents[name] = yield from self._table(job, content, named[name])
        return contents

    def _table(self, job: Job, content: Content, rows: Mapping[str, Sequence[str]]) -> Looking[Content | Unknown]:
        """A table with what it named when the step started."""
        known: dict[str, Content | Unknown] = {}
        places = {}
        for written, (path, pattern, id) in rows.items():
            if id:
                known[written] = _noted(id)
            elif not path:
                known[written] = Unknown("nobody noted what the step read of it")
            else:
                location = Location(written, Path(path))
                places[written] = Place(written, "", self.workspace(job), location, Choice(pattern=pattern))
        if not rows:
            return content
        known.update(zip(places, (yield list(places.values())), strict=True))
        return self._looker.joined(content, {written: known[written] for written in rows})

    def _settle(self, step: ReuseStep) -> Looking[ReuseStep | None]:
        """Note what a completed step read when it started and wrote until it ended; None where that is gone."""
        job = jobs.get_job(self._db, step.job_id)
        if (since := step.contents.get("host")) is not None:
            host = self._host_changed()
            if host is None:
                return None
            if host[0] != step.parts["environment"] or host[1] > since - _TICK:
                records.mark_unfit(self._db, job.id, "the host's packages were changed after it had been started")
                return None
        read = yield from self.inputs_of(step, job)
        rows, at = jobs.read_data(self._db, job.id, "output"), jobs.read_places(self._db, job.id, "output")
        places = [self._noted_place(job, row, at.get(name)) for name, row in rows.items()]
        kept = self._artifacts(job)
        *written, artifacts = yield [*places, kept]
        said = [(f"its input '{name}'", content, why_unfit(step, job, name, content)) for name, content in read.items()]
        said += [
            (what, content, _why_unfit_output(what, content, job))
            for what, content in zip(
                [*(f"its output '{name}'" for name in rows), "the artifacts that it left"],
                [*written, artifacts], strict=True,
            )
        ]  # fmt: skip
        for _, content, why in said:
            if isinstance(content, Unknown) and content.for_now:
                return None
            if why is not None:
                records.mark_unfit(self._db, job.id, why)
                return None
        contents: dict[str, Any] = {
            "inputs": {name: _id(content) for name, content in read.items()},
            "outputs": {name: _id(content) for name, content in zip(rows, written, strict=True)},
            "artifacts": _id(artifacts),
            "logs": _logs(kept),
        }
        if there := step.contents.get("found"):
            contents["found"] = there
        parts = whole(step.parts, contents["inputs"], there or {})
        step.key, step.contents = key_of(parts), contents
        records.settle_step(self._db, job, step.key, contents, hashes(parts))
        return step

    def _noted_place(
        self, job: Job, row: tuple[str, str | None, str | None, str | None], noted: tuple[str, str] | None,
        name: str | None = None,
    ) -> Place:  # fmt: skip
        """Where an input or output was when the step started, or is, if that was not noted."""
        uri = row[2] or ""
        location = None
        if noted is not None and noted[0] == uri and noted[1].startswith("/"):
            location = Location(uri, Path(noted[1]), name=name)
        return Place(uri, row[0], self.workspace(job), location, mode=row[1], run=job.root_id)

    def _artifacts(self, job: Job) -> Place:
        """What the job left besides its outputs: ./outputs, ./logs, what it logged to MLflow; not its own logs."""
        uri, workspace = _ARTIFACTS.format(job=job.name), self.workspace(job)
        return Place(uri, "uri_folder", workspace, self._data.resolve(uri, workspace), _WITHOUT_LOGS)

    async def inputs_now(self, step: ReuseStep, job: Job) -> dict[str, Content | Unknown]:
        """The same as `inputs_of`, however long it takes."""
        return await self._looker.beside(self.inputs_of(step, job))

    def workspace(self, job: Job) -> Workspace:
        known = self._workspaces.get(job.workspace_id)
        if known is None:
            known = self._workspaces[job.workspace_id] = get_workspace(self._db, job.workspace_id)
        return known


def why_unfit(step: ReuseStep, job: Job, name: str, content: Content | Unknown) -> str | None:
    """Why nobody can tell what that input was when the step started; None where one can."""
    if isinstance(content, Unknown):
        return f"the content of its input '{name}' is not known: {content}"
    if not content.id:
        return f"its input '{name}' was deleted before its content was looked at"
    copied = step.contents.get("copied", {}).get(name)
    if copied is not None and content.newest > float(copied):
        return f"its input '{name}' was changed after it had begun to be copied"
    if content.newest > (job.started_at or 0.0):
        return f"its input '{name}' was changed after it had started"
    path, inode = step.contents.get("inodes", {}).get(name, (None, None))
    if path is not None and _inode(path) != inode:
        return f"its input '{name}' was moved after it had started"
    return None


def _why_unfit_output(what: str, content: Content | Unknown, job: Job) -> str | None:
    """Why nobody can tell what that output was when the step ended; None where one can."""
    if isinstance(content, Unknown):
        return f"the content of {what} is not known: {content}"
    return f"{what} was changed after it had ended" if content.newest > (job.ended_at or 0.0) else None


def _logs(artifacts: Place) -> list[str]:
    """The logs of what a job ran, by name and size."""
    path = artifacts.location.path if artifacts.location is not None else None
    try:
        return sorted(f"{each.name} {each.stat().st_size}" for each in os.scandir(f"{path}/{_LOGS}"))
    except OSError:
        return []


def _place(asked: Asked, name: str) -> Place:
    data, mode = asked.inputs[name], asked.parts[f"inputs.{name}"]["mode"]
    return Place(data.uri, data.type, asked.workspace, asked.places.get(name), mode=mode, run=asked.job.root_id)


def _names(asked: Asked) -> Iterator[tuple[str, str]]:
    """The inputs that are files with other names than their real paths have."""
    for name, location in asked.places.items():
        if location.path is not None and location.name not in (None, location.path.name):
            yield name, str(location.name)


def _inodes(asked: Asked) -> Iterator[tuple[str, tuple[str, str]]]:
    """The inputs on this machine, each with what tells it from another one that is moved to its path later."""
    for name, location in asked.places.items():
        if location.path is not None and (inode := _inode(str(location.path))):
            yield name, (str(location.path), inode)


def _inode(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def _noted(id: str) -> Content:
    """What was noted when the step started, whatever has changed since then."""
    return Content(KnownContent("", id, 0, 0), 0.0, 0.0, None)


def _id(content: Content | Unknown) -> str:
    assert isinstance(content, Content)
    return content.id
