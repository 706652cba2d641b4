"""Checks of batch deployments before they are stored, and the versions of what they name."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, NamedTuple

from smalt import wire
from smalt.entities.jobs.pipeline import PipelineComponent, PipelineJobSettings
from smalt.entities.rules.settings import check_settings
from smalt.entities.schema.problems import add_article, did_you_mean, find_nearest
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.dependencies import find_dependencies
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.endpoints.batch.mlflow_models import put_environment, read_environment
from smalt.service.endpoints.batch.scoring_jobs import RESOLVED, find_setting_problems, read_deployment
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import to_snake

Body = dict[str, Any]


_OF_MODELS = {
    "model": "model",
    "codeConfiguration": "code_configuration",
    "environmentId": "environment",
    "environmentVariables": "environment_variables",
}
"""Properties that only deployments of models have, and the users' names for them."""


class DeploymentCheck:
    """Collects the problems of one deployment, so that all are told at once."""

    def __init__(self, context: EngineContext, workspace: Workspace) -> None:
        self.context = context
        self.workspace = workspace
        self.pinner = Pinner(context, workspace)
        self._problems: list[str] = []

    def add(self, where: str, words: str) -> None:
        self.add_problem(f"{where}: {words}")

    def add_problem(self, problem: str) -> None:
        self._problems.append(problem)

    def raise_problems(self) -> None:
        if self._problems:
            raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in self._problems])

    def fix_reference(self, kind: str, where: str, text: str) -> str:
        """Return the reference with its version; one that names nothing is a problem."""
        try:
            fixed = self.pinner.resolve_reference(kind, text)
            if kind == "environments":
                lookup.find_environment(self.context, self.workspace, fixed)
        except SmaltError as error:
            self.add(where, str(error))
            return text
        return fixed

    def check_compute(self, where: str, text: Any) -> None:
        if not text:
            return
        try:
            name, exists = lookup.find_compute(self.context, self.workspace, str(text))
        except SmaltError as error:
            self.add(where, str(error))
            return
        if not exists and self.context.settings.compute == "strict":
            self.add(where, f"there is no compute '{name}' in workspace '{self.workspace.name}'")

    def check_datastore(self, where: str, text: Any) -> None:
        if not isinstance(text, str) or not text:
            return
        try:
            lookup.check_datastore(self.context, self.workspace, text)
        except SmaltError as error:
            self.add(where, str(error))


async def check_deployment(context: EngineContext, workspace: Workspace, properties: Body, principal: str) -> Body:
    """Return the properties to store, with versions of what they name; raise ValidationException with all problems."""
    if properties.get("deploymentConfiguration"):
        return check_pipeline_deployment(context, workspace, properties)
    return await check_model_deployment(context, workspace, properties, principal)


def check_pipeline_deployment(context: EngineContext, workspace: Workspace, properties: Body) -> Body:
    """Return the properties with the version of the component; raise ValidationException with all problems."""
    check = DeploymentCheck(context, workspace)
    configuration = properties["deploymentConfiguration"]
    settings = configuration.get("settings") or {}
    for key, name in _OF_MODELS.items():
        if properties.get(key):
            check.add(name, "a deployment of a pipeline component has none of its own; the component's steps have it")
    reference, component = _find_pipeline(check, configuration.get("componentId"))
    _check_settings(check, settings, component)
    check.raise_problems()
    return {
        **properties,
        "deploymentConfiguration": {
            **configuration,
            "settings": settings,
            "componentId": {"referenceType": "Id", "assetId": reference},
        },
    }


def _check_settings(check: DeploymentCheck, settings: Body, component: PipelineComponent | None) -> None:
    """Check the settings as those of a pipeline job are; `component` is None if there is none to check them against."""
    for key in settings:
        near = find_nearest(key, [name for name in PipelineJobSettings._fields if name not in settings])
        if key not in PipelineJobSettings._fields and near:
            check.add(f"settings.{key}", f"a pipeline has no such setting; did you mean '{near}'?")
    reader = Reader()
    reader.on_wire = True
    found = PipelineJobSettings._read_data(settings, ("settings",), reader)
    if component is not None and found is not None:
        steps = component.jobs
        waits = {name: find_dependencies(step, steps) for name, step in steps.items()}
        check_settings(found, steps, {}, waits, (), reader)
    for problem in reader.problems:
        check.add_problem(str(problem))
    check.check_compute("settings.default_compute", settings.get("default_compute"))
    check.check_datastore("settings.default_datastore", settings.get("default_datastore"))


