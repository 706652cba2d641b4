"""Imports from databases and buckets: jobs, steps and components."""

from __future__ import annotations

from smalt.entities.assets.component import COMPONENT_INPUTS, Component, Port
from smalt.entities.jobs.inputs import Output
from smalt.entities.jobs.job import Job
from smalt.entities.schema.effects import KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Enum, Text
from smalt.entities.steps.nodes import ComponentNode


class ImportSource(Entity):
    noun = "the source of an import"
    _effect = KEPT

    type = required(Enum("azuresqldb", "azuresynapseanalytics", "snowflake", "s3"), "The kind of source.")
    connection = required(Text(), "The connection that leads to it.")
    query = optional(Text(), "The SQL query, of a database.")
    path = optional(Text(), "The path, in a bucket.")


class DatabaseImportSource(ImportSource):
    """A database as a source, under its name in the official SDK."""


class FileImportSource(ImportSource):
    """A bucket as a source, under its name in the official SDK."""


class ImportJob(Job):
    noun = "an import job"
    _effect = REFUSED

    type = constant("import", "The type of job.")
    source = required(Nested(ImportSource), "The source of the import.")
    output = required(Nested(Output), "The path that it is written to.")


class ImportNode(ComponentNode):
    noun = "an import step"
    _effect = REFUSED

    type = constant("import", "The type of step.")
    source = optional(Nested(ImportSource), "The source of the import.")
    output = optional(Nested(Output), "The path that it is written to.")

    _alternatives = ("component", "source")


class ImportComponent(Component):
    noun = "an import component"
    _effect = KEPT

    type = constant("import", "The type of component.")
    source = required(COMPONENT_INPUTS, "The parameters of the source, by name.")
    output = required(Port(Output), "The path that it is written to.")
