"""The front of the package: finds the earlier step whose outputs a step that is about to start can reuse.

Judgements are generators that yield places and are sent their contents: the same judgement is made within a
turn if little has to be read, and beside the event loop if it is much.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.data import DataAccess
from smalt.service.records import job_data, jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import ReuseStep
from smalt.service.reuse.candidate_contents import look_up_given_outputs, look_up_inputs
from smalt.service.reuse.content_lookup import ContentLookup, Looking, LookupPlace
from smalt.service.reuse.contents import BudgetExceeded, UnknownContent
from smalt.service.reuse.keys import Parts, ReuseCandidate, add_contents, make_key
from smalt.service.reuse.recorded_places import RecordedPlaces, list_logs
from smalt.service.reuse.settlement import IDLE_BUDGET, HostChanged, Settlement
from smalt.service.reuse.start_notes import make_fetch_notes, make_start_notes
from smalt.service.reuse.started_inputs import StartedInputs

_MOST_SAME = 5
"""Steps with the same key that are looked at, of which one may still have its outputs."""
_MOST_LOOKED_AT = 200
_MOST_LOOKED_THROUGH = 1000
_DELETED = "the job with identical code, inputs and environment was deleted meanwhile"


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
        self.db = db
        self.data = data
        self._lookup = ContentLookup(db, data)
        self._places = RecordedPlaces(db, data)
        self.inputs = StartedInputs(db, self._lookup, self._places)
        self.settlement = Settlement(db, self._lookup, self._places, self.inputs, host_changed)

    def begin_turn(self) -> None:
        """Begin a turn: contents seen before may have changed."""
        self._lookup.begin_turn()

    def may_be_reused(self, candidate: ReuseCandidate) -> bool:
        """True if an earlier step is identical as far as can be known before the inputs are there. Quick."""
        return candidate.refusal is None and records.has_candidate(self.db, candidate.job, candidate.partial)

    def record_started(self, candidate: ReuseCandidate, reason: str | None = None, *, is_early: bool = False) -> None:
        """Record that the step is about to run; inside the transaction that starts it.

        `is_early` says that its inputs are not all there yet.
        """
        refusal = candidate.refusal
        records.add_started(
            self.db,
            candidate.job,
            candidate.partial,
            candidate.text,
            noted=make_start_notes(candidate, self._lookup.turn_began, is_early=is_early),
            unfit=refusal if refusal and refusal.startswith("never") else None,
            reason=refusal or reason,
        )

    def record_reused(self, candidate: ReuseCandidate, verdict: ReuseVerdict) -> None:
        """Record that the step has the outputs of `verdict.of`; inside the transaction that completes it."""
        assert verdict.of is not None
        assert verdict.key is not None
        records.add_reused(
            self.db, candidate.job, candidate.partial, candidate.text, verdict.key, verdict.contents or {}, verdict.of
        )

    async def record_fetched(
        self, candidate: ReuseCandidate, paths: Mapping[str, Path], read: Mapping[str, Mapping[str, str]], since: float
    ) -> None:
        """Note the content of the inputs brought to the step, and what is at the given paths of its outputs.

        See `make_fetch_notes`.
        """
        candidate.noted.clear()
        try:
            there = await self._lookup.run_in_background(look_up_given_outputs(self._lookup, candidate), IDLE_BUDGET)
        except BudgetExceeded:
            there = UnknownContent("the paths that its outputs are given hold more than 2 GB, which is not examined")
        candidate.noted.update(await make_fetch_notes(self._lookup, candidate, paths, read, since))
        if isinstance(there, UnknownContent):
            candidate.refusal = candidate.refusal or f"never: {there}"
        else:
            candidate.noted["found"] = there

    def judge_within_turn(self, candidate: ReuseCandidate) -> ReuseVerdict | None:
        """Return the verdict; None if it takes longer than a turn can wait."""
        try:
            return self._lookup.run_within_turn(self._make_verdict(candidate))
        except BudgetExceeded:
            return None

    async def judge(self, candidate: ReuseCandidate) -> ReuseVerdict:
        """Return the verdict, however long it takes."""
        return await self._lookup.run_in_background(self._make_verdict(candidate))

    async def find_work_key(self, candidate: ReuseCandidate, parts: Parts) -> WorkKey | None:
        """Return the key of what the step does with its inputs, made of these parts and their contents.

        None if that is not known, or if there is too much to examine.
        """
        try:
            return await self._lookup.run_in_background(self._make_work_key(candidate, parts), IDLE_BUDGET)
        except BudgetExceeded:
            return None

    def _make_work_key(self, candidate: ReuseCandidate, parts: Parts) -> Looking[WorkKey | None]:
        found = yield from look_up_inputs(self._lookup, candidate)
        there = yield from look_up_given_outputs(self._lookup, candidate)
        contents, changed = {}, 0.0
        for name, content in zip(candidate.inputs, found, strict=True):
            if isinstance(content, UnknownContent) or not content.id:
                return None
            contents[name] = content.id
            changed = max(changed, content.newest)
        if isinstance(there, UnknownContent):
            return None
        return WorkKey(make_key(add_contents(parts, contents, there)), changed)

    def _make_verdict(self, candidate: ReuseCandidate) -> Looking[ReuseVerdict]:
        found = yield from look_up_inputs(self._lookup, candidate)
        there = yield from look_up_given_outputs(self._lookup, candidate)
        if isinstance(there, UnknownContent):
            return ReuseVerdict(reason=str(there))
        contents = {}
        for name, content in zip(candidate.inputs, found, strict=True):
            if isinstance(content, UnknownContent):
                return ReuseVerdict(reason=f"the content of its input '{name}' is not known: {content}")
            if not content.id:
                return ReuseVerdict()  # it is missing, and the job will say so
            contents[name] = content.id
        key = make_key(add_contents(candidate.parts, contents, there))
        twin, reason = yield from self._find_twin(candidate, key)
        if twin is None:
            return ReuseVerdict(reason=reason)
        of = jobs.find_job(self.db, twin.job_id)
        if of is None:
            return ReuseVerdict(reason=_DELETED)
        known_contents = {"inputs": contents, "outputs": twin.contents.get("outputs", {}), "found": there}
        return ReuseVerdict(key, known_contents, of)

    def _find_twin(self, candidate: ReuseCandidate, key: str) -> Looking[tuple[ReuseStep | None, str | None]]:
        """Return a step with the key that still has its outputs; or None and why the first with the key has not."""
        known = records.list_with_key(self.db, candidate.job, key, _MOST_SAME)
        newest = max((step.root_id for step in known), default=0)
        twin = yield from self._find_unexamined(candidate, key, newest)
        if twin is not None:
            return twin, None
        reason: str | None = None
        for step in known:
            why = yield from self._check_outputs(step)
            if why is None:
                return step, None
            reason = reason or why
        if reason is not None:
            twin = yield from self._find_unexamined(candidate, key, 0)
        return twin, reason

    def _find_unexamined(self, candidate: ReuseCandidate, key: str, after: int) -> Looking[ReuseStep | None]:
        """Return the step with the key among those of later pipelines that were not examined yet."""
        ids = records.list_unexamined(self.db, candidate.job, candidate.partial, after, _MOST_LOOKED_THROUGH)
        for id in ids[:_MOST_LOOKED_AT]:
            step = records.get_step(self.db, id)
            settled = (yield from self.settlement.settle_step(step)) if step is not None else None
            if settled is not None and settled.key == key:
                return settled
        return None

    def _check_outputs(self, step: ReuseStep) -> Looking[str | None]:
        """Return the sentence that says why a step's outputs can no longer be reused; None if they can."""
        job = jobs.find_job(self.db, step.job_id)
        if job is None:
            return _DELETED
        places = {
            f"output '{name}'": LookupPlace(row[2] or "", row[0], self._places.get_workspace(job))
            for name, row in job_data.read_data(self.db, job.id, "output").items()
        }
        places["artifacts"] = artifacts = self._places.make_artifacts_place(job)
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
        if list_logs(artifacts) != step.contents.get("logs", []):
            return f"the logs of job {job.name} (identical code, inputs, environment) were changed or deleted since"
        return None
