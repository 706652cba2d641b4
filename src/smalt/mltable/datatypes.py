"""Data types that columns are converted to, and the small enumerations, under their official names."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from .errors import UserErrorException

SIMPLE_TYPES = ("string", "int", "float", "boolean", "stream_info")


class MLTableHeaders(Enum):
    """The rows of the files that are headers."""

    no_header = 1
    from_first_file = 2
    all_files_different_headers = 3
    all_files_same_headers = 4

    @staticmethod
    def _parse(header: object) -> MLTableHeaders:
        if isinstance(header, MLTableHeaders):
            return header
        if not isinstance(header, str):
            raise UserErrorException("the header should be a string or an MLTableHeaders enum")
        if header.lower() not in MLTableHeaders.__members__:
            known = ", ".join(MLTableHeaders.__members__)
            raise UserErrorException(f"'{header}' is not a header; the headers are {known}")
        return MLTableHeaders[header.lower()]


class MLTableFileEncoding(Enum):
    """The encoding of a text file."""

    utf8 = 1
    iso88591 = 2
    latin1 = 3
    ascii = 4
    utf16 = 5
    utf8bom = 6
    windows1252 = 7

    @staticmethod
    def _parse(encoding: object) -> MLTableFileEncoding:
        if isinstance(encoding, MLTableFileEncoding):
            return encoding
        found = ENCODINGS.get(encoding) if isinstance(encoding, str) else None
        if found is None:
            raise UserErrorException(f"'{encoding}' is not an encoding; the encodings are {', '.join(ENCODINGS)}")
        return MLTableFileEncoding[found]


ENCODINGS = {
    "utf8": "utf8",
    "utf-8": "utf8",
    "utf8 bom": "utf8",
    "utf-8 bom": "utf8",
    "utf8bom": "utf8",
    "iso88591": "iso88591",
    "iso-8859-1": "iso88591",
    "latin1": "latin1",
    "latin-1": "latin1",
    "ascii": "ascii",
    "utf16": "utf16",
    "utf-16": "utf16",
    "windows1252": "windows1252",
    "windows-1252": "windows1252",
}
"""Every spelling, and what it is called in an MLTable."""


class MLTablePartitionSize(Enum):
    """Units of a partition's size."""

    byte = 0
    kilobyte = 1
    megabyte = 2
    gigabyte = 3

    @staticmethod
    def _parse(partition_size: object, unit: object) -> int:
        if not isinstance(partition_size, int) or partition_size <= 0:
            raise UserErrorException("partition_size must be a positive int")
        name = unit.lower() if isinstance(unit, str) else unit
        for each, short in zip(MLTablePartitionSize, ("b", "kb", "mb", "gb")):  # noqa: B905 (Python 3.8)
            if name in (each, each.name, short):
                return partition_size * 1024**each.value
        raise UserErrorException(f"'{unit}' is not a unit of a partition's size; the units are b, kb, mb and gb")


class MLTableSaveOverwriteOption(Enum):
    """The action of `save` if files exist already."""

    FAIL_ON_CONFLICT = 1
    OVERWRITE = 2
    SKIP = 3

    @staticmethod
    def _parse(option: object) -> MLTableSaveOverwriteOption:
        if isinstance(option, MLTableSaveOverwriteOption):
            return option
        names: dict[object, MLTableSaveOverwriteOption] = {
            False: MLTableSaveOverwriteOption.FAIL_ON_CONFLICT,
            "fail": MLTableSaveOverwriteOption.FAIL_ON_CONFLICT,
            True: MLTableSaveOverwriteOption.OVERWRITE,
            "overwrite": MLTableSaveOverwriteOption.OVERWRITE,
            "skip": MLTableSaveOverwriteOption.SKIP,
        }
        if option not in names:
            raise UserErrorException(f"'{option}' is not an overwrite option; the options are overwrite, fail and skip")
        return names[option]


