"""Whether a job or component made in Python holds; one that was read from a file has been checked there."""

from __future__ import annotations

from typing import Any

from smalt.entities.validation_result import ValidationResult as ValidationResult
from smalt.exceptions import ValidationException


def validated(noun: Any, raise_on_failure: bool) -> ValidationResult:
    """Read again from what it says."""
    if noun.source_path is None:
        try:
            type(noun).from_dict(noun.to_dict())
        except ValidationException as error:
            if raise_on_failure:
                raise
            return ValidationResult(error.problems)
    return ValidationResult([])
