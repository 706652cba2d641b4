"""The step of an AutoML job that searches: smalt's own program for it, with the job's settings and data."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from smalt.entities import Input, Output, PipelineJob
from smalt.entities.jobs.automl.job import DATA, AutoMLJob
from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.service.data import Snapshot
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.engine.kinds.properties import FORCED, REUSE, SETTINGS
from smalt.service.engine.kinds.protocol import CompositeView, NewChild
from smalt.service.engine.submission.lookup import make_asset_key
from smalt.service.engine.submission.pins import Pins
from smalt.service.records.job_data import DataRow
from smalt.service.records.pins import get_job_pins
from smalt.service.registry.workspace_assets import WorkspaceAssets

SEARCH = "search"
"""The name of the step among its siblings, and the end of its job's name."""
BEST_MODEL = "best_model"
"""The output of an AutoML job: the model of the best trial."""
TRIALS = "trials"
"""The output of the search with its journal and a folder for each trial."""
ENVIRONMENT = "azureml:smalt-automl"
"""The environment of the search, if the job names no other."""

_PROGRAM = Path(__file__).parents[3] / "automl_program"
_PACKAGE = "smalt_automl"
"""The name of the program in the search's code."""
_COMMAND = (
    f"python -m {_PACKAGE} --training-data ${{{{inputs.training_data}}}}"
    " $[[--validation-data ${{inputs.validation_data}}]] $[[--test-data ${{inputs.test_data}}]]"
    f" --best-model ${{{{outputs.{BEST_MODEL}}}}} --trials ${{{{outputs.{TRIALS}}}}}"
    f" --journal ${{{{outputs.{TRIALS}}}}}/journal.jsonl --tell"
)
_SETTINGS_VARIABLE = "SMALT_AUTOML_SETTINGS"
_SEED = 42
"""The seed of every search, so that a step of a pipeline that is searched again finds the same and can be reused."""


def store_program(context: EngineContext) -> Snapshot:
    """Take a snapshot of the program; call in a thread."""
    snapshots = context.data.snapshots
    found = snapshots.add(_PROGRAM)
    entries = [entry for entry in snapshots.read_entries(found.hash) if entry.content]
    files = [{"path": f"{_PACKAGE}/{one.path}", "sha256": one.content, "size": one.size} for one in entries]
    return snapshots.add_manifest(files)


class SearchPlanner:
    """Plans the search of one AutoML job."""

    def __init__(self, view: CompositeView, program: Snapshot) -> None:
        self._view = view
        self._job: AutoMLJob = view.entity
        self._program = program
        self._planner = self._make_planner()

    def make_search(self) -> NewChild:
        planner, name = self._planner, f"{self._view.job.name}_{SEARCH}"
        node = planner.nodes[SEARCH]
        child = planner.make_child(SEARCH, node, set(), planner.make_scope(), name=name)
        if self._view.job.parent_id is None:
            notes = {REUSE: "never: an AutoML job that is no step of a pipeline searches each time"}
            child.entity.properties.update(notes)
            child.body["properties"] = {**(child.body.get("properties") or {}), **notes}
        return child

    def list_data_rows(self) -> list[DataRow]:
        """Return what the AutoML job itself reads and writes, for the records."""
        read = [
            DataRow("input", name, str(value.type), value.mode, value.path, make_asset_key(value.path, value.type))
            for name, value in self._list_inputs().items()
        ]
        return [*read, *self._planner.written()]

    def _list_inputs(self) -> dict[str, Input]:
        """Return the data of the job, each with its type."""
        given = {name: getattr(self._job, name) for name in DATA}
        inputs = {
            name: value if isinstance(value, Input) else Input(path=value) for name, value in given.items() if value
        }
        return {
            name: Input(type=value.type or "mltable", path=value.path, mode=value.mode)
            for name, value in inputs.items()
        }

    def _make_planner(self) -> Planner:
        view, job = self._view, self._job
        properties = job.properties or {}
        settings = json.loads(properties.get(SETTINGS) or "{}")
        if FORCED in properties:
            settings["force_rerun"] = True
        given = (job.outputs or {}).get(BEST_MODEL) or Output()
        best = Output(**{**vars(given), "type": given.type or "mlflow_model"})
        around = PipelineJob(
            jobs={SEARCH: self._make_node()}, inputs={}, outputs={BEST_MODEL: best},
            settings=PipelineJobSettings.from_dict(settings), properties=properties,
        )  # fmt: skip
        return Planner(
            view.context, view.workspace, view.job.name, around, view.job.experiment, view.job.parent_id is not None,
            Pins(get_job_pins(view.context.db, view.job)), view.find_taken_names(), partial(view.follow, view.job),
        )  # fmt: skip

    def _make_node(self) -> CommandNode:
        job, view = self._job, self._view
        assets = WorkspaceAssets(view.context.home, view.context.db, view.context.data)
        settings = json.dumps({**job.make_settings(), "seed": _SEED}, sort_keys=True)
        values: dict[str, Any] = {
            "command": _COMMAND,
            "code": assets.register_code(view.workspace, self._program),
            "environment": job.environment_id or ENVIRONMENT,
            "environment_variables": {**job.environment_variables, _SETTINGS_VARIABLE: settings},
            "inputs": self._list_inputs(),
            "outputs": {
                BEST_MODEL: f"${{{{parent.outputs.{BEST_MODEL}}}}}",
                TRIALS: Output(type="uri_folder"),
            },
            "display_name": f"{view.job.display_name or view.job.name}_{SEARCH}",
        }
        for key in ("compute", "identity", "resources"):
            if getattr(job, key) is not None:
                values[key] = getattr(job, key)
        return CommandNode(**values)
