"""`azureml.core.databricks`: libraries of a Databricks step, which programs make before the step is refused."""

from __future__ import annotations

from typing import Any


class Library:
    """A package for a cluster of Databricks, by its settings."""

    def __init__(self, **settings: Any) -> None:
        vars(self).update(settings)


class JarLibrary(Library):
    def __init__(self, library: str | None = None) -> None:
        super().__init__(library=library)


class EggLibrary(JarLibrary): ...


class PyPiLibrary(Library):
    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        super().__init__(package=package, repo=repo)


class RCranLibrary(PyPiLibrary): ...


class MavenLibrary(Library):
    def __init__(self, coordinates: str | None = None, repo: str | None = None, exclusions: Any = None) -> None:
        super().__init__(coordinates=coordinates, repo=repo, exclusions=exclusions)
