from __future__ import annotations

import pytest

from smalt.service.environments.resolution import image_names


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
    assert image_names.find_python(image) == python


def test_the_image_of_a_curated_environment_is_known() -> None:
    """Its repository is named after the environment."""
    assert image_names.find_curated_name("mcr.microsoft.com/azureml/curated/sklearn-1.5:33") == "sklearn-1.5"
    assert image_names.find_curated_name("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04") is None
