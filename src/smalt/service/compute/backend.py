"""What a place where steps run offers the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from smalt.machine.processes import Process

Reason = Literal["exited", "timeout", "stopped", "lost", "never started", "refused"]


@dataclass(frozen=True, slots=True)
class Capacity:
    cpus: int
    gpus: list[str] = field(default_factory=list)
    """Indices in the order of the bus; set CUDA_DEVICE_ORDER=PCI_BUS_ID beside CUDA_VISIBLE_DEVICES."""


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    """Unique per attempt."""
    script: str
    """Text for `bash -c`, from `smalt.runner.script.build` with the same id and folder."""
    folder: str
    """Where the claim lies; must exist."""
    cwd: str
    env: dict[str, str]
    log: str
    """What stdout and stderr are appended to; its folder must exist."""
    timeout: float | None = None
    grace: float = 10.0
    after: tuple[str, ...] | None = None
    """Not now: in the place of the next step that exits with code 0 once all of these did; or on `go`."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """Paths that it may only read, each with the name of its input."""
    writes: tuple[str, ...] = ()
    """Paths that it may write although they lie below one of `reads`."""


@dataclass(frozen=True, slots=True)
class Exit:
    step_id: str
    code: int | None
    signal: int | None
    reason: Reason
    message: str | None
    started: float | None
    ended: float
    process: Process | None
    cpu: float | None = None
    """CPU seconds of its processes, where they are known."""
    peak: int | None = None
    """Bytes of memory that the largest of them had at most."""


OnStarted = Callable[[str, Process, float], None]
"""Step, its first process, and when it was started."""
OnExit = Callable[[Exit], None]


class Compute(Protocol):
    capacity: Capacity

    async def open(self, on_started: OnStarted, on_exit: OnExit) -> None:
        """Begin; does not wait until steps can be started. Callbacks come on this event loop."""

    def start(self, steps: list[Step]) -> None:
        """Hand over, at once and without waiting. A step id that was handed over before is not run again."""

    @property
    def accepts_waiting_steps(self) -> bool:
        """Whether steps that wait can be started now."""

    def start_waiting(self, step_id: str) -> None:
        """A slot is free for a step that waits; should it have started meanwhile, for the next."""

    def stop(self, step_id: str, grace: float) -> None:
        """End all of the step's processes: SIGTERM now, SIGKILL after `grace` seconds; the exit is told as any."""

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        """The exits of these steps are recorded durably and need not be told again."""

    async def recover(self, unfinished: list[str]) -> dict[str, Exit | Literal["running"]]:
        """Once, after `open`: what became of the steps that an earlier server handed over."""

    @property
    def running(self) -> Mapping[str, Process]:
        """The steps that run now, each with its first process."""

    def set_unfinished(self, n: int) -> None:
        """How many jobs are not done: while there are any, a server that dies is started again."""

    async def close(self) -> None:
        """Leave; what runs goes on running, what waits is forgotten."""
