"""The environment of an MLflow model that is deployed without one: that which the model itself describes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml
from smalt.exceptions import ValidationException
from smalt.service.endpoints.online.model_environments import read_mlmodel, read_model_environment
from smalt.service.engine.context import EngineContext
from smalt.service.environments.resolution.conda_files import parse_yaml
from smalt.service.records import assets
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.ids import ANONYMOUS_ENVIRONMENT

_MLFLOW = ("mlflow", "mlflow-skinny")


def read_environment(folder: Path) -> dict[str, Any]:
    """Return the conda specification of an MLflow model's folder; raise a SmaltError if it is no such model.

    It gets MLflow, which reads the model; Pillow where the model takes tensors, which images become; and else pyarrow,
    which reads parquet files and which only the whole of MLflow brings.
    """
    text = read_model_environment(folder)["condaFile"]
    conda = parse_yaml(text)
    if not isinstance(conda, dict):
        raise ValidationException("its conda.yaml holds no mapping")
    takes_tensors = _takes_tensors(read_mlmodel(folder).get("signature"))
    names = [_get_name(one) for one in _list_requirements(conda) if isinstance(one, str)]
    missing = [] if any(name in _MLFLOW for name in names) else ["mlflow"]
    if takes_tensors and "pillow" not in names:
        missing.append("pillow")
    elif not takes_tensors and "mlflow" not in (*names, *missing) and not {"pyarrow", "fastparquet"} & set(names):
        missing.append("pyarrow")
    return _add_requirements(conda, missing) if missing else conda


def _takes_tensors(signature: Any) -> bool:
    """Return True if a part of the signature, which is the text of a JSON document, speaks of tensors."""
    parts = signature.values() if isinstance(signature, dict) else ()
    return any(isinstance(part, str) and "tensor-spec" in part for part in parts)


def put_environment(context: EngineContext, workspace: Workspace, conda: dict[str, Any], principal: str) -> str:
    """Register an environment without a name, once for equal content, and return its reference."""
    properties = {"condaFile": yaml.safe_dump(conda, sort_keys=False), "isAnonymous": True}
    version = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()
    if assets.get_version(context.db, workspace.id, "environments", ANONYMOUS_ENVIRONMENT, version) is None:
        assets.put_version(
            context.db, workspace.id, "environments", ANONYMOUS_ENVIRONMENT, version, properties, principal
        )
    return f"azureml:{ANONYMOUS_ENVIRONMENT}:{version}"


def _list_requirements(conda: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for one in _get_list(conda, "dependencies"):
        found += _get_list(one, "pip") if isinstance(one, dict) else [one]
    return found


def _get_list(content: dict[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    return value if isinstance(value, list) else []


def _get_name(requirement: str) -> str:
    name = requirement.strip().lower()
    for mark in "[=<>!~ ;":
        name = name.partition(mark)[0]
    return name


def _add_requirements(conda: dict[str, Any], names: list[str]) -> dict[str, Any]:
    dependencies = list(_get_list(conda, "dependencies"))
    at = next((number for number, one in enumerate(dependencies) if isinstance(one, dict) and "pip" in one), None)
    if at is None:
        return {**conda, "dependencies": [*dependencies, "pip", {"pip": names}]}
    dependencies[at] = {**dependencies[at], "pip": [*_get_list(dependencies[at], "pip"), *names]}
    return {**conda, "dependencies": dependencies}
