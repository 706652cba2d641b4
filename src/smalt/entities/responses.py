"""Responses of the service: sizes, quotas, keys and diagnoses, read by programs and never written by users."""

from __future__ import annotations

from typing import Any

from smalt.entities.assets.asset import SystemData
from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.keyed import Keyed, Mapped
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Boolean, Integer, List, Map, Number, Text


class ServiceInstance(Keyed, Entity):
    noun = "a service that runs beside a job"

    type = optional(Text(), "Type.")
    port = optional(Integer(), "Port.")
    status = optional(Text(), "Status.")
    error = optional(Text(), "Error.")
    endpoint = optional(Text(), "Endpoint.")
    properties = mapping(Map(Anything()), "Properties.")


class VmSize(Entity):
    noun = "a kind of machine"

    name = optional(Text(), "Name.")
    family = optional(Text(), "Family.")
    v_cp_us = optional(Integer(), "V cp us.")
    gpus = optional(Integer(), "Gpus.")
    os_vhd_size_mb = optional(Integer(), "Os vhd size mb.")
    max_resource_volume_mb = optional(Integer(), "Max resource volume mb.")
    memory_gb = optional(Number(), "Memory gb.")
    low_priority_capable = optional(Boolean(), "Low priority capable.")
    premium_io = optional(Boolean(), "Premium io.")
    supported_compute_types = optional(List(Text()), "Supported compute types.")


class UsageName(Entity):
    noun = "the name of a quota"

    value = optional(Text(), "Value.")
    localized_value = optional(Text(), "Localized value.")


class Usage(Entity):
    noun = "the use of a quota"

    id = optional(Text(), "Id.")
    aml_workspace_location = optional(Text(), "Aml workspace location.")
    type = optional(Text(), "Type.")
    unit = optional(Anything(), "Unit.")
    current_value = optional(Integer(), "Current value.")
    limit = optional(Integer(), "Limit.")
    name = optional(Nested(UsageName), "Name.")


class AmlComputeNodeInfo(Entity):
    noun = "a node of a cluster"

    node_id = optional(Text(), "The node.")
    private_ip_address = optional(Text(), "Its address within the network.")
    public_ip_address = optional(Text(), "Its address in the Internet.")
    port = optional(Integer(), "The port of its SSH server.")
    node_state = optional(Text(), "Whether it is idle, running, …")
    run_id = optional(Text(), "The job that it runs.")


class ImageMetadata(Entity):
    noun = "the system image of a compute instance"

    is_latest_os_image_version = required(Boolean(), "Is latest os image version.")
    current_image_version = required(Text(), "Current image version.")
    latest_image_version = required(Text(), "Latest image version.")


class NotebookAccessKeys(Entity):
    noun = "keys of the notebooks"

    primary_access_key = optional(Text(), "Primary access key.")
    secondary_access_key = optional(Text(), "Secondary access key.")


class ContainerRegistryCredential(Entity):
    noun = "credentials of a container registry"

    location = optional(Text(), "Location.")
    username = optional(Text(), "Username.")
    passwords = optional(List(Text()), "Passwords.")


class WorkspaceKeys(Entity):
    noun = "keys of a workspace"

    user_storage_key = optional(Text(), "User storage key.")
    user_storage_resource_id = optional(Text(), "User storage resource id.")
    app_insights_instrumentation_key = optional(Text(), "App insights instrumentation key.")
    container_registry_credentials = optional(Nested(ContainerRegistryCredential), "Container registry credentials.")
    notebook_access_keys = optional(Nested(NotebookAccessKeys), "Notebook access keys.")


class EndpointAuthKeys(Entity):
    noun = "keys of an endpoint"

    primary_key = optional(Text(), "The first key.")
    secondary_key = optional(Text(), "The second key.")


class EndpointAuthToken(Entity):
    noun = "a token of an endpoint"

    access_token = optional(Text(), "The token.")
    expiry_time_utc = optional(Anything(), "The end.")
    refresh_after_time_utc = optional(Anything(), "The time after which to ask for a new one.")
    token_type = optional(Text(), "The type.")


class EndpointAadToken(Entity):
    noun = "a token of the caller"

    access_token = optional(Text(), "The token.")
    expiry_time_utc = optional(Anything(), "The end.")

    def __init__(self, obj: Any) -> None:
        """Take the fields of `obj`, an access token of `azure.core`."""
        super().__init__(access_token=obj.token, expiry_time_utc=obj.expires_on)


class ScheduleTriggerResult(Entity):
    noun = "what became of a schedule that was triggered"

    job_name = optional(Text(), "The job that was made.")
    schedule_action_type = optional(Text(), "The action of the schedule.")


