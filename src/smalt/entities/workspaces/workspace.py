"""Workspaces, hubs and projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.asset import TAGS, Resource
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, constant, from_service, mapping, optional, required
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.shapes import Anything, Boolean, Enum, List, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.workspaces.resource_identity import ResourceIdentity


class CustomerManagedKey(Entity):
    noun = "a customer-managed key"
    _effect = KEPT

    key_vault = optional(Text(), "The ARM id of the vault.")
    key_uri = optional(Text(), "The URI of the key.")
    cosmosdb_id = optional(Text(), "The database that is encrypted with it.")
    storage_id = optional(Text(), "The storage that is encrypted with it.")
    search_id = optional(Text(), "The search service that is encrypted with it.")


class OutboundRule(Entity):
    noun = "an outbound rule"
    _effect = KEPT

    name = required(Text(), "The name.")
    category = from_service(Text(), "Why it is there.")
    status = from_service(Text(), "The state.")
    parent_rule_names = from_service(List(Text()), "The rules that it stems from.")


class FqdnDestination(OutboundRule):
    type = constant("fqdn", "The type.")
    destination = required(Text(), "The host.")


class PrivateEndpointTarget(Entity):
    noun = "the destination of a private endpoint"
    _effect = KEPT

    service_resource_id = required(Text(), "The ARM id.")
    subresource_target = required(Text(), "The subresource, such as `blob`.")
    spark_enabled = optional(Boolean(), "Whether Spark jobs reach it.")


class PrivateEndpointDestination(OutboundRule):
    type = constant("private_endpoint", "The type.")
    destination = required(Nested(PrivateEndpointTarget), "The resource.")
    fqdns = optional(List(Text()), "Its hosts.")

    def __init__(
        self,
        *,
        name: str,
        service_resource_id: str,
        subresource_target: str,
        spark_enabled: bool = False,
        fqdns: list[str] | None = None,
        **_: Any,
    ) -> None:
        found = {"service_resource_id": service_resource_id, "subresource_target": subresource_target}
        target = PrivateEndpointTarget(**found, spark_enabled=spark_enabled)
        super().__init__(name=name, destination=target, fqdns=fqdns)

    @property
    def service_resource_id(self) -> str:
        return self.destination.service_resource_id

    @property
    def subresource_target(self) -> str:
        return self.destination.subresource_target

    @property
    def spark_enabled(self) -> bool | None:
        return self.destination.spark_enabled


class ServiceTag(Entity):
    noun = "the destination of a service tag"
    _effect = KEPT

    service_tag = required(Text(), "The tag.")
    protocol = required(Text(), "The protocol.")
    port_ranges = required(Text(), "The ports.")
    address_prefixes = optional(List(Text()), "The addresses.")


class ServiceTagDestination(OutboundRule):
    type = constant("service_tag", "The type.")
    destination = required(Nested(ServiceTag), "The service.")

    def __init__(
        self,
        *,
        name: str,
        protocol: str,
        port_ranges: str,
        service_tag: str | None = None,
        address_prefixes: list[str] | None = None,
        **_: Any,
    ) -> None:
        tag = ServiceTag(
            service_tag=service_tag, protocol=protocol, port_ranges=port_ranges, address_prefixes=address_prefixes
        )
        super().__init__(name=name, destination=tag)

    @property
    def service_tag(self) -> str | None:
        return self.destination.service_tag

    @property
    def protocol(self) -> str:
        return self.destination.protocol

    @property
    def port_ranges(self) -> str:
        return self.destination.port_ranges

    @property
    def address_prefixes(self) -> list[str] | None:
        return self.destination.address_prefixes


OUTBOUND_RULE: TaggedNoun[OutboundRule] = TaggedNoun(
    OutboundRule,
    "type",
    {
        "fqdn": "workspaces.workspace:FqdnDestination",
        "private_endpoint": "workspaces.workspace:PrivateEndpointDestination",
        "service_tag": "workspaces.workspace:ServiceTagDestination",
    },
)


class ManagedNetwork(Entity):
    noun = "a managed network"
    _effect = KEPT

    isolation_mode = optional(
        Enum("disabled", "allow_internet_outbound", "allow_only_approved_outbound"), "The destination."
    )
    outbound_rules = optional(List(OUTBOUND_RULE), "The outbound rules.")
    firewall_sku = optional(Enum("standard", "basic"), "The firewall.")
    network_id = from_service(Text(), "The ARM id.")
    status = from_service(Anything(), "The state.")


class IPRule(Entity):
    noun = "a rule for an address"
    _effect = KEPT

    value = required(Text(), "The address, or a range of them.")


class NetworkAcls(Entity):
    noun = "network access rules"
    _effect = KEPT

    default_action = required(Text(), "Allow or Deny.")
    ip_rules = optional(List(Anything()), "Addresses that are allowed.")


class ServerlessComputeSettings(Entity):
    noun = "settings of serverless compute"
    _effect = KEPT

    custom_subnet = optional(Text(), "The subnet of its machines.")
    no_public_ip = optional(Boolean(), "Whether they have no public addresses.")


class Workspace(Resource):
    """A workspace; its `kind` makes it a hub or a project."""

    noun = "a workspace"
    _effect = KEPT

    name = required(Text(), "The name.")
    tags = mapping(TAGS, "Labels, for people and searches.")
    kind = optional(Enum("default", "hub", "project", "featurestore"), "The kind of workspace.")
    display_name = optional(Text(), "The name that people see.")
    location = optional(Text(), "The region.")
    resource_group = optional(Text(), "The resource group.", travels=Travel.CLIENT)
    hub_id = optional(Text(), "The hub, of a project.")
    workspace_hub = optional(Text(), "The hub.")
    default_resource_group = optional(Text(), "The resource group of a hub's projects.")
    associated_workspaces = from_service(List(Text()), "The projects, of a hub.")
    hbi_workspace = optional(Boolean(), "Whether its data is of high business impact.")
    storage_account = optional(Text(), "The ARM id of its storage.")
    container_registry = optional(Text(), "The ARM id of its container registry.")
    key_vault = optional(Text(), "The ARM id of its key vault.")
    application_insights = optional(Text(), "The ARM id of its Application Insights.")
    customer_managed_key = optional(Nested(CustomerManagedKey), "The key that its data is encrypted with.")
    image_build_compute = optional(Text(), "The compute that builds images.")
    public_network_access = optional(Enum("Enabled", "Disabled"), "Whether it is open to the network.")
    network_acls = optional(Nested(NetworkAcls), "The network rules.")
    system_datastores_auth_mode = optional(Text(), "The way in which its datastores authenticate.")
    identity = optional(Nested(ResourceIdentity), "The identity that it acts as.")
    primary_user_assigned_identity = optional(Text(), "The identity that it acts as first.")
    managed_network = optional(Nested(ManagedNetwork), "Its network.")
    provision_network_now = optional(Boolean(), "Whether the network is made at once.")
    enable_data_isolation = optional(Boolean(), "Whether data of projects is kept apart.")
    allow_roleassignment_on_rg = optional(Boolean(), "Whether roles are assigned on the resource group.")
    serverless_compute = optional(Nested(ServerlessComputeSettings), "Its serverless compute.")
    discovery_url = from_service(Text(), "The URL that lists its services.")
    mlflow_tracking_uri = from_service(Text(), "The MLflow tracking URI.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        kind = str(data.get("kind")).lower()
        return cls if cls is not Workspace else Hub if kind == "hub" else Project if kind == "project" else cls


class Hub(Workspace):
    noun = "a hub"

    kind = constant("hub", "The kind of workspace.")


class Project(Workspace):
    noun = "a project"

    kind = constant("project", "The kind of workspace.")
