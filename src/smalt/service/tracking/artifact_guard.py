"""Hooks by which the engine protects files that MLflow's clients write and register."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from smalt.service.records.workspaces import Workspace

Act = Callable[[Workspace, str], Awaitable[None]]


async def _do_nothing(workspace: Workspace, text: str) -> None:
    pass


@dataclass
class ArtifactGuard:
    """The engine's hooks; by default they do nothing."""

    before_write: Act = _do_nothing
    """Called with the path of an artifact that is about to be written."""
    on_registered: Act = _do_nothing
    """Called with the URI of a version that was made."""
