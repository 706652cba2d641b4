"""`azureml.pipeline.core.Pipeline`: steps as one pipeline job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.entities.endpoints.published import METRICS
from smalt.entities.jobs.pipeline import PipelineJob, PipelineJobSettings
from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.problems import did_you_mean
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.binding import PipelineBinder
from smalt.v1.pipeline.sequence import flatten_steps, order_steps

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.pipeline.published import PublishedPipeline
    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace


class Pipeline:
    def __init__(
        self,
        workspace: Workspace,
        steps: Any,
        description: str | None = None,
        default_datastore: Any = None,
        default_source_directory: str | None = None,
        resolve_closure: bool = True,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
        **kwargs: Any,
    ) -> None:
        tell_no_effect("Pipeline", kwargs, "it has no such parameter")
        self.workspace, self.description = workspace, description
        self._datastore, self._source_directory = default_datastore, default_source_directory
        self.steps = order_steps(flatten_steps(steps), resolve_closure)
        if not self.steps:
            raise UserErrorException("a pipeline needs at least one step")

    def __repr__(self) -> str:
        return f"Pipeline(steps={[step.name for step in self.steps]})"

    @property
    def graph(self) -> NoReturn:
        raise UserErrorException("the graph of a pipeline is not served; its steps are Pipeline.steps")

    def service_endpoint(self) -> str:
        """Return the address of the server."""
        return str(self.workspace.get_mlflow_tracking_uri())

    def to_job(
        self,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool | None = None,
        regenerate_outputs: bool | None = None,
    ) -> PipelineJob:
        """Return the pipeline job of v2."""
        return self.build(pipeline_parameters, continue_on_step_failure, regenerate_outputs)[0]

    def build(
        self,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool | None = None,
        regenerate_outputs: bool | None = None,
    ) -> tuple[PipelineJob, set[str]]:
        """Return the pipeline job of v2, and the inputs that set how its steps run."""
        client = self.workspace.client if self.workspace is not None else None
        binder = PipelineBinder(self.steps, client, pipeline_parameters, self._source_directory)
        nodes: dict[str, Any] = {}
        for step in self.steps:
            node = step.to_node(binder)
            vars(node)["_line"] = step.where
            nodes[binder.keys[id(step)]] = node
        self._check_parameters(pipeline_parameters, binder.inputs)
        settings = {
            "default_datastore": getattr(self._datastore, "name", self._datastore),
            "continue_on_step_failure": continue_on_step_failure or None,
            "force_rerun": regenerate_outputs or None,
        }
        job = PipelineJob(description=self.description) if self.description else PipelineJob()
        if binder.metrics:
            job.properties = {f"{METRICS}{name}": key for name, key in binder.metrics.items()}
        job.jobs = Attributes(nodes)
        job.inputs, job.outputs = Attributes(binder.inputs), Attributes(binder.outputs)
        job.settings = PipelineJobSettings(**{key: value for key, value in settings.items() if value is not None})
        return job, binder.fixed

    def _check_parameters(self, given: Mapping[str, Any] | None, known: Mapping[str, Any]) -> None:
        for name in given or ():
            if name not in known:
                has = f"; it has {', '.join(known)}" if known else "; it has none"
                hint = did_you_mean(name, known) or has
                raise UserErrorException(f"the pipeline has no parameter '{name}'{hint}")

    def validate(self) -> list[Any]:
        """Return the problems of the pipeline; it is checked with everything that it names, and not submitted."""
        with raise_as(UserErrorException):
            result = self.workspace.client.jobs.validate(self.to_job())
        return [str(message) for message in result.error_messages.values()]

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
        parent_run_id: str | None = None,
        credential_passthrough: bool | None = None,
        **kwargs: Any,
    ) -> PipelineRun:
        """Submit the pipeline as a job of an experiment."""
        from smalt.v1.experiment import Experiment

        return self.submit_to(
            Experiment(self.workspace, experiment_name),
            pipeline_parameters=pipeline_parameters,
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
            parent_run_id=parent_run_id,
            credential_passthrough=credential_passthrough,
            **kwargs,
        )

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> PipelineRun:
        from smalt.v1.commands import collect_fields
        from smalt.v1.pipeline.run import PipelineRun

        settings = {name: kwargs.pop(name, None) for name in _SETTINGS}
        tell_no_effect("Experiment.submit", kwargs, "a pipeline has no such setting")
        job = self.to_job(**settings)
        job.experiment_name = experiment.name
        if tags:
            job.tags = collect_fields(tags)
        made = self.workspace.client.jobs.create_or_update(job)
        return PipelineRun(experiment, str(made.name))

    def publish(
        self,
        name: str | None = None,
        description: str | None = None,
        version: str | None = None,
        continue_on_step_failure: bool | None = None,
    ) -> PublishedPipeline:
        """Publish the pipeline: a pipeline component, deployed behind the batch endpoint of that name."""
        from smalt.v1.pipeline.published import PublishedPipeline
        from smalt.v1.pipeline.publishing import prepare_pipeline

        id = prepare_pipeline(self, name, description, version, continue_on_step_failure).publish()
        return PublishedPipeline.get(self.workspace, id)

    @staticmethod
    def load_yaml(
        workspace: Workspace, filename: str, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> Pipeline:
        """Return the pipeline that a YAML file of v1 describes."""
        from smalt.v1.pipeline.yaml_files import read_pipeline

        found: Pipeline = read_pipeline(workspace, filename)
        return found


_SETTINGS = ("pipeline_parameters", "continue_on_step_failure", "regenerate_outputs")
