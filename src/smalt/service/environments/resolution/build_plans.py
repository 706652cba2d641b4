"""Build plans: how a declared environment is built on this machine, and where that deviates from the declaration."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass

from smalt.exceptions import RefusedError
from smalt.service.environments.build_errors import find_advice
from smalt.service.environments.builders.mltable_wheel import substitute_mltable
from smalt.service.environments.resolution.declarations import ContainerBase, DeclaredEnvironment
from smalt.service.environments.resolution.python_versions import Minor

_PLATFORM = f"{platform.system()} {platform.machine()}"


@dataclass(frozen=True)
class BuildPlan:
    """The plan to build a declared environment on this machine."""

    declared: DeclaredEnvironment
    used: Minor
    exact: bool
    hash: str
    notes: list[str]
    base: ContainerBase | None = None
    """The base of its container; None for a virtual environment."""

    @property
    def python(self) -> str:
        return f"{self.used[0]}.{self.used[1]}"

    @property
    def label(self) -> str:
        return f"'{self.declared.name}'" if self.declared.name else self.hash[:12]

    @property
    def container_variables(self) -> dict[str, str]:
        """The variables that a container is given; one built from its Dockerfile has them itself."""
        return self.declared.variables if self.base is not None and self.base.layered else {}

    def explain_failure(self, why: str) -> str:
        """Return the sentence for a job whose environment could not be built."""
        if self.base is not None:
            what, hint = (
                f"made from {self.base.description}",
                f"correct the {'image' if self.base.image else 'Dockerfile'}",
            )
            hint = "correct its packages" if self.base.layered else hint
        elif self.declared.conda is not None:
            what, hint = "made of conda packages", "correct its packages or its channels"
        else:
            what, hint = f"built with Python {self.python}", "correct its packages"
            if not self.exact:
                hint = f"install Python {self.declared.python}, for which they may be pinned, or relax the pins"
        return f"environment {self.label} could not be {what}: {why}; {find_advice(why) or hint}"


def plan_container(declared: DeclaredEnvironment, fidelity: str, content: str) -> BuildPlan | None:
    """Return the plan for a container from its base, whose build context has that content; None if it needs none."""
    base = declared.base
    if base is None or (base.if_strict and fidelity != "strict"):
        return None
    hash = declared.make_hash(f"container {base.image} {base.dockerfile} {content}")
    notes = [note for note in declared.notes if note != declared.not_as_asked] if base.layered else []
    return BuildPlan(declared, (0, 0), True, hash, notes, base)


def plan_environment(
    declared: DeclaredEnvironment, available: Sequence[Minor], fidelity: str, why: str = ""
) -> BuildPlan:
    """Choose the Python; raise Refused if `fidelity` is strict and the declaration cannot be met exactly.

    `why` says why there is no container.
    """
    if declared.conda is not None:  # its Python is one of the packages
        if fidelity == "strict":
            _refuse_deviation(declared, True, available, why)
        return BuildPlan(declared, (0, 0), True, declared.make_hash(f"conda {_PLATFORM}"), declared.notes)
    used = declared.python.find_nearest(available)
    exact = declared.python.allows(used)
    if fidelity == "strict":
        _refuse_deviation(declared, exact, available, why)
    else:
        declared = substitute_mltable(declared, used)
    return BuildPlan(
        declared, used, exact, declared.make_hash(used), _list_notes(declared, f"{used[0]}.{used[1]}", exact, why)
    )


def _list_notes(declared: DeclaredEnvironment, used: str, exact: bool, why: str) -> list[str]:
    """Return the deviations from the declaration, a sentence each."""
    nearest = "" if exact else f", the nearest on this machine to {declared.python}"
    given = [_add_cause(note, why) if note == declared.not_as_asked else note for note in declared.notes]
    if declared.unused_image:
        clean = f"a clean virtual environment of Python {used}{nearest}"
        sentence = f"{declared.unused_image} is not used; the job runs in {clean}{declared.left_out}"
        return [*given, _add_cause(sentence, why)]
    if exact:
        return given
    return [*given, f"Python {declared.python} is not on this machine; the job runs with Python {used}{nearest}"]


def _add_cause(note: str, why: str) -> str:
    return (
        re.sub(r" (is not (?:used|built)(?: by smalt)?);", lambda match: f" {match[1]} ({why});", note, count=1)
        if why
        else note
    )


def _refuse_deviation(declared: DeclaredEnvironment, exact: bool, available: Sequence[Minor], why: str) -> None:
    what = declared.not_as_asked or (declared.unused_image and f"{declared.unused_image} is not used by smalt")
    if what:
        advice = "correct that" if why else "give the environment a conda_file"
        raise RefusedError(
            f"{_add_cause(what + ';', why).removesuffix(';')}, and the setting fidelity is strict; "
            f"{advice}, or set fidelity=nearest"
        )
    if not exact:
        here = ", ".join(f"{major}.{minor}" for major, minor in available)
        raise RefusedError(
            f"Python {declared.python} is not on this machine (it has {here}) and the setting fidelity is strict; "
            "install that Python, or set fidelity=nearest"
        )
