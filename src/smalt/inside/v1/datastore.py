"""`Datastore`: the datastores of the job's workspace, which a job reads."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import workspace_routes as routes
from .errors import make_user_error
from .stored_data import AS_INPUT, StoredPath, fetch_file, list_stored
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Datastore:
    """A datastore by its name; nothing is asked before something is read."""

    def __init__(self, workspace: object, name: str | None = None) -> None:
        self.workspace = workspace
        self.name = name or "workspaceblobstore"

    @staticmethod
    def get(workspace: object, datastore_name: str) -> Datastore:
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: object) -> Datastore:
        return Datastore(workspace)

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> StoredPath:
        """Return a path on the datastore, for `Dataset.File.from_files` and its like."""
        _check_server()
        return StoredPath(self.name, path or "")

    def download(
        self, target_path: str, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Download what is below `prefix`; return the number of files. Their paths keep the prefix, as in v1."""
        _check_server()
        count = 0
        for one in list_stored({"folder": StoredPath(self.name, prefix or "").uri}):
            target = os.path.join(target_path, *one.path.split("/"))
            if overwrite or not os.path.exists(target):
                fetch_file(one, target, overwrite=True)
                count += 1
        if show_progress:
            print(f"Downloaded {count} files")
        return count


def _check_server() -> None:
    if not routes.can_ask_workspace():
        raise make_user_error(f"this job cannot ask for data of its workspace; {AS_INPUT}")


class WorkspaceDatastores(Mapping):  # type: ignore[type-arg]
    """`workspace.datastores`, by name."""

    def __getitem__(self, name: str) -> Datastore:
        if name not in list(self):
            raise KeyError(f"the workspace has no datastore '{name}'")
        return Datastore(None, name)

    def __iter__(self) -> Iterator[str]:
        _check_server()
        return iter(sorted(str(one["name"]) for one in routes.get_json("/datastores", routes.ARM)["value"]))

    def __len__(self) -> int:
        return len(list(iter(self)))


add_unsupported_members(
    Datastore,
    {
        "upload": "write to one of the job's outputs",
        "upload_files": "write to one of the job's outputs",
        **{
            "register_azure_" + name: "use 'smalt datastore create'"
            for name in ("blob_container", "file_share", "data_lake", "data_lake_gen2", "sql_database")
        },
    },
    dict.fromkeys(("account_name", "account_key", "container_name", "sas_token", "as_mount"), AS_INPUT),
)
