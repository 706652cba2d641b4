"""The settings of computes: applications, schedules, scripts, scaling."""

from __future__ import annotations

from smalt.entities.compute import Compute, SshSettings
from smalt.entities.effect import KEPT
from smalt.entities.entity import Entity, mapping, optional, required
from smalt.entities.nested import Nested
from smalt.entities.shapes import Anything, Boolean, Integer, List, Map, Text


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
    target = required(Text(), "Where it is found in the container.")


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


class ComputeStartStopSchedule(Entity):
    noun = "a start and stop schedule"
    _effect = KEPT

    trigger = optional(Anything(), "Trigger.")
    action = optional(Anything(), "Action.")
    state = optional(Anything(), "State.")


class ComputeSchedules(Entity):
    noun = "schedules of a compute instance"
    _effect = KEPT

    compute_start_stop = optional(List(Nested(ComputeStartStopSchedule)), "Compute start stop.")


class AutoScaleSettings(Entity):
    noun = "settings of scaling"
    _effect = KEPT

    min_node_count = optional(Integer(), "Min node count.")
    max_node_count = optional(Integer(), "Max node count.")
    enabled = optional(Boolean(), "Enabled.")


class AutoPauseSettings(Entity):
    noun = "settings of pausing"
    _effect = KEPT

    delay_in_minutes = optional(Integer(), "Delay in minutes.")
    enabled = optional(Boolean(), "Enabled.")


class VirtualMachineSshSettings(SshSettings):
    noun = "SSH settings of a virtual machine"


class AmlComputeSshSettings(SshSettings):
    noun = "SSH settings of a cluster"


class ComputeInstanceSshSettings(SshSettings):
    noun = "SSH settings of a compute instance"


class UnsupportedCompute(Compute):
    noun = "a compute of an unknown type"
