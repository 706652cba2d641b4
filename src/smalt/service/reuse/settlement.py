"""Settlement of completed steps: their inputs and outputs are examined, and the key and the contents recorded, so that
both stay known whatever becomes of the files.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from smalt.service.records import job_data, jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import ReuseStep
from smalt.service.reuse.content_lookup import ContentLookup, Looking
from smalt.service.reuse.contents import BudgetExceeded, PathContent, ReadBudget, UnknownContent
from smalt.service.reuse.keys import add_contents, list_part_hashes, make_key
from smalt.service.reuse.recorded_places import RecordedPlaces, list_logs
from smalt.service.reuse.started_inputs import StartedInputs, explain_unfit_input

IDLE_BUDGET = ReadBudget(100_000, 2_000_000_000)
"""The budget of idle times; larger contents are examined when a later step may be identical."""
_TOGETHER = 25
_TICK = 0.01
"""Seconds by which the file system's clock may be behind."""

HostChanged = Callable[[], "tuple[str, float] | None"]
"""The realised hash of the host's environment, and when it last changed; None while that is not known."""
Contents = Mapping[str, PathContent | UnknownContent]


class Settlement:
    def __init__(
        self,
        db: Database,
        lookup: ContentLookup,
        places: RecordedPlaces,
        inputs: StartedInputs,
        host_changed: HostChanged,
    ) -> None:
        self._db = db
        self._lookup = lookup
        self._places = places
        self._inputs = inputs
        self._host_changed = host_changed

    async def settle_completed(self, goes_on: Callable[[], bool]) -> None:
        """Settle all completed steps while `goes_on` answers True."""
        after = 0
        while goes_on() and (ids := records.list_unsettled(self._db, after, _TOGETHER)):
            after = ids[-1]
            await self._settle_together(ids, goes_on)
            await asyncio.sleep(0)

    async def settle_steps(self, ids: Sequence[int]) -> None:
        """Settle these jobs, of those that are completed steps not settled yet."""
        left = records.find_unsettled(self._db, ids)
        for first in range(0, len(left), _TOGETHER):
            await self._settle_together(left[first : first + _TOGETHER], lambda: True)
            await asyncio.sleep(0)

    async def _settle_together(self, ids: Sequence[int], goes_on: Callable[[], bool]) -> None:
        for id in self._settle_within_turn(ids):
            step = records.get_step(self._db, id)
            if goes_on() and step is not None and step.key is None:
                with contextlib.suppress(BudgetExceeded):
                    await self._lookup.run_in_background(self.settle_step(step), IDLE_BUDGET)

    def _settle_within_turn(self, ids: Sequence[int]) -> list[int]:
        """Settle steps within a turn and return the ids of those that take longer."""
        left = []
        self._lookup.begin_turn()
        with self._db.transaction():
            for id in ids:
                step = records.get_step(self._db, id)
                try:
                    if step is not None:
                        self._lookup.run_within_turn(self.settle_step(step))
                except BudgetExceeded:
                    left.append(id)
        return left

    def settle_step(self, step: ReuseStep) -> Looking[ReuseStep | None]:
        """Record what a completed step read when it started and wrote until it ended; None if that cannot be
        determined.
        """
        job = jobs.find_job(self._db, step.job_id)
        if job is None or not self._has_known_host(step):
            return None
        read = yield from self._inputs.read_inputs(step, job)
        rows, at = job_data.read_data(self._db, job.id, "output"), job_data.read_places(self._db, job.id, "output")
        places = [self._places.make_place(job, row, at.get(name)) for name, row in rows.items()]
        kept = self._places.make_artifacts_place(job)
        *written, artifacts = yield [*places, kept]
        if jobs.find_job(self._db, job.id) is None:  # deleted while its data was looked at
            return None
        outputs = dict(zip(rows, written, strict=True))
        for content, why in _explain_contents(step, job, read, outputs, artifacts):
            if isinstance(content, UnknownContent) and content.for_now:
                return None
            if why is not None:
                records.mark_unfit(self._db, job.id, why)
                return None
        self._record_settled(step, job, read, outputs, artifacts, list_logs(kept))
        return step

    def _has_known_host(self, step: ReuseStep) -> bool:
        """Return False if the step used the host's packages, and they changed since or are not examined yet."""
        since = step.contents.get("host")
        if since is None:
            return True
        host = self._host_changed()
        if host is None:
            return False
        if host[0] != step.parts["environment"] or host[1] > since - _TICK:
            records.mark_unfit(self._db, step.job_id, "the host's packages were changed after it had been started")
            return False
        return True

    def _record_settled(
        self,
        step: ReuseStep,
        job: Job,
        read: Contents,
        outputs: Contents,
        artifacts: PathContent | UnknownContent,
        logs: list[str],
    ) -> None:
        contents: dict[str, Any] = {
            "inputs": {name: _get_id(content) for name, content in read.items()},
            "outputs": {name: _get_id(content) for name, content in outputs.items()},
            "artifacts": _get_id(artifacts),
            "logs": logs,
        }
        if there := step.contents.get("found"):
            contents["found"] = there
        parts = add_contents(step.parts, contents["inputs"], there or {})
        step.key, step.contents = make_key(parts), contents
        records.settle_step(self._db, job, step.key, contents, list_part_hashes(parts))


def _explain_contents(
    step: ReuseStep, job: Job, read: Contents, outputs: Contents, artifacts: PathContent | UnknownContent
) -> Iterator[tuple[PathContent | UnknownContent, str | None]]:
    """Yield each content of the step with the sentence that says why it is unknown; None if it is known."""
    for name, content in read.items():
        yield content, explain_unfit_input(step, job, name, content)
    for name, content in outputs.items():
        yield content, _explain_unfit_output(f"its output '{name}'", content, job)
    yield artifacts, _explain_unfit_output("the artifacts that it left", artifacts, job)


def _explain_unfit_output(what: str, content: PathContent | UnknownContent, job: Job) -> str | None:
    """Return the sentence that says why an output's content at the end is unknown; None if it is known."""
    if isinstance(content, UnknownContent):
        return f"the content of {what} is not known: {content}"
    return f"{what} was changed after it had ended" if content.newest > (job.ended_at or 0.0) else None


def _get_id(content: PathContent | UnknownContent) -> str:
    assert isinstance(content, PathContent)
    return content.id
