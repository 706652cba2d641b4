"""`python -m smalt.client.jobs.document_submission`: does with a YAML text what the command line does with a file.

The server runs it for a document of the studio. It reads {"act", "text", "kind", "folder", "file", "has_folder",
"workspace": [subscription, group, name], "name"} from its standard input, in the document's folder, and prints
{"result"}, {"problems": [{"file", "line", "column", "message"}], "code"}, or {"error", "code"}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from smalt.client.client import MLClient
from smalt.client.jobs.validation import locate_in_document
from smalt.exceptions import SmaltError, ValidationException
from smalt.yaml import load_text
from smalt.yaml.document import Document

_UNSAVED = ".unsaved-document.yml"
"""A file that is not there: paths begin in its folder, and problems are placed in the text instead."""

_EXPERIMENT = "Default"
"""The experiment of a job whose document has no folder by whose name it would be called."""


def main() -> None:
    given = json.load(sys.stdin)
    kept, sys.stdout = sys.stdout, sys.stderr  # notices of the client are for people
    try:
        answer: dict[str, Any] = {"result": run_act(given)}
    except ValidationException as error:
        answer = {"problems": _locate_problems(given, error), "code": error.code, "error": str(error)}
    except SmaltError as error:
        answer = {"error": str(error), "code": error.code}
    json.dump(answer, kept)


def run_act(given: Mapping[str, Any]) -> dict[str, Any]:
    subscription, group, workspace = given["workspace"]
    client = MLClient(None, subscription, group, workspace, show_progress=False)
    entity = load_text(
        given["text"], given["kind"], folder=given["folder"], name=given.get("file") or "", data_must_exist=True
    )
    entity.source_path = os.path.join(given["folder"], _UNSAVED)
    if given["kind"] == "job" and not given["has_folder"]:
        entity.experiment_name = entity.experiment_name or _EXPERIMENT
    return _ACTS[given["act"]](client, entity, given)


def _check_job(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    found = client.jobs.validate(entity, raise_on_failure=True) if given["kind"] == "job" else None
    return {"warnings": list(found.warnings) if found is not None else []}


def _submit_job(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    if given["kind"] != "job":
        raise ValidationException(
            "this is a component, and only a job is submitted; register the component, or submit a pipeline that has "
            "it as a step"
        )
    entity.name = given.get("name") or entity.name
    return {"name": client.jobs.create_or_update(entity).name}


def _register_asset(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    made = client.components.create_or_update(_build_component(entity, given), version=given.get("version") or None)
    return {"name": made.name, "version": made.version}


def _schedule_job(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    from smalt.entities.schedules.schedule import JobSchedule
    from smalt.entities.schedules.triggers import CronTrigger, RecurrenceTrigger

    if given["kind"] != "job":
        raise ValidationException("only a job can be scheduled, and this is a component; schedule a job that names it")
    written = given.get("trigger")
    kinds = {"cron": CronTrigger, "recurrence": RecurrenceTrigger}
    kind = kinds.get(str(written.get("type"))) if isinstance(written, dict) else None
    if kind is None or not isinstance(written, dict):
        raise ValidationException("the trigger's 'type' must be 'cron' or 'recurrence'")
    schedule = JobSchedule(name=given.get("name"), trigger=kind.from_dict(written), create_job=entity)
    made = client.schedules.begin_create_or_update(schedule).result()
    return {"name": made.name}


def _publish_to_endpoint(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Register the pipeline as a component, and make it a deployment, and the default one, of a batch endpoint."""
    from smalt.entities.endpoints.batch_deployment import PipelineComponentBatchDeployment
    from smalt.entities.endpoints.endpoint import BatchEndpoint, EndpointDefaults

    endpoint, deployment = str(given.get("endpoint") or ""), str(given.get("deployment") or "")
    made = _register_asset(client, entity, given)
    if endpoint not in {one.name for one in client.batch_endpoints.list()}:
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=endpoint)).result()
    component = f"azureml:{made['name']}:{made['version']}"
    settings = getattr(entity, "settings", None)
    client.batch_deployments.begin_create_or_update(
        PipelineComponentBatchDeployment(
            name=deployment,
            endpoint_name=endpoint,
            component=component,
            settings=settings.to_dict() if settings is not None else {},
        )
    ).result()
    there = client.batch_endpoints.get(endpoint)
    there.defaults = EndpointDefaults(deployment_name=deployment)
    client.batch_endpoints.begin_create_or_update(there).result()
    return {"name": endpoint, "deployment": deployment, "component": component}


_ACTS: dict[str, Callable[[MLClient, Any, Mapping[str, Any]], dict[str, Any]]] = {
    "check": _check_job,
    "job": _submit_job,
    "component": _register_asset,
    "schedule": _schedule_job,
    "endpoint": _publish_to_endpoint,
}


def _build_component(entity: Any, given: Mapping[str, Any]) -> Any:
    """Return the pipeline as a component: a job's literal inputs become defaults, and its data is to be given."""
    from smalt.entities.assets.component import Component
    from smalt.entities.jobs.inputs import Input, Output
    from smalt.entities.jobs.pipeline import PipelineComponent, PipelineJob

    name = given.get("component_name") or given.get("name") or entity.name
    if isinstance(entity, Component):
        entity.name, entity.version = name, None  # the caller names the version, or it is the next one
        return entity
    if not isinstance(entity, PipelineJob):
        raise ValidationException("only a pipeline can be registered from a drawing; register this by its own file")
    inputs = {
        port: Input(type=value.type or "uri_folder")
        if isinstance(value, Input)
        else Input(type=_find_literal_type(value), default=value)
        for port, value in entity.inputs.items()
    }
    outputs = {
        port: Output(type=getattr(value, "type", None) or "uri_folder") for port, value in entity.outputs.items()
    }
    component = PipelineComponent(
        name=name,
        display_name=entity.display_name,
        description=entity.description,
        inputs=inputs,
        outputs=outputs,
        jobs=entity.jobs,
    )
    component.source_path = entity.source_path
    return component


def _find_literal_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


def _locate_problems(given: Mapping[str, Any], error: ValidationException) -> list[dict[str, Any]]:
    document, file = Document(given["text"]), given.get("file") or ""
    found = [one if one.file or one.line else locate_in_document(document, file, one) for one in error.problems]
    return [{"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in found]


if __name__ == "__main__":
    main()
