"""The backends of a server: which one runs a job, and all their runners as one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Literal

from smalt.machine.processes import Process
from smalt.service.compute.backend import Backend, Capacity, Exit, OnExit, OnStarted, Runner
from smalt.service.compute.step import RunnableStep
from smalt.service.environments import BuiltEnvironment


class Computes:
    """Finds the backend of a job by its compute; a name that no backend has stands for the first backend, this machine.

    Steps are passed on to the runner that they were made for.
    """

    def __init__(self, *backends: Backend) -> None:
        self._default = backends[0]
        self._backends = {backend.name: backend for backend in backends}
        self.runners: dict[str, Runner] = {}
        """The distinct runners by name: two backends may share one."""
        for backend in backends:
            self.runners.setdefault(backend.runner.name, backend.runner)
        self._runner_of: dict[str, Runner] = {}
        """Steps that are not the first runner's, until their exit is acknowledged."""

    @property
    def default(self) -> Backend:
        """The backend of jobs that name no compute, or one that stands for this machine."""
        return self._default

    def find_backend(self, compute: str | None, environment: BuiltEnvironment | None = None) -> Backend:
        """Return the backend for a job's compute, as the job writes it; its environment counts once it is known."""
        name = compute.rpartition("/")[2].rpartition(":")[2].lower() if compute else ""
        backend = self._backends.get(name, self._default)
        if not backend.is_compute:
            backend = self._default
        if environment is not None and environment.container is not None and backend.for_images:
            return self._backends[backend.for_images]
        return backend

    @property
    def names(self) -> list[str]:
        """The computes that are backends, lower case: users cannot create, change or delete them."""
        return [backend.name for backend in self._backends.values() if backend.is_compute]

    @property
    def capacities(self) -> dict[str, Capacity | None]:
        """The capacity of each runner; None for one that queues by itself."""
        return {name: runner.capacity for name, runner in self.runners.items()}

    @property
    def machine(self) -> Capacity:
        """The capacity of this machine."""
        capacity = self._default.runner.capacity
        assert capacity is not None, "the first backend is this machine"
        return capacity

    async def open(self, on_started: OnStarted, on_exit: OnExit) -> None:
        for runner in self.runners.values():
            await runner.open(on_started, on_exit)

    async def close(self) -> None:
        for runner in self.runners.values():
            await runner.close()

    def start(self, steps: Iterable[tuple[str, RunnableStep]]) -> None:
        """Hand steps to their runners, each with its runner's name."""
        by_runner: dict[str, list[RunnableStep]] = {}
        for name, step in steps:
            by_runner.setdefault(name, []).append(step)
        for name, some in by_runner.items():
            runner = self.runners[name]
            if runner is not self._default.runner:
                self._runner_of.update((step.id, runner) for step in some)
            runner.start(some)

    def stop(self, step_id: str, grace: float) -> None:
        self._find_runner(step_id).stop(step_id, grace)

    def start_waiting(self, step_id: str) -> None:
        self._find_runner(step_id).start_waiting(step_id)

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        if len(self.runners) == 1:
            self._default.runner.acknowledge(step_ids)
            return
        by_runner: dict[str, list[str]] = {}
        for step_id in step_ids:
            by_runner.setdefault(self._find_runner(step_id).name, []).append(step_id)
            self._runner_of.pop(step_id, None)
        for name, some in by_runner.items():
            self.runners[name].acknowledge(some)

    async def recover(self, unfinished: Mapping[str, str]) -> dict[str, Exit | Literal["running"]]:
        """Return what became of an earlier server's steps; `unfinished` maps each to the name of its runner."""
        found: dict[str, Exit | Literal["running"]] = {}
        for name, runner in self.runners.items():
            mine = [step_id for step_id, recorded in unfinished.items() if recorded == name]
            if runner is not self._default.runner:
                self._runner_of.update(dict.fromkeys(mine, runner))
            found.update(await runner.recover(mine))
        for step_id, recorded in unfinished.items():
            if recorded not in self.runners:
                message = f"this server has no compute '{recorded}' any more, which ran it"
                found[step_id] = Exit(step_id, None, None, "lost", message, None, time.time(), None)
        return found

    @property
    def running(self) -> Mapping[str, Process]:
        """The steps that run on this machine now, each with its first process."""
        if len(self.runners) == 1:
            return self._default.runner.running
        return {step_id: one for runner in self.runners.values() for step_id, one in runner.running.items()}

    def set_unfinished(self, n: int) -> None:
        for runner in self.runners.values():
            runner.set_unfinished(n)

    def _find_runner(self, step_id: str) -> Runner:
        return self._runner_of.get(step_id, self._default.runner)
