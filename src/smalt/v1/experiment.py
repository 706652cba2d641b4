"""`azureml.core.Experiment`: the name under which jobs are listed, and where they are submitted."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from smalt.v1.exceptions import ExperimentExecutionException, UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.run import Run
    from smalt.v1.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,254}", re.ASCII)


class Experiment:
    def __init__(
        self,
        workspace: Workspace,
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: object = None,
        _create_in_cloud: bool = True,
        _experiment_dto: object = None,
        **kwargs: object,
    ) -> None:
        if not _skip_name_validation and not _NAME.fullmatch(str(name)):
            raise UserErrorException(
                f"'{name}' cannot be the name of an experiment; it begins with a letter or digit and has letters, "
                "digits, '_' and '-' only, 255 at most"
            )
        tell_no_effect("Experiment", kwargs, "it has no such parameter")
        self.workspace, self._name = workspace, str(name)

    @property
    def name(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name}, Workspace: {self.workspace.name})"

    @property
    def workspace_object(self) -> Workspace:
        return self.workspace

    @property
    def id(self) -> str:
        """MLflow's id of it; an experiment without runs is made first."""
        client = self.workspace.context.client
        from smalt.inside.v1.client import RequestRefused

        try:
            found = client.get_json("experiments/get-by-name", experiment_name=self.name)
            return str(found["experiment"]["experiment_id"])
        except RequestRefused as problem:
            if problem.status != 404:
                raise
        return str(client.send_json("experiments/create", {"name": self.name})["experiment_id"])

    def submit(self, config: Any, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        """Submit what the configuration describes as a job of this experiment."""
        submit_to = getattr(config, "submit_to", None)
        if submit_to is None or isinstance(config, type):
            kind = config.__name__ if isinstance(config, type) else type(config).__name__
            raise UserErrorException(
                f"an experiment takes a ScriptRunConfig, an Estimator, a Pipeline, a HyperDriveConfig or an "
                f"AutoMLConfig, not {kind}"
            )
        with raise_as(ExperimentExecutionException):
            run: Run = submit_to(self, tags=tags, **kwargs)
        return run

    def start_logging(
        self,
        *args: object,
        outputs: str | None = None,
        snapshot_directory: str | None = ".",
        display_name: str | None = None,
        **kwargs: Any,
    ) -> Run:
        """Start an interactive run, which belongs to no job: what is logged in it is recorded, and it ends as said."""
        from smalt.v1.interactive_run import InteractiveRun

        body = {
            "experiment_id": self.id,
            "run_name": display_name,
            "start_time": int(time.time() * 1000),
            "tags": [{"key": str(key), "value": str(value)} for key, value in (kwargs.pop("tags", None) or {}).items()],
        }
        folder = None if snapshot_directory == "." else snapshot_directory
        given = {"snapshot_directory": folder, "positional arguments": args, **kwargs}
        tell_no_effect("Experiment.start_logging", given, "an interactive run has no such setting")
        sent = {key: value for key, value in body.items() if value is not None}
        made = self.workspace.context.client.send_json("runs/create", sent)
        os.makedirs(outputs or "outputs", exist_ok=True)  # programs write to it without making it
        return InteractiveRun(self, made["run"]["info"]["run_id"], outputs)  # type: ignore[arg-type]

    def get_runs(
        self,
        type: str | None = None,
        tags: object = None,
        properties: object = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Yield the runs, the newest first."""
        from smalt.v1.run import list_experiment_runs

        return list_experiment_runs(self, type, tags, properties, include_children)

    @staticmethod
    def list(
        workspace: Workspace, experiment_name: str | None = None, view_type: str = "ActiveOnly", tags: object = None
    ) -> list[Experiment]:
        if tags is not None:
            raise UserErrorException(
                "Experiment.list: experiments have no tags here; leave tags out, and choose by name"
            )
        if view_type != "ActiveOnly":
            tell_no_effect("Experiment.list", {"view_type": view_type}, "no experiment is archived")
        found = workspace.experiments
        return [one for name, one in found.items() if experiment_name in (None, name)]

    def refresh(self) -> None:
        """Do nothing: an experiment is its name."""

    def get_portal_url(self) -> str:
        """Return the address of its page in the studio: the table of jobs, filtered by its name."""
        page = self.workspace.client.workspaces.get(self.workspace.name).studio_url
        return f"{page}?experiment={quote(self.name)}"

    def get_docs_url(self) -> str:
        return "docs/v1.md"
