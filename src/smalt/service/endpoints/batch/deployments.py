"""Checks of batch deployments before they are stored, and the versions of what they name."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities.jobs.pipeline import PipelineComponent, PipelineJobSettings
from smalt.entities.schema.problems import add_article, find_nearest
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records.workspaces import Workspace

Body = dict[str, Any]


class DeploymentCheck:
    """Collects the problems of one deployment, so that all are told at once."""

    def __init__(self, context: EngineContext, workspace: Workspace) -> None:
        self.context = context
        self.workspace = workspace
        self.pinner = Pinner(context, workspace)
        self._problems: list[str] = []

    def add(self, where: str, words: str) -> None:
        self._problems.append(f"{where}: {words}")

    def raise_problems(self) -> None:
        if self._problems:
            raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in self._problems])

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


def check_pipeline_deployment(context: EngineContext, workspace: Workspace, properties: Body) -> Body:
    """Return the properties with the version of the component; raise ValidationException with all problems."""
    check = DeploymentCheck(context, workspace)
    configuration = properties["deploymentConfiguration"]
    settings = configuration.get("settings") or {}
    for key in settings:
        near = find_nearest(key, [name for name in PipelineJobSettings._fields if name not in settings])
        if key not in PipelineJobSettings._fields and near:
            check.add(f"settings.{key}", f"a pipeline has no such setting; did you mean '{near}'?")
    check.check_compute("settings.default_compute", settings.get("default_compute"))
    component = _find_pipeline(check, configuration.get("componentId"))
    check.raise_problems()
    return {
        **properties,
        "deploymentConfiguration": {
            **configuration,
            "settings": settings,
            "componentId": {"referenceType": "Id", "assetId": component},
        },
    }


def _find_pipeline(check: DeploymentCheck, given: Any) -> str:
    """Return the component with its version; what is no pipeline component is a problem."""
    text = given.get("assetId") if isinstance(given, dict) else given
    if not isinstance(text, str) or not text:
        check.add("component", "name the pipeline component, as azureml:NAME:VERSION")
        return ""
    try:
        fixed = check.pinner.resolve_below(check.pinner.resolve_reference("components", text))
        properties = lookup.find_component(check.context, check.workspace, fixed)
        component: Any = wire.from_rest({"properties": properties}, "component", is_answer=True)
    except SmaltError as error:
        check.add("component", str(error))
        return ""
    if not isinstance(component, PipelineComponent):
        words = f"'{component.name}' is {add_article(component.type)} component"
        check.add("component", f"{words}; deploy a pipeline component that has it as a step")
    return fixed
