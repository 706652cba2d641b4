"""Distributions that own the same files: what pip makes of them, every time."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.environments import Environments
from smalt.service.environments.builders.shared_files import choose_reinstalled, order_installation

from .conftest import Settings, conda, run
from .wheels import make_wheel

_MANY = 60


def make_pair(folder: Path) -> None:
    """`paint` and `paint-lite`, which both write the package `paint`; `brush` needs the latter, which needs `shade`."""
    for name, version, requires in (("paint", "1.0", ["shade"]), ("paint_lite", "2.0", ["shade"])):
        wheel = make_wheel(folder, name, version, requires=requires)
        owned = {f"paint/part_{number}.py": f"owner = {name!r}\n" for number in range(_MANY)}
        _add(wheel, name, version, {**owned, "paint/common.py": "same = True\n"})
    make_wheel(folder, "brush", "1.0", requires=["paint_lite"])


def _add(wheel: Path, name: str, version: str, files: dict[str, str]) -> None:
    from .wheels import _digest

    record = f"{name}-{version}.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as archive:
        before = {path: archive.read(path).decode() for path in archive.namelist()}
    lines = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**before, **files, record: lines + before[record]}.items():
            archive.writestr(path, text)


def install_by_pip(venv: Path, *asked: str, env: Mapping[str, str] | None = None) -> None:
    """Install into a new environment by this Python's pip: one of its own takes seconds to install."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", f"{venv}/bin/python"]
    subprocess.run([*pip, "install", "-q", *asked], check=True, env=env)


OWNERS = f"""
import importlib
print(*{{importlib.import_module(f"paint.part_{{number}}").owner for number in range({_MANY})}})
"""


@pytest.mark.parametrize("asked", [["paint", "brush"], ["brush", "paint"], ["paint_lite", "paint"]])
def test_files_of_two_owners_are_those_that_pip_leaves(
    home: Home, settings: Settings, own_wheels: Path, log: list[str], tmp_path: Path, asked: list[str]
) -> None:
    """Each build has the files of one owner, the one that pip installs last, and its log says so."""
    make_pair(own_wheels)
    venv = tmp_path / "pips"
    install_by_pip(venv, *asked, "shade==1.0")
    pips = subprocess.check_output([f"{venv}/bin/python", "-c", OWNERS], text=True).split()

    realised = asyncio.run(Environments(home, settings).get_or_build(conda(*asked, "shade==1.0"), log.append))
    (tmp_path / "owners.py").write_text(OWNERS)
    assert run(realised, f"python {tmp_path}/owners.py").split() == pips
    (winner,) = pips
    winner = winner.replace("_", "-")
    assert any(f"own {_MANY} files of the same name with different content; those of {winner} " in line for line in log)


def test_an_environment_without_shared_files_is_left_alone(environments: Environments, log: list[str]) -> None:
    """Nothing is installed twice, and nothing is said."""
    asyncio.run(environments.get_or_build(conda("hue", "ink"), log.append))
    assert not any("of the same name" in line for line in log)


def test_the_order_of_installation_is_pips() -> None:
    """Random dependencies, circles among them, are ordered as pip's own function orders them."""
    weights_of = pytest.importorskip("pip._internal.resolution.resolvelib.resolver").get_topological_weights
    graph_of = pytest.importorskip("pip._vendor.resolvelib.structs").DirectedGraph
    for seed in range(300):
        chance = random.Random(seed)
        names = [f"p{number}" for number in range(chance.randint(2, 8))]
        needs = {name: [one for one in names if one != name and chance.random() < 0.25] for name in names}
        roots = [name for name in names if chance.random() < 0.4] or names[:1]
        graph, reached, todo = graph_of(), set[str](), list(roots)
        while todo:
            if (name := todo.pop()) not in reached:
                reached.add(name)
                todo += needs[name]
        for node in (None, *reached):
            graph.add(node)
        for above, below in ((None, roots), *((name, needs[name]) for name in reached)):
            for name in below:
                graph.connect(above, name)
        weights = weights_of(graph, reached)
        expected = sorted(reached, key=lambda name: (weights[name], name), reverse=True)
        assert order_installation({name: set(needs[name]) for name in reached}, set(roots)) == expected


def test_a_distribution_of_a_file_is_installed_again_from_there(tmp_path: Path) -> None:
    """One that came by URL is asked for by that URL, one of the index by its version."""
    make_pair(tmp_path / "wheels")
    venv = tmp_path / "venv"
    wheel = next((tmp_path / "wheels").glob("paint-1.0*.whl"))
    env = {**os.environ, "PIP_FIND_LINKS": f"{tmp_path}/wheels {os.environ['PIP_FIND_LINKS']}"}
    install_by_pip(venv, str(wheel), "brush", env=env)
    (site,) = venv.glob("lib/python*/site-packages")
    found = choose_reinstalled(str(site), [f"paint @ {wheel.as_uri()}", "brush"])
    assert [one.requirement for one, _ in found] == [f"paint @ {wheel.as_uri()}"]
    found = choose_reinstalled(str(site), ["paint @ somewhere", "paint_lite"])
    assert [one.requirement for one, _ in found] == [f"paint @ {wheel.as_uri()}"]
