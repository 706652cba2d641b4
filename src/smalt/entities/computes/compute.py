"""Computes, one class per type."""

from __future__ import annotations

from smalt.entities.assets.asset import TAGS, ShownEntity, SystemData
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import Entity, constant, from_service, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, AsText, Boolean, Enum, Integer, List, Map, Text
from smalt.entities.workspaces.resource_identity import ResourceIdentity


class Compute(ShownEntity):
    noun = "a compute"
    _effect = KEPT

    type = optional(Text(), "The type of compute.")
    name = required(Text(), "The name.", effect=ACTED)
    description = optional(Text(), "A description, for people.")
    location = optional(Text(), "The region.")
    tags = mapping(TAGS, "Labels, for people and searches.")
    resource_id = optional(Text(), "The ARM id of what is attached.")
    identity = optional(Nested(ResourceIdentity), "The identity that it acts as.")
    id = from_service(Text(), "The full id, given by the service.")
    provisioning_state = from_service(Text(), "The state.")
    provisioning_errors = from_service(Anything(), "The errors of its creation.")
    created_on = from_service(Anything(), "The time of creation.")
    creation_context = from_service(Nested(SystemData), "The authors and times of creation and last change.")


class SshSettings(Entity):
    noun = "SSH settings"
    _effect = KEPT

    admin_username = optional(Text(), "The user.")
    admin_password = optional(Text(), "The password.")
    ssh_key_value = optional(Text(), "The public key.")
    ssh_port = optional(AsText(), "The port.")
    ssh_private_key_file = optional(Text(), "The file with the private key.")


class NetworkSettings(Entity):
    noun = "network settings"
    _effect = KEPT

    vnet_name = optional(Text(), "The virtual network.")
    subnet = optional(Text(), "The subnet.")
    public_ip_address = from_service(Text(), "Its public address.")
    private_ip_address = from_service(Text(), "Its private address.")


class AmlCompute(Compute):
    noun = "a compute cluster"

    type = constant("amlcompute", "The type of compute.")
    size = optional(Text(), "The size of its machines.")
    tier = optional(Enum("low_priority", "dedicated"), "Whether its machines may be taken away.")
    min_instances = optional(Integer(at_least=0), "Machines that are kept.")
    max_instances = optional(Integer(at_least=0), "Machines at most.")
    idle_time_before_scale_down = optional(Integer(at_least=0), "Seconds that an idle machine is kept.")
    ssh_public_access_enabled = optional(Boolean(), "Whether SSH is open to the network.")
    ssh_settings = optional(Nested(SshSettings), "The settings of SSH access.")
    network_settings = optional(Nested(NetworkSettings), "The network.")
    enable_node_public_ip = optional(Boolean(), "Whether machines have public addresses.")


class VirtualMachineCompute(Compute):
    noun = "an attached virtual machine"

    type = constant("virtualmachine", "The type of compute.")
    resource_id = required(Text(), "The ARM id of the machine.")
    ssh_settings = optional(Nested(SshSettings), "The credentials.")
    compute_location = from_service(Text(), "Its region.")


class KubernetesCompute(Compute):
    noun = "an attached Kubernetes cluster"

    type = constant("kubernetes", "The type of compute.")
    namespace = optional(Text(), "The namespace of its jobs; `default` where unset.")
    properties = mapping(Map(Anything()), "Settings of the cluster.")


class SynapseSparkCompute(Compute):
    noun = "an attached Spark pool"

    type = constant("synapsespark", "The type of compute.")
    resource_id = required(Text(), "The ARM id of the pool.")
    node_family = from_service(Text(), "The family of its machines.")
    node_size = from_service(Text(), "The size of its machines.")
    node_count = from_service(Integer(), "The number of machines.")
    spark_version = from_service(AsText(), "The version of Spark.")
    scale_settings = from_service(Anything(), "The settings of scaling.")
    auto_pause_settings = from_service(Anything(), "The setting of pauses.")


class AssignedUserConfiguration(Keyed, Entity):
    noun = "the user of a compute instance"
    _effect = KEPT

    user_tenant_id = optional(Text(), "The tenant.")
    user_object_id = optional(Text(), "The user.")


class ImageSettings(Entity):
    noun = "the image of an application"
    _effect = KEPT

    reference = required(Text(), "The image.")


class EndpointsSettings(Entity):
    noun = "a port of an application"
    _effect = KEPT

    target = required(Integer(), "The port in the container.")
    published = required(Integer(), "The port outside of it.")


class VolumeSettings(Entity):
    noun = "a folder of an application"
    _effect = KEPT

    source = required(Text(), "The folder on the machine.")
    target = required(Text(), "The path in the container.")


class CustomApplications(Entity):
    noun = "a custom application"
    _effect = KEPT

    name = required(Text(), "Name.")
    image = required(Nested(ImageSettings), "Image.")
    type = optional(Text(), "Type.")
    endpoints = required(List(Nested(EndpointsSettings)), "Endpoints.")
    environment_variables = mapping(Map(Anything()), "Environment variables.")
    bind_mounts = optional(List(Nested(VolumeSettings)), "Bind mounts.")


class ScriptReference(Entity):
    noun = "a setup script"
    _effect = KEPT

    path = optional(Text(), "Path.")
    command = optional(Text(), "Command.")
    timeout_minutes = optional(Integer(), "Timeout minutes.")


class SetupScripts(Entity):
    noun = "setup scripts"
    _effect = KEPT

    startup_script = optional(Nested(ScriptReference), "Startup script.")
    creation_script = optional(Nested(ScriptReference), "Creation script.")


class ComputeInstance(Compute):
    noun = "a compute instance"

    type = constant("computeinstance", "The type of compute.")
    size = optional(Text(), "The size of the machine.")
    create_on_behalf_of = optional(Nested(AssignedUserConfiguration), "Whose machine it is.")
    ssh_public_access_enabled = optional(Boolean(), "Whether SSH is open to the network.")
    ssh_settings = optional(Nested(SshSettings), "The settings of SSH access.")
    network_settings = optional(Nested(NetworkSettings), "The network.")
    schedules = mapping(Map(Anything()), "The schedule of starts and stops.")
    idle_time_before_shutdown = optional(Text(), "The idle time before shutdown, such as `PT30M`.")
    idle_time_before_shutdown_minutes = optional(Integer(), "The same in minutes.")
    custom_applications = optional(List(Nested(CustomApplications)), "Containers that run on it.")
    setup_scripts = optional(Nested(SetupScripts), "The scripts that run at creation and at start.")
    enable_node_public_ip = optional(Boolean(), "Whether it has a public address.")
    enable_sso = optional(Boolean(), "Whether one login is enough.")
    enable_root_access = optional(Boolean(), "Whether its user can be root.")
    enable_os_patching = optional(Boolean(), "Whether it patches its system.")
    release_quota_on_stop = optional(Boolean(), "Whether its quota is free while it is stopped.")
    state = from_service(Text(), "The state.")
    last_operation = from_service(Anything(), "The last operation.")
    services = from_service(Anything(), "The applications on it.")
    os_image_metadata = from_service(Anything(), "Its system image.")
