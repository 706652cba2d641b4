"""Published pipelines of SDK v1: deployments of pipeline components that requests of 2020 find by an id."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smalt import wire
from smalt.entities.endpoints import published
from smalt.entities.jobs.inputs import ASSETS, Input
from smalt.entities.schema.problems import did_you_mean, format_value
from smalt.exceptions import LocatedProblem, NotFound, SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records import resources
from smalt.service.records.database import Database
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case, to_pascal

Body = dict[str, Any]

_KIND = "batchEndpoints"
_PARENT = "mlflow.parentRunId"
_KEYS = (
    *("ExperimentName", "DisplayName", "Description", "RunSource", "RunType", "ParentRunId", "Tags", "Properties"),
    *("ParameterAssignments", "DataPathAssignments", "DataSetDefinitionValueAssignments", "ContinueRunOnStepFailure"),
)
_FOLDER = "UriFolder"
_TYPES = {"mltable": "MLTable", "mlflow_model": "MLFlowModel"}


@dataclass(frozen=True)
class PublishedRecord:
    endpoint: str
    deployment: ResourceRecord

    @property
    def notes(self) -> dict[str, str]:
        return dict(self.deployment.content["properties"].get("properties") or {})

    @property
    def id(self) -> str:
        return self.notes[published.PIPELINE]

    @property
    def name(self) -> str:
        return self.notes.get(published.NAME) or self.deployment.name


def list_published(db: Database, workspace: Workspace) -> list[PublishedRecord]:
    """Return the published pipelines, the oldest first; each once, however many endpoints have it."""
    found: dict[str, PublishedRecord] = {}
    for deployment in resources.list_deployments(db, workspace.id, _KIND):
        one = PublishedRecord(deployment.kind.split("/")[1], deployment)
        if published.PIPELINE in one.notes:
            found.setdefault(one.id, one)
    return list(found.values())


def find_published(db: Database, workspace: Workspace, id: str) -> PublishedRecord:
    for one in list_published(db, workspace):
        if one.id.lower() == id.lower():
            return one
    raise NotFound(f"there is no published pipeline '{id[:100]}' in workspace '{workspace.name}'")


def list_pipeline_endpoints(db: Database, workspace: Workspace) -> list[ResourceRecord]:
    found = resources.list_resources(db, workspace.id, _KIND)
    return [one for one in found if published.ENDPOINT in get_notes(one)]


def find_pipeline_endpoint(
    db: Database, workspace: Workspace, *, id: str | None = None, name: str | None = None
) -> ResourceRecord:
    key, wanted = (published.ENDPOINT, id) if id is not None else (published.NAME, name)
    for one in list_pipeline_endpoints(db, workspace):
        if get_notes(one).get(key, "").lower() == str(wanted).lower():
            return one
    raise NotFound(f"there is no pipeline endpoint '{str(wanted)[:100]}' in workspace '{workspace.name}'")


def get_notes(resource: ResourceRecord) -> dict[str, str]:
    """Return the properties that the user of an endpoint or deployment gave it."""
    return dict(resource.content["properties"].get("properties") or {})


def build_invocation(context: EngineContext, workspace: Workspace, deployment: Body, submission: Body) -> Body:
    """Return the body of an invocation of a deployment for a submission in the words of SDK v1's REST API.

    A parameter that the pipeline does not have is ignored, as by that service, and the job's log says so. Raises
    ValidationException with all other problems.
    """
    given, problems = _read_submission(submission)
    settings = deployment["deploymentConfiguration"]
    if given.get("ContinueRunOnStepFailure") and not settings.get("settings", {}).get("continue_on_step_failure"):
        problems.append(
            "ContinueRunOnStepFailure: the pipeline was published without it; publish it with continue_on_step_failure"
        )
    component_id = str(settings["componentId"]["assetId"])
    component: Any = wire.from_rest(
        {"properties": lookup.find_component(context, workspace, component_id)}, "component", is_answer=True
    )
    unused: list[str] = []
    inputs: Body = {}
    for key in ("ParameterAssignments", "DataPathAssignments", "DataSetDefinitionValueAssignments"):
        for name, value in (given.get(key) or {}).items():
            if name not in component.inputs:
                unused.append(f"'{name}'{did_you_mean(name, component.inputs)}")
                continue
            converted = _convert_value(value, component.inputs[name])
            if isinstance(converted, str):
                problems.append(f"{key}.{name}: {converted}")
            else:
                inputs[name] = converted
    if problems:
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in problems])
    paths = given.get("DataPathAssignments") or {}
    made = _make_missing_folders(context, workspace, [inputs[name] for name in paths if name in inputs])
    return {"properties": {"inputData": inputs, **_describe_run(given, deployment, unused, made)}}


def _make_missing_folders(context: EngineContext, workspace: Workspace, inputs: list[Body]) -> list[str]:
    """Make the folders of this machine that are not there, since v1 mounts an absent path; return their URIs."""
    made = []
    for given in inputs:
        if given.get("jobInputType") == _FOLDER and not os.path.splitext(given["uri"])[1]:
            try:
                location = context.resolve(given["uri"], workspace)
            except SmaltError:
                continue  # the checks of the job say what is wrong with it
            if location.path is not None and not os.path.lexists(location.path):
                location.path.mkdir(parents=True)
                made.append(given["uri"])
    return made


def _read_submission(submission: Body) -> tuple[Body, list[str]]:
    """Return the settings of a submission by their names in the service's documentation, and what is wrong."""
    known = {fold_case(key): key for key in _KEYS}
    given: Body = {}
    problems = []
    for key, value in submission.items():
        name = known.get(fold_case(str(key)))
        if value in (None, "", {}, [], False):
            continue
        if name is None:
            problems.append(f"{key}: a submission has no such setting{did_you_mean(str(key), _KEYS)}")
        elif name.endswith("Assignments") or name in ("Tags", "Properties"):
            if isinstance(value, Mapping):
                given[name] = value
            else:
                problems.append(f"{name}: must be an object with a value for each name, not {format_value(value)}")
        else:
            given[name] = value
    return given, problems


