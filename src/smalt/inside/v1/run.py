"""`azureml.core.Run`: the job's own run, its children and its relatives, as runs of MLflow."""

from __future__ import annotations

import os
import threading
import time

from .client import RunClient
from .context import RunContext, get_current
from .errors import make_exception, make_user_error
from .files import RunFiles
from .metrics import RunLogging
from .notices import tell_no_effect
from .records import RunRecords, parse_index
from .storage import Storage
from .unsupported import add_unsupported_members
from .writer import RunWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .models import Model
    from .workspace import Experiment

PARENT = "mlflow.parentRunId"
_PROPERTY = "azureml.property."
_NOT_TAGS = ("mlflow.", _PROPERTY, "azureml.git.", "azureml.ContentSnapshotId", "azureml.jobType")
_STATES = {"RUNNING": "Running", "FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled",
           "SCHEDULED": "Queued"}  # fmt: skip
_TYPE = "azureml.scriptrun"
_OVER = ("Completed", "Failed", "Canceled")


class Run(RunLogging, Storage):
    """A run that is there. `Run(experiment, run_id)` names one, as in v1."""

    def __init__(self, experiment: Experiment, run_id: str, outputs: object = None, **more: Any) -> None:
        tell_no_effect("Run", {"outputs": outputs, **more})
        context = experiment.workspace.context
        self._run_id = str(run_id)
        self.client: RunClient = context.client
        self.writer: RunWriter = context.writer
        self._experiment = experiment
        self._files = RunFiles(self.client, self._run_id)
        self._records = RunRecords(self, self._files)
        self._steps: dict[str, int] | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"Run(Experiment: {self._experiment.name}, Id: {self.id})"

    __str__ = __repr__  # the installed package's Run, where there is one, has another

    # What it is

    @property
    def id(self) -> str:
        return self._run_id

    def get_data(self) -> dict[str, Any]:
        """Return the run as MLflow has it: `info`, `data`."""
        answer: dict[str, Any] = self.client.get_json("runs/get", run_id=self.id)["run"]
        return answer

    def get_info(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get_data()["info"]
        return found

    def get_all_tags(self) -> dict[str, str]:
        return {tag["key"]: tag.get("value", "") for tag in self.get_data().get("data", {}).get("tags", [])}

    @property
    def experiment(self) -> Experiment:
        return self._experiment

    @property
    def name(self) -> str:
        return str(self.get_info().get("run_name") or self.id)

    @property
    def display_name(self) -> str:
        return self.name

    @display_name.setter
    def display_name(self, text: str) -> None:
        print(f"run.display_name = {text!r} has no effect: a job gets its display name when it is submitted")

    @property
    def description(self) -> str | None:
        return self.get_all_tags().get("mlflow.note.content")

    @description.setter
    def description(self, text: str) -> None:
        self.set_tag("mlflow.note.content", text)

    @property
    def type(self) -> str:
        return _TYPE

    @property
    def number(self) -> int:
        """The number of the run within its experiment, from 1, in the order in which the runs started."""
        info = self.get_info()
        before = "attributes.start_time < {}".format(info.get("start_time", 0))
        return 1 + sum(1 for _ in search_runs(self.client, info["experiment_id"], before))

    @property
    def status(self) -> str:
        return self.get_status()

    def get_status(self) -> str:
        return _STATES.get(str(self.get_info().get("status")), "Running")

    def get_detailed_status(self) -> dict[str, Any]:
        return {"status": self.get_status(), "details": ""}

    def get_details(self) -> dict[str, Any]:
        info = self.get_info()
        return {
            "runId": self.id,
            "target": "local",
            "status": _STATES.get(str(info.get("status")), "Running"),
            "startTimeUtc": _to_utc(info.get("start_time")),
            "endTimeUtc": _to_utc(info.get("end_time")),
            "properties": self.get_properties(),
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": {},
            "logFiles": {},
            "submittedBy": info.get("user_id"),
            **({"error": {"error": {"message": reason}}} if (reason := self._find_failure()) else {}),
        }

    def _find_failure(self) -> str:
        """Return the reason that `fail` was given; the empty text of a run that did not fail."""
        data = self.get_data()
        if data["info"].get("status") != "FAILED":
            return ""
        return next((str(tag["value"]) for tag in data.get("data", {}).get("tags", []) if tag["key"] == "error"), "")

    def get_portal_url(self) -> str:
        """Return the address of the run's page: MLflow's own, which leads a browser to the studio."""
        return f"{self.client.uri}/#/experiments/0/runs/{self.id}"

    # Models

    def register_model(
        self, model_name: str, model_path: str | None = None, tags: Any = None, properties: Any = None,
        model_framework: str | None = None, model_framework_version: str | None = None,
        description: str | None = None, **more: Any,
    ) -> Model:  # fmt: skip
        """Register files of the run as a model; files that are still in the job's own outputs/ are uploaded first."""
        tell_no_effect("Run.register_model", more, "a model of MLflow has no such field")
        from .models import create_version

        path = os.path.normpath(model_path or model_name).replace(os.sep, "/")
        self.flush()
        if os.path.exists(path) and not os.path.isabs(path) and not path.startswith(".."):
            (self._files.put_folder if os.path.isdir(path) else self._files.put_file)(path, path)
        else:
            there = self._files.list_names()
            if not any(name == path or name.startswith(path + "/") for name in there):
                raise make_exception(
                    "the run has no file or folder '{}' to register; its files: {}".format(
                        path, ", ".join(there[:20]) or "none"
                    ),
                    "ModelPathNotFoundException",
                )
        return create_version(
            self.experiment.workspace, model_name, self._files.uri + "/" + path, run_id=self.id,
            description=description, tags=tags, properties=properties,
            framework=(model_framework, model_framework_version),
        )  # fmt: skip

    # Its tags and properties

    def tag(self, key: str, value: str | None = None) -> None:
        self.set_tags({key: value})

    def set_tags(self, tags: dict[str, Any]) -> None:
        for name, value in tags.items():
            self.set_tag(self._make_key(name), "" if value is None else str(value))

    def set_tag(self, name: str, value: str) -> None:
        self.client.send_json("runs/set-tag", {"run_id": self.id, "key": name, "value": value})

    def get_tags(self) -> dict[str, str | None]:
        tags = self.get_all_tags()
        logged = {entry["path"] for entry in parse_index(tags)}  # a text that was logged is a tag as well
        return {
            name: value or None
            for name, value in tags.items()
            if not name.startswith(_NOT_TAGS) and name + ".json" not in logged
        }

    @property
    def tags(self) -> dict[str, str | None]:
        return self.get_tags()

    def remove_tags(self, tags: Sequence[str]) -> None:
        for name in [tags] if isinstance(tags, str) else tags:
            self.client.send_json("runs/delete-tag", {"run_id": self.id, "key": self._make_key(name)})

    def add_properties(self, properties: dict[str, Any]) -> None:
        """They cannot be changed once they are there."""
        there = self.get_properties() if properties else {}
        for name, value in (properties or {}).items():
            name = self._make_key(name)
            if there.get(name, str(value)) != str(value):
                raise make_user_error(
                    f"property '{name}' is '{there[name]}' and cannot become '{value}'; use a tag for what changes"
                )
            self.set_tag(_PROPERTY + name, str(value))

    def get_properties(self) -> dict[str, str]:
        """Return the properties that were added, with the commit and the snapshot of the code that smalt knows."""
        found = {name: value for name, value in self.get_all_tags().items() if name.startswith(_NOT_TAGS[1:])}
        return {name[len(_PROPERTY) :] if name.startswith(_PROPERTY) else name: found[name] for name in found}

    @property
    def properties(self) -> dict[str, str]:
        return self.get_properties()

    # Its family

    @property
    def parent(self) -> Run | None:
        parent = self.get_all_tags().get(PARENT)
        return Run(self._experiment, parent) if parent else None

    def get_children(
        self, recursive: bool = False, tags: Any = None, properties: Any = None, type: Any = None, status: Any = None,
        **more: Any,
    ) -> Iterator[Run]:  # fmt: skip
        tell_no_effect("Run.get_children", {name: one for name, one in more.items() if name[0] != "_"})
        for found in list(search_runs(self.client, self.get_info()["experiment_id"], f"tags.`{PARENT}` = '{self.id}'")):
            child = Run(self._experiment, found["info"]["run_id"])
            if _matches_filters(found, tags, properties, type) and status in (
                None,
                _STATES.get(str(found["info"].get("status"))),
            ):
                yield child
            if recursive:
                yield from child.get_children(True, tags, properties, type, status)

    def child_run(
        self, name: str | None = None, run_id: str | None = None, outputs: str | None = None, tags: Any = None
    ) -> Run:
        """MLflow gives the child's id, whatever `run_id` says; `outputs` is uploaded when the child is complete."""
        listed = [{"key": str(key), "value": str(value)} for key, value in (tags or {}).items()]
        body = {
            "experiment_id": self.get_info()["experiment_id"],
            "run_name": name or run_id,
            "start_time": int(time.time() * 1000),
            "tags": [{"key": PARENT, "value": self.id}, *listed],
        }
        made = self.client.send_json("runs/create", {key: value for key, value in body.items() if value is not None})
        return ChildRun(self._experiment, made["run"]["info"]["run_id"], outputs)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: Sequence[Any] | None = None
    ) -> Sequence[Run]:
        if count is None and (tag_key is None or tag_values is None):
            raise make_user_error("create_children takes either 'count', or 'tag_key' and 'tag_values'")
        if count is not None:
            tag_key, tag_values = "azureml.batch_child_number", list(range(count))
        return [self.child_run(tags={tag_key: value}) for value in tag_values or ()]

    def submit_child(self, config: Any, tags: Any = None, **kwargs: Any) -> Any:
        """Submit a job of its own, which goes on when this one ends, and has this run as its parent."""
        return self._experiment.submit(config, tags={**(tags or {}), PARENT: self.id}, **kwargs)

    # Its end

    def flush(self, timeout_seconds: int = 300) -> None:
        self.writer.flush()

    def start(self) -> None:
        """Do nothing: the run has been started."""

    def complete(self, _set_status: bool = True) -> None:
        """A job is complete when its command ends; until then this only makes sure that everything has arrived."""
        self.flush()

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """Keep the reason as a tag. A job fails by its command's exit code, not by this call, as in v1."""
        self.flush()
        if error_details is not None or error_code is not None:
            parts = [str(part) for part in (error_code, error_details) if part is not None]
            self.set_tag("error", ": ".join(parts)[:5000])

    def cancel(self) -> None:
        """Do nothing to a submitted run, as in v1."""
        print(f"A job is not cancelled from within; end its command, or use: smalt job cancel -n {self.id}")

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        context = get_current()
        if context is not None and self.id == context.run_id:
            raise make_user_error("a job cannot wait for its own end")
        while self.get_status() not in _OVER:
            time.sleep(1)
        details = self.get_details()
        if raise_on_error and details["status"] == "Failed":
            reason = details.get("error", {}).get("error", {}).get("message")
            raise make_exception(
                f"run '{self.id}' failed" + (f": {reason}" if reason else ""), "ActivityFailedException"
            )
        return details

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.complete()

    # Where runs come from

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **more: Any) -> Any:
        """The job's own run; outside of a job, one that prints what it is given, where that is allowed."""
        tell_no_effect("Run.get_context", more)
        run = get_own_run()
        if run is not None:
            return run
        if allow_offline:
            from .offline import OfflineRun

            return OfflineRun()
        raise make_exception(
            "this is not a job's process: AZUREML_RUN_ID and MLFLOW_TRACKING_URI are not set", "RunEnvironmentException"
        )

    @classmethod
    def get_submitted_run(cls, **more: Any) -> Any:
        return cls.get_context(allow_offline=False, **more)

    def get_secret(self, name: str) -> str:
        from .keyvault import Keyvault

        return Keyvault().get_secret(name)

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str | None]:
        from .keyvault import Keyvault

        return Keyvault().get_secrets(secrets)

    @staticmethod
    def get(workspace: Any, run_id: str) -> Run:
        return Run(workspace.context.experiment, run_id)

    @staticmethod
    def list(experiment: Experiment, **filters: Any) -> Iterator[Run]:
        return experiment.get_runs(**filters)


