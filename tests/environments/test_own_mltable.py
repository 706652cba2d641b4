"""Where an environment asks for mltable, smalt's own is installed, visibly, unless fidelity is strict."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.environments import Environments
from smalt.service.environments.builders.mltable_wheel import get_version, write_wheel
from smalt.service.environments.resolution.build_plans import BuildPlan, plan_environment
from smalt.service.environments.resolution.declarations import resolve_declaration

from .conftest import Settings
from .wheels import make_wheel

PYTHONS = [(3, 8), (3, 10), (3, 11)]


def _plan(requirement: str, fidelity: str = "nearest", python: str = "3.11") -> BuildPlan:
    conda = f"name: t\ndependencies: [python={python}, pip, {{pip: ['{requirement}', shade]}}]"
    declared = resolve_declaration({"condaFile": conda}, Path("/nowhere"), lambda uri: None)
    return plan_environment(declared, PYTHONS, fidelity)


@pytest.mark.parametrize(
    "asked", ["mltable", "MLTable==1.6.1", "mltable[azure]>=1.0", 'mltable~=1.5; python_version>"3"']
)
def test_ours_takes_the_place_of_the_official_one(asked: str) -> None:
    """Whatever version is pinned, ours is installed, and the job's log says so."""
    planned = _plan(asked)
    assert planned.declared.requirements == ["pip", "shade", f"mltable=={get_version()}"]
    assert f"mltable=={get_version()}" in planned.declared.parts["dependencies"]
    assert asked in planned.notes[-1]
    assert "fidelity=strict" in planned.notes[-1]


@pytest.mark.parametrize("asked", ["mltables", "mltable-tools", "mltable @ https://example.invalid/mltable.whl"])
def test_other_packages_stay(asked: str) -> None:
    """Only the name mltable itself, from an index, is ours to give."""
    assert asked in _plan(asked).declared.requirements


def test_strict_installs_the_official_one() -> None:
    """With fidelity=strict the requirement is untouched, and its environment another."""
    strict = _plan("mltable==1.6.1", "strict")
    assert strict.declared.requirements == ["pip", "mltable==1.6.1", "shade"]
    assert strict.hash != _plan("mltable==1.6.1").hash


def test_a_built_environment_has_ours_as_a_package(home: Home, own_wheels: Path, tmp_path: Path) -> None:
    """pip sees mltable with what it needs; its modules are in the environment, not in smalt's folder. Built elsewhere
    it is the same environment: steps that ran in one are reused in the other."""
    for name in ("polars", "pandas", "numpy", "pyarrow", "pyyaml"):
        make_wheel(own_wheels, name, "9.0")
    environments = Environments(home, Settings())
    conda = "name: t\ndependencies: [{pip: [mltable~=1.6]}]"
    realised = asyncio.run(environments.get_or_build({"condaFile": conda}, print))
    assert any("smalt's own" in note for note in realised.notes)
    show = "import importlib.metadata as m; print(m.version('mltable'), m.requires('mltable'), m.files('mltable'))"
    done = subprocess.run([realised.python, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(get_version())
    assert "polars" in done.stdout
    assert "mltable/delimited.py" in done.stdout
    other = Home(tmp_path / "other")
    other.create()
    again = asyncio.run(Environments(other, Settings()).get_or_build({"condaFile": conda}, print))
    assert again.realised_hash == realised.realised_hash


def test_the_wheel_is_the_same_for_the_same_content(tmp_path: Path) -> None:
    """Two builds of it do not differ in a byte."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert write_wheel(tmp_path / "a").read_bytes() == write_wheel(tmp_path / "b").read_bytes()
