"""Online deployments, managed and on Kubernetes."""

from __future__ import annotations

from smalt.entities.endpoints.deployment import Deployment
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, constant, mapping, optional
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.shapes import Anything, AsText, Boolean, Enum, Integer, List, Map, Number, Text


class OnlineScaleSettings(Entity):
    noun = "scale settings"
    _effect = KEPT

    type = optional(Text(), "The type.")


class DefaultScaleSettings(OnlineScaleSettings):
    noun = "default scale settings"

    type = constant("default", "The type.")


class TargetUtilizationScaleSettings(OnlineScaleSettings):
    noun = "scale settings by utilization"

    type = constant("target_utilization", "The type.")
    min_instances = optional(Integer(at_least=0), "Instances at least.")
    max_instances = optional(Integer(at_least=1), "Instances at most.")
    polling_interval = optional(Integer(at_least=1), "Seconds between two looks.")
    target_utilization_percentage = optional(Integer(1, 100), "The target utilization of instances, in percent.")


SCALE: TaggedNoun[OnlineScaleSettings] = TaggedNoun(
    OnlineScaleSettings,
    "type",
    {
        "default": "endpoints.online_deployment:DefaultScaleSettings",
        "target_utilization": "endpoints.online_deployment:TargetUtilizationScaleSettings",
    },
)


class OnlineRequestSettings(Entity):
    noun = "request settings"
    _effect = KEPT

    request_timeout_ms = optional(Integer(at_least=1), "Milliseconds for one request.")
    max_concurrent_requests_per_instance = optional(Integer(at_least=1), "Requests at a time.")
    max_queue_wait_ms = optional(Integer(at_least=0), "Milliseconds that a request may wait.")


class ProbeSettings(Entity):
    noun = "a probe"
    _effect = KEPT

    initial_delay = optional(Integer(at_least=0), "Seconds before the first look.")
    period = optional(Integer(at_least=1), "Seconds between two looks.")
    timeout = optional(Integer(at_least=1), "Seconds for one look.")
    success_threshold = optional(Integer(at_least=1), "Looks that must succeed.")
    failure_threshold = optional(Integer(at_least=1), "Looks that may fail.")


class DataAsset(Entity):
    noun = "the data asset of a collection"
    _effect = KEPT

    data_id = optional(Text(), "The full id.")
    name = optional(Text(), "The name.")
    path = optional(Text(), "The path or URL.")
    version = optional(AsText(), "The version.")


class DeploymentCollection(Entity):
    noun = "a collection of requests"
    _effect = KEPT

    enabled = optional(Boolean(), "Whether it is collected.")
    data = optional(Anything(), "The data asset that it becomes.")
    client_id = optional(Text(), "The client id that writes it.")


class RequestLogging(Entity):
    noun = "request logging"
    _effect = KEPT

    capture_headers = optional(List(Text()), "The headers that are kept.")


class DataCollector(Entity):
    noun = "a data collector"
    _effect = KEPT

    collections = mapping(Map(Nested(DeploymentCollection)), "The collections, by name.")
    rolling_rate = optional(Enum("minute", "hour", "day"), "The time until a new file is begun.")
    sampling_rate = optional(Number(0, 1), "The part of the requests that is collected.")
    request_logging = optional(Nested(RequestLogging), "The parts of a request that are logged.")


class ResourceSettings(Entity):
    noun = "amounts of resources"
    _effect = KEPT

    cpu = optional(AsText(), "CPUs, such as `0.5` or `500m`.")
    memory = optional(AsText(), "Memory, such as `1Gi`.")
    gpu = optional(AsText(), "GPUs.")


class ResourceRequirementsSettings(Entity):
    noun = "resource requirements"
    _effect = KEPT

    requests = optional(Nested(ResourceSettings), "The resources that it requests.")
    limits = optional(Nested(ResourceSettings), "The most resources that it may use.")


class OnlineDeployment(Deployment):
    noun = "an online deployment"

    instance_count = optional(Integer(at_least=0), "The number of instances.")
    instance_type = optional(Text(), "The kind of machine.")
    app_insights_enabled = optional(Boolean(), "Whether Application Insights is on.")
    scale_settings = optional(SCALE, "The settings of scaling.")
    request_settings = optional(Nested(OnlineRequestSettings), "The settings of request handling.")
    liveness_probe = optional(Nested(ProbeSettings), "The liveness probe.")
    readiness_probe = optional(Nested(ProbeSettings), "Whether it can take requests.")
    startup_probe = optional(Nested(ProbeSettings), "Whether it has started.")
    model_mount_path = optional(Text(), "The path of the model in the container.")
    data_collector = optional(Nested(DataCollector), "The settings of request logging.")


class ManagedOnlineDeployment(OnlineDeployment):
    noun = "a managed online deployment"

    type = constant("managed", "The type.")
    egress_public_network_access = optional(Enum("enabled", "disabled"), "Whether it reaches the network.")
    private_network_connection = optional(Boolean(), "Whether it is reached by a private network.")


class KubernetesOnlineDeployment(OnlineDeployment):
    noun = "a Kubernetes online deployment"

    type = constant("kubernetes", "The type.")
    resources = optional(Nested(ResourceRequirementsSettings), "CPUs, memory and GPUs.")
