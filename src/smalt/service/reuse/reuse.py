"""The front of the package: finds the earlier step whose outputs a step that is about to start can reuse.

Judgements are generators that yield places and are sent their contents: the same judgement is made within a
turn if little has to be read, and beside the event loop if it is much.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.data import DataAccess, Location
from smalt.service.data.job_data import mltable_inputs as tables
from smalt.service.data.job_data.access_modes import COPIED
from smalt.service.data.snapshots import manifest
from smalt.service.records import job_data, jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import KnownContent, ReuseStep
from smalt.service.records.workspaces import Workspace, get_workspace
from smalt.service.reuse.content_lookup import ContentLookup, Looking, LookupPlace
from smalt.service.reuse.contents import BudgetExceeded, ContentFilter, PathContent, ReadBudget, UnknownContent
from smalt.service.reuse.keys import Parts, ReuseCandidate, add_contents, list_part_hashes, make_key
from smalt.wire.encoding import artifact_paths

_IDLE_BUDGET = ReadBudget(100_000, 2_000_000_000)
"""The budget of idle times; larger contents are examined when a later step may be identical."""
_MOST_SAME = 5
"""Steps with the same key that are looked at, of which one may still have its outputs."""
_MOST_LOOKED_AT = 200
_MOST_LOOKED_THROUGH = 1000
_TOGETHER = 25
_LOGS = "user_logs"
_NOTHING = manifest.make_content_id(manifest.encode_manifest([]))
"""The content of an empty folder."""
_WITHOUT_LOGS = ContentFilter(without=(f"/{_LOGS}/", "/system_logs/"))


HostChanged = Callable[[], "tuple[str, float] | None"]
"""The realised hash of the host's environment, and when it last changed; None while that is not known."""
_DELETED = "the job with identical code, inputs and environment was deleted meanwhile"
_TICK = 0.01
"""Seconds by which the file system's clock may be behind."""


class ReuseVerdict(NamedTuple):
    """The verdict on a step: `of` has its outputs; or it must run, and `reason` says why if that needs a reason."""

    key: str | None = None
    contents: dict[str, Any] | None = None
    of: Job | None = None
    reason: str | None = None


class WorkKey(NamedTuple):
    """The key of work that one job may take over from another: the same code, environment and contents."""

    key: str
    changed: float
    """The time of the last change of any input, in seconds since the epoch."""


