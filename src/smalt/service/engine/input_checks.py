"""Checks that a pipeline's inputs elsewhere on the network are there, before its first step starts."""

from __future__ import annotations

import asyncio
from collections import deque

from smalt.service.engine import outcome
from smalt.service.engine.endings import Endings
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.state import SharedState
from smalt.service.engine.submission import acceptance
from smalt.service.records.jobs import Job


class InputChecks:
    """The checks under way, beside the loop."""

    def __init__(self, state: SharedState, endings: Endings) -> None:
        self._state = state
        self._endings = endings
        self._running: dict[int, asyncio.Future[None]] = {}
        self._checked: deque[tuple[Job, str]] = deque()

    def __bool__(self) -> bool:
        """Return True while a check is under way."""
        return bool(self._running)

    def __contains__(self, job: Job) -> bool:
        return job.id in self._running

    def start(self, job: Job, remote: list[str]) -> None:
        """Look for the URIs `remote` beside the loop; the job is queued once they are found."""
        self._running[job.id] = asyncio.ensure_future(self._check_inputs(job, remote))

    def queue_job(self, job: Job) -> None:
        """Queue a recorded job, or look again for its inputs: that they are there was only in memory."""
        if job in self:
            return
        context, is_submitted = self._state.context, job.is_composite and job.parent_id is None
        remote = acceptance.find_remote_inputs(context, context.workspace(job), job) if is_submitted else []
        if remote:
            self.start(job, remote)
        else:
            self._state.queues.add(job)

    def take_checked(self) -> None:
        """Queue the jobs whose inputs were found, and end the others."""
        while self._checked:
            job, problem = self._checked.popleft()
            if problem:
                self._endings.end_job(job, "Failed", outcome.make_error(problem, "InputMissing"))
            else:
                self._state.queues.add(job)

    def clear(self) -> None:
        """Forget the checks that have ended: the records are read again."""
        self._checked.clear()

    async def _check_inputs(self, job: Job, remote: list[str]) -> None:
        context = self._state.context
        workspace = context.workspace(job)
        try:
            problems = [await asyncio.to_thread(context.data.check_exists, uri, workspace) for uri in remote]
        except Exception as error:  # whatever it is, the job must not wait for ever
            problems = [to_sentence(error)]
        del self._running[job.id]
        self._checked.append((job, "; ".join(problem for problem in problems if problem)))
        self._state.request_turn()
