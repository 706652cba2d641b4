"""This machine, by way of its launcher."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from smalt import __version__
from smalt.launcher.protocol import PROTOCOL
from smalt.machine.home import Home
from smalt.machine.processes import MachineIdentity, Process
from smalt.service.compute.backend import Exit, OnExit, OnStarted
from smalt.service.compute.local.capacity import find_capacity
from smalt.service.compute.local.launcher_link import LauncherLink
from smalt.service.compute.step import RunnableStep

RECOVERY = 30.0
"""Seconds in which a launcher must have come up before unfinished jobs are settled."""

ANSWER = 2.0
"""Seconds that the launcher has to answer a question."""

SERVICE = "service."
"""The beginning of the ids of steps that are not of jobs but serve requests until they are stopped."""


class LauncherClient:
    """Runs steps as processes of this machine: they are the launcher's children, and outlive the server.

    `restart` is the command by which the launcher starts a server that died.
    """

    name = "local"

    def __init__(
        self,
        home: Home,
        *,
        cpus: int | None = None,
        gpus: list[str] | None = None,
        restart: list[str] | None = None,
    ) -> None:
        self.capacity = find_capacity(cpus, gpus)
        self._home = home
        restart = [sys.executable, "-m", "smalt.service"] if restart is None else restart
        self._machine = MachineIdentity("", "", "")
        self._unfinished = 0
        self._wake_at: float | None = None
        self._keeps_services = False
        self._recovered: set[bool] = set()  # of jobs (False) or services (True), once they have asked
        self._starts: dict[str, dict[str, Any]] = {}  # handed over, not confirmed
        self._followers: dict[str, list[dict[str, Any]]] = {}  # by step, those handed over that wait for it
        self._stops: dict[str, float] = {}
        self._mine: set[str] = set()  # handed over in this server's life, or asked for in `recover`; not acknowledged
        self._running: dict[str, Process] = {}
        self._since: dict[str, float] = {}  # when those that run were started
        self._told: set[str] = set()  # exits told, not acknowledged
        self._held: dict[str, Exit] = {}  # exits of an earlier server's steps, until it asks
        self._is_ours = False  # the launcher that is there: of our version and protocol
        self._listeners: dict[bool, tuple[OnStarted, OnExit]] = {}  # by whether steps are services
        self._link = LauncherLink(home, restart, self._handle_hello, self._handle_events)

    async def open(self, on_started: OnStarted, on_exit: OnExit) -> None:
        self._listeners[False] = (on_started, on_exit)
        self._link.open()

    def open_services(self, on_started: OnStarted, on_exit: OnExit) -> None:
        """Register who is told of steps whose ids begin with SERVICE; all else is told to who called `open`."""
        self._listeners[True] = (on_started, on_exit)

    def start(self, steps: list[RunnableStep]) -> None:
        messages = [_make_message(step) for step in steps]
        for message in messages:
            self._starts[message["id"]] = message
            self._mine.add(message["id"])
            for needed in message.get("after", ()):
                self._followers.setdefault(needed, []).append(message)
        self._link.send({"t": "start", "steps": messages})

    @property
    def accepts_waiting_steps(self) -> bool:
        return self._is_ours and self._link.is_up

    def start_waiting(self, step_id: str) -> None:
        message = self._starts.get(step_id)
        if message:
            message.pop("after", None)
        if message and not self._is_ours:
            self._link.send({"t": "start", "steps": [message]})  # of it that launcher does not know yet
        else:
            self._link.send({"t": "go", "id": step_id})

    def stop(self, step_id: str, grace: float) -> None:
        self._stops[step_id] = grace
        self._mine.add(step_id)
        self._link.send({"t": "stop", "id": step_id, "grace": grace})

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        ids = list(step_ids)
        self._told.difference_update(ids)
        self._mine.difference_update(ids)
        self._link.send({"t": "ack", "ids": ids})

    async def recover(self, unfinished: list[str]) -> dict[str, Exit | Literal["running", "unknown"]]:
        return await self._recover_steps(unfinished, are_services=False)

    async def recover_services(self, unfinished: list[str]) -> dict[str, Exit | Literal["running", "unknown"]]:
        """Return what became of the services that an earlier server started; called after `open_services`."""
        return await self._recover_steps(unfinished, are_services=True)

    async def _recover_steps(
        self, unfinished: list[str], *, are_services: bool
    ) -> dict[str, Exit | Literal["running", "unknown"]]:
        if unfinished:
            await self._link.wait_until_up(RECOVERY)
        self._recovered.add(are_services)
        self._mine.update(unfinished)
        result: dict[str, Exit | Literal["running", "unknown"]] = {}
        for step_id in unfinished:
            if step_id in self._running:
                result[step_id] = "running"
                self._tell_start(step_id)
            elif step_id in self._held:
                result[step_id] = self._held.pop(step_id)
                self._told.add(step_id)
            elif step_id not in self._starts:
                result[step_id] = Exit(step_id, None, None, "never started", None, None, time.time(), None)
        recorded = [step_id for step_id in self._held if _is_service(step_id) == are_services]
        self.acknowledge(recorded)  # recorded before; the acknowledgement did not arrive
        for step_id in recorded:
            del self._held[step_id]
        return result

    @property
    def running(self) -> Mapping[str, Process]:
        """The steps of jobs that run now; services are left out."""
        return {step_id: process for step_id, process in self._running.items() if not _is_service(step_id)}

    def list_running_services(self) -> set[str]:
        return {step_id for step_id in self._running if _is_service(step_id)}

    def set_unfinished(self, n: int) -> None:
        self._set_needs(n, self._keeps_services)

    def keep_services(self, is_needed: bool) -> None:
        """Take note of whether a server that dies is to be started again for its services, too."""
        self._set_needs(self._unfinished, is_needed)

    def _set_needs(self, unfinished: int, keeps_services: bool) -> None:
        before, needs = self._count_needs(), bool(unfinished) or keeps_services
        self._unfinished, self._keeps_services = unfinished, keeps_services
        if needs != bool(before):
            self._link.send({"t": "unfinished", "n": self._count_needs()})

    def _count_needs(self) -> int:
        return self._unfinished + self._keeps_services

    @property
    def can_wake_server(self) -> bool:
        """True if a launcher is there that starts a server at the time it was told."""
        return self._is_ours and self._link.is_up

    def wake_server_at(self, at: float | None) -> None:
        """Have a server started in time for `at` if none is there then; None takes that back."""
        if at != self._wake_at:
            self._wake_at = at
            self._link.send({"t": "wake", "at": at})

    async def describe_warm_parents(self) -> dict[str, Any]:
        """Return the interpreters that the launcher keeps for warm starts, and what they have saved."""
        if not self._is_ours:
            return {}
        found = await self._link.describe_parents(ANSWER)
        return {name: value for name, value in found.items() if name != "t"}

    async def close(self) -> None:
        self._set_needs(0, False)  # who leaves in order is not to be started again
        self._link.send({"t": "hold"})  # nor is anything to begin meanwhile
        await self._link.close()

    async def abort(self) -> None:
        """Leave as a killed server does: the launcher is told nothing, and starts what waits."""
        await self._link.abort()

    def _handle_hello(self, hello: dict[str, Any]) -> None:
        """A launcher is there, the same or another: tell it what it may not know, learn what we may not."""
        self._machine = MachineIdentity(*hello["machine"])
        there = {entry[0] for entry in hello["running"]} | {exit["id"] for exit in hello["exits"]}
        missing = self._running.keys() - there
        self._is_ours = hello["version"] == __version__ and hello["protocol"] == PROTOCOL
        if not self._is_ours:  # it ends when it has nothing to do; the next is of our version
            self._link.send({"t": "retire"})
        self._link.send({"t": "unfinished", "n": self._count_needs()})
        self._link.send({"t": "wake", "at": self._wake_at})
        again = [message for step_id, message in self._starts.items() if step_id not in there]
        if not self._is_ours:  # what waits it might start at once
            again = [message for message in again if "after" not in message]
        if again:
            self._link.send({"t": "start", "steps": again})
        for step_id, grace in self._stops.items():
            self._link.send({"t": "stop", "id": step_id, "grace": grace})
        self._handle_events({"started": hello["running"], "exits": hello["exits"]})
        for step_id in missing:
            if self._remove_running(step_id) and step_id in self._mine:
                message = "the launcher and its journal are gone"
                self._handle_exit(Exit(step_id, None, None, "lost", message, None, time.time(), None))

    def _handle_events(self, events: dict[str, Any]) -> None:
        for step_id, pid, start_time, started in events["started"]:
            self._starts.pop(step_id, None)
            if step_id not in self._running and step_id not in self._told:
                self._running[step_id] = Process(*self._machine, pid, start_time)
                self._since[step_id] = started
                if step_id in self._mine:
                    self._tell_start(step_id)
        for entry in events["exits"]:
            self._handle_exit(_parse_exit(entry))

    def _tell_start(self, step_id: str) -> None:
        self._listeners[_is_service(step_id)][0](step_id, self._running[step_id], self._since[step_id])

    def _remove_running(self, step_id: str) -> bool:
        """Note that a step does not run any more; return True if it was known to run."""
        self._since.pop(step_id, None)
        return self._running.pop(step_id, None) is not None

    def _remove_need(self, step_id: str) -> None:
        """A launcher that comes later knows nothing of that step, and must not wait for it."""
        for message in self._followers.pop(step_id, ()):
            if step_id in message.get("after", ()):
                message["after"].remove(step_id)

    def _handle_exit(self, exit: Exit) -> None:
        step_id = exit.step_id
        self._starts.pop(step_id, None)
        self._stops.pop(step_id, None)
        self._remove_running(step_id)
        if exit.code == 0 and exit.reason == "exited":
            self._remove_need(step_id)
        else:
            self._followers.pop(step_id, None)
        if step_id in self._told:
            return
        if step_id in self._mine:
            self._told.add(step_id)
            self._listeners[_is_service(step_id)][1](exit)
        elif _is_service(step_id) in self._recovered:
            self._link.send({"t": "ack", "ids": [step_id]})
        else:
            self._held[step_id] = exit


def _is_service(step_id: str) -> bool:
    return step_id.startswith(SERVICE)


def _make_message(step: RunnableStep) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": step.id,
        "script": step.script,
        "folder": step.folder,
        "env": step.env,
        "log": step.log,
        "timeout": step.timeout,
        "grace": step.grace,
    }
    if step.reads or step.seals:
        message.update(reads=dict(step.reads), seals=list(step.seals), writes=list(step.writes))
    if step.warm is not None:
        message["warm"] = step.warm
    return message if step.after is None else {**message, "after": list(step.after)}


def _parse_exit(entry: dict[str, Any]) -> Exit:
    process = Process(*entry["process"]) if entry["process"] else None
    return Exit(
        entry["id"],
        entry["code"],
        entry["signal"],
        entry["reason"],
        entry["message"],
        entry["started"],
        entry["ended"],
        process,
        entry.get("cpu"),
        entry.get("peak"),
        entry.get("first_line"),
        entry.get("mode"),
        None if entry.get("imported") is None else tuple(entry["imported"]),
        entry.get("saved"),
        entry.get("cold"),
    )
