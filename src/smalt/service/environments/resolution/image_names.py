"""Image names, and what they, or a Dockerfile, reveal of the image's content. Nothing of either is run."""

from __future__ import annotations

import re

from smalt.service.environments.resolution.python_versions import NEWEST

_CURATED = re.compile(r"mcr\.microsoft\.com/azureml/curated/([\w.-]+)", re.IGNORECASE)
_SERVICES_BASE = re.compile(r"mcr\.microsoft\.com/azureml/(?!curated/)", re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)


def find_python(image: str) -> str:
    """Return the Python in an image's name: python:3.8-slim has 3.8, python has the newest, most names have none."""
    repository, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    if repository == "python":
        match = re.match(r"3\.\d+", tag)
        return match[0] if match else NEWEST
    match = re.search(r"py(?:thon)?-?(3)\.?(\d{1,2})(?!\d)", f"{repository}:{tag}")
    return f"3.{match[2]}" if match else ""


def find_curated_name(image: str) -> str | None:
    """Return the curated environment that the image belongs to."""
    match = _CURATED.match(image)
    return match[1] if match else None


def is_service_base(image: str) -> bool:
    """True for one of the service's base images: an Ubuntu with MPI and conda, made for a conda file on top."""
    return bool(_SERVICES_BASE.match(image))


def list_bases(dockerfile: str) -> list[str]:
    """Return the images that a Dockerfile starts from; not its own stages, nor those named only by its arguments."""
    found: list[str] = []
    stages = {"scratch"}
    for image, stage in _FROM.findall(dockerfile):
        if image.lower() not in stages and "$" not in image and image not in found:
            found.append(image)
        stages.add(stage.lower())
    return found
