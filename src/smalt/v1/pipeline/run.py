"""`azureml.pipeline.core.run`: runs of pipelines and of their steps."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.entities.endpoints.published import METRICS
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.graph import PortDataReference
from smalt.v1.run import OVER, Run, find_run

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.pipeline.published import PublishedPipeline
    from smalt.v1.workspace import Workspace


class PipelineRun(Run):
    """The run of a pipeline job."""

    def __init__(self, experiment: Experiment, run_id: str, _service_endpoint: object = None, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, **kwargs)

    def get_graph(self) -> NoReturn:
        raise UserErrorException("the graph of a run is not served; its steps are get_steps()")

    def get_steps(self) -> Iterator[StepRun]:
        """Yield the runs of the steps."""
        yield from self.get_children()  # type: ignore[misc]

    def find_step_run(self, name: str) -> list[StepRun]:
        """Return the runs of the steps of that name."""
        return [step for step in self.get_steps() if name in (step.name, step.key)]

    def _make_child(self, name: str) -> Run:
        job = self._jobs.get(name)
        return StepRun(self._experiment, name, self.id, name, _job=job)  # type: ignore[arg-type]

    def get_pipeline_output(self, pipeline_output_name: str) -> PortDataReference:
        """Return the place of what PipelineData with that pipeline_output_name was written to."""
        job = self.job
        step = (job.properties or {}).get(f"{METRICS}{pipeline_output_name}")
        if step is not None:
            return MetricsReference(self, str(step), pipeline_output_name)
        outputs = job.outputs or {}
        if pipeline_output_name not in outputs:
            known = f"it has {', '.join(outputs)}" if outputs else "it has none"
            raise UserErrorException(
                f"the pipeline has no output '{pipeline_output_name}'; {known} (PipelineData's pipeline_output_name "
                f"makes one)"
            )
        return find_reference(self._workspace, self.id, pipeline_output_name)

    def wait_for_completion(  # type: ignore[override]
        self, show_output: bool = True, timeout_seconds: int = sys.maxsize, raise_on_error: bool = True
    ) -> str:
        """Follow the run to its end, or until the time is up, and return its status."""
        return _wait_for_run(self, show_output, timeout_seconds, raise_on_error)

    def publish_pipeline(
        self, name: str, description: str, version: str, continue_on_step_failure: bool | None = None, **kwargs: Any
    ) -> PublishedPipeline:
        """Publish the steps of the run; their inputs default to the run's."""
        from smalt.v1.pipeline.published import PublishedPipeline
        from smalt.v1.pipeline.publishing import prepare_run

        tell_no_effect("PipelineRun.publish_pipeline", kwargs, "it has no such parameter")
        id = prepare_run(self, name, description, version, continue_on_step_failure).publish()
        return PublishedPipeline.get(self._workspace, id)

    def save(self, path: str | None = None) -> None:
        """Write the job as YAML of v2."""
        self.job.dump(path or f"{self.id}.yml")

    @staticmethod
    def get(workspace: Workspace, run_id: str, _service_endpoint: object = None) -> PipelineRun:
        found = find_run(workspace, run_id)
        if not isinstance(found, PipelineRun):
            raise UserErrorException(f"the run '{run_id}' is not of a pipeline")
        return found

    @staticmethod
    def get_pipeline_runs(
        workspace: Workspace, pipeline_id: str, _service_endpoint: object = None
    ) -> list[PipelineRun]:
        """Return the runs of a published pipeline, the newest first."""
        from smalt.v1.pipeline.published import PublishedPipeline

        return PublishedPipeline.get(workspace, pipeline_id).list_runs()


