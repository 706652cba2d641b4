"""GET /smalt/v1{WS}/jobs/{name}/stream: the events of a job and its descendants, as lines of JSON.

The "job" events of a sweep have its objective as "sweep": {"primary_metric", "goal", "total_trials"}, and that of its
end, which may come before those of its trials, also "counts" and "best". The first event of a trial and that of its end
have its point and its last value as "trial": {"parameters", "value"}; see `trials.py`.
A job is named after its parent and before its logs, as not started if need be; a pipeline that is over when the stream
begins is told so after its steps.
With `trial_logs=false` no log of a trial, or of a job below one, is sent, except smalt's own log of the first trial and
the end of the log of each job that fails.
If a job has not started after a second, a "wait" event says what it is waiting for; see `job_waits.py`.

A stream is written piece by piece, each when its reader has taken the one before, so that a large log, or a slow
reader, costs the memory of one piece. Logs are read, and pieces built, on threads beside the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from smalt.service.api.arm.job_shapes import build_tree_row, get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.job_waits import WaitReporter
from smalt.service.api.job_details.log_files import NAMES, SMALT_LOG, LogFile, LogTail, make_log_message
from smalt.service.api.native.sweep_facts import TrialTracker
from smalt.service.api.request import ApiRequest
from smalt.service.api.server_context import ServerContext
from smalt.service.engine.outputs.paths import make_empty_warning
from smalt.service.records import events, job_needs, jobs, reuse
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.run_database import get_database_path

_LOOK = 0.025
"""Seconds between looks at the logs of what runs, while someone watches."""
_PAUSE, _MANY = 0.1, 8
"""Seconds between looks at the jobs while so many change at a time, except for the end of the one that is followed."""
_TICK = 10.0
_BATCH = 128 * 1024
"""Bytes after which a piece is sent."""
_SLICE = 100
"""Jobs whose rows are read in one go."""
_UNSTARTED = ("NotStarted", "Queued")

Message = dict[str, Any]
Ends = set[asyncio.Future[Any]]


async def stream_job(request: ApiRequest) -> JsonLineStream:
    trial_logs = request.get_query("trial_logs") != "false"
    return JsonLineStream(_JobFollower(request.server, request.workspace, find_job(request), trial_logs))


class StreamSource(Protocol):
    """A source of the pieces of a stream, for one reader."""

    def render_bodies(self, gone: asyncio.Future[None]) -> AsyncGenerator[bytes, None]:
        """Yield the stream in pieces, until it ends, the server ends, or the reader leaves."""
        ...


class JsonLineStream:
    """A response of one JSON message per line, sent as it comes, until the messages end or the reader leaves."""

    def __init__(self, follower: StreamSource) -> None:
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            async with aclosing(self._follower.render_bodies(gone)) as bodies:
                async for body in bodies:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone
        await send({"type": "http.response.body", "body": b""})


class JobChange(NamedTuple):
    """A change of a job, to be sent."""

    is_known: bool
    """True if the reader already knows the job."""
    finished: Sequence[LogFile | LogTail]
    """The logs of a job that is over, which come before the news of its end."""
    told: Message
    warning: str = ""
    """Lines of smalt's own log that the records tell, at the end of its logs."""


