"""`azureml.core.Dataset`: where programs make and find datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from smalt.v1.data.factories import FileDatasetFactory, TabularDatasetFactory
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace


class Dataset:
    """`File` and `Tabular` make datasets; those that are registered are found by name or id."""

    File = FileDatasetFactory
    Tabular = TabularDatasetFactory

    def __init__(
        self, definition: Any, workspace: Workspace | None = None, name: str | None = None, id: str | None = None
    ):
        raise UserErrorException("a Dataset is made by Dataset.File.from_files or by Dataset.Tabular.from_…")

    @staticmethod
    def get_by_name(workspace: Workspace, name: str, version: Any = "latest", **kwargs: Any) -> Any:
        """Return the registered dataset; raises UserErrorException where there is none."""
        from smalt.v1.data.registration import find_dataset

        tell_no_effect("Dataset.get_by_name", kwargs, "it has no such parameter")
        return find_dataset(workspace, name, version)

    @staticmethod
    def get_by_id(workspace: Workspace, id: str, **kwargs: Any) -> Any:
        """Return the dataset whose `id` that is."""
        from smalt.v1.data.registration import find_dataset

        tell_no_effect("Dataset.get_by_id", kwargs, "it has no such parameter")
        name, _, version = str(id).removeprefix("azureml:").partition(":")
        return find_dataset(workspace, name, version or "latest")

    @staticmethod
    def get_all(workspace: Workspace) -> dict[str, Any]:
        """Return all registered datasets, the newest version of each."""
        from smalt.v1.data.registration import RegisteredDatasets

        return RegisteredDatasets(workspace)

    @staticmethod
    def get(workspace: Workspace, name: str | None = None, id: str | None = None) -> Any:
        return Dataset.get_by_name(workspace, name) if name else Dataset.get_by_id(workspace, str(id))

    @staticmethod
    def list(workspace: Workspace) -> Any:
        return list(Dataset.get_all(workspace).values())


def _make_refusal(name: str, instead: str) -> Any:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise UserErrorException(f"Dataset.{name} is not served, as v1 gave it up long ago; use {instead}")

    return staticmethod(refuse)


for _name, _instead in {
    "from_pandas_dataframe": "Dataset.Tabular.register_pandas_dataframe",
    "from_delimited_files": "Dataset.Tabular.from_delimited_files",
    "auto_read_files": "Dataset.Tabular.from_delimited_files",
    "from_parquet_files": "Dataset.Tabular.from_parquet_files",
    "from_excel_files": "pandas.read_excel and Dataset.Tabular.register_pandas_dataframe",
    "from_binary_files": "Dataset.File.from_files",
    "from_sql_query": "a data transfer job (docs/data-transfer.md)",
    "from_json_files": "Dataset.Tabular.from_json_lines_files",
}.items():
    setattr(Dataset, _name, _make_refusal(_name, _instead))
