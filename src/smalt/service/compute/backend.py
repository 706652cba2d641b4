"""The protocols of a backend: a place where steps run.

A backend is three parts: `StepMaker` turns a StepSpec into a step of that place, `ResultStore` looks after what the
step left, and `Runner` starts steps, follows them and tells of their exits. Backends on one file system share the
first two; docs/internals/adding-a-compute.md shows how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from smalt.machine.processes import Process
from smalt.service.compute.spec import StepResources, StepSpec
from smalt.service.compute.step import Fetched, Layout, RunnableStep, Say, SmallResult
from smalt.service.environments import BuiltEnvironment

Reason = Literal["exited", "timeout", "stopped", "lost", "never started", "refused"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The CPUs and GPUs that steps may use at once."""

    cpus: int
    gpus: list[str] = field(default_factory=list)
    """Indices in the order of the bus; set CUDA_DEVICE_ORDER=PCI_BUS_ID beside CUDA_VISIBLE_DEVICES."""


class Exit(NamedTuple):
    """The end of a step."""

    step_id: str
    code: int | None
    signal: int | None
    reason: Reason
    message: str | None
    started: float | None
    """Seconds since the epoch; None if it never started, or nobody knows."""
    ended: float
    process: Process | None
    cpu: float | None = None
    """CPU seconds of its processes, if known."""
    peak: int | None = None
    """Bytes of memory that its largest process had at most, if known."""
    first_line: float | None = None
    """Seconds from its turn until its program's first line ran, if known."""
    mode: str | None = None
    """`warm` or `cold`, if known: the way its program started."""
    imported: tuple[str, ...] | None = None
    """Modules that had been imported before a program that started warm."""
    saved: float | None = None
    """The seconds of processor time that those imports took once, for all."""
    cold_reason: str | None = None
    """Why a program that could start warm did not."""


OnStarted = Callable[[str, Process, float], None]
"""Called with the step's id, its first process, and the time when it started."""
OnExit = Callable[[Exit], None]


class StepMaker(Protocol):
    """Turns what is to run into what a runner starts."""

    @property
    def inherited_variables(self) -> dict[str, str]:
        """The variables that every step is started with, whatever its job says: locale and time zone among them."""

    def find_problems(self, resources: StepResources) -> list[str]:
        """Return sentences that say why no such step could ever run here; asked before a job is accepted."""

    def get_log_folder(self, spec: StepSpec) -> str:
        """Return the folder that the step's logs are, or are brought, to."""

    def get_working_directory(self, spec: StepSpec) -> str:
        """Return the folder that the command runs in."""

    def is_quick(self, spec: StepSpec) -> bool:
        """Return True if the step can be made ready within a turn of the event loop."""

    async def fetch(self, spec: StepSpec, say: Say) -> Fetched:
        """Make ready what takes long."""

    def lay_out(self, spec: StepSpec, environment: BuiltEnvironment) -> Layout:
        """Make the step's folders and its view of the environment; its inputs are not located yet."""

    def prepare(self, spec: StepSpec, layout: Layout, gpus: Sequence[str], fetched: Fetched, say: Say) -> RunnableStep:
        """Return the step, ready to be started; nothing runs before the engine has committed it."""

    def fill_in(
        self, spec: StepSpec, layout: Layout, gpus: Sequence[str], fetched: Fetched
    ) -> tuple[str, dict[str, str]]:
        """Return the command that would run in the working directory, and its variables, for a person to try."""

    def recycle(self, view: BuiltEnvironment | None, step_id: str, is_untouched: bool) -> None:
        """Clean up after a step that is over, or hand its folder on to another one."""

    def discard(self, layout: Layout) -> None:
        """Forget a layout whose step will not start."""


class ResultStore(Protocol):
    """Looks after what a step left. All but the first may take long, and run in a thread then."""

    def inspect_small_result(self, spec: StepSpec) -> SmallResult | None:
        """Return what the command left if it can be stored within a turn of the event loop, else None."""

    def find_changed_input(self, spec: StepSpec, noted: Mapping[str, Any] | None = None) -> str | None:
        """Return a sentence if an input was changed while the step ran."""

    def check_values(self, spec: StepSpec) -> None:
        """Raise ValidationException if an output of a primitive type has no proper value."""

    def finish(self, spec: StepSpec, result: SmallResult | None, say: Say) -> bool:
        """Bring what the command left to its place. Return True if its folder may serve another step."""

    def find_empty_outputs(self, spec: StepSpec) -> list[str]:
        """Return the outputs that nothing was written to."""


class Runner(Protocol):
    """Starts steps, follows them, and tells of each exit exactly once until it is acknowledged."""

    @property
    def name(self) -> str:
        """Recorded with each attempt: after a restart of the server, the runner of that name is asked for the step."""

    @property
    def capacity(self) -> Capacity | None:
        """The most that may run at once. None: the runner queues by itself, and is handed all steps that are ready."""

    async def open(self, on_started: OnStarted, on_exit: OnExit) -> None:
        """Begin, without waiting until steps can be started. The callbacks are called on this event loop."""

    def start(self, steps: list[RunnableStep]) -> None:
        """Hand steps over, at once and without waiting. A step id that was handed over before is not run again.

        If this raises, the step was not handed over.
        """

    def stop(self, step_id: str, grace: float) -> None:
        """End a step: SIGTERM now, SIGKILL after `grace` seconds. Its exit is told like any other."""

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        """Forget these exits, which are recorded durably."""

    async def recover(self, unfinished: list[str]) -> dict[str, Exit | Literal["running", "unknown"]]:
        """Return what became of steps that an earlier server handed over; called after `open`.

        Answer `unknown`, leave a step out or raise where nobody can tell now: the engine keeps such a step as one that
        may run, and asks again for it. Only an exit `never started` makes it run the step again.
        """

    @property
    def running(self) -> Mapping[str, Process]:
        """The steps that run now on this machine, each with its first process."""

    def set_unfinished(self, n: int) -> None:
        """Take note of how many jobs are not done: while there are any, a server that dies is started again."""

    async def close(self) -> None:
        """Leave: what runs goes on running, what waits is forgotten."""

    @property
    def accepts_waiting_steps(self) -> bool:
        """True if steps with `after`, which wait for others, can be handed over now; it is needed for speed only."""

    def start_waiting(self, step_id: str) -> None:
        """Start a step that waits; if it has started meanwhile, the next one."""


@dataclass(frozen=True)
class Backend:
    """A place where steps run."""

    name: str
    steps: StepMaker
    results: ResultStore
    runner: Runner
    is_compute: bool = True
    """Jobs can name it as their compute."""
    for_images: str = ""
    """The name of the backend that runs the steps whose environment is an image, if that is another one."""