class _JobFollower:
    """The state of one reader of one job's stream: the jobs that it knows, and the position in each log."""

    def __init__(self, service: ServerContext, workspace: Workspace, top: Job, trial_logs: bool = True) -> None:
        self._service = service
        self._db = service.db
        self._workspace = workspace
        self._top = top
        self._trials = TrialTracker(service.db, get_database_path(service.home, workspace.folder))
        self._trial_logs = trial_logs
        self._names: dict[int, str] = {}
        self._logs: dict[int, list[LogFile]] = {}
        self._shown: set[int] = set()
        self._over: set[int] = set()
        self._unannounced: set[int] = set()
        """Composites that were over when the stream began: each is sent as not started, and its end after its steps."""
        self._seen = 0
        self._waits = WaitReporter(service.db, service.engine, self._names)

    async def render_bodies(self, gone: asyncio.Future[None]) -> AsyncGenerator[bytes, None]:
        """Yield the stream in pieces, until the end of the job or the server, or until the reader leaves."""
        watch = self._service.engine.watch
        news = watch.add_watcher(self._top.root_id)
        stopping = asyncio.ensure_future(self._service.stopping.wait())
        ends: Ends = {gone, stopping}
        try:
            async with aclosing(self._follow_job(news, ends)) as bodies:
                async for body in bodies:
                    yield body
                    if any(end.done() for end in ends):
                        return
        finally:
            stopping.cancel()
            watch.remove_watcher(self._top.root_id, news)

    async def _follow_job(self, news: asyncio.Event, ends: Ends) -> AsyncGenerator[bytes, None]:
        self._seen = _find_last_event(self._service, self._top.root_id)
        rows = get_subtree(jobs.list_tree(self._db, self._top.root_id), self._top)
        self._names.update((row.id, row.name) for row in rows)
        over = [row for row in rows if row.is_composite and row.is_over]
        self._unannounced.update(row.id for row in over)
        rows += reversed(over)
        for start in range(0, len(rows), _SLICE):
            async for body in self._render_changes(await self._build_changes(rows[start : start + _SLICE])):
                yield body
        told, look_at = time.monotonic(), 0.0
        while not any(end.done() for end in ends):
            top, is_quiet, seen = jobs.find_job(self._db, self._top.id), True, self._seen
            is_due = top is None or top.is_over or time.monotonic() >= look_at
            changed = self._find_changed() if is_due else []
            if len(changed) >= _MANY:
                look_at = time.monotonic() + _PAUSE
            if changed or self._logs:
                async for body in self._render_changes(await self._build_changes(changed), [*self._logs.values()]):
                    is_quiet = False
                    yield body
            if top is None:  # deleted
                return
            if self._seen > seen:  # there may be more
                self._waits.note_change()
                told = time.monotonic() if changed else told
                continue
            if top.is_over:
                yield render_line({"t": "end", "status": top.status})
                return
            if message := await self._waits.find_message(top):
                is_quiet = False
                yield render_line(message)
            if is_quiet and time.monotonic() - told > _TICK:
                is_quiet = False
                yield render_line({"t": "tick"})
            if not is_quiet:
                told = time.monotonic()
                continue
            wait = min(_LOOK if self._logs else _TICK / 2, self._waits.get_delay(top))
            await wait_for_news(news, wait if is_due else min(wait, max(0.0, look_at - time.monotonic())), ends)
            news.clear()

    def _find_changed(self) -> list[Job]:
        """Return the jobs that the next events concern."""
        found = events.list_since(self._db, self._top.root_id, self._seen)
        if found:
            self._seen = found[-1].id
        changed = {event.job_id: None for event in found if event.job_id is not None}
        rows = []
        for row in (jobs.find_job(self._db, id) for id in changed):
            if row is not None and (row.id in self._names or row.parent_id in self._names):
                self._names[row.id] = row.name
                rows.append(row)
        return [*rows, *self._find_released(rows)]

    def _find_released(self, rows: list[Job]) -> list[Job]:
        """Return the jobs that are Queued now that some of these are over: no event tells of it."""
        known = {row.id for row in rows}
        ended = [row for row in rows if row.is_over and row.parent_id is not None]
        found = {one.id: one for row in ended for one in job_needs.list_ready_dependents(self._db, row)}
        return [one for one in found.values() if one.id in self._names and one.id not in known]

    async def _build_changes(self, rows: list[Job]) -> list[JobChange]:
        """Return the change of each job; a finished job's comes with the logs to read to their ends first."""
        facts, news = await self._trials.load_facts(rows), []
        for row in rows:
            if row.id in self._unannounced:
                self._unannounced.discard(row.id)
                self._shown.add(row.id)
                told = {"t": "job", **build_tree_row(row, self._names, None), **facts.get(row.id, {})}
                news.append(JobChange(True, (), _hide_end(told)))
                continue
            finished: Sequence[LogFile | LogTail] = []
            if row.is_over and row.id not in self._over:
                finished = self._list_last_logs(row)
                self._over.add(row.id)
            elif not row.is_over and row.status not in _UNSTARTED and row.id not in self._logs:
                self._logs.update({row.id: logs} if (logs := self._open_logs(row)) else {})
            origin = (
                reuse.find_origin(self._db, row.id) if row.status == "Completed" and row.parent_id is not None else None
            )
            told = {"t": "job", **build_tree_row(row, self._names, origin), **facts.get(row.id, {})}
            news.append(
                JobChange(
                    row.id in self._shown, finished, told, make_empty_warning(row.empty_outputs) if finished else ""
                )
            )
            self._shown.add(row.id)
        return news

    def _list_last_logs(self, row: Job) -> Sequence[LogFile | LogTail]:
        """Return what is to be read of a job's logs at its end."""
        logs = self._logs.pop(row.id, []) or self._open_logs(row)
        if self._trial_logs or row.status != "Failed" or not self._trials.is_below_sweep(row):
            return logs
        context = self._service.engine.context
        folder = Path(context.artifacts(self._workspace, row.name))
        return [*logs, LogTail(row.name, folder, lambda: context.vault.get_mask(self._workspace))]

    async def _render_changes(
        self, news: list[JobChange], running: list[list[LogFile]] | None = None
    ) -> AsyncGenerator[bytes, None]:
        loop, messages = asyncio.get_running_loop(), _build_messages(news, running or [])
        while body := await loop.run_in_executor(self._service.readers, _render_piece, messages):
            yield body

    def _open_logs(self, row: Job) -> list[LogFile]:
        context, workspace = self._service.engine.context, self._workspace
        names: Sequence[str] = NAMES
        if not self._trial_logs and self._trials.is_below_sweep(row):
            names = [SMALT_LOG] if self._trials.is_first_trial(row) else []
        folder = Path(context.artifacts(workspace, row.name))
        return [LogFile(row.name, name, folder, lambda: context.vault.get_mask(workspace)) for name in names]


