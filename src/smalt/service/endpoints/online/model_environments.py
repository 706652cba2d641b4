"""The environment that an MLflow model brings with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from smalt.exceptions import NotFound, ValidationException


def read_model_environment(folder: Path) -> dict[str, Any]:
    """Return the environment that the model in `folder` was logged with, as the environments' room takes it."""
    description = _read_yaml(folder / "MLmodel")
    flavor = (description.get("flavors") or {}).get("python_function")
    if not isinstance(flavor, Mapping):
        raise ValidationException(
            "the model has no flavor 'python_function', by which MLflow serves it; add a scoring script"
        )
    named = flavor.get("env")
    name = str(named.get("conda") or "conda.yaml" if isinstance(named, Mapping) else named or "conda.yaml")
    path = folder / name
    if path.is_file():
        return {"condaFile": path.read_text(errors="replace")}
    requirements = folder / "requirements.txt"
    if requirements.is_file():
        lines = [line.strip() for line in requirements.read_text(errors="replace").splitlines()]
        python = str(flavor.get("python_version") or "").rpartition(".")[0]
        pip = [line for line in lines if line and not line.startswith("#")]
        spec = [*([f"python={python}"] if python else []), "pip", {"pip": pip}]
        return {"condaFile": yaml.safe_dump({"dependencies": spec})}
    raise NotFound(
        f"the model says nothing of its packages: it has neither {name} nor requirements.txt; "
        "give the deployment an 'environment'"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise NotFound(f"there is no MLmodel in the model's folder {path.parent}; is it an MLflow model?") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValidationException(f"{path.name} of the model is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise ValidationException(f"{path.name} of the model holds no mapping")
    return found
