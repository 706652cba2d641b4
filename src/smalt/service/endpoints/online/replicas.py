"""The processes of one revision: started, waited for until they answer, started again when they end, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Coroutine
from enum import Enum
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.compute.backend import Exit
from smalt.service.compute.step import Say
from smalt.service.endpoints.online import replica_client
from smalt.service.endpoints.online.definitions import Definition, Probe
from smalt.service.endpoints.online.exit_reasons import ENDED_EARLY, describe_exit, explain_failed_start
from smalt.service.endpoints.online.starting import (
    AT_ONCE,
    PreparedRevision,
    ReplicaStarter,
    get_kept_log,
    get_replica_log,
    make_step_id,
)
from smalt.service.records.online import RevisionRecord
from smalt.service.records.workspaces import Workspace

logger = logging.getLogger("smalt")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at whether a process that was started answers."""
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 1.0, 60.0
_WELL = 60.0
"""Seconds after which a process that ends is started again at once."""
_SUSPECT = Probe(initial_delay=0, period=10, timeout=2, failure_threshold=3)
"""The probe of a process that did not answer a request in time, where the deployment has no liveness probe."""
_DRAIN = 30.0
"""Seconds beyond the requests' own limit in which those of a process that is to end are waited for."""
_SEARCHED = 300
"""Last lines of a log in which the reason of an end is looked for."""
_NOT_ITS_FAULT = ("lost", "never started")
_MOST_LOST = 5
"""Times that a process is started again that ended by no fault of its own, before a revision is given up."""


class ReplicaFailed(SmaltError):
    """A process of a new revision does not come up."""

    code = "DeploymentFailed"


class State(Enum):
    STARTING = "starting"
    READY = "ready"
    SUSPECT = "suspect"
    ENDING = "ending"
    ENDED = "ended"


class Replica:
    """One process."""

    def __init__(self, id: int, address: str, folder: str) -> None:
        self.id = id
        self.address = address
        self.folder = folder
        self.state = State.STARTING
        self.in_flight = 0
        self.started = time.monotonic()
        self.exit: Exit | None = None
        self.failure = ENDED_EARLY
        """The end of a process that never was ready, in words."""
        self.ended = asyncio.Event()
        self.idle = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        return self.state is State.READY

    @property
    def step_id(self) -> str:
        return make_step_id(self.id)


