"""Inference of the type of a column of texts from its first values, as in Azure's mltable."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from .dates import find_formats

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


class InferredType(NamedTuple):
    """The inferred type of a column: string, int, float, boolean or datetime."""

    type: str
    formats: tuple[str, ...] = ()
    """The formats of a datetime."""
    digits: bool = False
    """True if the sample of a boolean has only 0 and 1."""
    ambiguous: str | None = None
    """A datetime whose day and month cannot be told apart."""


STRING = InferredType("string")


def infer_type(sample: Sequence[str | None]) -> InferredType:
    """Return the type of the values; string for a column without values."""
    values = [value for value in sample if value is not None]
    if not values:
        return STRING
    stripped = [value.strip() for value in values]
    if all(value in _WORDS or (_INT.fullmatch(value) and int(value) in (0, 1)) for value in stripped):
        return InferredType("boolean", digits=all(value in ("0", "1") for value in stripped))
    if all(_INT.fullmatch(value) and -(2**63) <= int(value) < 2**63 for value in values):
        return InferredType("int")
    if all(_FLOAT.fullmatch(value) for value in values):
        return InferredType("float")
    dates = find_formats(values)
    if dates is None:
        return STRING
    return InferredType("datetime", tuple(dates.formats), ambiguous=dates.ambiguous)


def parse_values(texts: Any, inferred: InferredType) -> Any:
    """Return the values of a polars series of texts; a text that is not a value of the type becomes empty."""
    from . import conversions

    if inferred.type == "string":
        return texts
    p = conversions.import_polars()
    if inferred.type == "datetime":
        quick = conversions.parse_uniform_datetimes(texts, inferred.formats)
        if quick is not None:
            return quick
        made = conversions.parse_datetimes(p.col(texts.name), inferred.formats)
    else:
        made = conversions.parse_text(p.col(texts.name), inferred.type)
    return texts.to_frame().with_columns(made.alias(texts.name)).to_series()


def warn_of_loss(name: str, inferred: InferredType) -> None:
    """Warn of values that are lost, where Azure's mltable loses them silently."""
    if inferred.ambiguous is not None:
        warnings.warn(
            f"column '{name}': day and month of '{inferred.ambiguous}' cannot be told apart, so such values are empty, "
            "as with Azure's mltable; read the column as a string and convert it with convert_column_types",
            stacklevel=2,
        )
