"""Datastores, one class per type of storage."""

from __future__ import annotations

from smalt.entities.assets.asset import TAGS, ShownEntity, SystemData
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import Entity, constant, from_service, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Enum, Map, Text
from smalt.entities.workspaces.credentials import CREDENTIALS


class Datastore(ShownEntity):
    noun = "a datastore"
    _effect = ACTED

    type = optional(Text(), "The type of storage.")
    name = required(Text(), "The name.")
    description = optional(Text(), "A description, for people.", effect=KEPT)
    tags = mapping(TAGS, "Labels, for people and searches.", effect=KEPT)
    properties = mapping(Map(Anything()), "The properties that tools set.", effect=KEPT)
    credentials = optional(CREDENTIALS, "The credentials; those of the user where unset.")
    id = from_service(Text(), "The full id, given by the service.")
    creation_context = from_service(Nested(SystemData), "The authors and times of creation and last change.")


class AzureStorageDatastore(Datastore):
    noun = "a datastore"

    account_name = required(Text(), "The storage account.")
    endpoint = optional(Text(), "The endpoint's suffix, such as `core.windows.net`.")
    protocol = optional(Text(), "The protocol: https, wasbs, abfss, …, as the service has it.")


class AzureBlobDatastore(AzureStorageDatastore):
    noun = "a blob datastore"

    type = constant("azure_blob", "The type of storage.")
    container_name = required(Text(), "The container.")


class AzureFileDatastore(AzureStorageDatastore):
    noun = "a file datastore"

    type = constant("azure_file", "The type of storage.")
    file_share_name = required(Text(), "The file share.")


class AzureDataLakeGen2Datastore(AzureStorageDatastore):
    noun = "a data lake datastore"

    type = constant("azure_data_lake_gen2", "The type of storage.")
    filesystem = required(Text(), "The file system.")


class AzureDataLakeGen1Datastore(Datastore):
    noun = "a data lake (gen 1) datastore"

    type = constant("azure_data_lake_gen1", "The type of storage.")
    store_name = required(Text(), "The store.")


class OneLakeArtifact(Keyed, Entity):
    noun = "a OneLake artifact"
    _effect = ACTED

    name = required(Text(), "The name or id of the artifact.")
    type = optional(Enum("lake_house"), "The type of artifact.")


class LakeHouseArtifact(OneLakeArtifact):
    noun = "a lake house of OneLake"

    type = constant("lake_house", "The type of artifact.")


class OneLakeDatastore(Datastore):
    noun = "a OneLake datastore"

    type = constant("one_lake", "The type of storage.")
    one_lake_workspace_name = required(Text(), "The Fabric workspace.")
    endpoint = required(Text(), "The endpoint.")
    artifact = optional(Nested(OneLakeArtifact), "The artifact in the workspace.")


class HdfsDatastore(Datastore):
    noun = "an HDFS datastore"

    type = constant("hdfs", "The type of storage.")
    name_node_address = required(Text(), "The address of the name node.")
    hdfs_server_certificate = optional(Text(), "The server's TLS certificate.")
    protocol = optional(Text(), "http or https.")


class OneLakeConnectionArtifact(OneLakeArtifact):
    """A OneLake artifact named in a connection."""


class S3Datastore(Datastore):
    """A datastore in S3; not in Azure ML."""

    noun = "an S3 datastore"

    type = constant("s3", "The type of storage.")
    bucket_name = required(Text(), "The bucket.")
    endpoint = optional(Text(), "The URL of the server, where it is not Amazon's.")
    region = optional(Text(), "The bucket's region.")


class GcsDatastore(Datastore):
    """A datastore in Google Cloud Storage; not in Azure ML."""

    noun = "a Google Cloud Storage datastore"

    type = constant("gcs", "The type of storage.")
    bucket_name = required(Text(), "The bucket.")
    endpoint = optional(Text(), "The URL of the server, where it is not Google's.")


class LocalPathDatastore(Datastore):
    """A datastore in a folder of this machine; not in Azure ML."""

    noun = "a local path datastore"

    type = constant("local_path", "The type of storage.")
    path = required(Text(), "The folder on the server's machine, written absolutely.")
