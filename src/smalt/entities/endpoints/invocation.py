"""Invocations of batch endpoints: what one request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from smalt.entities.endpoints.batch_deployment import BatchRetrySettings
from smalt.entities.jobs.inputs import JOB_OUTPUTS, Input, JobInput, LiteralValue, Ports
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import Entity, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import AsText, Integer, Map, Text
from smalt.entities.syntax.literals import PRIMITIVES, Literal

UNNAMED: Final = ("UriFile", "UriFolder")
"""The names that Azure's clients give to an input that its caller has not named."""


class InvocationInput(JobInput):
    """An input of an invocation: data, or a literal, which may stand in the `default` of its type."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> Input | Literal | None:
        given = vars(value) if isinstance(value, Input) else value
        if not isinstance(given, Mapping) or given.get("type") not in PRIMITIVES:
            return super().read_value(value, path, reader)
        literal = next((given[key] for key in ("default", "value", "path") if given.get(key) is not None), None)
        if literal is None:
            reader.add_problem(path, f"an input of type {given['type']} needs 'default', its value")
            return None
        return LiteralValue().read_value(literal, (*path, "default"), reader)


class InvocationCompute(Entity):
    noun = "the compute of an invocation"
    _effect = ACTED

    target = optional(Text(), "The compute instead of the deployment's.")
    instance_count = optional(Integer(at_least=1), "The number of machines.")
    instance_type = optional(Text(), "The size of the machines.")


class OutputDataset(Entity):
    noun = "the place of the results"
    _effect = ACTED

    datastore_id = optional(Text(), "The datastore.")
    path = optional(Text(), "The folder in it.")


class BatchInvocation(Entity):
    noun = "an invocation of a batch endpoint"
    _effect = ACTED

    inputs = mapping(Ports(InvocationInput()), "The inputs, by name.")
    outputs = mapping(JOB_OUTPUTS, "The places of the outputs, by name.")
    job_name = optional(Text(), "The name of the job.")
    experiment_name = optional(Text(), "The experiment that the job is listed under; the endpoint's name where unset.")
    display_name = optional(Text(), "The name of the job that people see.")
    description = optional(Text(), "A description of the job.", effect=KEPT)
    tags = mapping(Map(AsText()), "Labels of the job, for people and searches.", effect=KEPT)
    properties = mapping(Map(AsText()), "Properties of the job.", effect=KEPT)
    mini_batch_size = optional(Integer(at_least=1), "Files in a mini-batch of a deployed model.")
    error_threshold = optional(Integer(at_least=-1), "Items of a deployed model that may fail; -1 for any number.")
    retry_settings = optional(Nested(BatchRetrySettings), "The retries of a deployed model.")
    compute = optional(Nested(InvocationCompute), "The machines of a deployed model.")
    output_file_name = optional(Text(), "The file that a deployed model's rows are appended to.")
    output_dataset = optional(Nested(OutputDataset), "The folder for the results of a deployed model.")