class BatchJob(Entity):
    noun = "a job of a batch endpoint"

    name = optional(Text(), "The name, that of a job of the workspace.")
    type = optional(Text(), "The type of resource.")
    status = optional(Text(), "The state.")
    id = optional(Text(), "The full id.")
    endpoint_name = optional(Text(), "The endpoint that was invoked.")
    deployment_name = optional(Text(), "The deployment that answered.")
    experiment_name = optional(Text(), "The experiment that it is listed under.")
    outputs = mapping(Map(Text()), "The address of each output.")


class ManagedNetworkProvisionStatus(Entity):
    noun = "the state of a managed network"

    status = optional(Text(), "Status.")
    spark_ready = optional(Boolean(), "Spark ready.")


class EndpointConnection(Entity):
    noun = "a connection to a private endpoint"

    subscription_id = required(Text(), "Subscription id.")
    resource_group = required(Text(), "Resource group.")
    vnet_name = required(Text(), "Vnet name.")
    subnet_name = required(Text(), "Subnet name.")
    location = optional(Text(), "Location.")


class PrivateEndpoint(Entity):
    noun = "a private endpoint"

    approval_type = optional(Text(), "Approval type.")
    connections = mapping(Map(Nested(EndpointConnection)), "Connections.")


class DiagnoseRequestProperties(Entity):
    noun = "what of a workspace is diagnosed"

    udr = mapping(Map(Anything()), "Udr.")
    nsg = mapping(Map(Anything()), "Nsg.")
    resource_lock = mapping(Map(Anything()), "Resource lock.")
    dns_resolution = mapping(Map(Anything()), "Dns resolution.")
    storage_account = mapping(Map(Anything()), "Storage account.")
    key_vault = mapping(Map(Anything()), "Key vault.")
    container_registry = mapping(Map(Anything()), "Container registry.")
    application_insights = mapping(Map(Anything()), "Application insights.")
    others = mapping(Map(Anything()), "Others.")


class DiagnoseWorkspaceParameters(Entity):
    noun = "a request for a diagnosis"

    value = optional(Anything(), "Value.")


class DiagnoseResult(Entity):
    noun = "a finding"

    code = optional(Text(), "Code.")
    level = optional(Text(), "Level.")
    message = optional(Text(), "Message.")


class DiagnoseResponseResultValue(Entity):
    noun = "the findings of a diagnosis"

    user_defined_route_results = optional(Anything(), "User defined route results.")
    network_security_rule_results = optional(Anything(), "Network security rule results.")
    resource_lock_results = optional(Anything(), "Resource lock results.")
    dns_resolution_results = optional(Anything(), "Dns resolution results.")
    storage_account_results = optional(Anything(), "Storage account results.")
    key_vault_results = optional(Anything(), "Key vault results.")
    container_registry_results = optional(Anything(), "Container registry results.")
    application_insights_results = optional(Anything(), "Application insights results.")
    other_results = optional(Anything(), "Other results.")


class DiagnoseResponseResult(Entity):
    noun = "the answer of a diagnosis"

    value = optional(Anything(), "Value.")


class FeatureWindow(Entity):
    noun = "a window of features"

    feature_window_start = required(Anything(), "Feature window start.")
    feature_window_end = required(Anything(), "Feature window end.")


class FeatureSetBackfillMetadata(Entity):
    noun = "the jobs of a backfill"

    job_ids = optional(List(Text()), "Job ids.")
    type = optional(Text(), "Type.")


class FeatureSetMaterializationMetadata(Entity):
    noun = "a materialization"

    type = optional(Anything(), "Type.")
    feature_window_start_time = optional(Anything(), "Feature window start time.")
    feature_window_end_time = optional(Anything(), "Feature window end time.")
    name = optional(Text(), "Name.")
    display_name = optional(Text(), "Display name.")
    creation_context = optional(Nested(SystemData), "Creation context.")
    duration = optional(Anything(), "Duration.")
    status = optional(Text(), "Status.")
    tags = mapping(Map(Anything()), "Tags.")


class AzureOpenAIDeployment(Mapped, Entity):
    noun = "a deployment of Azure OpenAI"

    name = optional(Text(), "The name.")
    model_name = optional(Text(), "The model.")
    model_version = optional(Text(), "Its version.")
    connection_name = optional(Text(), "The connection that leads to it.")
    target_url = optional(Text(), "The path or URL.")
    sku = optional(Anything(), "Its capacity.")
    properties = optional(Anything(), "The metadata.")
    tags = optional(Anything(), "Labels.")
    id = optional(Text(), "The full id.")
