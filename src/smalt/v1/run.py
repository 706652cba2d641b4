"""`azureml.core.Run`: a job, or a run of MLflow that belongs to none, seen from outside or from within."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from smalt.client.connection.notices import print_notice
from smalt.exceptions import JobException, NotFound
from smalt.inside.v1 import run as job_names
from smalt.v1.exceptions import (
    ActivityFailedException,
    ModelPathNotFoundException,
    ServiceException,
    UserErrorException,
)
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_definition import build_run_definition

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.workspace import Workspace

_KINDS = {
    "pipeline": ("azureml.PipelineRun", "smalt.v1.pipeline.run", "PipelineRun"),
    "sweep": ("hyperdrive", "smalt.v1.hyperdrive.run", "HyperDriveRun"),
    "automl": ("automl", "smalt.v1.automl.run", "AutoMLRun"),
}
"""By a job's type: the type of its run, and the class."""
_SCRIPT, _STEP = "azureml.scriptrun", "azureml.StepRun"
OVER = ("Completed", "Failed", "Canceled")


class Run(job_names.Run):
    """A run by its id; `job` is the job of v2, or None of a run that only MLflow knows."""

    def __init__(self, experiment: Experiment, run_id: str, outputs: str | None = None, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, outputs)  # type: ignore[arg-type]
        self._workspace = experiment.workspace
        self._jobs = experiment.workspace.client.jobs
        self._known = kwargs.get("_job")

    def __repr__(self) -> str:
        return f"Run(Experiment: {self._experiment.name},\nId: {self.id},\nType: {self.type},\nStatus: {self.status})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        names = ("Experiment", "Id", "Type", "Status")
        heads = "".join(f"<th>{name}</th>" for name in names)
        cells = "".join(f"<td>{text}</td>" for text in (self._experiment.name, self.id, self.type, self.status))
        return f'<table style="width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>'

    # The job

    def _fetch_job(self) -> Any:
        try:
            return self._jobs.get(self.id)
        except NotFound:
            return None

    @property
    def job(self) -> Any:
        """The job as it is now."""
        if self._known is not None and self._known.status in OVER:
            return self._known
        self._known = self._fetch_job()
        return self._known

    @cached_property
    def _has_job(self) -> bool:
        return (self._known or self._fetch_job()) is not None

    @property
    def type(self) -> str:
        job = self.job
        if job is None:
            return "azureml.scriptrun"
        if str(job.type) in _KINDS:
            return _KINDS[str(job.type)][0]
        return _STEP if getattr(job, "parent_job_name", None) else _SCRIPT

    @property
    def name(self) -> str:
        return str(self.job.display_name or self.id) if self._has_job else str(super().name)

    @property
    def display_name(self) -> str:
        return self.name

    @display_name.setter
    def display_name(self, text: str) -> None:
        if self._has_job:
            self._jobs.update(self.id, display_name=text)
            self._known = None
        else:
            self.set_tag("mlflow.runName", text)

    def get_status(self) -> str:
        return str(self.job.status) if self._has_job else str(super().get_status())

    def get_detailed_status(self) -> dict[str, Any]:
        return {"status": self.get_status(), "details": self._find_reason()}

    def _find_reason(self) -> str:
        rows = self._jobs.overview(self.id) if self._has_job else ()
        error = next((row.get("error") for row in rows if row["name"] == self.id), None) or {}
        return str(error.get("message", "")) if isinstance(error, dict) else str(error)

    def get_details(self) -> dict[str, Any]:
        if not self._has_job:
            found: dict[str, Any] = super().get_details()
            return found
        job, row = self.job, next(iter(self._jobs.overview(self.id)), {})
        return {
            "runId": self.id,
            "target": str(job.compute or "local").removeprefix("azureml:"),
            "status": str(job.status),
            "startTimeUtc": _to_utc(row.get("start")),
            "endTimeUtc": _to_utc(row.get("end")),
            "services": {},
            "properties": self.get_properties(),
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": build_run_definition(job),
            "logFiles": {name: name for name in self.get_file_names() if _is_log(name)},
            "submittedBy": getattr(job.creation_context, "created_by", None),
            **({"error": {"error": {"message": reason}}} if (reason := self._find_reason()) else {}),
        }

    def get_details_with_logs(self) -> dict[str, Any]:
        """Return the details with the content of each log instead of its address."""
        self.wait_for_completion(raise_on_error=False)
        details = self.get_details()
        logs = {name: self._files.read_file(name).decode(errors="replace") for name in details["logFiles"]}
        return {**details, "logFiles": logs}

    def get_all_logs(self, destination: str | None = None) -> list[str]:
        """Download the logs, and return the paths of the files."""
        folder = destination or os.path.join("assets", self.id)
        found = []
        for name in filter(_is_log, self.get_file_names()):
            found.append(os.path.join(folder, name))
            self._files.fetch_file(name, found[-1])
        return found

    def get_portal_url(self) -> str:
        """Return the address of the job's page in the studio; the empty text for a run that is no job."""
        return str((self.job.studio_url if self._has_job else None) or "")

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: Any = None,
        properties: Any = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Register a file or folder of the run as a model."""
        from smalt.v1.model import register_path

        path = os.path.normpath(model_path or model_name).replace(os.sep, "/")
        self.flush()
        there = self.get_file_names()
        if not any(name == path or name.startswith(f"{path}/") for name in there):
            known = ", ".join(there[:20]) or "none"
            raise ModelPathNotFoundException(
                f"run '{self.id}' has no file or folder '{path}' to register; it has: {known}"
            )
        samples = {"sample_input_dataset": sample_input_dataset, "sample_output_dataset": sample_output_dataset}
        unused = {"datasets": datasets, **samples, "resource_configuration": resource_configuration}
        tell_no_effect("Run.register_model", {**unused, **kwargs}, "a model of v2 has no such field")
        framework = (model_framework, model_framework_version)
        uri = f"azureml://jobs/{self.id}/outputs/artifacts/paths/{path}" if self._has_job else f"runs:/{self.id}/{path}"
        job = self.id if self._has_job else None
        return register_path(self._workspace, model_name, uri, tags, properties, description, framework, job)

    def restore_snapshot(self, snapshot_id: str | None = None, path: str | None = None) -> str:
        """Write the job's code into a folder of the run's name, and return its path."""
        tell_no_effect("Run.restore_snapshot", {"snapshot_id": snapshot_id}, "the code is that of the run")
        folder = os.path.join(path or ".", self.id)
        self._jobs.restore_snapshot(self.id, folder)
        return folder

    def _get_outputs_datapath(self) -> Any:
        """Return the place of the run's `outputs/`, for a later run to read."""
        from smalt.v1.datastore import find_datastore
        from smalt.v1.modules import find_name

        store = find_datastore(self._workspace, "workspaceartifactstore")
        return find_name("azureml.data", "DataPath")(store, f"ExperimentRun/dcid.{self.id}/outputs")

    def get_environment(self) -> Any:
        """Return the environment of the job."""
        from smalt.v1.environment import find_environment

        return find_environment(self._workspace, self.job)

    # Its tags and properties

    def get_tags(self) -> dict[str, str | None]:
        """Return the job's tags and those that its script has set; the script's are newer."""
        logged = super().get_tags()
        if not self._has_job:
            return logged
        job = self.job
        tags = {key: value or None for key, value in (job.tags or {}).items() if not key.startswith("mlflow.")}
        return {**tags, **{key: value for key, value in logged.items() if key not in (job.properties or {})}}

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        if not self._has_job:
            super().set_tags(dict(tags))
            return
        newer = {key: value for key, value in self.get_tags().items() if key in (self.job.tags or {})}  # by the script
        texts = {str(key): "" if value is None else str(value) for key, value in {**newer, **tags}.items()}
        self._jobs.update(self.id, tags=texts)
        self._known = None

    def remove_tags(self, tags: Iterable[str]) -> None:
        names = [tags] if isinstance(tags, str) else [str(name) for name in tags]
        if self._has_job:
            self._jobs.update(self.id, tags=dict.fromkeys(names))
            self._known = None
        logged = self.get_all_tags()
        super().remove_tags([name for name in names if name in logged])

    def get_properties(self) -> dict[str, str]:
        added = super().get_properties()
        return {**added, **(self.job.properties or {})} if self._has_job else added

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        if not self._has_job:
            super().add_properties(dict(properties))
            return
        there = self.get_properties()
        for key, value in properties.items():
            if there.get(str(key), str(value)) != str(value):
                raise UserErrorException(
                    f"property '{key}' is '{there[str(key)]}' and cannot become '{value}'; use a tag for what changes"
                )
        self._jobs.update(self.id, properties={str(key): str(value) for key, value in properties.items()})
        self._known = None

    # Its family

    @property
    def parent(self) -> Run | None:
        if not self._has_job:
            above = super().parent
            return None if above is None else find_run(self._workspace, above.id)
        job = self.job
        made_by = (job.tags or {}).get(job_names.PARENT)
        above_name = getattr(job, "parent_job_name", None) or self._find_parent_name() or made_by
        return find_run(self._workspace, str(above_name)) if above_name else None

    def _find_parent_name(self) -> str | None:
        parent = next(iter(self._jobs.overview(self.id)), {}).get("parent")
        return str(parent) if parent else None

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        _rehydrate_runs: bool = True,
        **kwargs: Any,
    ) -> Iterator[Run]:
        """Yield the job's own children, then the runs that its script made in MLflow."""
        tell_no_effect("Run.get_children", kwargs, "it has no such parameter")
        children = list(self._jobs.list(parent_job_name=self.id)) if self._has_job else []
        known = {str(child.name) for child in children}
        runs = [self._make_child(str(child.name)) for child in children]
        if not children:
            below = job_names.Run.get_children(self)
            runs += [Run(self._experiment, one.id) for one in below if one.id not in known]  # type: ignore[arg-type]
        for run in runs:
            if _matches_filter(run, tags, properties, type) and status in (None, run.get_status()):
                yield run
            if recursive:
                yield from run.get_children(True, tags, properties, type, status)

    def _make_child(self, name: str) -> Run:
        return find_run(self._workspace, name)

    def submit_child(self, config: Any, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        """Submit a job of its own in the same experiment, which has this run as its parent."""
        run: Run = self._experiment.submit(config, tags={**(tags or {}), job_names.PARENT: self.id}, **kwargs)
        return run

    # Its end

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        """Follow the run to its end, and return its details; raises ActivityFailedException if it failed."""
        if not self._has_job:
            found: dict[str, Any] = super().wait_for_completion(show_output, wait_post_processing, raise_on_error)
            return found
        if show_output:
            print(f"RunId: {self.id}\nWeb View: {self.get_portal_url()}\n", flush=True)
        try:
            self._jobs.stream(self.id, None if show_output else _ignore_event)
        except JobException as error:
            if raise_on_error and self.get_status() != "Canceled":
                raise ActivityFailedException(f"run {self.id} failed: {self._find_reason() or error}") from None
        self._known = None
        if show_output:
            print(
                f"\nExecution Summary\n=================\nRunId: {self.id}\nStatus: {self.get_status()}\n", flush=True
            )
        return self.get_details()

    def cancel(self) -> None:
        if self._has_job:
            self._jobs.begin_cancel(self.id)
            self._known = None
        else:
            super().cancel()

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """Cancel a job, as it fails by its exit code only; keep the reason as a tag."""
        if not self._has_job:
            super().fail(error_details, error_code)
            return
        reason = ": ".join(str(part) for part in (error_code, error_details) if part is not None)
        if reason:
            self.set_tags({"error": reason[:5000]})
        if self.get_status() not in OVER:
            print_notice(f"job {self.id} is canceled: a job fails by its exit code only")
            self.cancel()

    def complete(self, _set_status: bool = True) -> None:
        """Nothing of a job, which ends by itself."""
        if not self._has_job:
            super().complete()

    # Where runs come from

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: Any) -> Any:
        """Return the run of the job that this process belongs to; outside of jobs, one that prints what is logged."""
        tell_no_effect("Run.get_context", kwargs, "it has no such parameter")
        return job_names.Run.get_context(allow_offline)

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        return find_run(workspace, run_id)

    @staticmethod
    def list(  # type: ignore[override]
        experiment: Experiment,
        type: str | None = None,
        tags: object = None,
        properties: object = None,
        status: str | None = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        found = list_experiment_runs(experiment, type, tags, properties, include_children)
        return (run for run in found if status in (None, run.get_status()))


def make_run(experiment: Experiment, job: Any) -> Run:
    """Return the run of a job, of the class of its type."""
    kind = _KINDS.get(str(job.type))
    if kind is not None:
        try:
            made = getattr(import_module(kind[1]), kind[2])
        except ModuleNotFoundError:
            made = Run
    else:
        made = Run
    run: Run = made(experiment, str(job.name), _job=job)
    return run


def find_run(workspace: Workspace, run_id: str) -> Run:
    """Return the run of that id in any experiment; raises ServiceException."""
    from smalt.inside.v1.client import RequestRefused
    from smalt.v1.experiment import Experiment

    try:
        job = workspace.client.jobs.get(run_id)
        return make_run(Experiment(workspace, str(job.experiment_name or "Default"), _skip_name_validation=True), job)
    except NotFound:
        pass
    try:
        found = workspace.context.client.get_json("runs/get", run_id=run_id)["run"]["info"]
    except RequestRefused:
        raise ServiceException(f"workspace '{workspace.name}' has no run '{run_id}'") from None
    named = workspace.context.client.get_json("experiments/get", experiment_id=found["experiment_id"])
    return Run(Experiment(workspace, named["experiment"]["name"], _skip_name_validation=True), run_id)


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    return find_run(experiment.workspace, run_id)


def list_experiment_runs(
    experiment: Experiment, type: str | None, tags: object, properties: object, include_children: bool
) -> Iterator[Run]:
    """Yield the runs of an experiment, the newest first: its jobs, then those that only MLflow knows."""
    seen = set()
    for job in experiment.workspace.client.jobs.list(experiment_name=experiment.name):
        seen.add(str(job.name))
        run = make_run(experiment, job)
        family: Iterable[Run] = (run, *(run.get_children(True) if include_children else ()))
        yield from (one for one in family if _matches_filter(one, tags, properties, type))
    below = job_names.list_runs(experiment, include_children=include_children)  # type: ignore[arg-type]
    for found in below:
        if found.id not in seen:
            run = Run(experiment, found.id)
            if not run._has_job and _matches_filter(run, tags, properties, type):
                yield run


def _matches_filter(run: Run, tags: Any, properties: Any, type: str | None) -> bool:
    if type is not None and run.type.lower() != type.lower():
        return False
    return (tags is None or _has_items(run.get_tags(), tags)) and (
        properties is None or _has_items(run.get_properties(), properties)
    )


def _has_items(there: Mapping[str, Any], wanted: Any) -> bool:
    """Return True if all wanted names are there, with their values where they have any."""
    if isinstance(wanted, str):
        return wanted in there
    pairs = wanted.items() if isinstance(wanted, Mapping) else [(name, None) for name in wanted]
    return all(name in there and value in (None, there[name]) for name, value in pairs)


def _is_log(name: str) -> bool:
    return name.startswith(("user_logs/", "system_logs/", "logs/", "azureml-logs/"))


def _ignore_event(event: dict[str, Any]) -> None:
    """Do nothing with an event: only the end of the run counts."""


def _to_utc(seconds: Any) -> str | None:
    if not isinstance(seconds, (int, float)):
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + "Z"