class StepRun(Run):
    """The run of a step."""

    def __init__(
        self,
        experiment: Experiment,
        step_run_id: str,
        pipeline_run_id: str,
        node_id: str,
        _service_endpoint: object = None,
        _is_reused: bool = False,
        _current_node_id: str | None = None,
        _reused_run_id: str | None = None,
        _reused_node_id: str | None = None,
        _reused_pipeline_run_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(experiment, step_run_id, **kwargs)
        self._pipeline_run_id = pipeline_run_id

    @property
    def pipeline_run_id(self) -> str:
        return self._pipeline_run_id

    @property
    def key(self) -> str:
        """The name of the step in the pipeline job of v2."""
        rows = self._jobs.overview(self.id)
        row = next((one for one in rows if one["name"] == self.id), {})
        return str(row.get("step") or row.get("node") or "")

    def get_outputs(self) -> dict[str, StepRunOutput]:
        """Return the outputs, by name."""
        return {str(name): StepRunOutput(self, str(name)) for name in self.job.outputs or {} if name != "default"}

    def get_output(self, name: str) -> StepRunOutput:
        found = self.get_outputs()
        if name not in found:
            known = f"it has {', '.join(found)}" if found else "it has none"
            raise UserErrorException(f"the step '{self.name}' has no output '{name}'; {known}")
        return found[name]

    def get_output_data(self, name: str) -> PortDataReference:
        return self.get_output(name).get_port_data_reference()

    def get_job_log(self) -> str:
        """Return what the step printed."""
        return self.get_stdout_log()

    def get_stdout_log(self) -> str:
        names = self.get_file_names()
        log = next((name for name in names if name.endswith("std_log.txt")), None)
        return self._files.read_file(log).decode(errors="replace") if log is not None else ""

    def get_stderr_log(self) -> str:
        """Return the same as get_stdout_log: a job of smalt has one log for both."""
        return self.get_stdout_log()

    def wait_for_completion(  # type: ignore[override]
        self, show_output: bool = True, timeout_seconds: int = sys.maxsize, raise_on_error: bool = True
    ) -> str:
        return _wait_for_run(self, show_output, timeout_seconds, raise_on_error)


class StepRunOutput:
    """An output of the run of a step."""

    def __init__(self, step_run: Run, name: str) -> None:
        self._step_run, self.name = step_run, name

    def __repr__(self) -> str:
        return f"StepRunOutput(name={self.name!r})"

    def get_port_data_reference(self) -> PortDataReference:
        return find_reference(self._step_run._workspace, self._step_run.id, self.name)


class MetricsReference(PortDataReference):
    """The metrics of a step's trials, `{run: {metric: [values]}}`, as a file that is written when it is fetched."""

    def __init__(self, run: PipelineRun, step: str, name: str) -> None:
        super().__init__(run._workspace, f"azureml://datastores/workspaceartifactstore/paths/{name}", name)
        self._run, self._step = run, step
        self.path_on_datastore = self._path_on_datastore = f"azureml/{run.id}/{name}"

    def download(self, local_path: str, overwrite: bool | None = None, show_progress: bool | None = None) -> int:
        found = next((one for one in self._run.get_steps() if one.key == self._step), None)
        if found is None:
            raise UserErrorException(f"the step '{self._step}', whose metrics are asked for, has no run")
        metrics = {
            child.id: {key: value if isinstance(value, list) else [value] for key, value in child.get_metrics().items()}
            for child in found.get_children()
        }
        path = os.path.join(local_path, self.path_on_datastore)
        if os.path.exists(path) and not overwrite:
            raise UserErrorException(f"'{path}' is there already; pass overwrite=True")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(metrics, file)
        return 1


def find_reference(workspace: Workspace, job: str, output: str) -> PortDataReference:
    """Return the place of a job's output."""
    client = workspace.client
    uri = f"azureml://jobs/{job}/outputs/{output}/paths/"
    scope = client.workspace_id
    found = client.connection.post(f"/smalt/v1{scope}/resolve", {"uri": uri})
    if not found.get("datastore"):
        raise UserErrorException(f"the output '{output}' of {job} is not on a datastore")
    return PortDataReference(workspace, f"azureml://datastores/{found['datastore']}/paths/{found['path']}", output, job)


def _wait_for_run(run: Run, show_output: bool, timeout: int, raise_on_error: bool) -> str:
    if timeout < sys.maxsize:
        end = time.monotonic() + timeout
        while run.get_status() not in OVER:
            if time.monotonic() > end:
                return run.get_status()
            time.sleep(1)
    Run.wait_for_completion(run, show_output, raise_on_error=raise_on_error)
    return run.get_status()
