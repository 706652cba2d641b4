"""`azureml.train.hyperdrive.HyperDriveRun`: the run of a sweep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.run import Run

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.hyperdrive.config import HyperDriveConfig


class HyperDriveRun(Run):
    def __init__(
        self, experiment: Experiment, run_id: str, hyperdrive_config: HyperDriveConfig | None = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._config = hyperdrive_config

    @property
    def hyperdrive_config(self) -> HyperDriveConfig | None:
        return self._config

    def get_best_run_by_primary_metric(
        self, include_failed: bool = True, include_canceled: bool = True, include_resume_from_runs: bool = True
    ) -> Run | None:
        """Return the run of the best trial; None if no trial logged the metric."""
        without = {"Failed": include_failed, "Canceled": include_canceled}
        for row in self.get_children_sorted_by_primary_metric(discard_no_metric=True):
            if without.get(row["status"], True):
                return self._make_child(row["run_id"])
        return None

    def get_children_sorted_by_primary_metric(
        self, top: int = 0, reverse: bool = False, discard_no_metric: bool = False
    ) -> list[dict[str, Any]]:
        """Return the trials, the best first: run_id, hyperparameters, best_primary_metric and status of each."""
        if not isinstance(top, int) or top < 0:
            raise UserErrorException(f"top is a whole number from 0 on, not {top!r}")
        objective = self.job.objective
        name, is_maximum = objective.primary_metric, str(objective.goal) == "maximize"
        rows: list[dict[str, Any]] = []
        points = self.get_hyperparameters()
        for child in self.get_children():
            values = child.get_metrics(name).get(name)
            listed = values if isinstance(values, list) else [] if values is None else [values]
            best = (max if is_maximum else min)(listed) if listed else None
            rows.append(
                {
                    "run_id": child.id,
                    "hyperparameters": points.get(child.id),
                    "best_primary_metric": best,
                    "status": child.get_status(),
                }
            )
        found = [row for row in rows if row["best_primary_metric"] is not None]
        found.sort(key=lambda row: row["best_primary_metric"], reverse=is_maximum != reverse)
        if not discard_no_metric:
            found += [row for row in rows if row["best_primary_metric"] is None]
        return found[:top] if top else found

    def get_hyperparameters(self) -> dict[str, str]:
        """Return the values of each trial's parameters as JSON, by the trial's id."""
        return {str(trial["name"]): json.dumps(trial["parameters"]) for trial in self._jobs.trials(self.id)["trials"]}

    def get_metrics(self, *names: Any, **more: Any) -> dict[str, Any]:
        """Return the metrics of each trial, by the trial's id."""
        return {child.id: child.get_metrics(*names, **more) for child in self.get_children()}

    def get_diagnostics(self) -> dict[str, Any]:
        return self.get_details()


class HyperDriveStepRun(HyperDriveRun):
    """The run of a HyperDriveStep, from the run of the step."""

    def __init__(self, step_run: Run) -> None:
        if step_run.job is None or str(step_run.job.type) != "sweep":
            raise UserErrorException(f"the step '{step_run.name}' is not a sweep, so it has no HyperDriveStepRun")
        super().__init__(step_run._experiment, step_run.id)  # type: ignore[arg-type]