def _build_messages(news: list[JobChange], running: list[list[LogFile]]) -> Iterator[Message]:
    for is_known, finished, told, warning in news:
        warnings = [make_log_message(told["name"], SMALT_LOG, warning)] if warning else []
        for message in chain((each for log in finished for each in log.read_rest()), warnings):
            if not is_known:  # else the reader would have to keep the log until it knows whose it is
                is_known = True
                yield _hide_end(told)
            yield message
        yield told
    for logs in running:
        for log in logs:
            yield from log.read_new()


def _hide_end(told: Message) -> Message:
    """Return the message of a job as of one that has not started: what it is, and below which job."""
    return {**told, "status": "NotStarted", "start": None, "end": None, "error": None}


def _render_piece(messages: Iterator[Message]) -> bytes:
    """Return the next messages as lines, up to the size of a piece; b"" at the end."""
    lines, size = [], 0
    for message in messages:
        lines.append(render_line(message))
        size += len(lines[-1])
        if size >= _BATCH:
            break
    return b"".join(lines)


def render_line(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _find_last_event(service: ServerContext, root_id: int) -> int:
    return int(service.db.value("SELECT coalesce(max(id), 0) FROM events WHERE root_id=?", (root_id,)))


async def wait_for_news(news: asyncio.Event, seconds: float, ends: Ends) -> None:
    waiting = asyncio.ensure_future(news.wait())
    try:
        await asyncio.wait({waiting, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


ROUTES = [("GET", "/jobs/{name}/stream", stream_job)]
