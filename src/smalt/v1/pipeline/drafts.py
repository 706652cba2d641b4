"""`azureml.pipeline.core.PipelineDraft`: a pipeline that is changed and submitted, kept by its program."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from builtins import list as List

    from smalt.v1.pipeline.published import PublishedPipeline
    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace

_KEPT: dict[tuple[str, str], PipelineDraft] = {}
"""The drafts of this process, by workspace and id."""
_FIELDS = (
    *("pipeline", "name", "description", "experiment_name", "tags", "pipeline_parameters"),
    "continue_on_step_failure",
)


class PipelineDraft:
    """A pipeline with the settings of its next run."""

    def __init__(self, workspace: Workspace, id: str | None = None, **kwargs: Any) -> None:
        self._workspace, self.id = workspace, id or str(uuid.uuid4())
        self.pipeline: Pipeline = kwargs["pipeline"]
        self.name, self.description = kwargs.get("name"), kwargs.get("description")
        self.experiment_name, self.tags = kwargs.get("experiment_name"), dict(kwargs.get("tags") or {})
        self.properties = dict(kwargs.get("properties") or {})
        self.pipeline_parameters = dict(kwargs.get("pipeline_parameters") or {})
        self.continue_on_step_failure = kwargs.get("continue_on_step_failure")

    def __repr__(self) -> str:
        return f"PipelineDraft(Name: {self.name},\nId: {self.id})"

    @staticmethod
    def create(
        workspace: Workspace,
        pipeline: Any,
        name: str | None = None,
        description: str | None = None,
        experiment_name: str | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> PipelineDraft:
        """Return a draft of a pipeline, which lasts as long as the program."""
        _check_pipeline(pipeline)
        made = PipelineDraft(
            workspace,
            pipeline=pipeline,
            name=name,
            description=description,
            experiment_name=experiment_name,
            pipeline_parameters=pipeline_parameters,
            continue_on_step_failure=continue_on_step_failure,
            tags=tags,
            properties=properties,
        )
        _KEPT[workspace.name, made.id] = made
        return made

    @staticmethod
    def get(
        workspace: Workspace, id: str, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> PipelineDraft:
        found = _KEPT.get((workspace.name, id))
        if found is None:
            raise UserErrorException(
                f"this program has made no draft '{id}': drafts are kept by the program that makes them; publish the "
                "pipeline to keep it"
            )
        return found

    @staticmethod
    def list(
        workspace: Workspace, tags: Mapping[str, str] | None = None, _workflow_provider: object = None
    ) -> List[PipelineDraft]:
        """Return the drafts of this program that have the tags."""
        wanted = dict(tags or {}).items()
        return [one for (place, _), one in _KEPT.items() if place == workspace.name and wanted <= one.tags.items()]

    def update(
        self,
        pipeline: Any = None,
        name: str | None = None,
        description: str | None = None,
        experiment_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool | None = None,
        _workflow_provider: object = None,
    ) -> None:
        """Change what is given."""
        if pipeline is not None:
            _check_pipeline(pipeline)
        given = dict(locals())
        vars(self).update({key: given[key] for key in _FIELDS if given[key] is not None})

    def submit_run(self, _workflow_provider: object = None) -> PipelineRun:
        from smalt.v1.experiment import Experiment

        if not self.experiment_name:
            raise UserErrorException("the draft has no experiment_name; update() it with one")
        return self.pipeline.submit_to(
            Experiment(self._workspace, self.experiment_name),
            tags=self.tags,
            pipeline_parameters=self.pipeline_parameters,
            continue_on_step_failure=self.continue_on_step_failure,
        )

    def publish(self, _workflow_provider: object = None) -> PublishedPipeline:
        return self.pipeline.publish(
            self.name, self.description, continue_on_step_failure=self.continue_on_step_failure
        )

    def delete(self) -> None:
        _KEPT.pop((self._workspace.name, self.id), None)


def _check_pipeline(pipeline: object) -> None:
    if not isinstance(pipeline, Pipeline):
        raise UserErrorException(f"a draft is made of a Pipeline, not of {type(pipeline).__name__}")
