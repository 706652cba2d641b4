"""GET /smalt/v1{WS}/jobs/{name}/stream: what happens to a job and all below it, as lines of JSON."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from smalt.service.api.call import Call
from smalt.service.api.job_shapes import below, tree_row
from smalt.service.api.jobs import existing
from smalt.service.api.service import Service
from smalt.service.records import events, jobs, reuse
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.masks import Mask

_LOOK = 0.025
"""Seconds between looks at the logs of what runs, while someone watches."""
_TICK = 10.0
_PIECE = 64 * 1024
_LOGS = ("system_logs/smalt.log", "user_logs/std_log.txt")

Message = dict[str, Any]


async def stream_job(call: Call) -> Lines:
    return Lines(_Follower(call.service, call.workspace, existing(call)))


class Lines:
    """A response of one message per line, sent as it comes, until there are no more or nobody reads."""

    def __init__(self, follower: _Follower) -> None:
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            async for batch in self._follower.batches(gone):
                body = b"".join(json.dumps(message, separators=(",", ":")).encode() + b"\n" for message in batch)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone
        await send({"type": "http.response.body", "body": b""})


class _Follower:
    """One watcher of one job: what it has been told, and how far each log has been read."""

    def __init__(self, service: Service, workspace: Workspace, top: Job) -> None:
        self._service = service
        self._db = service.db
        self._workspace = workspace
        self._top = top
        self._names: dict[int, str] = {}
        self._logs: dict[int, list[_Log]] = {}
        self._seen = 0

    async def batches(self, gone: asyncio.Future[None]) -> AsyncIterator[list[Message]]:
        watch = self._service.engine.watch
        news = watch.join(self._top.root_id)
        stopping = asyncio.ensure_future(self._service.stopping.wait())
        try:
            async for batch in self._follow(news, {gone, stopping}):
                yield batch
        finally:
            stopping.cancel()
            watch.leave(self._top.root_id, news)

    async def _follow(self, news: asyncio.Event, ends: set[asyncio.Future[Any]]) -> AsyncIterator[list[Message]]:
        for batch in self._beginning():
            yield batch
        told = time.monotonic()
        while True:
            top = jobs.get(self._db, self._top.id)
            batch = [*self._changes(), *self._grown()]
            if top.is_over:
                batch.append({"t": "end", "status": top.status})
            elif time.monotonic() - told > _TICK:
                batch.append({"t": "tick"})
            if batch:
                told = time.monotonic()
                yield batch
            if top.is_over or any(end.done() for end in ends):
                return
            if not batch:
                await _woken(news, _LOOK if self._logs else _TICK / 2, ends)
            news.clear()

    def _beginning(self) -> Iterator[list[Message]]:
        """All that is known so far: each job, then what it has logged."""
        self._seen = _last_event(self._service, self._top.root_id)
        for row in below(jobs.tree(self._db, self._top.root_id), self._top):
            self._names[row.id] = row.name
            yield self._news_of(row)

    def _changes(self) -> list[Message]:
        """The jobs that events tell of since the last look."""
        changed: dict[int, None] = {}
        while found := events.since(self._db, self._top.root_id, self._seen):
            self._seen = found[-1].id
            changed.update((event.job_id, None) for event in found if event.job_id is not None)
        messages = []
        for id in changed:
            row = jobs.get(self._db, id)
            if row.id in self._names or row.parent_id in self._names:
                self._names[row.id] = row.name
                messages += self._news_of(row)
        return messages

    def _news_of(self, row: Job) -> list[Message]:
        """A job's last words come before the news of its end."""
        logs = self._logs.get(row.id)
        if logs is None and row.status != "NotStarted":
            logs = self._logs[row.id] = self._logs_of(row)
        reused = reuse.origin(self._db, row.id) if row.status == "Completed" and row.parent_id is not None else None
        told = {"t": "job", **tree_row(row, self._names, reused)}
        if not row.is_over or logs is None:
            return [told]
        del self._logs[row.id]
        return [*(message for log in logs for message in log.rest()), told]

    def _grown(self) -> Iterator[Message]:
        for logs in self._logs.values():
            for log in logs:
                yield from log.grown()

    def _logs_of(self, row: Job) -> list[_Log]:
        folder = Path(self._service.engine.rooms.artifacts(self._workspace, row.name))
        mask = self._service.engine.rooms.vault.mask(self._workspace)
        return [_Log(row.name, name, folder / name, mask) for name in _LOGS]


class _Log:
    """One log file, read from where the last look ended."""

    def __init__(self, job: str, name: str, path: Path, mask: Mask | None) -> None:
        self._job = job
        self._name = name
        self._path = path
        self._mask = mask
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def grown(self) -> Iterator[Message]:
        """What was written since; a piece at most, so that one log does not hold up the others."""
        piece = self._read(final=False)
        if piece and (text := self._decoder.decode(piece)):
            yield self._message(text)

    def rest(self) -> Iterator[Message]:
        while piece := self._read(final=True):
            if text := self._decoder.decode(piece):
                yield self._message(text)
        if text := self._decoder.decode(b"", final=True):
            yield self._message(text)

    def _read(self, *, final: bool) -> bytes:
        """What may be a secret's first half is read with its second one."""
        try:
            with open(self._path, "rb") as file:
                if self._mask is None:
                    file.seek(self._offset)
                    piece = file.read(_PIECE)
                else:
                    piece = self._mask.read(file, self._offset, _PIECE)
                    piece = piece if final else piece[: len(piece) - self._mask.held(piece)]
        except FileNotFoundError:
            return b""
        self._offset += len(piece)
        return piece

    def _message(self, text: str) -> Message:
        return {"t": "log", "name": self._job, "file": self._name, "text": text}


def _last_event(service: Service, root_id: int) -> int:
    return int(service.db.value("SELECT coalesce(max(id), 0) FROM events WHERE root_id=?", (root_id,)))


async def _woken(news: asyncio.Event, seconds: float, ends: set[asyncio.Future[Any]]) -> None:
    waiting = asyncio.ensure_future(news.wait())
    try:
        await asyncio.wait({waiting, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


ROUTES = [("GET", "/jobs/{name}/stream", stream_job)]