class ReplicaSet:
    """Keeps as many processes of a revision as are wanted."""

    def __init__(
        self,
        starter: ReplicaStarter,
        record: RevisionRecord,
        workspace: Workspace,
        say: Say,
        on_change: Callable[[], None],
    ) -> None:
        self.record = record
        self.definition = Definition.from_dict(record.content)
        self.replicas: list[Replica] = []
        self.wanted = 0
        self._workspace = workspace
        self._starter = starter
        self._say = say
        self._on_change = on_change
        self._prepared: asyncio.Future[PreparedRevision] | None = None
        self._error: SmaltError | None = None
        self._serves = False
        self._failures = 0
        self._restart: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._changed = asyncio.Event()

    async def prepare(self) -> PreparedRevision:
        """Build the environment and fetch the model, once; after a failure again."""
        if self._prepared is None or (self._prepared.done() and self._prepared.exception() is not None):
            work = self._starter.prepare_revision(self.record, self.definition, self._workspace, self._say)
            self._prepared = asyncio.ensure_future(work)
        return await asyncio.shield(self._prepared)

    def replace_settings(self, record: RevisionRecord, definition: Definition) -> None:
        """Take over a revision that differs only in what the processes need not know."""
        self.record, self.definition = record, definition

    @property
    def ready_count(self) -> int:
        return sum(replica.is_ready for replica in self.replicas)

    def adopt(self, replica: Replica) -> None:
        """Take over a process that an earlier server started."""
        self.replicas.append(replica)
        self._run(self._watch_start(replica))

    def scale(self, wanted: int) -> None:
        """Start or stop processes, so that `wanted` serve."""
        self.wanted = wanted
        serving = [replica for replica in self.replicas if replica.state not in (State.ENDING, State.ENDED)]
        for replica in serving[wanted:]:
            self._run(self.retire(replica))
        if self._restart is None:
            for _ in range(wanted - len(serving) - self._starting):
                self._starting += 1
                self._run(self._start_replica())

    async def wait_until_ready(self, count: int) -> None:
        """Return when so many processes answer; raise ReplicaFailed if one ends before that."""
        while self.ready_count < count:
            failed = next((one for one in self.replicas if one.exit is not None and one.state is State.ENDED), None)
            if failed is not None and failed.exit is not None:
                raise ReplicaFailed(self._explain_exit(failed))
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()

    def handle_exit(self, replica: Replica, exit: Exit) -> None:
        """Note that a process has ended, and start another in its place unless it was to end."""
        was_wanted = replica.state not in (State.ENDING, State.ENDED)
        was_ready = replica.state in (State.READY, State.SUSPECT)
        replica.exit, replica.state = exit, State.ENDED
        replica.ended.set()
        self._starter.forget_replica(replica.id, replica.folder, replica.address)
        if was_wanted:
            self._say(f"process {replica.id} has ended ({describe_exit(exit)})")
            lasted = time.monotonic() - replica.started
            self._failures = 0 if was_ready and lasted > _WELL else self._failures + 1
            is_innocent = exit.reason in _NOT_ITS_FAULT and self._failures <= _MOST_LOST
            if self._serves or was_ready or is_innocent:
                self.replicas.remove(replica)
                self._plan_restart()
        else:
            self.replicas.remove(replica)
        self._tell_change()

    def start_serving(self) -> None:
        """From now on start again whatever ends."""
        self._serves = True
        self.replicas = [replica for replica in self.replicas if replica.state is not State.ENDED]
        self.scale(self.wanted)

    async def retire(self, replica: Replica) -> None:
        """Give a process no more requests, and stop it when those that it has are answered."""
        if replica.state in (State.ENDING, State.ENDED):
            return
        replica.state = State.ENDING
        self._on_change()
        deadline = time.monotonic() + self.definition.limits.timeout + _DRAIN
        while replica.in_flight and time.monotonic() < deadline and not replica.ended.is_set():
            replica.idle.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(replica.idle.wait(), deadline - time.monotonic())
        if not replica.ended.is_set():
            self._starter.stop_replica(replica.id)
            await replica.ended.wait()

    async def retire_all(self) -> None:
        """Stop every process when its requests are answered; return when all have ended."""
        self.scale(0)
        self._cancel_restart()
        while self._starting or any(replica.state is not State.ENDED for replica in self.replicas):
            self._changed.clear()
            await self._changed.wait()

    def kill_all(self) -> None:
        """Stop every process now; requests that they have are lost."""
        self.wanted = 0
        self._cancel_restart()
        for replica in self.replicas:
            if replica.state is not State.ENDED:
                replica.state = State.ENDING
                self._starter.stop_replica(replica.id, AT_ONCE)

    def close(self) -> None:
        """Stop watching; the processes run on."""
        self._cancel_restart()
        for task in self._tasks:
            task.cancel()

    def suspect(self, replica: Replica) -> None:
        """Give a process that failed a request none until it answers a probe again."""
        if replica.state is State.READY:
            replica.state = State.SUSPECT
            self._run(self._probe_suspect(replica))

    async def _start_replica(self) -> None:
        try:
            id, address, folder = await self._starter.start_replica(await self.prepare(), self._say)
        except (SmaltError, OSError) as error:
            self._failures += 1
            self._say(f"a process could not be started: {error}")
            self._error = error if isinstance(error, SmaltError) else ReplicaFailed(str(error))
            if self._serves:
                self._plan_restart()
            self._tell_change()
            return
        finally:
            self._starting -= 1
        replica = Replica(id, address, folder)
        self.replicas.append(replica)
        self.scale(self.wanted)  # as many may be wanted no more
        self._tell_change()
        await self._watch_start(replica)

    async def _watch_start(self, replica: Replica) -> None:
        """Probe a process until it is ready, or stop it when its time is over."""
        probe, pause, begun = self.definition.readiness, _FIRST_PAUSE, time.monotonic()
        patience = probe.initial_delay + probe.period * probe.failure_threshold
        successes = 0
        while replica.state is State.STARTING:
            if await self._is_answering(replica, "readiness_route", probe.timeout):
                successes += 1
                if successes >= probe.success_threshold:
                    replica.state = State.READY
                    self._say(f"process {replica.id} is ready after {time.monotonic() - replica.started:.1f} s")
                    self._tell_change()
                    return
            elif time.monotonic() - begun > patience:
                replica.failure = f"did not become ready within {patience:g} s, which its readiness_probe gives it"
                self._say(f"process {replica.id} {replica.failure}, and is stopped")
                self._starter.stop_replica(replica.id)
                await replica.ended.wait()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, _LONGEST_PAUSE)

    async def _probe_suspect(self, replica: Replica) -> None:
        probe = self.definition.liveness or _SUSPECT
        for failures in range(probe.failure_threshold):
            if await self._is_answering(replica, "liveness_route", probe.timeout):
                break
            if failures + 1 < probe.failure_threshold:
                await asyncio.sleep(probe.period)
        else:
            if replica.state is State.SUSPECT:
                self._say(f"process {replica.id} does not answer any more and is started again")
                self._starter.stop_replica(replica.id)
            return
        if replica.state is State.SUSPECT:
            replica.state = State.READY
            self._on_change()

    async def _is_answering(self, replica: Replica, route: str, timeout: float) -> bool:
        target = self.definition.get_route(route).encode()
        try:
            return await asyncio.wait_for(_probe_target(replica.address, target), timeout)
        except (ConnectionError, asyncio.TimeoutError):
            return False

    def _plan_restart(self) -> None:
        if self.wanted == 0 or self._restart is not None:
            return
        wait = 0.0 if not self._failures else min(_FIRST_BACK_OFF * 2 ** (self._failures - 1), _LONGEST_BACK_OFF)
        if wait:
            self._say(f"the next is started in {wait:g} s")
        self._restart = asyncio.get_running_loop().call_later(wait, self._start_missing)

    def _start_missing(self) -> None:
        self._restart = None
        self.scale(self.wanted)

    def _cancel_restart(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None

    def _tell_change(self) -> None:
        self._changed.set()
        self._on_change()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._handle_done)

    def _handle_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a deployment's process", exc_info=task.exception())

    def _explain_exit(self, replica: Replica) -> str:
        assert replica.exit is not None
        own, kept = get_replica_log(replica.folder), get_kept_log(replica.folder)  # it is moved just now
        lines = read_last_lines(own, _SEARCHED) or read_last_lines(kept, _SEARCHED)
        names = f"--name {self.record.deployment} --endpoint-name {self.record.endpoint}"
        advice = f"'smalt online-deployment get-logs {names}' has its log"
        return explain_failed_start(replica.exit, lines, f"{replica.folder}/wd", advice, replica.failure)


async def _probe_target(address: str, target: bytes) -> bool:
    response = await replica_client.send_request(address, "GET", target, [(b"User-Agent", b"smalt-probe")], (), 0)
    response.close()
    return response.status < 400


def read_last_lines(path: str, count: int) -> list[str]:
    """Return the last lines of a log; none if it is not there."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - count * 4096))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def make_log_writer(path: str) -> Say:
    """Return a function that adds lines with the time to a log."""

    def say(line: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError), open(path, "a") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")

    return say
