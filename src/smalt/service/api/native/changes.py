"""GET /smalt/v1{WS}/changes: the jobs that change, as lines of JSON, for as long as the reader stays.

{"t": "start", "after"} comes first; then {"t": "jobs", "after", "jobs": [rows]} after each change, several changes of
half a second together, and {"t": "tick"} every 20 s. The rows are those of the table of jobs (`job_table.py`); with
`job=NAME` those of that job's graph (`job_graph.py`), of it and all below it, ten times a second, and less often while
much changes. A reader that comes again names in `after=` what it has seen. The lines of a job that was deleted
meanwhile are left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.job_graph import build_graph_row
from smalt.service.api.job_details.job_stream import JsonLineStream, render_line, wait_for_news
from smalt.service.api.native.job_table import build_table_row, count_steps
from smalt.service.api.request import ApiRequest
from smalt.service.api.server_context import ServerContext
from smalt.service.engine.watch import EVERY
from smalt.service.records import job_graph, jobs, reuse
from smalt.service.records.jobs import Job

_TICK = 20.0
_PAUSE_OF_TABLE = 0.5
_PAUSE_OF_JOB = 0.1
_PAUSE_PER_SECOND = 100
"""Seconds of pause for each second of reading, so that a reader takes about a hundredth of the event loop's time."""
_LONGEST_PAUSE = 1.0
_MOST = 2000


async def follow_changes(request: ApiRequest) -> JsonLineStream:
    top = None
    if name := request.get_query("job"):
        request.path_params["name"] = name
        top = find_job(request)
    last = job_graph.find_last_event(request.server.db)
    after = min(request.get_number("after", last), last)
    return JsonLineStream(_ChangeFollower(request.server, request.workspace.id, top, after))


class _ChangeFollower:
    """One reader of the changes of a workspace or a job, and how far it has read."""

    def __init__(self, service: ServerContext, workspace_id: int, top: Job | None, after: int) -> None:
        self._service = service
        self._db = service.db
        self._workspace_id = workspace_id
        self._top = top
        self._after = after
        self._names = {row.id: row.name for row in jobs.list_tree(self._db, top.root_id)} if top else {}

    async def render_bodies(self, gone: asyncio.Future[None]) -> AsyncGenerator[bytes, None]:
        watch, watched = self._service.engine.watch, self._top.root_id if self._top else EVERY
        least = _PAUSE_OF_JOB if self._top else _PAUSE_OF_TABLE
        news, stopping = watch.add_watcher(watched), asyncio.ensure_future(self._service.stopping.wait())
        ends: set[asyncio.Future[Any]] = {gone, stopping}
        try:
            yield render_line({"t": "start", "after": self._after})
            told = time.monotonic()
            while not any(end.done() for end in ends):
                news.clear()
                began = time.thread_time()
                if rows := self._read_changes():
                    told = time.monotonic()
                    body = render_line({"t": "jobs", "after": self._after, "jobs": rows})
                    pause = min(max(least, (time.thread_time() - began) * _PAUSE_PER_SECOND), _LONGEST_PAUSE)
                    yield body
                    await asyncio.wait(ends, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                    continue
                if time.monotonic() - told >= _TICK:
                    told = time.monotonic()
                    yield render_line({"t": "tick"})
                await wait_for_news(news, _TICK, ends)
        finally:
            stopping.cancel()
            watch.remove_watcher(watched, news)

    def _read_changes(self) -> list[dict[str, Any]]:
        root_id = self._top.root_id if self._top else None
        changed = job_graph.find_changed_jobs(self._db, self._workspace_id, self._after, root_id, _MOST)
        self._after = changed.last
        rows = jobs.list_jobs(self._db, changed.ids)
        if self._top is None:
            steps = count_steps(self._db, rows)
            return [build_table_row(row, steps.get(row.id)) for row in rows]
        self._names.update((row.id, row.name) for row in rows)
        origins = reuse.find_origins_of(self._db, [row.id for row in rows if row.status == "Completed"])
        attempts = job_graph.count_attempts_of(self._db, changed.ids)
        return [build_graph_row(row, self._names, origins.get(row.id), attempts.get(row.id, 0)) for row in rows]


ROUTES = [("GET", "/changes", follow_changes)]