add_unsupported_members(
    Run,
    {
        "get_environment": "the environment is in the job's YAML",
        "take_snapshot": "smalt has kept the job's code; see 'smalt job show'",
        "restore_snapshot": "the job's code is its working folder",
        "get_snapshot_id": "the job's code is its working folder",
        "get_all_logs": "use 'smalt job download'",
        "get_details_with_logs": "use 'smalt job download'",
        "get_best_child": "use get_children() and get_metrics()",
    },
)


class SubmittedRun(Run):
    """The job's own."""


class ChildRun(Run):
    """A run that the script has made, and whose state the script sets."""

    def __init__(self, experiment: Experiment, run_id: str, outputs: str | None = None, **more: Any) -> None:
        super().__init__(experiment, run_id, **more)
        self._outputs = outputs

    def complete(self, _set_status: bool = True) -> None:
        self._set_end("FINISHED")

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        super().fail(error_details, error_code)
        self._set_end("FAILED")

    def cancel(self) -> None:
        if self.get_status() not in _OVER:
            self._set_end("KILLED")

    @property
    def display_name(self) -> str:
        return self.name

    @display_name.setter
    def display_name(self, text: str) -> None:
        self.client.send_json("runs/update", {"run_id": self.id, "run_name": str(text)})

    def _set_end(self, status: str) -> None:
        self.flush()
        if self._outputs and os.path.isdir(self._outputs):
            self.upload_folder(self._outputs, self._outputs)
        self.client.send_json("runs/update", {"run_id": self.id, "status": status, "end_time": int(time.time() * 1000)})

    def __exit__(self, kind: object, problem: object, _trace: object) -> None:  # type: ignore[override]
        if kind is None:
            self.complete()
        else:
            self.fail(problem)


