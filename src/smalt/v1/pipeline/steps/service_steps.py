"""Steps of services of Azure: those that v2 has a job for, and those that are refused with what people do instead."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.v1.command_ports import find_ports
from smalt.v1.data.references import SqlDataReference
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.steps.base import PipelineStep
from smalt.v1.pipeline.steps.script_steps import TABLES, check_script
from smalt.v1.ports import find_port

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder


class DataTransferStep(PipelineStep):
    """A copy of data from one place to another: a data transfer job of v2."""

    copies_inputs = True

    def __init__(
        self,
        name: str,
        source_data_reference: Any = None,
        destination_data_reference: Any = None,
        compute_target: Any = None,
        source_reference_type: str | None = None,
        destination_reference_type: str | None = None,
        allow_reuse: bool = True,
    ) -> None:
        for what, value in (("source", source_data_reference), ("destination", destination_data_reference)):
            if value is None:
                raise UserErrorException(f"a DataTransferStep needs its {what}_data_reference")
        for what, kind in (("source", source_reference_type), ("destination", destination_reference_type)):
            if kind not in (None, "file", "directory"):
                raise UserErrorException(f"{what}_reference_type is 'file' or 'directory', not {kind!r}")
        if isinstance(destination_data_reference, SqlDataReference):
            raise UserErrorException(
                "DataTransferStep: a database as the destination is not served; use export_data of v2"
            )
        self.source, self.destination = source_data_reference, destination_data_reference
        self.source_type, self.destination_type = source_reference_type, destination_reference_type
        self.allow_reuse = allow_reuse
        is_table = isinstance(source_data_reference, SqlDataReference)
        super().__init__(name, None if is_table else [source_data_reference], [destination_data_reference])

    def to_node(self, binder: PipelineBinder) -> Any:
        from smalt.data_transfer import copy_data

        target = find_port(self.destination)
        assert target is not None
        output: Any = target.source.to_output(None)
        output.mode = None
        if isinstance(self.source, SqlDataReference):
            return self._make_import(binder, self.source, output)
        parts = binder.begin_command(self)
        name = next(iter(parts.outputs))
        kind = "uri_file" if "file" in (self.source_type, self.destination_type) else None
        given = next(iter(parts.inputs.values()))
        output.type = kind or getattr(given, "type", None) or "uri_folder"
        parts.outputs[name] = output
        binder.finish_command(self, parts)
        return copy_data(
            inputs=parts.inputs, outputs=parts.outputs, display_name=self.name, is_deterministic=self.allow_reuse
        )

    def _make_import(self, binder: PipelineBinder, reference: SqlDataReference, output: Any) -> Any:
        """Return the node that imports a table of a database."""
        from smalt.data_transfer import Database, import_data

        if waits := self.list_waits():
            raise UserErrorException(
                f"the step '{self.name}' imports from a database, which waits for no other step in v2; run "
                f"'{waits[0].name}' in a pipeline of its own before"
            )
        output.type = "mltable"
        binder.note_outputs(self, {"sink": output})
        database = Database(
            connection=f"azureml:{reference.datastore.name}", table_name=reference.sql_table,
            query=reference.sql_query, stored_procedure=reference.sql_stored_procedure,
        )  # fmt: skip
        return import_data(source=database, outputs={"sink": output}, display_name=self.name)


class SynapseSparkStep(PipelineStep):
    """A Spark job of v2."""

    def __init__(
        self,
        file: str,
        source_directory: str | os.PathLike[str],
        compute_target: Any,
        driver_memory: str,
        driver_cores: int,
        executor_memory: str,
        executor_cores: int,
        num_executors: int,
        name: str | None = None,
        app_name: str | None = None,
        environment: Any = None,
        arguments: Sequence[Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        conf: Mapping[str, Any] | None = None,
        py_files: list[str] | None = None,
        jars: list[str] | None = None,
        files: list[str] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        super().__init__(name or file, inputs, outputs, arguments)
        self.file, self.source_directory = file, os.fspath(source_directory)
        self.sizes: dict[str, Any] = {
            "driver_memory": driver_memory, "driver_cores": driver_cores, "executor_memory": executor_memory,
            "executor_cores": executor_cores, "executor_instances": num_executors,
        }  # fmt: skip
        self.environment, self.conf, self.app_name = environment, dict(conf or {}), app_name
        self.lists: dict[str, Any] = {"py_files": py_files, "jars": jars, "files": files}
        self.allow_reuse, self.version = allow_reuse, version
        tell_no_effect("SynapseSparkStep", {"compute_target": compute_target}, "Spark runs on this machine")

    def to_node(self, binder: PipelineBinder) -> Any:
        from smalt.dsl.builders import spark

        if not os.path.isdir(self.source_directory):
            raise UserErrorException(
                f"there is no folder '{self.source_directory}', the source_directory of step '{self.name}'"
            )
        check_script(self, self.source_directory, self.file)
        parts = binder.begin_command(self)
        ports = find_ports(parts)
        arguments = ports.render_arguments(self.arguments)
        if ports.tables:
            raise UserErrorException(
                f"step '{self.name}': {TABLES} is not served in Spark; read the files of the input in the script "
                f"({json.dumps(sorted(ports.tables))})"
            )
        binder.finish_command(self, parts)
        conf = {**self.conf, **({"spark.app.name": self.app_name} if self.app_name else {})}
        node: Any = spark(
            display_name=self.name,
            code=self.source_directory,
            entry={"file": self.file},
            args=arguments or None,
            inputs=parts.inputs,
            outputs=parts.outputs,
            conf=conf or None,
            environment=self.environment.to_reference() if self.environment is not None else None,
            **self.sizes,
            **{key: value for key, value in self.lists.items() if value},
        )
        if not self.allow_reuse:
            vars(node)["is_deterministic"] = False
        return node


class _RefusedStep(PipelineStep):
    """A step without a job type in v2: making one raises what people do instead."""

    advice = ""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        name = values.get("name") or (arguments[0] if arguments and isinstance(arguments[0], str) else "")
        of = f" '{name}'" if name else ""
        raise UserErrorException(
            f"{type(self).__name__}{of}: v2 has no such job, and smalt does not run it; {self.advice}"
        )


class AdlaStep(_RefusedStep):
    advice = "Azure Data Lake Analytics was shut down in 2024: rewrite its U-SQL as Spark SQL, in a SynapseSparkStep"


class AzureBatchStep(_RefusedStep):
    advice = "run the program as a CommandStep"


class DatabricksStep(_RefusedStep):
    advice = (
        "run its Python file or jar as a SynapseSparkStep, or a script that calls your Databricks workspace as a "
        "PythonScriptStep whose environment lists databricks-sdk"
    )


class KustoStep(_RefusedStep):
    advice = "query the cluster by a script in a PythonScriptStep whose environment lists azure-kusto-data"


class HDInsightStep(_RefusedStep):
    advice = "run its script as a SynapseSparkStep"


class NotebookRunnerStep(_RefusedStep):
    advice = "run the notebook by a CommandStep: papermill NOTEBOOK.ipynb outputs/NOTEBOOK.ipynb"
