"""`azureml.train.automl.run.AutoMLRun`: the run of an AutoML job."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.run import Run

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment

_MODEL = "outputs/model.pkl"


class AutoMLRun(Run):
    def __init__(self, experiment: Experiment, run_id: str, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, **kwargs)

    @property
    def run_id(self) -> str:
        return self.id

    def get_best_child(self, metric: str | None = None, onnx_compatible: bool = False, **kwargs: Any) -> Run:
        """Return the run of the best trial, by the primary metric or another one."""
        if onnx_compatible:
            raise UserErrorException("smalt's AutoML makes no ONNX models; leave onnx_compatible out")
        tell_no_effect("AutoMLRun.get_best_child", kwargs, "it has no such parameter")
        if metric is not None:
            return self._find_best(metric)
        name = (self.get_properties() or {}).get("best_child_run_id")
        if not name:
            raise UserErrorException(f"the run {self.id} has no best trial yet: it is {self.get_status()}")
        return self._make_child(str(name))

    def _find_best(self, metric: str) -> Run:
        rows = [(child.get_metrics().get(metric), child) for child in self.get_children()]
        known = [(value[-1] if isinstance(value, list) else value, child) for value, child in rows if value is not None]
        if not known:
            raise UserErrorException(f"no trial of {self.id} has the metric '{metric}'")
        is_error = any(word in metric for word in ("error", "loss"))
        return (min if is_error else max)(known, key=lambda row: row[0])[1]

    def get_output(
        self,
        iteration: int | None = None,
        metric: str | None = None,
        return_onnx_model: bool = False,
        return_split_onnx_model: Any = None,
        **kwargs: Any,
    ) -> tuple[Run, Any]:
        """Return the run of a trial, by default of the best one, and its model, read from its pickle file."""
        if return_onnx_model or return_split_onnx_model:
            raise UserErrorException("smalt's AutoML makes no ONNX models; leave return_onnx_model out")
        tell_no_effect("AutoMLRun.get_output", kwargs, "it has no such parameter")
        child = self._find_iteration(iteration) if iteration is not None else self.get_best_child(metric)
        with tempfile.TemporaryDirectory(prefix="smalt-model-") as folder:
            path = os.path.join(folder, "model.pkl")
            child.download_file(_MODEL, path)
            with open(path, "rb") as file:
                try:
                    return child, pickle.load(file)
                except ModuleNotFoundError as error:
                    raise UserErrorException(
                        f"the model needs the package '{error.name}', which this Python has not; install what is in "
                        "the trial's outputs/conda_env_v_1_0_0.yml"
                    ) from None
                except (TypeError, ValueError, AttributeError, ImportError) as error:
                    raise UserErrorException(
                        f"this Python ({sys.version_info[0]}.{sys.version_info[1]}) cannot read the model: {error}; "
                        "use the Python and the packages of the trial's outputs/conda_env_v_1_0_0.yml"
                    ) from None

    def _find_iteration(self, iteration: int) -> Run:
        wanted = f"{self.id}_{iteration}"
        found = next((child for child in self.get_children() if child.id == wanted), None)
        if found is None:
            raise UserErrorException(f"the run {self.id} has no trial {iteration}")
        return found

    def register_model(  # type: ignore[override]
        self,
        model_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        iteration: int | None = None,
        metric: str | None = None,
    ) -> Any:
        """Register the model of a trial, by default of the best one."""
        child = self._find_iteration(iteration) if iteration is not None else self.get_best_child(metric)
        name = model_name or self.id.replace("_", "")[:32]
        return child.register_model(name, model_path=_MODEL, description=description, tags=tags)

    def summary(self) -> list[list[Any]]:
        """Return the algorithms that were tried: name, number of trials, best score."""
        rows: dict[str, list[Any]] = {}
        for child in self.get_children():
            properties = child.get_properties()
            name, score = str(properties.get("run_algorithm", "")), properties.get("score")
            row = rows.setdefault(name, [name, 0, None])
            row[1] += 1
            row[2] = score if row[2] is None else row[2]
        return list(rows.values())

    def get_run_sdk_dependencies(
        self, iteration: int | None = None, check_versions: bool = True, **kwargs: Any
    ) -> dict[str, str]:
        return {}

    def continue_experiment(self, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException("an AutoML run is not continued; submit it again, with more iterations")

    def get_guardrails(self, to_console: bool = True) -> dict[str, Any]:
        return {"guardrails": []}

    def cancel_iteration(self, iteration: int) -> NoReturn:
        raise UserErrorException("a trial of AutoML is not cancelled alone; cancel the run")

    def retry(self) -> NoReturn:
        raise UserErrorException("an AutoML run is not retried; submit it again")

    pause = resume = retry


class AutoMLStepRun(AutoMLRun):
    """The run of an AutoMLStep, from the run of the step."""

    def __init__(self, step_run: Run) -> None:
        if step_run.job is None or str(step_run.job.type) != "automl":
            raise UserErrorException(f"the step '{step_run.name}' is not an AutoML step, so it has no AutoMLStepRun")
        super().__init__(step_run._experiment, step_run.id)  # type: ignore[arg-type]
