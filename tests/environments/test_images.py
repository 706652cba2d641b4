from __future__ import annotations

from pathlib import Path

import pytest

from smalt.service.environments import images


@pytest.mark.parametrize(
    ("image", "python"),
    [
        ("python:3.8", "3.8"),
        ("python:3.11.6-slim-bookworm", "3.11"),
        ("library/python:latest", "newest"),
        ("docker.io/python", "newest"),
        ("python", "newest"),
        ("python@sha256:0123", "newest"),
        ("localhost:5000/python:3.9", "3.9"),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", ""),
        ("mcr.microsoft.com/azureml/openmpi5.0-cuda12.4-ubuntu22.04:latest", ""),
        ("mcr.microsoft.com/azureml/minimal-py312-inference:latest", "3.12"),
        ("mcr.microsoft.com/azureml/curated/acpt-pytorch-1.11-py38-cuda11.3-gpu:9", "3.8"),
        ("pytorch/pytorch:latest", ""),
    ],
)
def test_an_images_name_tells_its_python(image: str, python: str) -> None:
    """The tag of python images, py38 in others; the service's own images say nothing."""
    assert images.python_of(image) == python


def test_the_image_of_a_curated_environment_is_known() -> None:
    """Its repository is named after the environment."""
    assert images.curated_name("mcr.microsoft.com/azureml/curated/sklearn-1.5:33") == "sklearn-1.5"
    assert images.curated_name("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04") is None


def test_a_dockerfile_tells_its_image_and_package_lists(tmp_path: Path) -> None:
    """FROM and the files that pip and conda install from, comments and line ends apart."""
    (tmp_path / "Dockerfile").write_text(
        "#FROM other:1\nFROM --platform=linux/amd64 python:3.9 AS base\n# RUN pip install -r none.txt\n"
        "COPY requirements.txt /tmp/\nRUN true && pip install --no-cache \\\n  -r /tmp/requirements.txt && true\n"
        "RUN conda env update -n base -f environment.yml\n"
    )
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "environment.yml").touch()
    context = images.read_context(tmp_path, "Dockerfile")
    assert context == ("python:3.9", tmp_path / "requirements.txt", tmp_path / "environment.yml")


def test_a_dockerfile_reaches_no_file_outside_its_context(tmp_path: Path) -> None:
    """A path that leads out of the folder is as good as none."""
    context = tmp_path / "context"
    context.mkdir()
    (tmp_path / "requirements.txt").touch()
    (context / "Dockerfile").write_text("FROM python:3.9\nRUN pip install -r ../requirements.txt\n")
    assert images.read_context(context, "Dockerfile").requirements is None


def test_a_context_without_dockerfile_says_nothing(tmp_path: Path) -> None:
    """Nothing is known of it, and that is not an error."""
    assert images.read_context(tmp_path, "Dockerfile") == (None, None, None)
