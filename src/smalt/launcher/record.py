"""A step as the launcher knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.launcher import claims

if TYPE_CHECKING:
    from smalt.launcher.warm.parent import WarmParent


class StepRecord:
    __slots__ = (
        "claim",
        "code",
        "cold_reason",
        "cpu",
        "ended",
        "exit",
        "first_line",
        "folder",
        "grace",
        "id",
        "imported",
        "kill_at",
        "machine",
        "message",
        "mode",
        "monotonic",
        "namespace",
        "noted",
        "own",
        "parent",
        "peak",
        "pid",
        "reason",
        "saved",
        "signal",
        "start_time",
        "started",
        "step",
        "timeout",
        "turn",
        "watch",
    )

    def __init__(self, step_id: str, folder: str, timeout: float | None, grace: float) -> None:
        self.id = step_id
        self.folder = folder
        self.timeout = timeout
        self.grace = grace
        self.claim = claims.make_path(folder, step_id)
        self.machine: list[str] = []
        self.pid = 0
        self.start_time = 0
        self.started: float | None = None  # seconds since the epoch, to show
        self.turn = 0.0  # when it was this step's turn (seconds since the epoch)
        self.first_line: float | None = None  # seconds from its turn to its program's first line
        self.mode = "cold"  # or "warm"
        self.cold_reason: str | None = None  # of a step that could start warm: why it did not
        self.imported: list[str] | None = None  # of a warm step: what had been imported before it
        self.saved: float | None = None  # and the seconds of processor time that this took
        self.monotonic = 0.0  # the machine's monotonic clock, to measure: the same for all processes of a boot
        self.noted = False  # whether the journal knows it
        self.own = True  # our child; False for one that an earlier launcher started
        self.watch: int | None = None  # a pidfd, for those that are not our children
        self.namespace: int | None = None  # a descriptor of its mount namespace, if it has one: see MountSealer
        self.reason: str | None = None  # why it was told to end, if it was
        self.kill_at: float | None = None  # when patience ends (monotonic)
        self.code: int | None = None
        self.signal: int | None = None
        self.cpu: float | None = None  # seconds of all its processes but those that it did not wait for
        self.peak: int | None = None  # bytes of memory of the largest of them
        self.message: str | None = None
        self.ended: float | None = None  # when its first process ended; what it left may still be running
        self.exit: dict[str, Any] | None = None  # final
        self.step: dict[str, Any] | None = None  # a warm child's, until it has ended: it may have to start cold
        self.parent: WarmParent | None = None  # that of the warm child

    def as_started(self) -> list[Any]:
        return [self.id, self.pid, self.start_time, self.started]

    @property
    def is_well(self) -> bool:
        """True if the step ended by itself, with code 0."""
        return self.exit is not None and self.exit["code"] == 0 and self.exit["reason"] == "exited"

    def set_exit(self, reason: str, message: str | None, ended: float) -> dict[str, Any]:
        """Write down how it ended, for good."""
        self.exit = {
            "id": self.id,
            "code": self.code,
            "signal": self.signal,
            "reason": reason,
            "message": message,
            "started": self.started,
            "ended": ended,
            "cpu": self.cpu,
            "peak": self.peak,
            "first_line": self.first_line,
            "mode": self.mode if self.turn else None,
            "imported": self.imported,
            "saved": self.saved,
            **({"cold": self.cold_reason} if self.cold_reason else {}),
            "process": [*self.machine, self.pid, self.start_time] if self.pid else None,
        }
        return self.exit
