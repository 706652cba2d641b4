"""Data transfers (copy, import, export): jobs, steps and components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.rules.data_transfer import check_database, check_step, check_whole
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Enum, List, Text
from smalt.entities.schema.travel import BODY, SHARED, Travel
from smalt.entities.steps.nodes import ComponentNode

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class ExternalData(Entity):
    noun = "data elsewhere"
    _effect = ACTED

    connection = required(Text(), "The connection that leads to it.")


class StoredProcedureParameter(Entity):
    noun = "a parameter of a stored procedure"
    _effect = ACTED

    name = required(Text(), "The name.")
    value = required(Text(), "The value.")
    type = required(Text(), "The type.")


class Database(Keyed, ExternalData):
    noun = "a database"

    type = constant("database", "The type.")
    query = optional(Text(), "The SQL query.")
    table_name = optional(Text(), "The table.")
    stored_procedure = optional(Text(), "The stored procedure.")
    stored_procedure_params = optional(List(Nested(StoredProcedureParameter)), "Its parameters.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        check_database(self, path, reader)


class FileSystem(Keyed, ExternalData):
    noun = "a file system"

    type = constant("file_system", "The type.")
    path = optional(Text(), "The path.")


class ExternalDataKind(Entity):
    """The type of source or sink that a component declares; its steps give the rest."""

    noun = "the kind of data elsewhere"
    _effect = ACTED

    type = required(Enum("database", "file_system"), "The type.")


EXTERNAL_DATA: TaggedNoun[ExternalData] = TaggedNoun(
    ExternalData,
    "type",
    {"database": "jobs.data_transfer:Database", "file_system": "jobs.data_transfer:FileSystem"},
    default="file_system",
)
TASK = Enum("copy_data", "import_data", "export_data")


class DataTransfer(Entity):
    """The fields that jobs, steps and components share."""

    noun = "a data transfer"
    _effect = ACTED

    task = required(TASK, "The task: copy, import or export.", travels=SHARED | Travel.SPEC | Travel.STEP)
    data_copy_mode = optional(
        Enum("merge_with_overwrite", "fail_if_conflict"),
        "The treatment of a file that is there already, or that two inputs have.",
        travels=BODY | Travel.STEP,
    )

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        given = vars(self)
        given.setdefault(
            "task", "import_data" if given.get("source") else "export_data" if given.get("sink") else "copy_data"
        )


class DataTransferJob(DataTransfer, Job):
    noun = "a data transfer job"

    type = constant("data_transfer", "The type of job.")
    inputs = mapping(JOB_INPUTS, "The inputs, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")
    source = optional(EXTERNAL_DATA, "The source of the import.")
    sink = optional(EXTERNAL_DATA, "The sink of the export.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        check_whole(self, path, reader)


class DataTransferNode(DataTransfer, ComponentNode):
    noun = "a data transfer step"

    type = constant("data_transfer", "The type of step.")
    source = optional(EXTERNAL_DATA, "The source of the import.")
    sink = optional(EXTERNAL_DATA, "The sink of the export.")

    _alternatives = ("component", "task")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_step(self, path, reader)


class DataTransferComponent(DataTransfer, Component):
    noun = "a data transfer component"

    type = constant("data_transfer", "The type of component.")
    source = optional(Nested(ExternalDataKind), "The source of the import.", travels=Travel.NOWHERE)
    sink = optional(Nested(ExternalDataKind), "The sink of the export.", travels=Travel.NOWHERE)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_whole(self, path, reader)

    def __init__(self, *arguments: Any, **values: Any) -> None:
        """Take the source or sink of a step, too: a component says only its kind."""
        for name in ("source", "sink"):
            if isinstance(values.get(name), ExternalData):
                values[name] = ExternalDataKind(type=vars(values[name]).get("type") or type(values[name]).type)
        super().__init__(*arguments, **values)
