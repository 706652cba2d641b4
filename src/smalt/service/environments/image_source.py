"""The interface of the package that builds and keeps container images, as environments need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from smalt.service.environments.builders.build_processes import Log
from smalt.service.environments.resolution.declarations import ContainerBase, DeclaredEnvironment
from smalt.service.environments.store.environment_store import EnvironmentRecord


@dataclass(frozen=True)
class ContainerImage:
    """An image that a container engine has."""

    id: str
    path: str
    """PATH inside."""
    size: int = 0
    """Bytes; 0 where it is not known."""


class EngineState(NamedTuple):
    """A container engine that answers, or the reason why none does."""

    is_available: bool
    problem: str = ""
    """The reason why there is none; empty if containers are switched off, as then nobody wants to read of an engine."""


class UnusedImage(NamedTuple):
    """An image that was made for an environment of this home that is gone."""

    name: str
    remove: Callable[[], None]


class ImageSource(Protocol):
    """Images of environments: which engine there is, which images it has, and what makes one."""

    def get_known_state(self) -> EngineState | None:
        """Return the engine's state if it was asked a moment ago, else None."""

    def get_last_state(self) -> EngineState | None:
        """Return the engine's state as it was last asked, however long ago."""

    async def find_state(self) -> EngineState: ...

    def get_context_digest(self, base: ContainerBase) -> str:
        """Return the content id of a build context, "" for an image."""

    def mark_unavailable(self, declared_hash: str, why: str) -> None:
        """Remember for a few minutes that the image of this environment cannot be had."""

    def get_unavailable_reason(self, declared_hash: str) -> str | None: ...

    def mark_seen(self, declared_hash: str) -> None: ...

    def was_seen(self, declared_hash: str) -> bool:
        """Return True if the engine had the environment's image a moment ago."""

    async def check_exists(self, record: EnvironmentRecord) -> bool:
        """Return True if the engine still has the image, under the same name."""

    async def make_image(
        self, declared: DeclaredEnvironment, base: ContainerBase, declared_hash: str, scratch: Path, log: Log
    ) -> tuple[ContainerImage, str]:
        """Return an image for a declaration, and its name."""

    async def remove_image(self, record: EnvironmentRecord) -> bool:
        """Remove an image that smalt made. Return False while a container uses it."""

    async def list_lost(self, records: Sequence[EnvironmentRecord]) -> list[EnvironmentRecord]:
        """Return the records whose image the engine no longer has."""

    async def list_unused(self, records: Sequence[EnvironmentRecord]) -> list[UnusedImage]: ...

    def list_orphans(self) -> list[str]:
        """Return the names of containers whose supervisor was killed."""

    def remove_orphans(self) -> None: ...

    def start_sweep(self) -> None:
        """Remove orphaned containers in a thread."""
