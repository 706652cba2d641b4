"""`Workspace` and `Experiment`: those of the job."""

from __future__ import annotations

import importlib

from .client import RequestRefused
from .context import RunContext, get_current
from .dataset_factory import WorkspaceDatasets
from .datastore import Datastore, WorkspaceDatastores
from .errors import make_exception, make_user_error
from .notices import tell_no_effect
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .keyvault import Keyvault
    from .models import WorkspaceModels
    from .run import Run

_LOG_IN = ("auth", "_location", "_disable_service_check", "_workspace_id", "sku", "_cloud")
"""v1's parameters of a workspace that say how to log in, or what is known of it already."""
_OWN = "the workspace is the job's own"
_CLIENT = "it belongs to the program that submits jobs"


class Workspace:
    """The job's, which is the only one that its token opens."""

    def __init__(
        self, subscription_id: str | None = None, resource_group: str | None = None, workspace_name: str | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        tell_no_effect("Workspace", {name: value for name, value in more.items() if name not in _LOG_IN}, _OWN)
        context = get_current()
        if context is None:
            raise make_exception(
                "there is no workspace here: this process belongs to no job with tracking", "RunEnvironmentException"
            )
        self.context: RunContext = context
        self.name = context.workspace_name
        self.subscription_id = context.subscription_id
        self.resource_group = context.resource_group
        self.location = "local"
        if (workspace_name or self.name).lower() != self.name.lower():
            raise make_user_error(
                f"a job reaches its own workspace '{self.name}' only, not '{workspace_name}'; submit it there"
            )

    def __repr__(self) -> str:
        return f"Workspace(name={self.name!r}, resource_group={self.resource_group!r})"

    @staticmethod
    def from_config(path: object = None, auth: object = None, _logger: object = None, **_: Any) -> Workspace:
        """Whatever a config.json says, the job's own."""
        return Workspace()

    @staticmethod
    def get(name: str | None = None, auth: object = None, **_: Any) -> Workspace:
        return Workspace(workspace_name=name)

    @property
    def client(self) -> Any:
        """The client of the workspace, by smalt's own package, where the job's environment has it."""
        try:
            client = importlib.import_module("smalt.client").MLClient
        except ImportError:
            raise make_user_error("this needs smalt's own package in the job's environment") from None
        return client(None, self.subscription_id, self.resource_group, self.name)

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        return self.context.client.uri

    def get_details(self) -> dict[str, str]:
        return {
            "id": f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}/providers/"
            f"Microsoft.MachineLearningServices/workspaces/{self.name}",
            "name": self.name,
            "location": self.location,
        }

    def get_run(self, run_id: str) -> Run:
        from .run import Run

        return Run(self.context.experiment, run_id)

    def get_default_keyvault(self) -> Keyvault:
        from .keyvault import Keyvault

        return Keyvault(self)

    def get_default_datastore(self) -> Datastore:
        return Datastore(self, "workspaceblobstore")

    @property
    def datasets(self) -> WorkspaceDatasets:
        return WorkspaceDatasets()

    @property
    def datastores(self) -> WorkspaceDatastores:
        return WorkspaceDatastores()

    @property
    def models(self) -> WorkspaceModels:
        from .models import WorkspaceModels

        return WorkspaceModels(self)


add_unsupported_members(
    Workspace,
    {
        **dict.fromkeys(("create", "list", "delete", "update", "write_config", "set_default_datastore"), _CLIENT),
        "get_default_compute_target": _CLIENT,
    },
    {
        **dict.fromkeys(("compute_targets", "environments", "experiments", "images", "webservices", "sku"), _CLIENT),
        "linked_services": _CLIENT,
        "service_context": "use mlflow, or Run.get_context()",
    },
)


class Experiment:
    """An experiment of the workspace, by name."""

    def __init__(self, workspace: Workspace, name: str, **more: Any) -> None:
        tell_no_effect("Experiment", {name: value for name, value in more.items() if name[0] != "_"})
        self.workspace = workspace
        self.name = name

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name}, Workspace: {self.workspace.name})"

    @property
    def workspace_object(self) -> Workspace:
        return self.workspace

    @property
    def id(self) -> str:
        """MLflow's; of the job's own experiment it is that of the job's run."""
        context = self.workspace.context
        if self.name == context.experiment_name:
            return str(context.client.get_json("runs/get", run_id=context.run_id)["run"]["info"]["experiment_id"])
        try:
            found = context.client.get_json("experiments/get-by-name", experiment_name=self.name)
        except RequestRefused as problem:
            if problem.status != 404:
                raise
            raise make_user_error(f"the workspace has no experiment '{self.name}'") from None
        return str(found["experiment"]["experiment_id"])

    def submit(self, config: Any, tags: Any = None, **kwargs: Any) -> Any:
        """Submit a job by smalt's own package, where the job's environment has it."""
        submit_to = getattr(config, "submit_to", None)
        if submit_to is None:
            raise make_user_error("a job submits no jobs without smalt's own package; make it a pipeline, or a sweep")
        workspace = importlib.import_module("smalt.v1.workspace").Workspace.from_client(self.workspace.client)
        experiment = importlib.import_module("smalt.v1.experiment").Experiment(workspace, self.name)
        return submit_to(experiment, tags=tags, **kwargs)

    def get_runs(
        self, type: object = None, tags: object = None, properties: object = None, include_children: bool = False
    ) -> Iterator[Run]:
        """Newest first, as in v1."""
        from .run import list_runs

        return list_runs(self, tags, include_children, properties, type)


add_unsupported_members(
    Experiment,
    {
        "start_logging": "use Run.get_context(), or its child_run()",
        "archive": _CLIENT,
        "reactivate": _CLIENT,
        "delete": _CLIENT,
        "list": "use mlflow.search_experiments()",
        "tag": "tag the run",
        "set_tags": "tag the run",
    },
)