class DataType:
    """The type that a column is converted to; made by its `to_…` methods."""

    _MISMATCH_AS = ("error", "true", "false")

    def __init__(self, arguments: Any) -> None:
        self._arguments = arguments
        """As it stands in an MLTable file, under `column_type`."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self._arguments == other._arguments

    def __hash__(self) -> int:
        return hash(repr(self._arguments))

    @staticmethod
    def to_string() -> DataType:
        return DataType("string")

    @staticmethod
    def to_int() -> DataType:
        """Return the type of 64-bit integers."""
        return DataType("int")

    @staticmethod
    def to_float() -> DataType:
        """Return the type of 64-bit floats."""
        return DataType("float")

    @staticmethod
    def to_stream() -> DataType:
        """Return the type of files to be opened, for columns of URIs."""
        return DataType("stream_info")

    @staticmethod
    def to_bool(
        true_values: list[str] | None = None, false_values: list[str] | None = None, mismatch_as: str | None = None
    ) -> DataType:
        """Return the type of booleans; `mismatch_as` ("true", "false" or "error") decides values that are in
        neither list.
        """
        if mismatch_as is not None and mismatch_as not in DataType._MISMATCH_AS:
            raise UserErrorException(f"mismatch_as is one of {', '.join(DataType._MISMATCH_AS)}, not '{mismatch_as}'")
        true, false = _check_texts(true_values, "true_values"), _check_texts(false_values, "false_values")
        if (true is None) != (false is None):
            raise UserErrorException("true_values and false_values must both be None or non-empty lists of strings")
        arguments: dict[str, Any] = {}
        if true is not None and false is not None:
            if set(true) & set(false):
                raise UserErrorException("true_values and false_values can not have overlapping values")
            arguments = {"true_values": true, "false_values": false, "mismatch_as": "error"}
        if mismatch_as:
            arguments["mismatch_as"] = mismatch_as
        return DataType({"boolean": arguments} if arguments else "boolean")

    @staticmethod
    def to_datetime(formats: str | list[str], date_constant: str | None = None) -> DataType:
        """Return the type of datetimes; `formats`, as for strptime, are tried in turn, and `date_constant`
        precedes each value.
        """
        listed = [formats] if isinstance(formats, str) else formats
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) for each in listed):
            raise UserErrorException("formats must be a string, or a list or tuple of strings")
        arguments: dict[str, Any] = {"formats": list(listed)}
        if date_constant is not None:
            arguments["date_constant"] = date_constant
        return DataType({"datetime": arguments})

    @staticmethod
    def _from_raw(value: object) -> DataType:
        if isinstance(value, DataType):
            return value
        if isinstance(value, str) and value in SIMPLE_TYPES:
            return DataType(value)
        raise UserErrorException(f"'{value}' is not a type of a column; the types are {', '.join(SIMPLE_TYPES)}")


def make_conversions(types: object, streams: bool = True) -> list[dict[str, Any]]:
    """Return {column, or tuple of columns: type} as an MLTable file has it."""
    if not isinstance(types, dict) or not types:
        raise UserErrorException("the types must be a dict of columns, or tuples of columns, to types; it is empty")
    seen: set[str] = set()
    found = []
    for columns, written in types.items():
        names = (columns,) if isinstance(columns, str) else columns
        if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
            raise UserErrorException(f"columns are strings or non-empty tuples of strings, not {columns!r}")
        for name in names:
            if name in seen:
                raise UserErrorException(f"column '{name}' cannot be converted to more than one type")
            seen.add(name)
        type = DataType._from_raw(written)
        if type._arguments == "stream_info" and not streams:
            raise UserErrorException("streams cannot be read from a file; use MLTable.convert_column_types")
        found.append({"columns": columns if isinstance(columns, str) else list(names), "column_type": type._arguments})
    return found


def _check_texts(values: Iterable[str] | None, name: str) -> list[str] | None:
    if values is None:
        return None
    listed = [values] if isinstance(values, str) else list(values)
    if not all(isinstance(each, str) for each in listed):
        raise UserErrorException(f"{name} must only consist of strings")
    return listed or None
