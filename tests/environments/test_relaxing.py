from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.machine.home import Home
from smalt.service.environments import EnvironmentFailed, Environments

from .conftest import Settings, conda, run
from .wheels import make_broken_package, make_wheel


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """crate 1.0 is for a Python that is nowhere any more, 1.5, 1.7 and 2.0 for any; lid 2.0 wants crate from 1.7 on."""
    make_wheel(tmp_path, "crate", "1.0", tag="cp33-cp33m-any")
    for version in ("1.5", "1.7", "2.0"):
        make_wheel(tmp_path, "crate", version)
    make_wheel(tmp_path, "lid", "1.0", requires=["crate"], tag="cp33-cp33m-any")
    make_wheel(tmp_path, "lid", "2.0", requires=["crate>=1.7"])
    make_wheel(tmp_path, "shade", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.mark.usefixtures("old")
def test_a_pin_without_a_wheel_is_relaxed_to_the_nearest_version(environments: Environments, log: list[str]) -> None:
    """That pin and no other; which, is in the log of every job that uses it."""
    asset = conda("crate==1.0", "shade==1.0")
    realised = asyncio.run(environments.get_or_build(asset, log.append))
    assert run(realised, "crate").startswith("1.5 ")
    sentence = f"'crate==1.0' is not available for Python {realised.version}; crate 1.5 is used"
    assert realised.notes == [sentence]
    again = environments.find_built(asset)
    assert again is not None
    assert again.notes == [sentence]


@pytest.mark.usefixtures("old")
def test_what_does_not_go_with_a_relaxed_pin_is_relaxed_too(environments: Environments, log: list[str]) -> None:
    """The versions that are told are those that are there."""
    realised = asyncio.run(environments.get_or_build(conda("lid==1.0", "crate==1.0"), log.append))
    assert realised.notes == [
        f"'{name}==1.0' is not available for Python {realised.version}; {name} 2.0 is used" for name in ("lid", "crate")
    ]
    assert run(realised, "crate").startswith("2.0 ")


@pytest.mark.usefixtures("old")
def test_pins_that_never_went_together_are_not_relaxed(environments: Environments, log: list[str]) -> None:
    """No Python is to blame for that."""
    with pytest.raises(EnvironmentFailed, match=r"your requirements are unsatisfiable; correct its packages$"):
        asyncio.run(environments.get_or_build(conda("lid==2.0", "crate==1.5"), log.append))


@pytest.mark.usefixtures("old")
def test_strict_keeps_pins(environments: Environments, settings: Settings, log: list[str]) -> None:
    """It fails, and does not use what nearest has built."""
    settings.fidelity = "strict"
    with pytest.raises(EnvironmentFailed, match=r"crate==1\.0"):
        asyncio.run(environments.get_or_build(conda("crate==1.0"), log.append))
    settings.fidelity = "nearest"
    asyncio.run(environments.get_or_build(conda("crate==1.0"), log.append))
    settings.fidelity = "strict"
    assert environments.find_built(conda("crate==1.0")) is None
    with pytest.raises(RefusedError, match=r"built with other versions than it declares .*fidelity is strict"):
        asyncio.run(environments.get_or_build(conda("crate==1.0"), log.append))


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("slip", ["crate==9.9", "crete==1.0"])
def test_what_never_was_is_not_relaxed(environments: Environments, home: Home, log: list[str], slip: str) -> None:
    """A slip of the pen is told, not mended."""
    with pytest.raises(EnvironmentFailed, match=slip.partition("=")[0]):
        asyncio.run(environments.get_or_build(conda(slip, "shade==1.0"), log.append))
    assert not any("is used" in line for line in log)


def test_one_that_could_not_be_built_gives_way_to_one_with_a_wheel(
    environments: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    """At once, however many versions between them are in source only."""
    for minor in range(1, 20):
        make_broken_package(tmp_path, "crate", f"1.{minor}")
    make_wheel(tmp_path, "crate", "2.0")
    make_wheel(tmp_path, "crate", "3.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    realised = asyncio.run(environments.get_or_build(conda("crate==1.1"), log.append))
    assert realised.notes == [f"'crate==1.1' is not available for Python {realised.version}; crate 2.0 is used"]
    assert sum(line.startswith("trying with") for line in log) == 1
