"""Files of a model: in MLflow's format, and as the service's notebooks read them."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd

from .trials import SearchTrial

_LIBRARIES = ("lightgbm", "xgboost", "statsmodels", "holidays", "prophet")
_BASE_IMAGE = "mcr.microsoft.com/azureml/curated/ai-ml-automl:1"
_ALWAYS = ("scikit-learn", "pandas", "numpy", "scipy", "cloudpickle")


class ModelWriter:
    """Writes models in MLflow's format, with a signature of raw columns; they load without smalt."""

    def __init__(self, get_example: Callable[[], tuple[Any, Sequence[str]]]) -> None:
        cloudpickle.register_pickle_by_value(sys.modules[__package__])
        self._get_example = get_example
        self._job = re.sub(r"_search$", "", os.environ.get("AZUREML_RUN_ID", ""))

    def write_model(self, folder: Path, model: Any, trial: SearchTrial) -> None:
        import mlflow.sklearn

        folder.mkdir(parents=True, exist_ok=True)
        for item in folder.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
        rows, optional = self._get_example()
        example = clean_types(rows)
        flavor = mlflow.models.Model(run_id=f"{self._job}_{trial.number}" if self._job else None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("mlflow").setLevel(logging.ERROR)
            mlflow.sklearn.save_model(
                model,
                str(folder),
                mlflow_model=flavor,
                serialization_format="cloudpickle",
                signature=_make_signature(example, model, optional),
                input_example=example.head(3),
                pip_requirements=list_requirements(model),
                metadata={
                    "smalt.algorithm": trial.algorithm,
                    "smalt.trial": trial.number,
                    "azureml.base_image": _BASE_IMAGE,  # notebooks take the version behind the colon
                },
            )

    def write_trial(self, outputs: Path, model: Any, trial: SearchTrial) -> None:
        """Write the model of a trial that may not be the best: `mlflow-model` and `model.pkl`."""
        self.write_model(outputs / "mlflow-model", model, trial)
        source, target = outputs / "mlflow-model" / "model.pkl", outputs / "model.pkl"
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:  # not every mounted folder has links
            shutil.copyfile(source, target)


def clean_types(frame: Any) -> Any:
    """Return the columns as a signature takes them: what is no number, date or truth value is text."""
    changed = {}
    for name in frame.columns:
        kind = frame[name].dtype
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            changed[name] = frame[name].map(lambda value: None if pd.isna(value) else str(value)).astype(object)
    return frame.assign(**changed)


def list_requirements(model: Any) -> list[str]:
    """Return the packages that the model needs, at the versions of now."""
    used = _find_packages(model)
    names = [*_ALWAYS, *(name for name in _LIBRARIES if name in used)]
    return [f"{name}=={version}" for name in names if (version := _find_version(name))]


def _find_packages(model: Any) -> set[str]:
    """Return the names of the packages that a model's parts come from."""
    own = __package__.partition(".")[0]
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if part is None or isinstance(part, str | bytes | int | float) or id(part) in seen:
            continue
        seen.add(id(part))
        package = type(part).__module__.partition(".")[0]
        found.add(package)
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
        elif package == own:
            waiting.extend(vars(part).values())
    return found


def _find_version(name: str) -> str | None:
    for distribution in (name, f"{name}-cpu"):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _make_signature(example: Any, model: Any, optional: Sequence[str]) -> Any:
    from mlflow.models import infer_signature
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType, DataType

    signature = infer_signature(example, model.predict(example))
    columns = []
    for column in signature.inputs.inputs:
        # One reader of a table takes 0 and 1 for truth values, another for numbers; the model takes both.
        kind = AnyType() if column.type == DataType.boolean else column.type
        is_required = column.required and column.name not in optional and column.type != DataType.boolean
        columns.append(ColSpec(type=kind, name=column.name, required=is_required))
    return ModelSignature(inputs=Schema(columns), outputs=signature.outputs)


def write_service_files(folder: Path, model_folder: Path, model: Any, example: Any, methods: Sequence[str]) -> None:
    """Write what the service's notebooks look for beside the model: environment, scoring script, versions."""
    shutil.copyfile(model_folder / "model.pkl", folder / "model.pkl")
    requirements = list_requirements(model)
    lines = "\n".join(f"  - {one}" for one in requirements)
    (folder / "conda_env_v_1_0_0.yml").write_text(
        f"name: project_environment\nchannels:\n- conda-forge\ndependencies:\n- python={platform.python_version()}\n"
        f"- pip\n- pip:\n{lines}\n  - mlflow-skinny=={_find_version('mlflow-skinny')}\n"
    )
    (folder / "env_dependencies.json").write_text(
        json.dumps({one.partition("==")[0]: one.partition("==")[2] for one in requirements}, indent=1)
    )
    rows = json.loads(clean_types(example).head(1).to_json(orient="records", date_format="iso"))
    script = _SCORING.replace("__EXAMPLE__", repr(rows[0] if rows else {})).replace("__METHODS__", repr(tuple(methods)))
    for name in ("scoring_file_v_1_0_0.py", "scoring_file_v_2_0_0.py"):
        (folder / name).write_text(script)


_SCORING = '''"""Scoring script of the best model: `init()` loads it, `run(data)` predicts for rows as JSON."""

import json
import os
import pickle

import pandas as pd

EXAMPLE = __EXAMPLE__
METHODS = __METHODS__
model = None


def init():
    global model
    folder = os.getenv("AZUREML_MODEL_DIR") or os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "model.pkl"), "rb") as file:
        model = pickle.load(file)


def run(data, method="predict"):
    """Return {"Results": [...]}; `data` is JSON: {"data": [rows]} or {"Inputs": {"data": [rows]}}."""
    try:
        if method not in METHODS:
            raise ValueError(f"the method is one of {METHODS}, not {method!r}")
        content = json.loads(data) if isinstance(data, str) else data
        content = content.get("Inputs", content) if isinstance(content, dict) else content
        rows = content.get("data", content) if isinstance(content, dict) else content
        result = getattr(model, method)(pd.DataFrame(rows))
        return {"Results": result.tolist()}
    except Exception as error:
        return {"error": str(error)}
'''
