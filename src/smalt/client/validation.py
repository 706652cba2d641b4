"""Whether a job or component made in Python holds; one that was read from a file has been checked there."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import Located, ValidationException


class ValidationResult:
    """What is wrong with something, named as the service's client names it."""

    def __init__(self, problems: list[Located]) -> None:
        self.problems = problems

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def error_messages(self) -> dict[str, str]:
        """Place in the document to sentence; `*` is the whole."""
        found: dict[str, list[str]] = {}
        for problem in self.problems:
            place, _, words = problem.message.partition(": ")
            has_place = bool(words) and " " not in place
            found.setdefault(place if has_place else "*", []).append(words if has_place else problem.message)
        return {place: "; ".join(words) for place, words in found.items()}

    def __repr__(self) -> str:
        result = "Succeeded" if self.passed else "Failed"
        return f"ValidationResult(result='{result}', errors={[str(problem) for problem in self.problems]!r})"


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
