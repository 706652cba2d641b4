"""The jobs' runs in the tracking store: created when someone first asks for them, brought up to date, ended.

Nothing is written for a job that nobody asks about, so a job that does not track costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from smalt.exceptions import SmaltError
from smalt.service.records import reuse, tracked_runs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import run_fields

log = logging.getLogger("smalt.tracking")

_AT_ONCE = 200
_SOON = 0.02
"""Seconds that an end waits for others, to be written with them."""


class StoreCall(Protocol):
    """A call of the store's own routes."""

    def __call__(self, workspace: Workspace, method: str, path: str, body: Any = None) -> Awaitable[Any]: ...


class JobRuns:
    """Writes jobs' runs to the tracking store."""

    def __init__(
        self, db: Database, call: StoreCall, after_removal: Callable[[Workspace], Awaitable[None]] | None = None
    ) -> None:
        self._db = db
        self._call = call
        self._after_removal = after_removal
        self._open = tracked_runs.list_open(db)
        self._due: set[int] = set()
        self._complete: dict[int, int] = {}
        """workspace → all its jobs up to this one have a run"""
        self._locks: dict[int, asyncio.Lock] = {}
        self._writer: asyncio.Task[None] | None = None

    async def ensure_runs(self, workspace: Workspace, names: Sequence[str]) -> None:
        """Make sure that the runs of these jobs, and those above them, exist and are up to date; unknown names are
        ignored.

        Costs two small queries if nothing is to be done.
        """
        jobs = tracked_runs.add_ancestors(self._db, tracked_runs.find_jobs(self._db, workspace.id, names))
        await self._write_runs(workspace, self._find_stale(jobs))

    async def ensure_all_runs(self, workspace: Workspace, experiment: str | None = None) -> None:
        """Make sure that all jobs of the workspace, or of one of its experiments, have a run that is up to date."""
        await self._write_runs(workspace, tracked_runs.list_changed(self._db, workspace.id))
        after = self._complete.get(workspace.id, 0)
        while found := tracked_runs.list_without_run(self._db, workspace.id, after, experiment, _AT_ONCE):
            await self._write_runs(workspace, found)
            after = found[-1].id
        if experiment is None:
            self._complete[workspace.id] = after

    def record_end(self, job: Job) -> None:
        """Write the run of a job that is over, or will be once the current transaction is committed."""
        if job.id in self._open:
            self._add_due(job.id)

    def require_run(self, job: Job) -> None:
        """Have the run written once the job is over, though nobody has asked for it. Call in a transaction."""
        tracked_runs.put_unwritten(self._db, job)
        self._open.add(job.id)

    def record_description(self, job: Job) -> None:
        """Write the new name, description or tags of a job."""
        if tracked_runs.list_written(self._db, [job.id]):
            tracked_runs.clear_status(self._db, job.id)
            self._open.add(job.id)
            self._add_due(job.id)

    def record_removal(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        """Delete the runs of jobs that are about to be deleted, before a job of the same name can have another.

        A run whose metrics other jobs show, as they were reused, stays until the last of these is deleted, and so do
        the runs above it, as MLflow deletes runs with their parents. Call in the transaction that deletes the jobs:
        after a crash the next server finishes the work.
        """
        ids = [job.id for job in jobs]
        stays, parents = reuse.find_shared(self._db, ids), {job.id: job.parent_id for job in jobs}
        above = list(stays)
        while above:
            parent = parents.get(above.pop())
            if parent is not None and parent not in stays:
                stays.add(parent)
                above.append(parent)
        goes = tracked_runs.list_written(self._db, ids).keys() - stays
        names = [job.name for job in jobs if job.id in goes]
        names += {name for id in reuse.find_last_holders(self._db, ids) if (name := reuse.find_origin(self._db, id))}
        if names:
            tracked_runs.put_gone(self._db, workspace.id, names)
            self._start_writer()

    async def write_missed_ends(self) -> None:
        """Write the ends that an earlier server did not write."""
        for job in tracked_runs.list_missed_ends(self._db):
            self._add_due(job.id)
        if tracked_runs.list_workspaces_with_gone(self._db):
            self._start_writer()
        await self.wait_until_settled()

    async def wait_until_settled(self) -> None:
        """Wait until due runs have been written, or could not be."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def close(self) -> None:
        """Stop writing; the next server writes the rest."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])

    def _find_stale(self, jobs: Sequence[Job]) -> list[Job]:
        before = tracked_runs.list_written(self._db, [job.id for job in jobs])
        return [job for job in jobs if before.get(job.id) != job.status]

    async def _write_runs(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        """Bring these runs up to date, in the given order; a workspace has one writer at a time."""
        if not jobs:
            return
        async with self._locks.setdefault(workspace.id, asyncio.Lock()):
            await self._remove_gone(workspace)
            for start in range(0, len(jobs), _AT_ONCE):
                some = tracked_runs.list_jobs(self._db, [job.id for job in jobs[start : start + _AT_ONCE]])
                rows = self._find_stale(some)  # as they are now: another writer may have had its turn
                if rows:
                    await self._call(workspace, "POST", "/smalt/runs", {"runs": self._build_runs(rows)})
                    self._record_written(workspace, rows)

    def _build_runs(self, jobs: Sequence[Job]) -> list[run_fields.Json]:
        before = tracked_runs.list_written(self._db, [job.id for job in jobs])
        facts = tracked_runs.read_facts(self._db, [job.id for job in jobs])
        names = tracked_runs.list_names(
            self._db, {id for job in jobs for id in (job.parent_id, job.root_id) if id is not None}
        )
        reused = reuse.find_origins(self._db, jobs[0].workspace_id, [job.name for job in jobs])
        filled = [
            run_fields.build_end(job, facts[job.id])
            if before.get(job.id)
            else run_fields.build_run(job, facts[job.id], names.get(job.parent_id or 0), names[job.root_id])
            for job in jobs
        ]
        return [
            {**run, "metrics_of": reused[job.name]} if job.name in reused else run
            for job, run in zip(jobs, filled, strict=True)
        ]

    def _record_written(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        """Record the written states, and write jobs that have changed meanwhile again soon."""
        tracked_runs.put_runs(self._db, jobs)
        self._open.difference_update(job.id for job in jobs)
        now = {job.id: job for job in tracked_runs.list_jobs(self._db, [job.id for job in jobs])}
        for job in jobs:
            if job.id not in now:
                tracked_runs.put_gone(self._db, workspace.id, [job.name])
                self._start_writer()
            elif not job.is_over:
                self._open.add(job.id)
                if now[job.id].is_over:
                    self._add_due(job.id)

    def _add_due(self, id: int) -> None:
        self._due.add(id)
        self._start_writer()

    def _start_writer(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_due())

    async def _write_due(self) -> None:
        while self._due or tracked_runs.list_workspaces_with_gone(self._db):
            await asyncio.sleep(_SOON)
            due, self._due = self._due, set()
            jobs = tracked_runs.list_jobs(self._db, due)
            try:
                for id in {*tracked_runs.list_workspaces_with_gone(self._db), *(job.workspace_id for job in jobs)}:
                    await self._write_workspace(workspaces.get_workspace(self._db, id), jobs)
            except SmaltError as error:
                log.warning("runs in MLflow are brought up to date when they are next asked for: %s", error)
                return

    async def _write_workspace(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        await self._write_runs(workspace, [job for job in jobs if job.workspace_id == workspace.id])
        async with self._locks.setdefault(workspace.id, asyncio.Lock()):
            await self._remove_gone(workspace)

    async def _remove_gone(self, workspace: Workspace) -> None:
        while names := tracked_runs.list_gone(self._db, workspace.id):
            await self._call(workspace, "POST", "/smalt/runs", {"runs": [], "gone": names})
            if self._after_removal is not None:
                await self._after_removal(workspace)
            tracked_runs.remove_gone(self._db, workspace.id, names)
