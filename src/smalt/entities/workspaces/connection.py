"""Connections from a workspace to outside services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.assets.asset import Resource
from smalt.entities.jobs.identity import ManagedIdentity
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, Field, constant, from_service, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.shapes import Anything, Boolean, Enum, Map, Shape, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.workspaces import credentials
from smalt.entities.workspaces.datastore import OneLakeArtifact


class ConnectionCredentials(Keyed, Entity):
    noun = "credentials of a connection"
    _effect = KEPT


class PatTokenConfiguration(ConnectionCredentials):
    noun = "personal access token credentials"

    type = constant("pat", "The type.")
    pat = optional(Text(), "The token.")


class SasConfiguration(ConnectionCredentials):
    noun = "SAS credentials"

    type = constant("sas", "The type.")
    sas_token = optional(Text(), "The shared access signature.")


class UsernamePasswordConfiguration(ConnectionCredentials):
    noun = "user name credentials"

    type = constant("username_password", "The type.")
    username = optional(Text(), "The user.")
    password = optional(Text(), "The password.")


class ManagedIdentityConfiguration(ConnectionCredentials):
    noun = "managed identity credentials"

    type = constant("managed_identity", "The type.")
    client_id = optional(Text(), "The client id.")
    resource_id = optional(Text(), "The ARM id.")


class ServicePrincipalCredentials(ConnectionCredentials):
    noun = "service principal credentials"

    type = constant("service_principal", "The type.")
    tenant_id = optional(Text(), "The tenant.")
    client_id = optional(Text(), "The application.")
    client_secret = optional(Text(), "Its secret.")


class AccessKeyConfiguration(ConnectionCredentials):
    noun = "access key credentials"

    type = constant("access_key", "The type.")
    access_key_id = optional(Text(), "The id of the key.")
    secret_access_key = optional(Text(), "The key.")


class ApiKeyConfiguration(ConnectionCredentials):
    noun = "API key credentials"

    type = constant("api_key", "The type.")
    key = optional(Text(), "The key.")


class AccountKeyCredentials(ConnectionCredentials):
    noun = "account key credentials"

    type = constant("account_key", "The type.")
    account_key = optional(Text(), "The key.")


class AadCredentials(ConnectionCredentials):
    noun = "Entra ID credentials"

    type = constant("aad", "The type.")


class NoCredentials(ConnectionCredentials):
    noun = "no credentials"

    type = constant("none", "The type.")


CREDENTIALS: TaggedNoun[ConnectionCredentials] = TaggedNoun(
    ConnectionCredentials,
    "type",
    {
        "pat": "workspaces.connection:PatTokenConfiguration",
        "sas": "workspaces.connection:SasConfiguration",
        "username_password": "workspaces.connection:UsernamePasswordConfiguration",
        "managed_identity": "workspaces.connection:ManagedIdentityConfiguration",
        "service_principal": "workspaces.connection:ServicePrincipalCredentials",
        "access_key": "workspaces.connection:AccessKeyConfiguration",
        "api_key": "workspaces.connection:ApiKeyConfiguration",
        "account_key": "workspaces.connection:AccountKeyCredentials",
        "aad": "workspaces.connection:AadCredentials",
        "none": "workspaces.connection:NoCredentials",
    },
)

STORES = ("azure_blob", "azure_one_lake", "azure_data_lake_gen2", "s3", "snowflake", "azure_sql_db")
SERVICES = ("azure_open_ai", "azure_ai_services", "azure_ai_search", "azure_content_safety", "azure_speech_services")
OTHERS = (
    *("git", "container_registry", "python_feed", "azure_synapse_analytics", "azure_my_sql_db", "azure_postgres_db"),
    *("custom", "api_key", "open_ai", "serp", "serverless"),
)


class DerivedField(Field):
    """A field that, when unset, takes its value from other keys of the connection."""

    __slots__ = ("derive",)

    def __init__(self, shape: Shape[Any], doc: str, derive: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(shape, doc)
        self.derive = derive

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self.derive(vars(instance))


_ADDRESSES = ("target", "url", "endpoint", "azure_endpoint", "api_base")


def _make_address(doc: str) -> Any:
    """Return a field for the address, which each type of connection keeps under another name."""
    return DerivedField(Text(), doc, lambda said: next((said[name] for name in _ADDRESSES if said.get(name)), None))


def _make_noted(key: str, doc: str) -> Any:
    """Return a field for a key that the service keeps in the metadata."""
    return DerivedField(Text(), doc, lambda said: (said.get("metadata") or {}).get(key))


def _find_key(said: dict[str, Any]) -> Any:
    credentials = said.get("credentials")
    return credentials.key if isinstance(credentials, ApiKeyConfiguration) else None


class Connection(Resource):
    noun = "a connection"
    _effect = KEPT

    type = required(Enum(*OTHERS, *STORES, *SERVICES), "The type of connection.")
    target: Any = _make_address("The address.")
    credentials = optional(CREDENTIALS, "The credentials.")
    is_shared = optional(Boolean(), "Whether all users of the workspace may use it.")
    metadata = mapping(Map(Anything()), "The metadata.")
    url: Any = _make_address("The address, of a blob container.")
    account_name: Any = _make_noted("AccountName", "The storage account.")
    container_name: Any = _make_noted("ContainerName", "The container.")
    endpoint: Any = _make_address("The endpoint, of a service.")
    azure_endpoint: Any = _make_address("The endpoint, of Azure OpenAI.")
    api_base: Any = _make_address("The address of the API.")
    api_key: Any = DerivedField(Text(), "The key of the API.", _find_key)
    api_version: Any = _make_noted("ApiVersion", "The version of the API.")
    open_ai_resource_id: Any = _make_noted("ResourceId", "The ARM id, of Azure OpenAI.")
    ai_services_resource_id: Any = _make_noted("ResourceId", "The ARM id, of Azure AI services.")
    one_lake_workspace_name = optional(Text(), "The Fabric workspace.", travels=Travel.CLIENT)
    artifact = optional(Nested(OneLakeArtifact), "The artifact in the Fabric workspace.", travels=Travel.CLIENT)
    api_type = from_service(Text(), "The kind of API, of Azure OpenAI.")

    def __init__(self, *arguments: Any, **values: Any) -> None:
        """Take the fields; credentials may be of the classes for datastores and jobs, as in the official SDK."""
        super().__init__(*arguments, **values)
        own = vars(self).get("credentials")
        noun = _CREDENTIALS_OF.get(type(own))
        if noun is not None:
            values = {name: getattr(own, name, None) for name in noun._fields if name != "type"}
            self.credentials = noun(**values)

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        return _BY_TYPE.get(str(data.get("type")).lower(), cls) if cls is Connection else cls


_CREDENTIALS_OF: dict[type, type[ConnectionCredentials]] = {
    credentials.AccountKeyConfiguration: AccountKeyCredentials,
    credentials.NoneCredentials: NoCredentials,
    credentials.SasTokenConfiguration: SasConfiguration,
    credentials.ServicePrincipalConfiguration: ServicePrincipalCredentials,
    ManagedIdentity: ManagedIdentityConfiguration,
}


class AzureBlobStoreConnection(Connection):
    type = constant("azure_blob", "The type of connection.")


class MicrosoftOneLakeConnection(Connection):
    type = constant("azure_one_lake", "The type of connection.")


class AzureOpenAIConnection(Connection):
    type = constant("azure_open_ai", "The type of connection.")


class AzureAIServicesConnection(Connection):
    type = constant("azure_ai_services", "The type of connection.")


class AzureAISearchConnection(Connection):
    type = constant("azure_ai_search", "The type of connection.")


class AzureContentSafetyConnection(Connection):
    type = constant("azure_content_safety", "The type of connection.")


class AzureSpeechServicesConnection(Connection):
    type = constant("azure_speech_services", "The type of connection.")


class APIKeyConnection(Connection):
    type = constant("api_key", "The type of connection.")


class OpenAIConnection(Connection):
    type = constant("open_ai", "The type of connection.")


class SerpConnection(Connection):
    type = constant("serp", "The type of connection.")


class ServerlessConnection(Connection):
    type = constant("serverless", "The type of connection.")


_BY_TYPE = {str(one._fields["type"].default): one for one in Connection.__subclasses__()}
