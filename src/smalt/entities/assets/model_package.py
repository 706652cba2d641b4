"""Packages of a model and the server that answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.asset import ASSET_TAGS
from smalt.entities.assets.environment import Route
from smalt.entities.endpoints.deployment import CodeConfiguration
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.schema.effects import KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Enum, List, Map, Text


class BaseEnvironment(Entity):
    noun = "a base environment"
    _effect = KEPT

    type = optional(Text(), "The type of source.")
    resource_id = optional(Text(), "The environment.")


class InferenceConfiguration(Entity):
    noun = "an inference configuration"
    _effect = KEPT

    liveness_route = optional(Nested(Route), "The route of liveness checks.")
    readiness_route = optional(Nested(Route), "The route of readiness checks.")
    scoring_route = optional(Nested(Route), "The route of requests.")
    entry_script = optional(Text(), "The script with `init` and `run`.")
    configuration = mapping(Map(Anything()), "Settings of the server.")


class InferenceServer(Entity):
    noun = "an inference server"
    _effect = KEPT

    type = required(Enum("azureml_online", "azureml_batch", "custom", "triton"), "The type of server.")
    code_configuration = optional(Nested(CodeConfiguration), "The code that asks the model.")
    inference_configuration = optional(Nested(InferenceConfiguration), "The routes of the server.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        named = {one.__dict__["type"].default: one for one in cls.__subclasses__()} if cls is InferenceServer else {}
        return named.get(str(data.get("type")).lower(), cls)


class AzureMLOnlineInferencingServer(InferenceServer):
    type = constant("azureml_online", "The type of server.")


class AzureMLBatchInferencingServer(InferenceServer):
    type = constant("azureml_batch", "The type of server.")


class TritonInferencingServer(InferenceServer):
    type = constant("triton", "The type of server.")


class CustomInferencingServer(InferenceServer):
    type = constant("custom", "The type of server.")


class PackageInputPath(Entity):
    noun = "where an input of a package is"
    _effect = KEPT

    input_path_type = optional(Text(), "The form of the path.")


class PackageInputPathId(PackageInputPath):
    resource_id = optional(Text(), "The full id.")


class PackageInputPathUrl(PackageInputPath):
    url = optional(Text(), "The URL.")


class PackageInputPathVersion(PackageInputPath):
    resource_name = optional(Text(), "The name.")
    resource_version = optional(Text(), "The version.")


class ModelConfiguration(Entity):
    noun = "a model configuration"
    _effect = KEPT

    mode = optional(Enum("copy", "download"), "The mode in which the package gets the model.")
    mount_path = optional(Text(), "The path in the container that it is mounted at.")


class ModelPackageInput(Entity):
    noun = "an input of a package"
    _effect = KEPT

    type = optional(Enum("uri_file", "uri_folder"), "The type.")
    mode = optional(Enum("read_only_mount", "download"), "The mode in which the package gets the input.")
    path = optional(Anything(), "The path or URL.")
    mount_path = optional(Text(), "The path in the container that it is mounted at.")


class ModelPackage(Entity):
    noun = "a model package"
    _effect = REFUSED

    target_environment = optional(Text() | Map(Text()), "The environment that is made.")
    base_environment_source = optional(Nested(BaseEnvironment), "The base environment.")
    inferencing_server = optional(Nested(InferenceServer), "The inference server.")
    model_configuration = optional(Nested(ModelConfiguration), "The mode in which the package gets the model.")
    inputs = optional(List(Nested(ModelPackageInput)), "The further inputs of the package.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    tags = mapping(ASSET_TAGS, "Labels, for people and searches.")
