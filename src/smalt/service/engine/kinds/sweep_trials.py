"""The trials of a sweep: each is the one step of a pipeline of its own, whose planner makes its job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from smalt.entities import Output, PipelineJob
from smalt.entities.assets.component import Component
from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.pipeline import PipelineJobSettings, PipelineNode
from smalt.entities.jobs.resources import CommandJobLimits
from smalt.entities.jobs.sweep import SweepJob, Trial
from smalt.entities.schema.travel import build_job_values
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import FORCED, POINT, SETTINGS, TIMEOUT, inherit_warm
from smalt.service.engine.kinds.protocol import CompositeView, NewChild
from smalt.service.engine.submission.bindings import expand_macros
from smalt.service.engine.submission.pins import Pins
from smalt.service.records import jobs
from smalt.service.records.job_data import DataRow
from smalt.service.records.pins import get_job_pins
from smalt.service.sweeps.space import Point, make_inputs

_NAME = "${{name}}"
_PARAMETER = re.compile(r"(\$\{\{\s*)search_space\.")
POINT_TAG = "hyperparameters"
"""The tag of a trial with its point as JSON, as the service has it."""


def get_number(node: str | None) -> int:
    """Return the number of a trial from its name among its siblings."""
    return int(str(node).rpartition("_")[2])


def make_node_name(number: int) -> str:
    return f"trial_{number}"


@dataclass
class TrialPlanner:
    """Makes the jobs of one sweep's trials; what they share is read once."""

    view: CompositeView
    sweep: SweepJob
    _components: dict[str, Any] = field(default_factory=dict)

    def make_trial(self, number: int, point: Point) -> NewChild:
        """Return the job of the trial of that number at a point of the space."""
        job = self.view.job
        name = make_node_name(number)
        node = self._make_node(name, point)
        planner = self._make_planner({name: node})
        job_name = f"{job.name}_{number}"
        if jobs.find_by_name(self.view.context.db, job.workspace_id, job_name) is not None:
            planner.taken |= self.view.find_taken_names()
        child = planner.make_child(name, node, set(), planner.make_scope(), name=job_name)
        notes = {POINT: json.dumps(point)}
        timeout = self.sweep.limits.trial_timeout
        if timeout and child.type != "command":
            notes[TIMEOUT] = str(timeout)
        child.entity.properties.update(notes)
        child.body["properties"] = {**(child.body.get("properties") or {}), **notes}
        return child

    @cached_property
    def component(self) -> Any:
        """The component that the trials run; None if the sweep has their command in place."""
        return None if isinstance(self.sweep.trial, Trial) else self._make_planner({}).find_component(self.sweep)

    def list_data_rows(self) -> list[DataRow]:
        """Return what the sweep itself reads and writes, for the records: what it writes is one of its trials' then."""
        planner = self._make_planner({})
        planner.job.inputs = self.sweep.inputs
        rows = [
            DataRow("output", name, output.type or "uri_folder", output.mode, self._plan_output(planner, name, output))
            for name, output in self.outputs.items()
        ]
        return [*planner.read(), *rows]

    @cached_property
    def outputs(self) -> dict[str, Output]:
        """The outputs of the sweep: those that it names, and all others of the component of its trials."""
        declared: Mapping[str, Any] = getattr(self.component, "outputs", None) or {}
        outputs = {}
        for name in {**declared, **(self.sweep.outputs or {})}:
            given, form = self.sweep.outputs.get(name), declared.get(name)
            output = given if isinstance(given, Output) else Output()
            kind = output.type if output.type not in (None, "uri_folder") else getattr(form, "type", None)
            outputs[name] = Output(
                type=kind or output.type, mode=output.mode or getattr(form, "mode", None), path=output.path,
                description=output.description,
            )  # fmt: skip
        return outputs

    def _plan_output(self, planner: Planner, name: str, output: Output) -> str:
        job = self.view.job.name
        if name == "artifacts" and not output.path:
            return ARTIFACTS.format(job=job)
        folder = f"azureml://datastores/{planner.datastore}/paths/azureml/{planner.folder_of(job)}/{name}/"
        return expand_macros(output.path or folder, name=job, output=name, datastore=planner.datastore)

    def _make_planner(self, nodes: dict[str, Any]) -> Planner:
        view = self.view
        properties = self.sweep.properties
        around = PipelineJob(
            jobs=nodes, inputs={}, outputs={}, settings=PipelineJobSettings.from_dict(self._settings),
            properties={**inherit_warm(properties), **({FORCED: properties[FORCED]} if FORCED in properties else {})},
        )  # fmt: skip
        return Planner(
            view.context, view.workspace, view.job.name, around, view.job.experiment, pins=self._pins,
            follow=partial(view.follow, view.job), components=self._components,
        )  # fmt: skip

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """The settings of the pipeline around the sweep."""
        settings: dict[str, Any] = json.loads(self.sweep.properties.get(SETTINGS) or "{}")
        return {**settings, "force_rerun": True} if FORCED in self.sweep.properties else settings

    @cached_property
    def _pins(self) -> Pins:
        return Pins(get_job_pins(self.view.context.db, self.view.job))

    def _make_node(self, name: str, point: Point) -> Any:
        """Return the step that runs a trial: what the trial says, with what the sweep says of all of them."""
        sweep = self.sweep
        node = copy(self._node)
        node.inputs = {**(sweep.inputs or {}), **make_inputs(point)}
        node.outputs = {output: self._place_output(output, one) for output, one in self.outputs.items()}
        node.display_name = f"{self.view.job.display_name or self.view.job.name}_{get_number(name)}"
        node.tags = {POINT_TAG: json.dumps(point)}
        return node

    @cached_property
    def _node(self) -> Any:
        """The step without what is each trial's own."""
        sweep, trial = self.sweep, self.sweep.trial
        values: dict[str, Any] = {"compute": sweep.compute} if sweep.compute else {}
        if getattr(self.component, "type", None) == "pipeline":
            return PipelineNode(component=trial, **values)
        for key in ("identity", "resources", "queue_settings"):
            if getattr(sweep, key, None) is not None:
                values[key] = getattr(sweep, key)
        if sweep.limits.trial_timeout:
            values["limits"] = CommandJobLimits(timeout=sweep.limits.trial_timeout)
        if isinstance(trial, (str, Component)):
            return CommandNode(component=trial, **values)
        assert isinstance(trial, Trial)
        own = {**build_job_values(CommandNode, trial, None), **values}
        own["command"] = _PARAMETER.sub(r"\1inputs.", str(trial.command))
        return CommandNode(**own)

    def _place_output(self, name: str, output: Output) -> Output:
        """Return an output of a trial, with a place of its own: below the path that was given to the sweep, if any."""
        sweep, path = self.sweep, output.path
        given = sweep.outputs.get(name)
        if self.view.job.parent_id is not None and path:
            made = places.read(sweep.properties).get(name, places.ALONE)
            path = _split_place(path, given) if made.given is not None else None
        elif path and _NAME not in path:
            path = _split_place(path, given)
        return Output(type=output.type, mode=output.mode, description=output.description, path=path)


def _split_place(path: str, output: Any) -> str:
    """Return a place below a path, or beside a file, that is each trial's own."""
    bare = path.rstrip("/")
    if getattr(output, "type", None) == "uri_file":
        folder, _, file = bare.rpartition("/")
        return f"{folder}/{_NAME}/{file}"
    return f"{bare}/{_NAME}/"


def read_point(properties: Mapping[str, Any]) -> Point:
    """Return the point of a trial from its REST properties."""
    point: Point = json.loads((properties.get("properties") or {})[POINT])
    return point


def remove_varied(inputs: Mapping[str, Any], space: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that all trials share."""
    return {name: value for name, value in inputs.items() if name not in space}
