"""The run of `Experiment.start_logging`: it belongs to no job, and its program says when it ends."""

from __future__ import annotations

from smalt.inside.v1.run import ChildRun
from smalt.v1.run import Run


class InteractiveRun(ChildRun, Run):
    _has_job = False

    @property
    def type(self) -> str:
        return "azureml.scriptrun"

    @property
    def job(self) -> None:
        return None

    def __exit__(self, kind: object, problem: object, trace: object) -> None:  # type: ignore[override]
        """End the run and upload outputs/; `complete()` alone uploads only a folder that was named."""
        self._outputs = self._outputs or "outputs"
        super().__exit__(kind, problem, trace)