class Reuse:
    """The reuse decisions of a home. Its methods are called on the event loop, which owns the records."""

    def __init__(self, db: Database, data: DataAccess, host_changed: HostChanged) -> None:
        self._host_changed = host_changed
        self.db = self._db = db
        self.data = self._data = data
        self._looker = ContentLookup(db, data)
        self._turn = 0.0
        self._workspaces: dict[int, Workspace] = {}

    def begin_turn(self) -> None:
        """Begin a turn: contents seen before may have changed."""
        self._turn = time.time()
        self._looker.begin_turn()

    def may_be_reused(self, asked: ReuseCandidate) -> bool:
        """True if an earlier step is identical as far as can be known before the inputs are there. Quick."""
        return asked.refusal is None and records.has_candidate(self._db, asked.job, asked.partial)

    def record_started(self, asked: ReuseCandidate, reason: str | None = None, *, is_early: bool = False) -> None:
        """Record that the step is about to run; inside the transaction that starts it.

        `is_early` says that its inputs are not all there yet.
        """
        unfit = asked.refusal if asked.refusal and asked.refusal.startswith("never") else None
        noted = {
            **asked.noted,
            "names": dict(_list_renamed_inputs(asked)),
            "inodes": {} if is_early else dict(_list_inodes(asked)),
        }
        if "copied" not in noted:  # copies were made in this turn
            noted["copied"] = {
                name: str(self._turn) for name in asked.inputs if _make_input_place(asked, name).mode in COPIED
            }
        if asked.host is not None:
            noted["host"] = asked.host()
        records.add_started(
            self._db, asked.job, asked.partial, asked.text,
            noted={key: told for key, told in noted.items() if told}, unfit=unfit, reason=asked.refusal or reason,
        )  # fmt: skip

    def record_reused(self, asked: ReuseCandidate, verdict: ReuseVerdict) -> None:
        """Record that the step has the outputs of `verdict.of`; inside the transaction that completes it."""
        assert verdict.of is not None
        assert verdict.key is not None
        records.add_reused(
            self._db, asked.job, asked.partial, asked.text, verdict.key, verdict.contents or {}, verdict.of
        )

    def judge_within_turn(self, asked: ReuseCandidate) -> ReuseVerdict | None:
        """Return the verdict; None if it takes longer than a turn can wait."""
        try:
            return self._looker.run_within_turn(self._make_verdict(asked))
        except BudgetExceeded:
            return None

    async def judge(self, asked: ReuseCandidate) -> ReuseVerdict:
        """Return the verdict, however long it takes."""
        return await self._looker.run_in_background(self._make_verdict(asked))

    async def find_work_key(self, asked: ReuseCandidate, parts: Parts) -> WorkKey | None:
        """Return the key of what the step does with its inputs, made of these parts and their contents.

        None if that is not known, or if there is too much to examine.
        """
        try:
            return await self._looker.run_in_background(self._make_work_key(asked, parts), _IDLE_BUDGET)
        except BudgetExceeded:
            return None

    async def record_fetched(
        self, asked: ReuseCandidate, paths: Mapping[str, Path], read: Mapping[str, Mapping[str, str]], since: float
    ) -> None:
        """Record what the step will read of the inputs brought to it `since` then: the originals may differ by
        now.

        `paths` are those of the inputs, and `read` those of the data that tables among them refer to by URI.
        """
        asked.noted.clear()
        try:
            there = await self._looker.run_in_background(self._read_given_outputs(asked), _IDLE_BUDGET)
        except BudgetExceeded:
            there = UnknownContent("the paths that its outputs are given hold more than 2 GB, which is not examined")
        fetched, copied, named = {}, {}, {}
        for name, data in asked.inputs.items():
            place = _make_input_place(asked, name)
            if self._looker.is_elsewhere(place):
                found = await self._looker.examine(paths[name], place)
                if isinstance(found, PathContent):
                    fetched[name] = found.id
            elif place.mode in COPIED:
                copied[name] = str(since)
            if data.type == "mltable":
                named[name] = await self._examine_references(place, paths[name], read.get(name, {}))
        asked.noted.update(inputs=fetched, copied=copied, named=named)
        if isinstance(there, UnknownContent):
            asked.refusal = asked.refusal or f"never: {there}"
        else:
            asked.noted["found"] = there

    async def _examine_references(
        self, place: LookupPlace, folder: Path, read: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """Return, by the text that refers to it, each reference's path, pattern, and content id if it was fetched."""
        rows = {}
        for one in tables.list_references(folder):
            if self._looker.explain_unreadable(place, one):
                rows[one.written] = ["", "", ""]
                continue
            path, id = read[one.uri] if one.is_remote else one.uri, ""
            if one.is_remote and self._looker.is_elsewhere(LookupPlace(one.uri, "", place.workspace)):
                chosen = place._replace(type="", choice=ContentFilter(pattern=one.pattern))
                found = await self._looker.examine(Path(path), chosen)
                id = found.id if isinstance(found, PathContent) else ""
                path = path if id else ""
            rows[one.written] = [path, one.pattern, id]
        return rows

    async def settle_completed(self, goes_on: Callable[[], bool]) -> None:
        """Examine what completed steps read and wrote, so that it stays known whatever becomes of the files."""
        after = 0
        while goes_on() and (ids := records.list_unsettled(self._db, after, _TOGETHER)):
            after = ids[-1]
            await self._settle_together(ids, goes_on)
            await asyncio.sleep(0)

    async def settle_steps(self, ids: Sequence[int]) -> None:
        """Examine what these jobs read and wrote, of those that are completed steps not examined yet."""
        left = records.find_unsettled(self._db, ids)
        for first in range(0, len(left), _TOGETHER):
            await self._settle_together(left[first : first + _TOGETHER], lambda: True)
            await asyncio.sleep(0)

    async def _settle_together(self, ids: Sequence[int], goes_on: Callable[[], bool]) -> None:
        for id in self._settle_within_turn(ids):
            step = records.get_step(self._db, id)
            if goes_on() and step is not None and step.key is None:
                with contextlib.suppress(BudgetExceeded):
                    await self._looker.run_in_background(self._settle_step(step), _IDLE_BUDGET)

    def _settle_within_turn(self, ids: Sequence[int]) -> list[int]:
        """Settle steps within a turn and return the ids of those that take longer."""
        left = []
        self.begin_turn()
        with self._db.transaction():
            for id in ids:
                step = records.get_step(self._db, id)
                try:
                    if step is not None:
                        self._looker.run_within_turn(self._settle_step(step))
                except BudgetExceeded:
                    left.append(id)
        return left

    def _make_work_key(self, asked: ReuseCandidate, parts: Parts) -> Looking[WorkKey | None]:
        found = yield from self._looker.look_up_all([_make_input_place(asked, name) for name in asked.inputs])
        there = yield from self._read_given_outputs(asked)
        contents, changed = {}, 0.0
        for name, content in zip(asked.inputs, found, strict=True):
            if isinstance(content, UnknownContent) or not content.id:
                return None
            contents[name] = content.id
            changed = max(changed, content.newest)
        if isinstance(there, UnknownContent):
            return None
        return WorkKey(make_key(add_contents(parts, contents, there)), changed)

    def _make_verdict(self, asked: ReuseCandidate) -> Looking[ReuseVerdict]:
        found = yield from self._looker.look_up_all([_make_input_place(asked, name) for name in asked.inputs])
        there = yield from self._read_given_outputs(asked)
        if isinstance(there, UnknownContent):
            return ReuseVerdict(reason=str(there))
        contents = {}
        for name, content in zip(asked.inputs, found, strict=True):
            if isinstance(content, UnknownContent):
                return ReuseVerdict(reason=f"the content of its input '{name}' is not known: {content}")
            if not content.id:
                return ReuseVerdict()  # it is missing, and the job will say so
            contents[name] = content.id
        key = make_key(add_contents(asked.parts, contents, there))
        known = records.list_with_key(self._db, asked.job, key, _MOST_SAME)
        newest = max((step.root_id for step in known), default=0)
        twin = yield from self._find_unexamined(asked, key, newest)
        odd: str | None = None
        for step in known if twin is None else ():
            why = yield from self._check_outputs(step)
            if why is None:
                twin = step
                break
            odd = odd or why
        if odd is not None and twin is None:
            twin = yield from self._find_unexamined(asked, key, 0)
        if twin is None:
            return ReuseVerdict(reason=odd)
        of = jobs.find_job(self._db, twin.job_id)
        if of is None:
            return ReuseVerdict(reason=_DELETED)
        known_contents = {"inputs": contents, "outputs": twin.contents.get("outputs", {}), "found": there}
        return ReuseVerdict(key, known_contents, of)

    def _read_given_outputs(self, asked: ReuseCandidate) -> Looking[dict[str, str] | UnknownContent]:
        """Return the contents found at the given paths of outputs: a step that finds something there may add to
        it, or read it.

        Commands do not find data that is elsewhere, or that is moved into place only at the end.
        """
        places = {name: LookupPlace(data.uri, data.type, asked.workspace) for name, data in asked.given.items()}
        places = {name: place for name, place in places.items() if not self._looker.is_elsewhere(place)}
        found = yield list(places.values())
        there = {}
        for name, content in zip(places, found, strict=True):
            if isinstance(content, UnknownContent):
                return UnknownContent(f"what is at the path of its output '{name}' is not known: {content}")
            if content.id not in ("", _NOTHING):
                there[name] = content.id
        return there

    def _find_unexamined(self, asked: ReuseCandidate, key: str, after: int) -> Looking[ReuseStep | None]:
        """Return the step with the key among those of later pipelines that were not examined yet."""
        ids = records.list_unexamined(self._db, asked.job, asked.partial, after, _MOST_LOOKED_THROUGH)
        for id in ids[:_MOST_LOOKED_AT]:
            step = records.get_step(self._db, id)
            settled = (yield from self._settle_step(step)) if step is not None else None
            if settled is not None and settled.key == key:
                return settled
        return None

    def _check_outputs(self, step: ReuseStep) -> Looking[str | None]:
        """Return the sentence that says why a step's outputs can no longer be reused; None if they can."""
        job = jobs.find_job(self._db, step.job_id)
        if job is None:
            return _DELETED
        places = {
            f"output '{name}'": LookupPlace(row[2] or "", row[0], self.get_workspace(job))
            for name, row in job_data.read_data(self._db, job.id, "output").items()
        }
        places["artifacts"] = artifacts = self._make_artifacts_place(job)
        known = {f"output '{name}'": id for name, id in step.contents.get("outputs", {}).items()}
        known["artifacts"] = step.contents.get("artifacts", "")
        found = yield list(places.values())
        for what, content in zip(places, found, strict=True):
            if isinstance(content, UnknownContent):
                return f"the content of the {what} of job {job.name} is not known: {content}"
            if content.id != known.get(what, ""):
                became = "changed" if content.id else "deleted"
                verb = "were" if what == "artifacts" else "was"
                return f"the {what} of job {job.name} (identical code, inputs, environment) {verb} {became} since"
        if _list_logs(artifacts) != step.contents.get("logs", []):
            return f"the logs of job {job.name} (identical code, inputs, environment) were changed or deleted since"
        return None

    def read_inputs(self, step: ReuseStep, job: Job) -> Looking[dict[str, PathContent | UnknownContent]]:
        """Return what a started step read, as far as it can still be determined; see `explain_unfit_input`."""
        noted = step.contents
        rows, at = job_data.read_data(self._db, job.id, "input"), job_data.read_places(self._db, job.id, "input")
        fetched, named = noted.get("inputs", {}), noted.get("named", {})
        contents: dict[str, PathContent | UnknownContent] = {
            name: _make_noted_content(id) for name, id in fetched.items()
        }
        places = {}
        for name, row in rows.items():
            if name not in fetched:
                places[name] = place = self._make_place(job, row, at.get(name), noted.get("names", {}).get(name))
                if self._looker.is_elsewhere(place):
                    contents[name] = UnknownContent("the content fetched for it when it started was not recorded")
        looked = [name for name in places if name not in contents]
        tables = [name for name in looked if name in named]
        others = [name for name in looked if name not in named]
        contents.update(
            zip(others, (yield from self._looker.look_up_all([places[name] for name in others])), strict=True)
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
        known: dict[str, PathContent | UnknownContent] = {}
        places = {}
        for written, (path, pattern, id) in rows.items():
            if id:
                known[written] = _make_noted_content(id)
            elif not path:
                known[written] = UnknownContent("the content that the step read was not recorded")
            else:
                location = Location(written, Path(path))
                places[written] = LookupPlace(
                    written, "", self.get_workspace(job), location, ContentFilter(pattern=pattern)
                )
        if not rows:
            return content
        known.update(zip(places, (yield list(places.values())), strict=True))
        return self._looker.join_table(content, {written: known[written] for written in rows})

    def _settle_step(self, step: ReuseStep) -> Looking[ReuseStep | None]:
        """Record what a completed step read when it started and wrote until it ended; None if that cannot be
        determined.
        """
        job = jobs.find_job(self._db, step.job_id)
        if job is None:
            return None
        if (since := step.contents.get("host")) is not None:
            host = self._host_changed()
            if host is None:
                return None
            if host[0] != step.parts["environment"] or host[1] > since - _TICK:
                records.mark_unfit(self._db, job.id, "the host's packages were changed after it had been started")
                return None
        read = yield from self.read_inputs(step, job)
        rows, at = job_data.read_data(self._db, job.id, "output"), job_data.read_places(self._db, job.id, "output")
        places = [self._make_place(job, row, at.get(name)) for name, row in rows.items()]
        kept = self._make_artifacts_place(job)
        *written, artifacts = yield [*places, kept]
        said = [
            (f"its input '{name}'", content, explain_unfit_input(step, job, name, content))
            for name, content in read.items()
        ]
        said += [
            (what, content, _explain_unfit_output(what, content, job))
            for what, content in zip(
                [*(f"its output '{name}'" for name in rows), "the artifacts that it left"],
                [*written, artifacts], strict=True,
            )
        ]  # fmt: skip
        if jobs.find_job(self._db, job.id) is None:  # deleted while its data was looked at
            return None
        for _, content, why in said:
            if isinstance(content, UnknownContent) and content.for_now:
                return None
            if why is not None:
                records.mark_unfit(self._db, job.id, why)
                return None
        contents: dict[str, Any] = {
            "inputs": {name: _get_id(content) for name, content in read.items()},
            "outputs": {name: _get_id(content) for name, content in zip(rows, written, strict=True)},
            "artifacts": _get_id(artifacts),
            "logs": _list_logs(kept),
        }
        if there := step.contents.get("found"):
            contents["found"] = there
        parts = add_contents(step.parts, contents["inputs"], there or {})
        step.key, step.contents = make_key(parts), contents
        records.settle_step(self._db, job, step.key, contents, list_part_hashes(parts))
        return step

    def _make_place(
        self, job: Job, row: tuple[str, str | None, str | None, str | None], noted: tuple[str, str] | None,
        name: str | None = None,
    ) -> LookupPlace:  # fmt: skip
        """Return where an input or output was when the step started, or is now if that was not recorded."""
        uri = row[2] or ""
        location = None
        if noted is not None and noted[0] == uri and noted[1].startswith("/"):
            location = Location(uri, Path(noted[1]), name=name)
        return LookupPlace(uri, row[0], self.get_workspace(job), location, mode=row[1], run=job.root_id)

    def _make_artifacts_place(self, job: Job) -> LookupPlace:
        """Return the place of the job's artifacts: ./outputs, ./logs, what it logged to MLflow; without its own
        logs.
        """
        uri, workspace = artifact_paths.URI.format(job=job.name), self.get_workspace(job)
        return LookupPlace(uri, "uri_folder", workspace, self._data.resolve(uri, workspace), _WITHOUT_LOGS)

    async def load_inputs(self, step: ReuseStep, job: Job) -> dict[str, PathContent | UnknownContent]:
        """Return the result of `read_inputs`, however long it takes."""
        return await self._looker.run_in_background(self.read_inputs(step, job))

    def get_workspace(self, job: Job) -> Workspace:
        known = self._workspaces.get(job.workspace_id)
        if known is None:
            known = self._workspaces[job.workspace_id] = get_workspace(self._db, job.workspace_id)
        return known


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
    if path is not None and _get_inode(path) != inode:
        return f"its input '{name}' was moved after it had started"
    return None


def _explain_unfit_output(what: str, content: PathContent | UnknownContent, job: Job) -> str | None:
    """Return the sentence that says why an output's content at the end is unknown; None if it is known."""
    if isinstance(content, UnknownContent):
        return f"the content of {what} is not known: {content}"
    return f"{what} was changed after it had ended" if content.newest > (job.ended_at or 0.0) else None


def _list_logs(artifacts: LookupPlace) -> list[str]:
    """Return the job's logs, by name and size."""
    path = artifacts.location.path if artifacts.location is not None else None
    try:
        return sorted(f"{each.name} {each.stat().st_size}" for each in os.scandir(f"{path}/{_LOGS}"))
    except OSError:
        return []


def _make_input_place(asked: ReuseCandidate, name: str) -> LookupPlace:
    data, mode = asked.inputs[name], asked.parts[f"inputs.{name}"]["mode"]
    return LookupPlace(data.uri, data.type, asked.workspace, asked.places.get(name), mode=mode, run=asked.job.root_id)


def _list_renamed_inputs(asked: ReuseCandidate) -> Iterator[tuple[str, str]]:
    """Yield the inputs that are files with other names than their real paths have."""
    for name, location in asked.places.items():
        if location.path is not None and location.name not in (None, location.path.name):
            yield name, str(location.name)


def _list_inodes(asked: ReuseCandidate) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the inputs on this machine, each with what tells it from another file moved to its path later."""
    for name, location in asked.places.items():
        if location.path is not None and (inode := _get_inode(str(location.path))):
            yield name, (str(location.path), inode)


def _get_inode(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def _make_noted_content(id: str) -> PathContent:
    """Return the content recorded when the step started, whatever has changed since then."""
    return PathContent(KnownContent("", id, 0, 0), 0.0, 0.0, None)


def _get_id(content: PathContent | UnknownContent) -> str:
    assert isinstance(content, PathContent)
    return content.id
