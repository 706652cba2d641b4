"""Registries, which share assets among workspaces."""

from __future__ import annotations

from smalt.entities.assets.asset import ASSET_TAGS, Resource
from smalt.entities.schema.effects import ACTED, KEPT, NONE
from smalt.entities.schema.entity import Entity, from_service, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Boolean, Enum, Integer, List, Map, Text
from smalt.entities.workspaces.resource_identity import ResourceIdentity


class SystemCreatedStorageAccount(Entity):
    noun = "storage of a registry"
    _effect = KEPT

    storage_account_hns = optional(Boolean(), "Whether it has folders.")
    storage_account_type = optional(
        Enum(
            *("standard_lrs", "standard_grs", "standard_ragrs", "standard_zrs"),
            *("standard_gzrs", "standard_ragzrs", "premium_lrs", "premium_zrs"),
        ),
        "The redundancy of the storage.",
    )
    replication_count = optional(Integer(at_least=1), "The number of accounts.")
    arm_resource_id = from_service(Text(), "The ARM id.")
    replicated_ids = from_service(List(Text()), "The ARM ids of the further accounts.")


class RegistryRegionDetails(Entity):
    noun = "a location of a registry"
    _effect = KEPT

    location = required(Text(), "The region.")
    storage_config = optional(Nested(SystemCreatedStorageAccount) | List(Text()), "Its storage.")
    acr_config = optional(Anything(), "Its container registry.")


class SystemCreatedAcrAccount(Entity):
    noun = "a container registry"
    _effect = KEPT

    acr_account_sku = optional(Enum("premium"), "The tier.")
    arm_resource_id = from_service(Text(), "The ARM id.")


class Registry(Resource):
    noun = "a registry"
    _effect = NONE

    name = required(Text(), "The name.", effect=ACTED)
    location = required(Text(), "The first region; a path is the registry's folder.", effect=ACTED)
    description = optional(Text(), "A description, for people.", effect=NONE)
    tags = mapping(ASSET_TAGS, "Labels, for people and searches.", effect=NONE)
    properties = mapping(Map(Anything()), "The properties that tools set.", effect=NONE)
    replication_locations = optional(List(Nested(RegistryRegionDetails)), "All regions.")
    public_network_access = optional(Enum("Enabled", "Disabled"), "Whether it is open to the network.")
    container_registry = optional(Text() | Nested(SystemCreatedAcrAccount), "Its container registry.")
    identity = optional(Nested(ResourceIdentity), "The identity that it acts as.")
    intellectual_property = optional(Anything(), "The owner of its content.")
    managed_resource_group = from_service(Anything(), "The resource group of its parts.")
    mlflow_registry_uri = from_service(Text(), "The MLflow tracking URI.")
    discovery_url = from_service(Text(), "The URL that lists its services.")
