"""The package `mltable` for jobs that have tables, which v1's scripts read by azureml-core."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.environment import Environment
from smalt.entities.jobs.inputs import Input

_NAME = "mltable"


def add_table_package(environment: Any, inputs: Mapping[str, Any]) -> Any:
    """Return the environment of a job with `mltable` if an input is a table; a registered one stays as it is."""
    if not isinstance(environment, Environment) or not any(map(_is_table, inputs.values())):
        return environment
    packages = environment.conda_file
    if isinstance(packages, str):
        from smalt.v1.conda_dependencies import read_conda_file

        packages = read_conda_file(packages)
    if not isinstance(packages, Mapping):
        return environment  # an image or a build context, whose packages are its own
    made = copy.copy(environment)
    listed = [dict(one) if isinstance(one, Mapping) else one for one in packages.get("dependencies") or ()]
    pip = next((one for one in listed if isinstance(one, dict) and "pip" in one), None)
    if pip is None:
        pip = {"pip": []}
        listed.append(pip)
    if not any(str(line).startswith(_NAME) for line in pip["pip"]):
        pip["pip"] = [*pip["pip"], _NAME]
    made.conda_file = {**packages, "dependencies": listed}
    return made


def _is_table(value: Any) -> bool:
    if not isinstance(value, Input):
        return False
    is_files = str(value.mode or "").startswith("eval_")
    return (value.type == "mltable" and not is_files) or value.mode == "direct"
