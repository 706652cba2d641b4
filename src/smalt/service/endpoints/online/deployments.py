"""A deployment as it runs: the revision that serves, the one that comes, and the requests between them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from typing import cast

from smalt.exceptions import SmaltError
from smalt.service.compute.step import Say
from smalt.service.endpoints.online.definitions import Definition, RequestLimits
from smalt.service.endpoints.online.errors import NotServing, TooManyRequests
from smalt.service.endpoints.online.gate import RequestGate, TooManyWaiting
from smalt.service.endpoints.online.replicas import Replica, ReplicaSet, make_log_writer
from smalt.service.endpoints.online.starting import ReplicaStarter, get_build_log, get_replica_log
from smalt.service.engine.context import EngineContext
from smalt.service.records import online as records
from smalt.service.records.online import RevisionRecord
from smalt.service.records.workspaces import Workspace

logger = logging.getLogger("smalt")

_DEFAULTS = RequestLimits(5.0, 0.5, 1)
_MOST_LOG = 1 << 20
_START_PATIENCE = 120.0
"""Seconds that a request waits for the first process to come up."""


class ServedDeployment:
    """One deployment of an endpoint."""

    def __init__(
        self,
        context: EngineContext,
        starter: ReplicaStarter,
        workspace: Workspace,
        endpoint: str,
        name: str,
        on_end: Callable[[], None],
    ) -> None:
        """Take `on_end`, which is called when a revision serves or has failed."""
        self.workspace, self.endpoint, self.name = workspace, endpoint, name
        self.serving: ReplicaSet | None = None
        self.coming: ReplicaSet | None = None
        self.last_used = time.monotonic()
        self._context = context
        self._starter = starter
        self._on_end = on_end
        self._rollout: asyncio.Task[None] | None = None
        self._coming_record: RevisionRecord | None = None
        self._log_start = 0, 0
        self._is_closed = False
        self._old: list[ReplicaSet] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._gate = RequestGate(self._list_serving, lambda: self.limits.concurrent)
        self.ended = asyncio.Event()
        """Set whenever a revision serves or has failed."""

    @property
    def limits(self) -> RequestLimits:
        return self.serving.definition.limits if self.serving else _DEFAULTS

    @property
    def definition(self) -> Definition:
        assert self.serving is not None, "a request has entered"
        return self.serving.definition

    @property
    def is_needed(self) -> bool:
        """True if it has, or should have, processes, or would start them for a request."""
        is_coming = self._rollout is not None and not self.ended.is_set()
        return is_coming or (self.serving is not None and self.serving.definition.instances > 0)

    @property
    def is_idle(self) -> bool:
        """True if its processes were stopped as there were no requests."""
        return self.serving is not None and self.serving.wanted == 0 and self.serving.definition.instances > 0

    def list_replica_sets(self) -> list[ReplicaSet]:
        return [one for one in (self.serving, self.coming) if one is not None]

    def list_log_files(self) -> list[str]:
        """Return the logs of the processes that run, and the deployment's own."""
        found = [get_replica_log(replica.folder) for one in self.list_replica_sets() for replica in one.replicas]
        own = [get_build_log(self._context, self.workspace, one.record) for one in self.list_replica_sets()[:1]]
        return found + own

    def find_replica(self, id: int) -> tuple[ReplicaSet, Replica] | None:
        for one in (*self.list_replica_sets(), *self._old):
            for replica in one.replicas:
                if replica.id == id:
                    return one, replica
        return None

    # Revisions

    def resume(self, serving: RevisionRecord | None, adopted: list[Replica]) -> None:
        """Serve what an earlier server's records say, with the processes that still run."""
        if serving is None:
            return
        self.serving = self._make_set(serving)
        self.serving.start_serving()
        for replica in adopted:
            self.serving.adopt(replica)
        self.serving.scale(self.serving.definition.instances)

    def deploy(self, record: RevisionRecord) -> None:
        """Replace what serves by a revision, once that is ready."""
        before = self._rollout
        if before is not None and self._coming_record is not None and not before.done():
            before.cancel()
            self._end_revision(self._coming_record, records.FAILED, "a later change of the deployment took its place")
        self._coming_record = record
        path = get_build_log(self._context, self.workspace, record)
        self._log_start = record.id, os.path.getsize(path) if os.path.exists(path) else 0
        self.ended.clear()
        self._rollout = asyncio.ensure_future(self._roll_out(record, before))

    async def _roll_out(self, record: RevisionRecord, before: asyncio.Task[None] | None) -> None:
        say = self._make_log(record)
        try:
            if before is not None:
                await asyncio.wait({before})
            await self._replace_definition(record)
        except (SmaltError, OSError) as error:
            say(f"the deployment failed: {error}")
            self._end_revision(record, records.FAILED, str(error))
        except Exception as error:
            logger.exception("deployment %s/%s", self.endpoint, self.name)
            self._end_revision(record, records.FAILED, f"smalt itself failed here: {error!r}")
        else:
            say("the deployment serves")
            self._end_revision(record, records.SUCCEEDED, None)
            records.remove_older_revisions(self._context.db, record)
        finally:
            if self.coming is not None and not self._is_closed:
                self.coming.kill_all()
                self._keep_until_ended(self.coming)
                self.coming = None
            if self._rollout is asyncio.current_task():
                self.ended.set()
            self._gate.grant_places()
            self._on_end()

    async def _replace_definition(self, record: RevisionRecord) -> None:
        definition, serving = Definition.from_dict(record.content), self.serving
        if serving is not None and serving.definition.fingerprint == definition.fingerprint and not self.is_idle:
            serving.replace_settings(record, definition)
            serving.scale(definition.instances)
            await serving.wait_until_ready(definition.instances)
            return
        self.coming = coming = self._make_set(record)
        await coming.prepare()
        coming.scale(definition.instances)
        await coming.wait_until_ready(definition.instances)
        coming.start_serving()
        self.serving, self.coming = coming, None
        self.last_used = time.monotonic()
        self._gate.grant_places()
        if serving is not None:
            self._keep_until_ended(serving)

    def _keep_until_ended(self, old: ReplicaSet) -> None:
        """Let processes end when their requests are answered."""
        self._old.append(old)
        task = asyncio.ensure_future(old.retire_all())
        self._retiring.add(task)

        def forget(done: asyncio.Task[None]) -> None:
            self._retiring.discard(done)
            self._old.remove(old)

        task.add_done_callback(forget)

    def _end_revision(self, record: RevisionRecord, state: str, error: str | None) -> None:
        records.end_revision(self._context.db, record.id, state, error)

    def _make_set(self, record: RevisionRecord) -> ReplicaSet:
        return ReplicaSet(self._starter, record, self.workspace, self._make_log(record), self._gate.grant_places)

    def _make_log(self, record: RevisionRecord) -> Say:
        return make_log_writer(get_build_log(self._context, self.workspace, record))

    def read_log(self, record: RevisionRecord, offset: int) -> tuple[str, int]:
        """Return what was logged since `offset`, 0 for the begin of the revision, and the offset to go on at."""
        offset = offset or (self._log_start[1] if self._log_start[0] == record.id else 0)
        try:
            with open(get_build_log(self._context, self.workspace, record), "rb") as file:
                file.seek(offset)
                raw = file.read(_MOST_LOG)
        except OSError:
            return "", offset
        return raw.decode("utf-8", "replace"), offset + len(raw)

    # Requests

    async def enter(self) -> Replica:
        """Return a process for a request, which takes one of its places."""
        self.last_used = time.monotonic()
        serving = self.serving
        if serving is None:
            raise NotServing(f"deployment '{self.name}' of endpoint '{self.endpoint}' does not serve yet")
        if serving.definition.instances == 0:
            raise NotServing(f"deployment '{self.name}' has no instances; set instance_count to 1 or more")
        if serving.wanted == 0:
            serving.scale(serving.definition.instances)
        patience = self.limits.queue_wait if serving.ready_count else _START_PATIENCE
        try:
            return cast(Replica, await self._gate.enter(patience))
        except TooManyWaiting:
            raise TooManyRequests(f"too many requests wait at deployment '{self.name}'; try again later") from None
        except asyncio.TimeoutError:
            if serving.ready_count:
                raise TooManyRequests(
                    f"deployment '{self.name}' was busy for {patience:g} s; try again later, or raise instance_count "
                    "or request_settings.max_concurrent_requests_per_instance"
                ) from None
            raise NotServing(f"no process of deployment '{self.name}' came up; 'get-logs' says why") from None

    def leave(self, replica: Replica) -> None:
        """Give the place back."""
        self.last_used = time.monotonic()
        self._gate.leave(replica)
        if not replica.in_flight:
            replica.idle.set()

    def suspect(self, replica: Replica) -> None:
        for one in self.list_replica_sets():
            if replica in one.replicas:
                one.suspect(replica)

    def stop_if_idle(self, seconds: float) -> bool:
        """Stop the processes if there was no request for so long; the next request starts them again."""
        serving = self.serving
        if serving is None or serving.wanted == 0 or self.coming is not None or self._gate.is_awaited:
            return False
        if any(replica.in_flight for replica in serving.replicas) or time.monotonic() - self.last_used < seconds:
            return False
        serving.scale(0)
        return True

    # The end

    async def remove(self) -> None:
        """Stop everything, at once."""
        if self._rollout is not None:
            self._rollout.cancel()
            await asyncio.wait({self._rollout})
        if self.serving is not None:
            serving, self.serving = self.serving, None
            serving.kill_all()
            self._keep_until_ended(serving)
        await self.wait_until_ended()

    async def wait_until_ended(self) -> None:
        if self._retiring:
            await asyncio.wait(set(self._retiring))

    def close(self) -> None:
        """Leave; the processes run on."""
        self._is_closed = True
        if self._rollout is not None:
            self._rollout.cancel()
        for one in (*self.list_replica_sets(), *self._old):
            one.close()

    def _list_serving(self) -> list[Replica]:
        return self.serving.replicas if self.serving is not None else []
