"""`ScriptRun`: the run of a script, with its source directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.v1.run import Run

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment


class ScriptRun(Run):
    def __init__(
        self, experiment: Experiment, run_id: str, directory: str | None = None, _run_config: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self.source_directory = directory
