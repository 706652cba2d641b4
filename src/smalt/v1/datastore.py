"""`azureml.core.Datastore`: a named place for files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smalt.exceptions import NotFound
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace

_TYPES = {
    "azure_blob": "AzureBlob", "azure_file": "AzureFile", "azure_data_lake_gen2": "AzureDataLakeGen2",
    "azure_data_lake_gen1": "AzureDataLake",
}  # fmt: skip
_CONNECTION = "v2 has no such datastore; name the database as a connection, and import its rows by a data transfer job"


class Datastore:
    def __new__(cls, workspace: Workspace, name: str | None = None) -> Any:
        """Return the datastore of that name, by default the workspace's own; raises UserErrorException."""
        return find_datastore(workspace, name)

    def __init__(self, workspace: Workspace, name: str | None = None) -> None: ...

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> Any:
        return find_datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: Workspace) -> Any:
        return find_datastore(workspace, None)

    @staticmethod
    def register_azure_blob_container(
        workspace: Workspace,
        datastore_name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        blob_cache_timeout: int | None = None,
        grant_workspace_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
    ) -> Any:
        from smalt.entities import AzureBlobDatastore as Definition

        given = {
            "blob_cache_timeout": blob_cache_timeout, "grant_workspace_access": grant_workspace_access,
            "create_if_not_exists": create_if_not_exists, "skip_validation": skip_validation,
            "subscription_id": subscription_id, "resource_group": resource_group,
        }  # fmt: skip
        tell_no_effect("Datastore.register_azure_blob_container", given, _NO_CHECK)
        made = Definition(
            name=datastore_name, container_name=container_name, account_name=account_name, protocol=protocol,
            endpoint=endpoint, credentials=_build_credentials(sas_token, account_key),
        )  # fmt: skip
        return _put_datastore(workspace, made, overwrite)

    @staticmethod
    def register_azure_file_share(
        workspace: Workspace,
        datastore_name: str,
        file_share_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
    ) -> Any:
        from smalt.entities import AzureFileDatastore as Definition

        given = {"create_if_not_exists": create_if_not_exists, "skip_validation": skip_validation}
        tell_no_effect("Datastore.register_azure_file_share", given, _NO_CHECK)
        made = Definition(
            name=datastore_name, file_share_name=file_share_name, account_name=account_name, protocol=protocol,
            endpoint=endpoint, credentials=_build_credentials(sas_token, account_key),
        )  # fmt: skip
        return _put_datastore(workspace, made, overwrite)

    @staticmethod
    def register_azure_data_lake(
        workspace: Workspace,
        datastore_name: str,
        store_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        overwrite: bool = False,
        grant_workspace_access: bool = False,
    ) -> Any:
        from smalt.entities import AzureDataLakeGen1Datastore as Definition

        given = {
            "subscription_id": subscription_id, "resource_group": resource_group,
            "grant_workspace_access": grant_workspace_access,
        }  # fmt: skip
        tell_no_effect("Datastore.register_azure_data_lake", given, _NO_CHECK)
        credentials = _build_principal(tenant_id, client_id, client_secret, resource_url, authority_url)
        made = Definition(name=datastore_name, store_name=store_name, credentials=credentials)
        return _put_datastore(workspace, made, overwrite)

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Workspace,
        datastore_name: str,
        filesystem: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
    ) -> Any:
        from smalt.entities import AzureDataLakeGen2Datastore as Definition

        given = {
            "subscription_id": subscription_id, "resource_group": resource_group,
            "grant_workspace_access": grant_workspace_access,
        }  # fmt: skip
        tell_no_effect("Datastore.register_azure_data_lake_gen2", given, _NO_CHECK)
        made = Definition(
            name=datastore_name, filesystem=filesystem, account_name=account_name, protocol=protocol,
            endpoint=endpoint,
            credentials=_build_principal(tenant_id, client_id, client_secret, resource_url, authority_url),
        )  # fmt: skip
        return _put_datastore(workspace, made, overwrite)

    @staticmethod
    def register_azure_sql_database(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        username: str | None = None,
        password: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
        **kwargs: Any,
    ) -> Any:
        raise UserErrorException(f"datastore '{datastore_name}' is a SQL database: {_CONNECTION}")

    @staticmethod
    def register_azure_postgre_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        enforce_ssl: bool = True,
        **kwargs: Any,
    ) -> Any:
        raise UserErrorException(f"datastore '{datastore_name}' is a PostgreSQL database: {_CONNECTION}")

    @staticmethod
    def register_azure_my_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> Any:
        raise UserErrorException(f"datastore '{datastore_name}' is a MySQL database: {_CONNECTION}")

    @staticmethod
    def register_dbfs(workspace: Workspace, datastore_name: str) -> Any:
        raise UserErrorException(
            f"datastore '{datastore_name}' is Databricks' file system, which v2 has no datastore for; keep the "
            "files in another datastore"
        )

    @staticmethod
    def register_hdfs(workspace: Workspace, datastore_name: str, *args: Any, **kwargs: Any) -> Any:
        raise UserErrorException(
            f"datastore '{datastore_name}' is HDFS, which v2 has no datastore for; keep the files in another datastore"
        )


