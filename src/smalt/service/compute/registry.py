"""The backends of a server: which one runs a job, and all their runners as one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Literal

from smalt.exceptions import Unavailable
from smalt.machine.processes import Process
from smalt.service.compute.backend import Backend, Capacity, Exit, OnExit, OnStarted, Runner
from smalt.service.compute.step import RunnableStep
from smalt.service.environments import BuiltEnvironment

log = logging.getLogger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
"""Seconds until a runner that failed is asked again; twice as many after each failure that follows."""
_PATIENCE = 10.0
"""Seconds that a runner has to answer while the server starts; this machine's has its own limit."""


class Computes:
    """Finds the backend of a job by its compute; a name that no backend has stands for the first backend, this machine.

    Steps are passed on to the runner that they were made for. A runner that raises holds up no other: a step that it
    could not start is reported as never started, and what it could not say or stop is asked again.
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
        self._unopened: set[str] = set()
        """Runners that could not be opened yet."""
        self._failures: dict[str, int] = {}
        """The failures to start a step, of each runner, since it last started one."""
        self._recoveries: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def default(self) -> Backend:
        """The backend of jobs that name no compute, or one that stands for this machine."""
        return self._default

    def find_backend(self, compute: str | None, environment: BuiltEnvironment | None = None) -> Backend:
        """Return the backend for a job's compute, as the job writes it; its environment counts once it is known."""
        backend = self._backends.get(_find_name(compute) if compute else "", self._default)
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
        self._on_started, self._on_exit = on_started, on_exit
        for name, runner in self.runners.items():
            if runner is self._default.runner:
                await runner.open(on_started, on_exit)
            else:
                self._unopened.add(name)
                await self._open_runner(runner)

    async def close(self) -> None:
        self._is_closed = True
        for task in self._recoveries:
            task.cancel()
        for runner in self.runners.values():
            try:
                await runner.close()
            except Exception:
                log.exception("compute '%s' cannot be closed", runner.name)

    def start(self, steps: Iterable[tuple[str, RunnableStep]]) -> None:
        """Hand steps to their runners, each with its runner's name."""
        by_runner: dict[str, list[RunnableStep]] = {}
        for name, step in steps:
            by_runner.setdefault(name, []).append(step)
        for name, some in by_runner.items():
            runner = self.runners[name]
            if runner is self._default.runner:
                self._start_steps(runner, some)
                continue
            self._runner_of.update((step.id, runner) for step in some)
            for step in some:  # one by one: of those before one that cannot be started, none runs twice
                self._start_steps(runner, [step])

    def _start_steps(self, runner: Runner, steps: list[RunnableStep]) -> None:
        """Hand steps to a runner; if it raises, report them as never started after a while."""
        name = runner.name
        try:
            if name in self._unopened:
                raise Unavailable(f"compute '{name}' could not be opened yet")
            runner.start(steps)
        except Exception as error:
            log.exception("compute '%s' cannot start %s", name, ", ".join(step.id for step in steps))
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            for step in steps:
                exit = Exit(step.id, None, None, "never started", str(error), None, time.time(), None)
                asyncio.get_running_loop().call_later(_compute_wait(failures), self._on_exit, exit)
        else:
            self._failures.pop(name, None)

    def stop(self, step_id: str, grace: float) -> None:
        """Stop a step; a runner that cannot is asked again."""
        runner = self._find_runner(step_id)
        if (
            not self._call_runner(runner, runner.stop, step_id, grace)
            and step_id in self._runner_of
            and not self._is_closed
        ):
            asyncio.get_running_loop().call_later(_FIRST_WAIT, self.stop, step_id, grace)

    def _call_runner(self, runner: Runner, method: Callable[..., None], *arguments: object) -> bool:
        """Call a method of the runner; return False if it raised, which is logged."""
        try:
            method(*arguments)
        except Exception:
            log.exception("compute '%s' failed", runner.name)
            return False
        return True

    def start_waiting(self, step_id: str) -> None:
        self._find_runner(step_id).start_waiting(step_id)

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        if len(self.runners) == 1:
            self._call_runner(self._default.runner, self._default.runner.acknowledge, step_ids)
            return
        by_runner: dict[str, list[str]] = {}
        for step_id in step_ids:
            by_runner.setdefault(self._find_runner(step_id).name, []).append(step_id)
            self._runner_of.pop(step_id, None)
        for name, some in by_runner.items():
            self._call_runner(self.runners[name], self.runners[name].acknowledge, some)

    async def recover(self, unfinished: Mapping[str, str]) -> dict[str, Exit | Literal["running", "unknown"]]:
        """Return what became of an earlier server's steps; `unfinished` maps each to the name of its runner.

        A step of which its runner does not know (yet) may run: it is `unknown`, and the runner is asked again later.
        """
        found: dict[str, Exit | Literal["running", "unknown"]] = {}
        questions = []
        for name, runner in self.runners.items():
            mine = [step_id for step_id, recorded in unfinished.items() if recorded == name]
            if runner is self._default.runner:
                found.update(await runner.recover(mine))
            else:
                self._runner_of.update(dict.fromkeys(mine, runner))
                questions.append(self._recover_steps(runner, mine, is_first=True))
        for answer in await asyncio.gather(*questions):
            found.update(answer)
        for step_id, recorded in unfinished.items():
            if recorded not in self.runners:
                message = f"this server has no compute '{recorded}' any more, which ran it"
                found[step_id] = Exit(step_id, None, None, "lost", message, None, time.time(), None)
        return found

    async def _open_runner(self, runner: Runner) -> bool:
        """Open a runner unless it is open; return False if that fails."""
        if runner.name in self._unopened:
            try:
                await asyncio.wait_for(runner.open(self._on_started, self._on_exit), _PATIENCE)
            except Exception:
                log.exception("compute '%s' cannot be opened", runner.name)
                return False
            self._unopened.discard(runner.name)
        return True

    async def _recover_steps(
        self, runner: Runner, step_ids: list[str], *, is_first: bool = False
    ) -> dict[str, Exit | Literal["running", "unknown"]]:
        """Ask a runner what became of steps; see to it that it is asked again for those of which it does not know."""
        found: dict[str, Exit | Literal["running", "unknown"]] = dict.fromkeys(step_ids, "unknown")
        if await self._open_runner(runner):
            try:
                found.update(await asyncio.wait_for(runner.recover(step_ids), _PATIENCE))
            except Exception:
                log.exception("compute '%s' does not say what became of its steps", runner.name)
        if is_first and (runner.name in self._unopened or "unknown" in found.values()):
            left = [step_id for step_id, state in found.items() if state == "unknown"]
            task = asyncio.ensure_future(self._recover_later(runner, left))
            self._recoveries.add(task)
            task.add_done_callback(self._recoveries.discard)
        return found

    async def _recover_later(self, runner: Runner, step_ids: list[str]) -> None:
        """Ask a runner again and again, until it is open and knows what became of the steps."""
        failures = 0
        while step_ids or runner.name in self._unopened:
            failures += 1
            await asyncio.sleep(_compute_wait(failures))
            for step_id, state in (await self._recover_steps(runner, step_ids)).items():
                if isinstance(state, Exit):
                    self._on_exit(state)
                if state != "unknown":
                    step_ids.remove(step_id)
            step_ids = [step_id for step_id in step_ids if step_id in self._runner_of]

    @property
    def running(self) -> Mapping[str, Process]:
        """The steps that run on this machine now, each with its first process."""
        if len(self.runners) == 1:
            return self._default.runner.running
        return {step_id: one for runner in self.runners.values() for step_id, one in runner.running.items()}

    def set_unfinished(self, n: int) -> None:
        for runner in self.runners.values():
            self._call_runner(runner, runner.set_unfinished, n)

    def _find_runner(self, step_id: str) -> Runner:
        return self._runner_of.get(step_id, self._default.runner)


@lru_cache(maxsize=256)
def _find_name(compute: str) -> str:
    """Return the name in a job's compute, in lower case."""
    return compute.rpartition("/")[2].rpartition(":")[2].lower()


def _compute_wait(failures: int) -> float:
    """Return the seconds until a runner that failed so often is asked again."""
    return float(min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT))
