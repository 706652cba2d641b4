"""A step as a backend has made it ready to run, and what it passes through before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.environments import BuiltEnvironment

Say = Callable[[str], None]
"""Writes a line to the job's log."""

KEPT = ("outputs", "logs")
"""Folders of the working folder that exist beforehand and are kept with the job."""


class Folders(NamedTuple):
    folder: str
    """The attempt's own: its claim, its copies of inputs, its view of the environment."""
    cwd: str
    """The folder in which the command runs: the job's copy of its code."""
    artifacts: str
    """The folder that is kept of the job, as the service lays it out."""

    @property
    def log(self) -> str:
        return f"{self.artifacts}/user_logs/std_log.txt"

    def get_own(self, kind: str, name: str) -> str:
        """Return the folder of one of the attempt's `inputs` or `outputs`, made when it is needed."""
        return f"{self.folder}/{kind}/{name}"


class Layout(NamedTuple):
    """The parts of a step that are made before it is known when it starts."""

    folders: Folders
    outputs: dict[str, str]
    """The path that the command writes each output to."""
    environment: BuiltEnvironment
    """The step's own view of its environment."""
    has_links: bool
    """The command is given a link to the place of an output, and may put something else in place of the link."""


class Fetched(NamedTuple):
    """Data that was made ready before a step starts."""

    paths: dict[str, Path]
    """The place of each input."""
    tables: dict[str, dict[str, str]]
    """By input that is an MLTable: each URI that it names, with its path on this machine."""


class SmallResult(NamedTuple):
    """A command's files, if they are few and plain: they were looked through within a turn of the loop."""

    kept: tuple[str, ...]
    """The folders of KEPT with something in them."""
    empty: list[str]
    """The outputs, values excepted, that nothing was written to."""
    noted: dict[str, Any]
    """The note of the step's inputs beside its claim."""
    is_untouched: bool = False
    """True if the attempt's folder is known to be as it was made."""


NOTHING_FETCHED = Fetched({}, {})


class RunnableStep(NamedTuple):
    """A step that is ready to be started."""

    id: str
    """Unique per attempt."""
    script: str
    """Text for `bash -c`, from `smalt.runner.script.build_script` with the same id and folder."""
    folder: str
    """The folder of the claim; must exist."""
    cwd: str
    env: dict[str, str]
    log: str
    """The file to which stdout and stderr are appended; its folder must exist."""
    timeout: float | None = None
    grace: float = 10.0
    after: tuple[str, ...] | None = None
    """Not now: in the place of the next step that exits with code 0 once all of these did; or on `go`."""
    reads: Mapping[str, str] = {}
    """Paths that it may only read, each with the name of its input."""
    seals: tuple[str, ...] = ()
    """Paths that it is kept from writing to where the launcher can; they are not watched otherwise."""
    writes: tuple[str, ...] = ()
    """Paths that it may write although they lie below one of `reads` or `seals`."""
    warm: Mapping[str, Any] | None = None
    """The plan by which it may start as a child of a warm parent (`compute/local/warm_starts.py`)."""
    cold_reason: str | None = None
    """Why there is no such plan, where a plan could be asked for."""