class AbstractDatastore(Datastore):
    """A datastore that is there: a folder of this machine, or a cloud through its cache."""

    name: str

    @classmethod
    def from_entity(cls, workspace: Workspace, entity: Any) -> AbstractDatastore:
        """Return the datastore of v2's entity; `Datastore(workspace, name)` initializes what it returns once more."""
        made: AbstractDatastore = object.__new__(cls)
        made._set_fields(workspace, entity)
        return made

    def _set_fields(self, workspace: Workspace, entity: Any) -> None:
        self.workspace, self.entity = workspace, entity
        self.name = str(entity.name)
        self.datastore_type = _TYPES.get(str(entity.type), str(entity.type))
        self.account_name = getattr(entity, "account_name", None)
        self.container_name = getattr(entity, "container_name", None) or getattr(entity, "file_share_name", None)
        self.endpoint, self.protocol = getattr(entity, "endpoint", None), getattr(entity, "protocol", None)
        self.tags, self.is_default = dict(entity.tags or {}), self.name == "workspaceblobstore"

    def __repr__(self) -> str:
        return (
            f'{{"name": "{self.name}", "container_name": "{self.container_name}", '
            f'"account_name": "{self.account_name}", "protocol": "{self.protocol}", "endpoint": "{self.endpoint}"}}'
        )

    def get_uri(self, path: str | None = None) -> str:
        """Return v2's URI of a path on the datastore."""
        return f"azureml://datastores/{self.name}/paths/{(path or '').strip('/')}"

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> Any:
        """Return the path as data for a run or a step."""
        from smalt.v1.modules import find_name

        reference = find_name("azureml.data", "DataReference")
        return reference(self, data_reference_name=data_reference_name, path_on_datastore=path)

    def as_mount(self) -> Any:
        return self.path().as_mount()

    def as_download(self, path_on_compute: str | None = None) -> Any:
        return self.path().as_download(path_on_compute=path_on_compute)

    def as_upload(self, path_on_compute: str | None = None) -> Any:
        return self.path().as_upload(path_on_compute=path_on_compute)

    def upload(
        self,
        src_dir: str | os.PathLike[str],
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> Any:
        """Upload the content of a folder, and return where it is."""
        if not os.path.isdir(src_dir):
            raise UserErrorException(f"Datastore.upload: there is no folder '{os.fspath(src_dir)}'")
        root = os.fspath(src_dir)
        files = [os.path.join(parent, name) for parent, _, names in os.walk(root) for name in sorted(names)]
        return self._upload(files, root, target_path, overwrite, show_progress)

    def upload_files(
        self,
        files: Iterable[str | os.PathLike[str]],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> Any:
        """Upload files, and return where they are; their paths there are those from `relative_root`."""
        if isinstance(files, (str, os.PathLike)):
            files = [files]
        listed = [os.fspath(file) for file in files]
        absent = [file for file in listed if not os.path.isfile(file)]
        if absent:
            raise UserErrorException(f"Datastore.upload_files: there is no file '{absent[0]}'")
        root = relative_root or os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in listed])
        return self._upload(listed, root, target_path, overwrite, show_progress)

    def _upload(self, files: list[str], root: str, target: str | None, overwrite: bool, show: bool) -> Any:
        folder, sent = (target or "").strip("/"), 0
        there = set() if overwrite else {entry["path"] for entry in self._list_files(folder)}
        for file in files:
            inner = os.path.relpath(os.path.abspath(file), os.path.abspath(root)).replace(os.sep, "/")
            place = "/".join(filter(None, (folder, inner)))
            if place in there:
                if show:
                    print(f"Target already exists. Skipping upload for {place}")
                continue
            with raise_as(UserErrorException):
                self.workspace.client.datastores.upload(self.name, file, place)
            sent += 1
        if show:
            print(f"Uploaded {sent} files")
        return self.path(folder or None)

    def _list_files(self, folder: str) -> list[dict[str, Any]]:
        try:
            found = list(self.workspace.client.datastores.ls(self.name, folder, recursive=True))
        except NotFound:
            return []
        return [entry for entry in found if not entry.get("is_dir")]

    def download(
        self, target_path: str, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Download what is below `prefix`; return the number of files. Their paths keep the prefix, as in v1."""
        from smalt.client.transfers.downloads import download_uri

        count = 0
        for entry in self._list_files((prefix or "").strip("/")):
            place = os.path.join(target_path, *str(entry["path"]).split("/"))
            if os.path.exists(place) and not overwrite:
                continue
            with raise_as(UserErrorException):
                count += download_uri(
                    self.workspace.client, self.get_uri(entry["path"]), os.path.abspath(os.path.dirname(place))
                )
        if show_progress:
            print(f"Downloaded {count} files")
        return count

    def set_as_default(self) -> None:
        raise UserErrorException(
            "the default datastore of a workspace is its workspaceblobstore; name this datastore where it is used"
        )

    def unregister(self) -> None:
        """Forget the datastore; its files stay."""
        with raise_as(UserErrorException):
            self.workspace.client.datastores.delete(self.name)


def find_datastore(workspace: Workspace, name: str | None) -> AbstractDatastore:
    """Return the datastore of that name, or the default; raises UserErrorException."""
    stores = workspace.client.datastores
    with raise_as(UserErrorException):
        return AbstractDatastore.from_entity(workspace, stores.get_default() if name is None else stores.get(name))


def list_datastores(workspace: Workspace) -> dict[str, AbstractDatastore]:
    return {str(one.name): AbstractDatastore.from_entity(workspace, one) for one in workspace.client.datastores.list()}


_PLACE = ("type", "account_name", "container_name", "file_share_name", "filesystem", "store_name")
_NO_CHECK = "a datastore is registered as it is given, and reached when it is used"


def _put_datastore(workspace: Workspace, entity: Any, overwrite: bool) -> AbstractDatastore:
    """Register a datastore; one of that name that is another place is replaced only if `overwrite` says so."""
    with raise_as(UserErrorException):
        try:
            there = workspace.client.datastores.get(entity.name)
        except NotFound:
            there = None
        if there is not None and not overwrite:
            differs = [name for name in _PLACE if getattr(there, name, None) != getattr(entity, name, None)]
            if differs:
                raise UserErrorException(
                    f"there is a datastore '{entity.name}' already with another {differs[0]}; choose another name, or "
                    "say overwrite=True"
                )
        return AbstractDatastore.from_entity(workspace, workspace.client.datastores.create_or_update(entity))


def _build_credentials(sas_token: str | None, account_key: str | None) -> Any:
    from smalt.entities import AccountKeyConfiguration, SasTokenConfiguration

    if sas_token:
        return SasTokenConfiguration(sas_token=sas_token)
    return AccountKeyConfiguration(account_key=account_key) if account_key else None


def _build_principal(
    tenant: str | None, client: str | None, secret: str | None, resource: str | None, authority: str | None
) -> Any:
    from smalt.entities import ServicePrincipalConfiguration

    if not (tenant and client and secret):
        return None
    return ServicePrincipalConfiguration(
        tenant_id=tenant, client_id=client, client_secret=secret, resource_url=resource, authority_url=authority
    )