OWN_KIND: list[type[Run]] = [SubmittedRun]
"""A class that is also azureml-core's own Run, where that is installed: see `importing`."""

_OWN: dict[str, Run] = {}


def get_own_run() -> Run | None:
    """Return the job's own run: the same object at each call, as scripts call get_context() again and again."""
    context: RunContext | None = get_current()
    if context is None:
        return None
    if context.run_id not in _OWN:
        _OWN[context.run_id] = OWN_KIND[0](context.experiment, context.run_id)
    return _OWN[context.run_id]


def search_runs(client: RunClient, experiment_id: str, wanted: str, order: str = "ASC") -> Iterator[dict[str, Any]]:
    """The runs of an experiment that MLflow's filter `wanted` lets through, by their starts."""
    token = None
    while True:
        body = {"experiment_ids": [experiment_id], "filter": wanted, "max_results": 1000, "page_token": token,
                "order_by": ["attributes.start_time " + order]}  # fmt: skip
        answer = client.send_json("runs/search", {name: value for name, value in body.items() if value})
        yield from answer.get("runs", [])
        token = answer.get("next_page_token")
        if not token:
            return


def list_runs(
    experiment: Experiment, tags: Any = None, include_children: bool = False, properties: Any = None, type: Any = None
) -> Iterator[Run]:
    for found in search_runs(experiment.workspace.context.client, experiment.id, "", "DESC"):
        if _matches_filters(found, tags, properties, type) and (include_children or not _has_tags(found, PARENT)):
            yield Run(experiment, found["info"]["run_id"])


def _matches_filters(found: dict[str, Any], tags: Any, properties: Any, type: Any) -> bool:
    """Return True if a run has these tags and properties, and is of that type, which all runs of MLflow share."""
    wanted = properties if isinstance(properties, dict) else {} if properties is None else {properties: None}
    marks = {_PROPERTY + str(name): value for name, value in wanted.items()}
    return _has_tags(found, tags) and _has_tags(found, marks) and (type is None or str(type).lower() == _TYPE)


def _has_tags(found: dict[str, Any], tags: Any) -> bool:
    """Return True if a run has a tag, or tags with these values."""
    wanted = tags if isinstance(tags, dict) else {} if tags is None else {tags: None}
    has = {tag["key"]: tag.get("value", "") for tag in found.get("data", {}).get("tags", [])}
    return all(name in has and value in (None, has[name]) for name, value in wanted.items())


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    return Run(experiment, run_id)


def _to_utc(milliseconds: Any) -> str | None:
    if not milliseconds:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(milliseconds) / 1000)) + "Z"
