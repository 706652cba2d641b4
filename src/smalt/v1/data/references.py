"""`azureml.data`'s references: paths on datastores, as inputs and outputs of scripts."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from smalt.client.connection.notices import print_notice
from smalt.entities.jobs.inputs import Input, Output
from smalt.machine.source_lines import find_caller
from smalt.v1.command_ports import PortBinding
from smalt.v1.data.locations import find_type, make_uri
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import MODES, DataPort

_MODES = ("mount", "download", "upload")


class DataReference(PortBinding):
    """A path on a datastore that a script reads, or with as_upload writes."""

    def __init__(
        self,
        datastore: Any,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if mode not in _MODES:
            raise UserErrorException(f"'{mode}' is no mode of a DataReference; use mount, download or upload")
        self.datastore = datastore
        self.path_on_datastore = (path_on_datastore or "").strip("/")
        self.data_reference_name = data_reference_name or _make_name(datastore.name, self.path_on_datastore)
        self.mode, self.path_on_compute, self.overwrite = mode, path_on_compute, overwrite

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.data_reference_name}"

    def __repr__(self) -> str:
        return str(self)

    @property
    def name(self) -> str:
        return self.data_reference_name

    @property
    def uri(self) -> str:
        return make_uri(self.datastore.name, self.path_on_datastore)

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """Return the reference to a path below this one."""
        below = posixpath.join(self.path_on_datastore, path or "")
        return DataReference(self.datastore, data_reference_name, below, self.mode)

    def as_download(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        return self._copy("download", path_on_compute, overwrite)

    def as_upload(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        return self._copy("upload", path_on_compute, overwrite)

    def as_mount(self) -> DataReference:
        return self._copy("mount", None, False)

    def to_config(self) -> Any:
        """Return the reference, as `run_config.data_references` takes it."""
        return self

    def to_port(self) -> DataPort:
        side = "outputs" if self.mode == "upload" else "inputs"
        return DataPort(side, self, self.data_reference_name, self.mode, self.path_on_compute)  # type: ignore[arg-type]

    def to_input(self, mode: str | None, client: Any) -> Input:
        made = _make_input(self.uri, mode, client)
        if mode == "download":
            made.mode = MODES[mode]
        return made

    def to_output(self, mode: str | None) -> Output:
        tell_no_effect("DataReference.as_upload", {"path_on_compute": self.path_on_compute})
        return Output(type="uri_folder", path=self.uri, mode="upload")

    def _copy(self, mode: str, path_on_compute: str | None, overwrite: bool) -> DataReference:
        name, path = self.data_reference_name, self.path_on_datastore
        return DataReference(self.datastore, name, path, mode, path_on_compute, overwrite)


class DataPath:
    """A path on a datastore, as the value of a pipeline's parameter."""

    def __init__(self, datastore: Any = None, path_on_datastore: str | None = None, name: str | None = None) -> None:
        self.datastore, self.path_on_datastore = datastore, (path_on_datastore or "").strip("/")
        self._name = name

    @property
    def datastore_name(self) -> str:
        if self.datastore is None:
            raise UserErrorException("a DataPath needs a datastore; write DataPath(datastore=…, path_on_datastore=…)")
        return str(self.datastore.name)

    @property
    def name(self) -> str:
        return self._name or _make_name(self.datastore_name, self.path_on_datastore)

    @property
    def uri(self) -> str:
        return make_uri(self.datastore_name, self.path_on_datastore)

    def create_from_data_reference(self, data_reference: DataReference) -> DataPath:
        return DataPath(data_reference.datastore, data_reference.path_on_datastore, data_reference.name)

    def create_data_reference(
        self, data_reference_name: str | None = None, datapath_compute_binding: DataPathComputeBinding | None = None
    ) -> DataReference:
        """Return the reference to the path, by which a script reads it in the way that the binding says."""
        binding = datapath_compute_binding or DataPathComputeBinding()
        name, way = data_reference_name or self.name, (binding.mode, binding.path_on_compute, binding.overwrite)
        return DataReference(self.datastore, name, self.path_on_datastore, *way)

    def to_input(self, mode: str | None, client: Any) -> Input:
        return _make_input(self.uri, mode, client)


class DataPathComputeBinding:
    """The way in which a script gets the path of a parameter: with it in a pair `(parameter, binding)`."""

    def __init__(self, mode: str = "mount", path_on_compute: str | None = None, overwrite: bool = False) -> None:
        if mode not in ("mount", "download"):
            raise UserErrorException(f"'{mode}' is no mode of a DataPathComputeBinding; use mount or download")
        self.mode, self.path_on_compute, self.overwrite = mode, path_on_compute, overwrite

    def make_port(self, parameter: Any) -> DataPort:
        return DataPort("inputs", parameter, parameter.name, self.mode, self.path_on_compute)

    def create_input_binding(self, parameter: Any) -> tuple[Any, DataPathComputeBinding]:
        return parameter, self


class SqlDataReference(DataReference):
    """A table or query of a database, as a source of DataTransferStep."""

    def __init__(
        self,
        datastore: Any,
        data_reference_name: str | None = None,
        sql_table: str | None = None,
        sql_query: str | None = None,
        sql_stored_procedure: str | None = None,
        sql_stored_procedure_params: list[Any] | None = None,
    ) -> None:
        if sum(one is not None for one in (sql_table, sql_query, sql_stored_procedure)) != 1:
            raise UserErrorException("a SqlDataReference takes one of sql_table, sql_query and sql_stored_procedure")
        if sql_stored_procedure_params:
            raise UserErrorException(
                "SqlDataReference: sql_stored_procedure_params is not served; write their values into a sql_query"
            )
        super().__init__(datastore, data_reference_name or f"{datastore.name}_sql")
        self.sql_table, self.sql_query = sql_table, sql_query
        self.sql_stored_procedure = sql_stored_procedure
        self.sql_stored_procedure_params = sql_stored_procedure_params

    @property
    def uri(self) -> str:
        raise UserErrorException("a SqlDataReference is a source of DataTransferStep only; a script cannot read it")


def _make_input(uri: str, mode: str | None, client: Any) -> Input:
    """Return the input of a path of a datastore; a missing folder is made, since v1 mounts what is not there."""
    made = Input(type=find_type(uri, client), path=uri)
    if mode != "download" and made.type == "uri_folder" and client is not None:
        from smalt.v1.data.fetching import add_missing_folder

        if add_missing_folder(client, uri):
            file, line = find_caller()
            place = f"{file}:{line}: " if file else ""
            print_notice(f"{place}{uri} does not exist; the script gets an empty folder, which was made there")
    return made


def _make_name(datastore: str, path: str) -> str:
    stem = os.path.splitext(path.rpartition("/")[2])[0] or datastore
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in stem) or "data"
