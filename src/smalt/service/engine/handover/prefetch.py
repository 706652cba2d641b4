"""Work that nobody waits for, done while steps run: folders for the next ones, and tidying up after the last ones."""

from __future__ import annotations

import contextlib
import os
from itertools import islice

from smalt.exceptions import SmaltError
from smalt.launcher import claims
from smalt.service.engine.context import Rooms
from smalt.service.engine.kinds import command
from smalt.service.engine.queues import Board, Run
from smalt.service.engine.step_reuse import Reusing
from smalt.service.records import jobs
from smalt.service.records.jobs import Job

_MOST = 4  # steps that are laid out before their turn


class Ahead:
    def __init__(self, rooms: Rooms, reusing: Reusing) -> None:
        self._rooms = rooms
        self._reusing = reusing
        self._freed: list[Run] = []
        self._leaves: dict[int, command.Leaf] = {}

    @property
    def has_work(self) -> bool:
        return bool(self._freed)

    def leave(self, run: Run) -> None:
        """The run is over; what it used may serve another."""
        self._freed.append(run)

    def take(self, job: Job) -> command.Leaf | None:
        """The job's leaf, if it was looked at ahead of its turn."""
        leaf = self._leaves.pop(job.id, None)
        if leaf is not None:
            leaf.job = job
        return leaf

    def keep(self, leaf: command.Leaf) -> None:
        """The leaf was taken, and its turn has not come."""
        self._leaves[leaf.job.id] = leaf

    def forget(self, job: Job) -> None:
        leaf = self._leaves.pop(job.id, None)
        if leaf is not None and leaf.laid_out is not None:
            self._rooms.spares.forget(leaf.laid_out.folders.folder)

    def look_again(self, board: Board) -> None:
        """Look again at what follows the steps that run: a job that waited for two waits for one of them now."""
        for run in board.runs.values():
            run.has_no_follower = False

    def work(self, board: Board) -> None:
        while self._freed:
            self._reuse(self._freed.pop())
        if len(self._leaves) >= _MOST:
            return
        likely = list(islice(board.ready, _MOST))
        for run in board.runs.values():
            if len(likely) >= _MOST:
                break
            if not run.has_no_follower:
                dependents = jobs.list_waiting_only_for(self._rooms.db, run.job, _MOST)
                run.has_no_follower = not dependents
                likely += dependents
        for job_id in likely[:_MOST]:
            if job_id not in self._leaves:
                with contextlib.suppress(SmaltError, OSError):  # told when its turn comes
                    self._leaves[job_id] = self._lay_out(jobs.get_job(self._rooms.db, job_id), board)

    def _lay_out(self, job: Job, board: Board) -> command.Leaf:
        rooms = self._rooms
        leaf = command.Leaf.read(rooms, job, rooms.workspace(job), board.entities.pop(job.id, None))
        environment = rooms.environments.cached(leaf.environment)
        if leaf.code is None and environment is not None and not self._reusing.may_be_reused(leaf, environment):
            leaf.laid_out = command.lay_out(rooms, leaf, environment, 1)
        return leaf

    def _reuse(self, run: Run) -> None:
        view, environments, spares = run.view, self._rooms.environments, self._rooms.spares
        if view is None or view.folder is None:
            return
        folder, key = str(view.folder.parent), view.key
        claim = os.path.basename(claims.path(folder, str(run.step_id)))
        if run.untouched and spares.may_serve(folder, key, claim) and environments.stay(view.folder):
            spares.add(folder, key, claim)
            return
        spares.forget(folder)
        with contextlib.suppress(OSError):
            environments.release(view.folder)
