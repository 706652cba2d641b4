"""Feature stores, feature sets and their entities."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.assets.environment import LocalOrRemote
from smalt.entities.schedules.triggers import RecurrenceTrigger
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, AsText, Boolean, Enum, List, Map, Text, Version
from smalt.entities.workspaces.resource_identity import UserAssignedIdentity
from smalt.entities.workspaces.workspace import Workspace

STAGES = Enum("Development", "Production", "Archived")


class ComputeRuntime(Entity):
    noun = "a compute runtime"
    _effect = KEPT

    spark_runtime_version = optional(AsText(), "The version of Spark.")


class MaterializationStore(Entity):
    noun = "a materialization store"
    _effect = KEPT

    type = required(Text(), "The type of store.")
    target = required(Text(), "The ARM id of the store.")


class IdentityOfStore(UserAssignedIdentity):
    noun = "a materialization identity"

    client_id = optional(Text(), "Its client id.")
    principal_id = optional(Text(), "Its principal.")


class FeatureStore(Workspace):
    noun = "a feature store"

    compute_runtime = optional(Nested(ComputeRuntime), "The environment that its jobs run in.")
    offline_store = optional(Nested(MaterializationStore), "The offline store of features.")
    online_store = optional(Nested(MaterializationStore), "The online store of features.")
    materialization_identity = optional(Nested(IdentityOfStore), "The identity that materializes features.")


class FeatureSetSpecification(Entity):
    noun = "a feature set specification"
    _effect = KEPT

    path = required(LocalOrRemote(), "The folder with `FeatureSetSpec.yaml`.")


class Notification(Entity):
    noun = "a notification"
    _effect = KEPT

    email_on = required(List(Text()), "The events that mail is sent about.")
    emails = required(List(Text()), "The recipients.")


class MaterializationComputeResource(Entity):
    noun = "the machines of a materialization"
    _effect = KEPT

    instance_type = optional(Text(), "The kind of machine.")


class MaterializationSettings(Entity):
    noun = "materialization settings"
    _effect = KEPT

    offline_enabled = optional(Boolean(), "Whether features are kept for training.")
    online_enabled = optional(Boolean(), "Whether features are kept for answers.")
    resource = optional(Nested(MaterializationComputeResource), "The compute that materializes features.")
    schedule = optional(Nested(RecurrenceTrigger), "The schedule of materialization.")
    notification = optional(Nested(Notification), "The recipients of mail.")
    spark_configuration = mapping(Map(Anything()), "Spark's configuration.")


class FeatureSet(Asset):
    noun = "a feature set"
    _effect = KEPT

    name = required(Text(), "The name.")
    version = required(Version(), "The version.")
    specification = required(Nested(FeatureSetSpecification), "The source data.")
    entities = required(List(Text()), "The entities that its rows are about.")
    stage = optional(STAGES, "The stage of its life.")
    materialization_settings = optional(Nested(MaterializationSettings), "Whether and when features are made.")


class DataColumn(Entity):
    noun = "a data column"
    _effect = KEPT

    name = required(Text(), "The name.")
    type = required(Text(), "The type.")


class FeatureStoreEntity(Asset):
    noun = "a feature store entity"
    _effect = KEPT

    name = required(Text(), "The name.")
    version = required(Version(), "The version.")
    index_columns = required(List(Nested(DataColumn)), "The columns that tell its rows apart.")
    stage = optional(STAGES, "The stage of its life.")
