"""Built environments, and the view that each job has of one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from os import PathLike

from smalt.service.environments.image_source import ContainerImage
from smalt.service.environments.views.overlay_layout import OverlayTemplate
from smalt.service.environments.views.overlay_pool import OverlayPool

HOST = "host"
"""The host's Python in place of the hash of a declaration."""
VARIABLES = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_LINK_MODE": "copy"}
"""Settings of every job's pip and uv: install into the job, do not check for a newer pip, and share no file with uv's
cache, which later builds and jobs install from."""


@dataclass(frozen=True)
class BuiltEnvironment:
    """A built environment, or one job's own view of it (see `clone`)."""

    bin: str | PathLike[str] | None
    """The folder that goes to the front of PATH."""
    python: str
    """The path of its Python."""
    version: str
    """The version of its Python."""
    variables: dict[str, str]
    declared_hash: str
    realised_hash: str
    notes: list[str]
    """Sentences for every job that uses it; the caller writes them into the job's log."""
    template: OverlayTemplate | None = field(repr=False, compare=False)
    """The template of a job's view; None for a container, which has a layer of its own."""
    overlays: OverlayPool = field(repr=False, compare=False)
    has_mlflow: bool = False
    """True if jobs in it may use MLflow; unknown, so False, for the host's Python."""
    folder: str | None = None
    """The folder of this job's view; None for the environment itself."""
    shared: str | None = None
    """The folder that the views of all jobs show and none may write to; None for a container and for the host."""
    stored_as: str = HOST
    """The name of its folder in the store; the host's has none, and another environment none of that name."""
    container: ContainerImage | None = None
    """The image that jobs run in, if any; `bin` and `python` are then of that image."""

    @property
    def key(self) -> str:
        """The key, equal for environments whose views are equal."""
        return self.template.key if self.template else ""

    def clone(self, folder: str | PathLike[str], old: str | PathLike[str] | None = None) -> BuiltEnvironment:
        """Return the job's view of it, in `folder`: what the job installs lands there and nowhere else.

        The view is a virtual environment that sees the packages of this one, cheap enough for every job. When
        the job is over, `Environments.release_view(folder)` takes it back, or it is recycled for another
        (`recycle_view`) in a folder that is renamed: `old` was its path until then.
        """
        place = os.fspath(folder)
        if self.template is None:
            return replace(self, folder=place)
        if old is None or not self.overlays.move(os.fspath(old), place):
            self.overlays.make_overlay(self.template, place)
        return replace(
            self,
            bin=f"{place}/bin",
            python=f"{place}/bin/python",
            variables={
                **self.variables,
                "VIRTUAL_ENV": place,
                "PYTHONUSERBASE": place,
                **self._make_r_variables(place),
            },
            folder=place,
        )

    def _make_r_variables(self, folder: str) -> dict[str, str]:
        """Return the variable by which R installs packages into the view; the library of the prefix is read-only."""
        has_r = "CONDA_PREFIX" in self.variables and os.path.isdir(f"{self.shared}/lib/R")
        return {"R_LIBS": folder} if has_r else {}
