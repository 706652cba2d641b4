"""What type a column of texts has, told from its first values as Azure's mltable tells it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from .dates import formats_of

SAMPLE = 200
"""Rows that are looked at, where the MLTable file does not say how many."""

_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE", "t", "T"), True),
    **dict.fromkeys(("false", "False", "FALSE", "f", "F"), False),
}
BOOLEANS = {**_WORDS, "1": True, "0": False}
"""The texts that are booleans."""

_INT = re.compile(r"\s*[+-]?\d+\s*")
_FLOAT = re.compile(r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)\s*", re.IGNORECASE)


class Inferred(NamedTuple):
    """The type of a column: string, int, float, boolean or datetime."""

    type: str
    formats: tuple[str, ...] = ()
    """Of a datetime."""
    digits: bool = False
    """Of a boolean: whether the sample has only 0 and 1."""
    ambiguous: str | None = None
    """Of a datetime: a value whose day and month cannot be told apart."""


STRING = Inferred("string")


def infer(sample: Sequence[str | None]) -> Inferred:
    """The type of the values; that of a column with none is string."""
    values = [value for value in sample if value is not None]
    if not values:
        return STRING
    stripped = [value.strip() for value in values]
    if all(value in _WORDS or (_INT.fullmatch(value) and int(value) in (0, 1)) for value in stripped):
        return Inferred("boolean", digits=all(value in ("0", "1") for value in stripped))
    if all(_INT.fullmatch(value) and -(2**63) <= int(value) < 2**63 for value in values):
        return Inferred("int")
    if all(_FLOAT.fullmatch(value) for value in values):
        return Inferred("float")
    dates = formats_of(values)
    if dates is None:
        return STRING
    return Inferred("datetime", tuple(dates.formats), ambiguous=dates.ambiguous)


def parsed(texts: Any, inferred: Inferred) -> Any:
    """The values of a polars series of texts; what is no such value is empty."""
    from . import conversions

    if inferred.type == "string":
        return texts
    p = conversions.pl()
    if inferred.type == "datetime":
        quick = conversions.quick_datetimes(texts, inferred.formats)
        if quick is not None:
            return quick
        made = conversions.datetimes(p.col(texts.name), inferred.formats)
    else:
        made = conversions.of_text(p.col(texts.name), inferred.type)
    return texts.to_frame().with_columns(made.alias(texts.name)).to_series()


def warn_of(name: str, inferred: Inferred) -> None:
    """Say what is lost, where Azure's mltable loses it without a word."""
    if inferred.ambiguous is not None:
        warnings.warn(
            f"column '{name}': day and month of '{inferred.ambiguous}' cannot be told apart, so such values are empty, "
            "as with Azure's mltable; read the column as a string and convert it with convert_column_types",
            stacklevel=2,
        )
