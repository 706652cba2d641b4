"""`azureml.opendatasets`: public data of Azure, as far as it is files whose addresses are known."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.v1.data.datasets import FileDataset
from smalt.v1.exceptions import UserErrorException

if TYPE_CHECKING:
    from smalt.v1.data.tables import TabularDataset

_STORE = "https://azureopendatastorage.blob.core.windows.net"
_INSTEAD = (
    "it is a folder of Azure's public storage, which the web cannot list; fetch its Parquet files, and read them by "
    "Dataset.Tabular.from_parquet_files"
)


class MNIST:
    """Images of handwritten digits; with the setting url-map they are read from a folder of this machine."""

    _FILES = {
        "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    }

    @classmethod
    def get_file_dataset(cls, dataset_filter: str = "all", enable_telemetry: bool = True) -> FileDataset:
        """Return the files of the part `train` or `test`, or of both."""
        from smalt.v1.data.factories import FileDatasetFactory

        if dataset_filter not in ("all", *cls._FILES):
            raise UserErrorException(f"dataset_filter is 'all', 'train' or 'test', not {dataset_filter!r}")
        parts = cls._FILES.values() if dataset_filter == "all" else [cls._FILES[dataset_filter]]
        return FileDatasetFactory.from_files([f"{_STORE}/mnist/{name}" for part in parts for name in part])

    @classmethod
    def get_tabular_dataset(cls, dataset_filter: str = "all", enable_telemetry: bool = True) -> NoReturn:
        raise UserErrorException(f"MNIST as a table is not served: {_INSTEAD}")


class _FolderDataset:
    """Public data that is a folder: it can be named, and says what to do when it is read."""

    def __init__(
        self,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        cols: list[str] | None = None,
        limit: int | None = -1,
        enable_telemetry: bool = True,
        **kwargs: Any,
    ) -> None:
        self.start_date, self.end_date, self.cols, self.limit = start_date, end_date, cols, limit

    def to_pandas_dataframe(self) -> Any:
        raise UserErrorException(f"{type(self).__name__} is not served: {_INSTEAD}")

    to_spark_dataframe = to_pandas_dataframe

    @classmethod
    def get_tabular_dataset(cls, *_: Any, **__: Any) -> Any:
        raise UserErrorException(f"{cls.__name__} is not served: {_INSTEAD}")

    get_file_dataset = get_tabular_dataset


class Diabetes(_FolderDataset):
    """442 patients: the rows of scikit-learn's `load_diabetes(scaled=False)`, under the names that Azure gives them."""

    _INTEGERS = ("AGE", "SEX", "S1", "S6", "Y")

    @classmethod
    def get_tabular_dataset(cls, enable_telemetry: bool = True) -> TabularDataset:
        from smalt.v1.data.fetching import save_frame

        return save_frame(cls._load_frame())

    def to_pandas_dataframe(self) -> Any:
        return self._load_frame()

    @classmethod
    def _load_frame(cls) -> Any:
        try:
            from sklearn.datasets import load_diabetes

            frame = load_diabetes(as_frame=True, scaled=False).frame
        except (ImportError, TypeError):  # earlier versions have no raw values
            raise UserErrorException(
                "Diabetes is read from scikit-learn's copy: pip install pandas 'scikit-learn>=1.1'"
            ) from None
        frame = frame.rename(columns={"target": "Y"}).rename(columns=str.upper)
        return frame.astype(dict.fromkeys(cls._INTEGERS, "int64"))


class NoaaIsdWeather(_FolderDataset):
    """Weather of the world."""


class NycTlcGreen(_FolderDataset):
    """Trips of New York's green taxis."""


class NycTlcYellow(_FolderDataset):
    """Trips of New York's yellow taxis."""


class PublicHolidays(_FolderDataset):
    """Holidays of the world."""