def _find_pipeline(check: DeploymentCheck, given: Any) -> tuple[str, PipelineComponent | None]:
    """Return the reference with its version, and the component; what is no pipeline component is a problem."""
    text = given.get("assetId") if isinstance(given, dict) else given
    if not isinstance(text, str) or not text:
        check.add("component", "name the pipeline component, as azureml:NAME:VERSION")
        return "", None
    try:
        fixed = check.pinner.resolve_below(check.pinner.resolve_reference("components", text))
        properties = lookup.find_component(check.context, check.workspace, fixed)
        component: Any = wire.from_rest({"properties": properties}, "component", is_answer=True)
    except SmaltError as error:
        check.add("component", str(error))
        return "", None
    if not isinstance(component, PipelineComponent):
        words = f"'{component.name}' is {add_article(component.type)} component"
        check.add("component", f"{words}; deploy a pipeline component that has it as a step")
        return fixed, None
    return fixed, component


async def check_model_deployment(
    context: EngineContext, workspace: Workspace, properties: Body, principal: str
) -> Body:
    """Return the properties with versions and, apart, what was looked up: the model's type, and its environment."""
    check = DeploymentCheck(context, workspace)
    bare = {key: value for key, value in properties.items() if key != RESOLVED}
    deployment = read_deployment(bare)
    for where, words in find_setting_problems(deployment):
        check.add(where, words)
    check.check_compute("compute", deployment.compute)
    model = _find_model(check, deployment.model)
    has_script = _check_code(check, deployment)
    made = {**bare}
    if isinstance(deployment.environment, str):
        made["environmentId"] = check.fix_reference("environments", "environment", deployment.environment)
    resolved: Body = {}
    if model is not None:
        made["model"] = {"referenceType": "Id", "assetId": model.reference}
        resolved["modelType"] = model.type
    if not has_script and (model is None or model.type != "mlflow_model"):
        words = "a deployment without an MLflow model needs a scoring script with init() and run(mini_batch)"
        check.add("code_configuration", words)
    elif not deployment.environment and model is not None and model.type == "mlflow_model":
        resolved["environmentId"] = await _make_environment(check, model, principal)
    elif not deployment.environment:
        check.add("environment", "name the environment that the scoring script runs in")
    check.raise_problems()
    return {**made, RESOLVED: resolved}


class _FoundModel(NamedTuple):
    reference: str
    """With its version."""
    type: str


def _find_model(check: DeploymentCheck, text: Any) -> _FoundModel | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        _, id, type = lookup.find_model(check.context, check.workspace, text)
    except SmaltError as error:
        check.add("model", str(error))
        return None
    return _FoundModel(id, to_snake(type))


def _check_code(check: DeploymentCheck, deployment: Any) -> bool:
    """Return True if the deployment has a scoring script; one that is not in its code is a problem."""
    given = deployment.code_configuration
    if given is None or not (given.code or given.scoring_script):
        return False
    if not given.scoring_script:
        check.add("code_configuration", "name its scoring_script, the file with init() and run(mini_batch)")
    if not given.code:
        check.add("code_configuration", "name its code, the folder with the scoring script")
        return True
    try:
        fixed = check.pinner.resolve_reference("codes", given.code)
        snapshot = lookup.find_snapshot(check.context, check.workspace, fixed)
        entries = check.context.data.snapshots.read_entries(snapshot)
    except SmaltError as error:
        check.add("code_configuration.code", str(error))
        return True
    names = [entry.path for entry in entries]
    if given.scoring_script and os.path.normpath(given.scoring_script) not in names:
        hint = did_you_mean(given.scoring_script, [name for name in names if name.endswith(".py")])
        check.add("code_configuration.scoring_script", f"there is no file '{given.scoring_script}' in the code{hint}")
    return True


async def _make_environment(check: DeploymentCheck, model: _FoundModel, principal: str) -> str | None:
    """Return the environment that the model describes itself."""
    try:
        place = check.context.resolve(model.reference, check.workspace)
        if place.path is None or place.is_remote:
            check.add("environment", "the model is not on this machine; name the environment that it runs in")
            return None
        conda = await asyncio.to_thread(read_environment, Path(place.path))
    except SmaltError as error:
        check.add("model", str(error))
        return None
    return put_environment(check.context, check.workspace, conda, principal)
