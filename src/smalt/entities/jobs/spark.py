"""Spark jobs, steps and components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import ENVIRONMENT, LocalOrRemote
from smalt.entities.enums import SparkJobEntryType
from smalt.entities.jobs.command import CodePath
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.rules.spark import check_conf
from smalt.entities.schema.effects import ACTED, KEPT, NONE
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Anything, AsText, List, Map, Text
from smalt.entities.schema.travel import BODY, SHARED, Travel
from smalt.entities.steps.nodes import ComponentNode

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class SparkJobEntry(Entity):
    noun = "the entry of a Spark job"
    _effect = ACTED

    file = optional(Text(), "The Python file in the code folder.")
    class_name = optional(Text(), "The class in a jar, in place of a file.")

    @property
    def entry(self) -> str | None:
        """Return the file or the class."""
        return self.class_name or self.file

    @entry.setter
    def entry(self, value: str) -> None:
        self.file = value

    @property
    def type(self) -> str:
        """Return the kind of entry: a file or a class."""
        return SparkJobEntryType.SPARK_JOB_CLASS_ENTRY if self.class_name else SparkJobEntryType.SPARK_JOB_FILE_ENTRY

    @type.setter
    def type(self, value: str) -> None:
        if value == SparkJobEntryType.SPARK_JOB_CLASS_ENTRY and self.file:
            self.file, self.class_name = None, self.file


class SparkResourceConfiguration(Keyed, Entity):
    noun = "resources of a Spark job"
    _effect = ACTED
    instance_type_list: ClassVar[list[str]] = [f"standard_e{cores}s_v3" for cores in (4, 8, 16, 32, 64)]

    instance_type = optional(Text(), "The kind of machine.", effect=NONE)
    runtime_version = optional(AsText(), "The version of Spark.")
    instance_count = optional(AsText(), "Has no effect; `conf` says how many executors there are.", effect=NONE)


_OWN_KEYS = frozenset(
    (
        *("spark.driver.cores", "spark.driver.memory", "spark.executor.cores", "spark.executor.memory"),
        *("spark.executor.instances", "spark.dynamicAllocation.enabled"),
        *("spark.dynamicAllocation.minExecutors", "spark.dynamicAllocation.maxExecutors"),
    )
)
"""The keys of `conf` that jobs have as attributes of their own."""


def _make_setting(key: str) -> Any:
    """Return a property for a key of `conf`."""

    def get(spark: Spark) -> Any:
        return spark.conf.get(key)

    def put(spark: Spark, value: Any) -> None:
        if value is not None:
            spark.conf = {**spark.conf, key: value}

    return property(get, put, doc=f"`{key}` of `conf`.")


class Spark(Entity):
    """The fields that Spark jobs, steps and components share."""

    noun = "a Spark job"
    _effect = ACTED

    code = optional(CodePath(), "The folder with the entry file.", travels=BODY)
    entry = optional(Nested(SparkJobEntry), "The entry: a file or a class.", travels=SHARED | Travel.SPEC)
    py_files = optional(List(Text()), "Python files and archives on the path.", travels=SHARED | Travel.SPEC)
    jars = optional(List(Text()), "Jars of driver and executors.", travels=SHARED | Travel.SPEC)
    files = optional(List(Text()), "Files beside each executor.", travels=SHARED | Travel.SPEC)
    archives = optional(List(Text()), "Archives unpacked beside each executor.", travels=SHARED | Travel.SPEC)
    conf = mapping(Map(Anything()), "Spark's configuration.", travels=SHARED | Travel.SPEC | Travel.STEP)
    args = optional(Text(), "The arguments of the entry.", travels=SHARED | Travel.SPEC)
    environment = optional(ENVIRONMENT, "Python packages.", travels=BODY)

    driver_cores = _make_setting("spark.driver.cores")
    driver_memory = _make_setting("spark.driver.memory")
    executor_cores = _make_setting("spark.executor.cores")
    executor_memory = _make_setting("spark.executor.memory")
    executor_instances = _make_setting("spark.executor.instances")
    dynamic_allocation_enabled = _make_setting("spark.dynamicAllocation.enabled")
    dynamic_allocation_min_executors = _make_setting("spark.dynamicAllocation.minExecutors")
    dynamic_allocation_max_executors = _make_setting("spark.dynamicAllocation.maxExecutors")


class SparkJob(Spark, Job):
    noun = "a Spark job"

    type = constant("spark", "The type of job.")
    entry = required(Nested(SparkJobEntry), "The entry: a file or a class.")
    inputs = mapping(JOB_INPUTS, "The inputs, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")
    identity = optional(IDENTITY, "The identity that it runs as.", effect=ACTED)
    resources = optional(Nested(SparkResourceConfiguration), "The machines that it asks for.")
    properties = mapping(Map(Anything()), "The properties that tools set.", effect=KEPT)

    def filter_conf_fields(self) -> dict[str, Any]:
        """Return the part of `conf` that the job has no attribute for, unlike `driver_cores`."""
        return {key: value for key, value in self.conf.items() if key not in _OWN_KEYS}

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        check_own(self, "this Spark job", places.OF_JOB, path, reader, data=data)
        check_conf(self.conf, path, reader)


class SparkNode(Spark, ComponentNode):
    noun = "a Spark step"

    type = constant("spark", "The type of step.")
    resources = optional(Nested(SparkResourceConfiguration), "The machines that it asks for.", travels=SHARED)
    identity = optional(IDENTITY, "The identity that it runs as.", effect=ACTED)
    properties = mapping(Map(Anything()), "The properties that tools set.", effect=KEPT)

    _alternatives = ("component", "entry")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_conf(self.conf, path, reader)
        if "component" not in data:
            check_own(self, "this step", places.OF_BODY, path, reader, data=data)


class SparkComponent(Spark, Component):
    noun = "a Spark component"

    type = constant("spark", "The type of component.")
    entry = required(Nested(SparkJobEntry), "The entry: a file or a class.", travels=SHARED | Travel.SPEC)
    additional_includes = optional(
        List(LocalOrRemote(must_exist=False)), "Files and folders that are added to the code."
    )

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_own(self, "this component", places.OF_COMPONENT, path, reader, data=data)
        check_conf(self.conf, path, reader)
