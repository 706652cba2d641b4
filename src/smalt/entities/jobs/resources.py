"""Resources of jobs: machines, limits, queues and distributions."""

from __future__ import annotations

from smalt.entities.schema.effects import ACTED, NONE
from smalt.entities.schema.entity import Entity, constant, mapping, optional
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import TaggedNoun
from smalt.entities.schema.shapes import Anything, Boolean, Enum, Integer, List, Map, Text


class JobResourceConfiguration(Keyed, Entity):
    noun = "resources"

    instance_count = optional(Integer(at_least=1), "The number of machines.", effect=ACTED)
    instance_type = optional(Text(), "The kind of machine.", effect=ACTED)
    max_instance_count = optional(Integer(at_least=1), "The largest number of machines.", effect=NONE)
    locations = optional(List(Text()), "Regions that it may run in.", effect=NONE)
    shm_size = optional(Text(), "Shared memory of the container, such as `2g`.", effect=ACTED)
    docker_args = optional(Text() | List(Text()), "Further arguments for the container engine.", effect=ACTED)
    properties = mapping(Map(Anything()), "Settings of the compute.", effect=NONE)


class ComponentResources(JobResourceConfiguration):
    """Resources of a component. Unknown keys are kept for other computes."""

    _is_open = True


class CountsInstances(Entity):
    """A noun that also takes `instance_count` beside `resources`."""

    @property
    def instance_count(self) -> int | None:
        """Return the number of machines, `resources.instance_count`."""
        return getattr(vars(self).get("resources"), "instance_count", None)

    @instance_count.setter
    def instance_count(self, count: int | None) -> None:
        resources = vars(self).get("resources") or self._read_field(self._fields["resources"], "resources", {})
        resources.instance_count = count
        vars(self)["resources"] = resources


class CommandJobLimits(Entity):
    noun = "limits of a command job"

    timeout = optional(Integer(at_least=0), "Seconds after which it is ended; never if 0 or unset.", effect=ACTED)


class QueueSettings(Keyed, Entity):
    noun = "queue settings"
    _effect = NONE

    job_tier = optional(Enum("spot", "basic", "standard", "premium", "null"), "The tier of the machines.")
    priority = optional(Enum("low", "medium", "high"), "The place in the queue.")


class Distribution(Entity):
    noun = "a distribution"


class PyTorchDistribution(Distribution):
    noun = "a PyTorch distribution"

    type = constant("pytorch", "The framework.")
    process_count_per_instance = optional(Integer(at_least=1), "Processes on each machine.", effect=ACTED)


class TensorFlowDistribution(Distribution):
    noun = "a TensorFlow distribution"

    type = constant("tensorflow", "The framework.")
    parameter_server_count = optional(Integer(at_least=0), "Parameter servers.", effect=ACTED)
    worker_count = optional(Integer(at_least=0), "Workers; as many as machines where unset.", effect=ACTED)


class MpiDistribution(Distribution):
    noun = "an MPI distribution"

    type = constant("mpi", "The framework.")
    process_count_per_instance = optional(Integer(at_least=1), "Processes on each machine.", effect=ACTED)


class RayDistribution(Distribution):
    noun = "a Ray distribution"

    type = constant("ray", "The framework.")
    port = optional(Integer(at_least=1, at_most=65_535), "The port of the head node.", effect=ACTED)
    address = optional(Text(), "The address of the head node.", effect=ACTED)
    include_dashboard = optional(Boolean(), "Whether the dashboard is started.", effect=ACTED)
    dashboard_port = optional(Integer(at_least=1, at_most=65_535), "The dashboard's port.", effect=ACTED)
    head_node_additional_args = optional(Text(), "Further arguments of `ray start` on the head node.", effect=ACTED)
    worker_node_additional_args = optional(Text(), "Further arguments of `ray start` on workers.", effect=ACTED)


DISTRIBUTION = TaggedNoun(
    Distribution,
    "type",
    {
        "pytorch": "jobs.resources:PyTorchDistribution",
        "tensorflow": "jobs.resources:TensorFlowDistribution",
        "mpi": "jobs.resources:MpiDistribution",
        "ray": "jobs.resources:RayDistribution",
    },
)


class ResourceConfiguration(JobResourceConfiguration):
    """Resources of a deployment or a materialization."""


class ComputeConfiguration(Keyed, Entity):
    noun = "a compute configuration"

    deserialize_properties = optional(Boolean(), "Whether `properties` are texts of JSON.")
    target = optional(Text(), "The compute.")
    instance_count = optional(Integer(), "The number of machines.")
    instance_type = optional(Text(), "The kind of machine.")
    location = optional(Text(), "The region.")
    is_local = optional(Boolean(), "Whether it is this machine.")
    properties = mapping(Map(Anything()), "Settings of the compute.")