def _convert_value(value: Any, declared: Input) -> Body | str:
    """Return the input of an invocation for the value of a parameter, or what is wrong with the value."""
    if not isinstance(value, Mapping):
        if isinstance(value, list) or value is None:
            return f"must be text, a number or a boolean, not {format_value(value)}"
        if declared.type in ASSETS:
            return {"jobInputType": _get_tag(declared), "uri": str(value)}
        return {"jobInputType": "Literal", "value": value}
    words = {fold_case(str(key)): inner for key, inner in value.items()}
    for key in ("literalvalue", "saveddatasetreference", "registereddatasetreference"):
        if isinstance(words.get(key), Mapping):
            words = {fold_case(str(inner)): one for inner, one in words[key].items()}
            break
    if words.get("datastorename"):
        path = str(words.get("relativepath") or "").strip("/")
        uri = f"azureml://datastores/{words['datastorename']}/paths/{path}"
    elif words.get("id"):
        uri = f"azureml:{words['id']}"
    elif words.get("name"):
        version = words.get("version")
        uri = f"azureml:{words['name']}" + (f":{version}" if version not in (None, "", "latest") else "@latest")
    else:
        return "must have DataStoreName and RelativePath, or a SavedDataSetReference with the Id of a dataset"
    if declared.type not in ASSETS:
        return f"the parameter is {declared.type}, not data; assign it by ParameterAssignments"
    return {"jobInputType": _get_tag(declared), "uri": uri}


def _get_tag(declared: Input) -> str:
    kind = declared.type or "uri_folder"
    return _TYPES.get(kind) or to_pascal(kind)


def _describe_run(given: Body, deployment: Body, unused: list[str], made: list[str]) -> Body:
    """Return how the job is called, and its tags and properties, which are those that runs of SDK v1 have."""
    notes = deployment.get("properties") or {}
    properties: Body = {
        **(given.get("Properties") or {}),
        "azureml.runsource": "azureml.PipelineRun",
        "azureml.parameters": json.dumps(given.get("ParameterAssignments") or {}),
        "runSource": str(given.get("RunSource") or "Unavailable"),
        "runType": str(given.get("RunType") or "HTTP"),
        **({published.UNUSED: ", ".join(unused)} if unused else {}),
        **({published.MADE: ", ".join(made)} if made else {}),
        **({"experimentName": given["ExperimentName"]} if given.get("ExperimentName") else {}),
    }
    parent = {_PARENT: str(given["ParentRunId"])} if given.get("ParentRunId") else {}
    found = {
        "displayName": given.get("DisplayName") or notes.get(published.NAME),
        "description": given.get("Description"),
        "tags": {**(given.get("Tags") or {}), **parent},
    }
    return {**{key: value for key, value in found.items() if value}, "properties": properties}
