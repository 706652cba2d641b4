"""The environment that an MLflow model brings with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from smalt.exceptions import NotFound, ValidationException
from smalt.yaml.document import Document

_LARGEST_FILE = 1 << 20
"""Bytes of a file that lists packages."""


def read_model_environment(folder: Path) -> dict[str, Any]:
    """Return the environment that the model in `folder` was logged with, as the environments' room takes it."""
    flavors = read_mlmodel(folder).get("flavors")
    flavor = flavors.get("python_function") if isinstance(flavors, Mapping) else None
    if not isinstance(flavor, Mapping):
        raise ValidationException(
            "the model has no flavor 'python_function', by which MLflow serves it; add a scoring script"
        )
    named = flavor.get("env")
    written = named.get("conda") if isinstance(named, Mapping) else named
    name = written if isinstance(written, str) and written else "conda.yaml"
    if (conda := _read_file(folder, name)) is not None:
        return {"condaFile": conda}
    if (requirements := _read_file(folder, "requirements.txt")) is not None:
        lines = [line.strip() for line in requirements.splitlines()]
        version = flavor.get("python_version")
        python = version.rpartition(".")[0] if isinstance(version, str) else ""
        pip = [line for line in lines if line and not line.startswith("#")]
        spec = [*([f"python={python}"] if python else []), "pip", {"pip": pip}]
        return {"condaFile": yaml.safe_dump({"dependencies": spec})}
    raise NotFound(
        f"the model says nothing of its packages: it has neither {name} nor requirements.txt; "
        "give the deployment an 'environment'"
    )


def _read_file(folder: Path, name: str) -> str | None:
    """Return the text of a file of the model; None if there is none. Raise a SmaltError for one outside of it."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValidationException(
                f"MLmodel of the model names the file '{name}', which is not in the model's folder"
            )
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST_FILE:
            raise ValidationException(f"{name} of the model has more than {_LARGEST_FILE // 1024} KiB")
        return path.read_text(errors="replace")
    except (OSError, ValueError) as error:
        raise ValidationException(f"{name!r} of the model cannot be read: {error}") from None


def read_mlmodel(folder: Path) -> dict[str, Any]:
    """Return what the file MLmodel of a model's folder says; raise a SmaltError if there is none, or none of use."""
    try:
        document = Document((folder / "MLmodel").read_bytes())
    except FileNotFoundError:
        raise NotFound(f"there is no MLmodel in the model's folder {folder}; is it an MLflow model?") from None
    if document.faults:
        line, column, message = document.faults[0]
        raise ValidationException(f"MLmodel of the model cannot be read: line {line}, column {column}: {message}")
    if not isinstance(document.data, dict):
        raise ValidationException("MLmodel of the model holds no mapping")
    return document.data
