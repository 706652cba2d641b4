"""The setting image-map: what stands for images that cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.service.environments import Environments
from smalt.service.environments.resolution.image_map import find_file

from .conftest import Settings, conda
from .test_builds import realise, run


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("my.azurecr.io/churn:3", "/exact"),
        ("my.azurecr.io/churn:4", "/name"),
        ("my.azurecr.io/churn@sha256:00", "/name"),
        ("my.azurecr.io/other/x:1", "/longer"),
        ("my.azurecr.io/x", "/shorter"),
        ("host:5000/x", "/port"),
        ("python:3.11", None),
    ],
)
def test_the_nearest_entry_is_used(image: str, file: str | None) -> None:
    """The name with its tag, the name alone, then the longest pattern."""
    entries = {
        "my.azurecr.io/churn:3": "/exact", "my.azurecr.io/churn": "/name", "my.azurecr.io/*": "/shorter",
        "my.azurecr.io/other/*": "/longer", "host:5000/x": "/port",
    }  # fmt: skip
    assert find_file(image, entries) == (Path(file) if file else None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "-r more.txt\n"),
        ("conda.yml", "dependencies: [{pip: [-r more.txt]}]\nvariables: {A: b}\n"),
        ("Dockerfile", "FROM private\nCOPY more.txt /\nRUN pip install -r /more.txt\nENV A=b\n"),
    ],
)
def test_a_file_stands_for_an_image(
    environments: Environments, settings: Settings, tmp_path: Path, log: list[str], name: str, text: str
) -> None:
    """Of each kind; the note names it, and a change of it, or of what it includes, is another environment."""
    (tmp_path / name).write_text(text)
    (tmp_path / "more.txt").write_text("shade==1.0\n")
    settings.image_map = {"my.azurecr.io/*": str(tmp_path / name)}
    asset = {"name": "churn", "image": "my.azurecr.io/churn:1"}
    realised = realise(environments, asset, log)
    assert run(realised, "shade").startswith("1.0 ")
    assert str(tmp_path / name) in realised.notes[0]
    assert "image-map" in realised.notes[0]
    assert realised.variables.get("A") == (None if name == "requirements.txt" else "b")
    (tmp_path / "more.txt").write_text("shade==2.0\n")
    assert environments.find_built(asset) is None


def test_a_conda_file_beside_a_mapped_image_counts_too(
    environments: Environments, settings: Settings, tmp_path: Path, log: list[str]
) -> None:
    """The packages of both are there."""
    (tmp_path / "requirements.txt").write_text("shade==1.0\n")
    settings.image_map = {"mine": str(tmp_path / "requirements.txt")}
    realised = realise(environments, {**conda("ink"), "image": "mine:1"}, log)
    assert run(realised, "shade").startswith("1.0 ")
    assert run(realised, "ink").startswith("0.3 ")


def test_a_mapped_file_is_as_asked_under_strict(
    environments: Environments, settings: Settings, tmp_path: Path, log: list[str]
) -> None:
    """The user said what the image holds; a Dockerfile is still to be built, and a file that is gone is told."""
    settings.fidelity = "strict"
    (tmp_path / "requirements.txt").write_text("shade==1.0\n")
    settings.image_map = {"mine": str(tmp_path / "requirements.txt"), "gone": str(tmp_path / "gone.yml")}
    assert run(realise(environments, {"image": "mine"}, log), "shade").startswith("1.0 ")
    with pytest.raises(RefusedError, match=r"gone\.yml' for image 'gone', and there is no such file"):
        realise(environments, {"image": "gone"}, log)
