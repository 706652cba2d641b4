"""Settings of computes: applications, schedules, scripts and scaling."""

from __future__ import annotations

from smalt.entities.computes.compute import Compute, SshSettings
from smalt.entities.computes.compute import CustomApplications as CustomApplications
from smalt.entities.computes.compute import EndpointsSettings as EndpointsSettings
from smalt.entities.computes.compute import ImageSettings as ImageSettings
from smalt.entities.computes.compute import ScriptReference as ScriptReference
from smalt.entities.computes.compute import SetupScripts as SetupScripts
from smalt.entities.computes.compute import VolumeSettings as VolumeSettings
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Boolean, Integer, List


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
