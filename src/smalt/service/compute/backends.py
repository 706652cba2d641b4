"""The backends that a server has: a new one is a module of its own, and one entry of MAKERS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smalt.service.compute.backend import Backend
from smalt.service.compute.containers.images import ContainerImages
from smalt.service.compute.containers.steps import ContainerSteps
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.launcher_client import LauncherClient
from smalt.service.compute.local.results import LocalResults
from smalt.service.compute.local.steps import LocalSteps
from smalt.service.compute.registry import Computes


@dataclass(frozen=True)
class ThisMachine:
    """The parts of the server's machine that backends may use."""

    context: LocalContext
    launcher: LauncherClient
    images: ContainerImages


def make_local_backend(machine: ThisMachine) -> Backend:
    """Return the backend that runs processes of this machine."""
    steps, results = LocalSteps(machine.context), LocalResults(machine.context)
    return Backend("local", steps, results, machine.launcher, for_images="containers")


def make_container_backend(machine: ThisMachine) -> Backend:
    """Return the backend that runs containers on this machine: the local one's folders and launcher."""
    steps, results = ContainerSteps(machine.context, machine.images), LocalResults(machine.context)
    return Backend("containers", steps, results, machine.launcher, is_compute=False)


MAKERS: list[Callable[[ThisMachine], Backend]] = [make_local_backend, make_container_backend]
"""The first is the default: it runs the jobs of every compute that no backend is named after."""


def make_computes(machine: ThisMachine) -> Computes:
    return Computes(*(make(machine) for make in MAKERS))
