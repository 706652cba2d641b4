"""Folders that are made for the next steps while others run, and folders that are used again."""

from __future__ import annotations

import contextlib
from itertools import islice

from smalt.exceptions import SmaltError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.handover.no_handover import recycle_folder
from smalt.service.engine.kinds import Leaf, read_leaf
from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.engine.step_reuse import StepReuse
from smalt.service.records import job_needs, jobs
from smalt.service.records.jobs import Job

_MOST_LEAVES = 4
"""Leaves that are laid out ahead of their turn."""


class Prefetcher:
    """Reads and lays out the leaves that are likely to start next, and recycles the folders of steps that ended."""

    def __init__(self, context: EngineContext, reusing: StepReuse) -> None:
        self._context = context
        self._reusing = reusing
        self._ended: list[LeafRun] = []
        self._leaves: dict[int, Leaf] = {}
        self._without_dependents: set[int] = set()
        """Running jobs for which no leaf waited alone at the last look."""

    @property
    def has_work(self) -> bool:
        return bool(self._ended)

    def recycle(self, run: LeafRun) -> None:
        """Let the folder of a run that is over serve another step."""
        self._ended.append(run)
        self._without_dependents.discard(run.job.id)

    def pop(self, job: Job) -> Leaf | None:
        """Return the leaf of the job, if it was read ahead of its turn, and keep it no longer."""
        leaf = self._leaves.pop(job.id, None)
        if leaf is not None:
            leaf.job = job
        return leaf

    def put_back(self, leaf: Leaf) -> None:
        """Keep a leaf that was popped although its turn has not come."""
        self._leaves[leaf.job.id] = leaf

    def discard(self, job: Job) -> None:
        """Drop the leaf of a job that is over, with the folder that was made for it."""
        leaf = self._leaves.pop(job.id, None)
        if leaf is not None and leaf.layout is not None:
            leaf.backend(self._context).steps.discard(leaf.layout)

    def look_again(self) -> None:
        """Look at the dependents of running jobs again: a job that waited for two waits for one of them now."""
        self._without_dependents.clear()

    def note_without_dependents(self, job: Job) -> None:
        """Note that no leaf waits for this job alone that is not at the launcher."""
        self._without_dependents.add(job.id)

    def run(self, queues: Queues) -> None:
        """Recycle the folders of runs that are over, then lay out the leaves that are likely to start next."""
        while self._ended:
            recycle_folder(self._context, self._ended.pop())
        if len(self._leaves) >= _MOST_LEAVES:
            return
        for job_id in self._find_likely(queues):
            job = jobs.find_waiting(self._context.db, job_id) if job_id not in self._leaves else None
            if job is not None:
                with contextlib.suppress(SmaltError, OSError):  # reported when its turn comes
                    self._leaves[job_id] = self._lay_out(job, queues)

    def _find_likely(self, queues: Queues) -> list[int]:
        """Return the leaves that are likely to start next: those that are ready, then those that wait for one job."""
        likely = list(islice(queues.ready, _MOST_LEAVES))
        for run in queues.runs.values():
            if len(likely) >= _MOST_LEAVES:
                break
            if run.job.id not in self._without_dependents:
                leaves = job_needs.list_waiting_only_for(self._context.db, run.job, _MOST_LEAVES)
                dependents = [one.id for one in leaves]
                if not dependents:
                    self._without_dependents.add(run.job.id)
                likely += dependents
        return likely[:_MOST_LEAVES]

    def _lay_out(self, job: Job, queues: Queues) -> Leaf:
        context = self._context
        leaf = read_leaf(context, job, queues.entities.pop(job.id, None))
        environment = context.environments.find_built(leaf.environment)
        if leaf.code is None and environment is not None and not self._reusing.may_be_reused(leaf, environment):
            leaf.layout = leaf.lay_out(context, environment, 1)
        return leaf
