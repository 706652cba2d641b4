"""How a declared environment is made on this machine, and what of it is not as asked."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass

from smalt.exceptions import Refused
from smalt.service.environments.build_errors import advice
from smalt.service.environments.builders.mltable_wheel import substituted
from smalt.service.environments.resolution.declarations import Base, Declared
from smalt.service.environments.resolution.python_versions import Minor

_PLATFORM = f"{platform.system()} {platform.machine()}"


@dataclass(frozen=True)
class Plan:
    """How a declared environment is made on this machine."""

    declared: Declared
    used: Minor
    exact: bool
    hash: str
    notes: list[str]
    base: Base | None = None
    """What its container is made from; None for a virtual environment."""

    @property
    def python(self) -> str:
        return f"{self.used[0]}.{self.used[1]}"

    @property
    def called(self) -> str:
        return f"'{self.declared.name}'" if self.declared.name else self.hash[:12]

    def failure(self, why: str) -> str:
        """The sentence for a job whose environment could not be built."""
        if self.base is not None:
            what, hint = f"made from {self.base.what}", f"correct the {'image' if self.base.image else 'Dockerfile'}"
            hint = "correct its packages" if self.base.layered else hint
        elif self.declared.conda is not None:
            what, hint = "made of conda packages", "correct its packages or its channels"
        else:
            what, hint = f"built with Python {self.python}", "correct its packages"
            if not self.exact:
                hint = f"install Python {self.declared.python}, for which they may be pinned, or relax the pins"
        return f"environment {self.called} could not be {what}: {why}; {advice(why) or hint}"


def contained(declared: Declared, fidelity: str, content: str) -> Plan | None:
    """A container from its base, whose build context has that content; None where it is to have none."""
    base = declared.base
    if base is None or (base.if_strict and fidelity != "strict"):
        return None
    hash = declared.hash(f"container {base.image} {base.dockerfile} {content}")
    notes = [note for note in declared.notes if note != declared.not_as_asked] if base.layered else []
    return Plan(declared, (0, 0), True, hash, notes, base)


def plan(declared: Declared, available: Sequence[Minor], fidelity: str, why: str = "") -> Plan:
    """Choose the Python; Refused where `fidelity` is strict and something cannot be had as asked.

    `why` tells why there is no container.
    """
    if declared.conda is not None:  # its Python is one of the packages
        if fidelity == "strict":
            _refuse(declared, True, available, why)
        return Plan(declared, (0, 0), True, declared.hash(f"conda {_PLATFORM}"), declared.notes)
    used = declared.python.nearest(available)
    exact = declared.python.allows(used)
    if fidelity == "strict":
        _refuse(declared, exact, available, why)
    else:
        declared = substituted(declared, used)
    return Plan(declared, used, exact, declared.hash(used), _notes(declared, f"{used[0]}.{used[1]}", exact, why))


def _notes(declared: Declared, used: str, exact: bool, why: str) -> list[str]:
    """What is not as asked, a sentence each."""
    nearest = "" if exact else f", the nearest on this machine to {declared.python}"
    given = [_caused(note, why) if note == declared.not_as_asked else note for note in declared.notes]
    if declared.unused_image:
        clean = f"a clean virtual environment of Python {used}{nearest}"
        sentence = f"{declared.unused_image} is not used; the job runs in {clean}{declared.left_out}"
        return [*given, _caused(sentence, why)]
    if exact:
        return given
    return [*given, f"Python {declared.python} is not on this machine; the job runs with Python {used}{nearest}"]


def _caused(note: str, why: str) -> str:
    return (
        re.sub(r" (is not (?:used|built)(?: by smalt)?);", lambda match: f" {match[1]} ({why});", note, count=1)
        if why
        else note
    )


def _refuse(declared: Declared, exact: bool, available: Sequence[Minor], why: str) -> None:
    what = declared.not_as_asked or (declared.unused_image and f"{declared.unused_image} is not used by smalt")
    if what:
        advice = "see to that" if why else "give the environment a conda_file"
        raise Refused(
            f"{_caused(what + ';', why).removesuffix(';')}, and the setting fidelity is strict; "
            f"{advice}, or set fidelity=nearest"
        )
    if not exact:
        here = ", ".join(f"{major}.{minor}" for major, minor in available)
        raise Refused(
            f"Python {declared.python} is not on this machine (it has {here}) and the setting fidelity is strict; "
            "install that Python, or set fidelity=nearest"
        )
