"""The result of validating a noun."""

from __future__ import annotations

from collections.abc import Sequence

from smalt.exceptions import LocatedProblem


class ValidationResult:
    """The problems and warnings of a noun, with the attributes of the official SDK's class."""

    def __init__(self, problems: Sequence[LocatedProblem] = (), warnings: Sequence[str] = ()) -> None:
        self.problems = list(problems)
        self.warnings = list(warnings)
        """Sentences about values that have no effect, or another effect than they say."""

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def error_messages(self) -> dict[str, str]:
        """Return the sentences by their place in the document; `*` is the whole."""
        found: dict[str, list[str]] = {}
        for problem in self.problems:
            place, _, words = problem.message.partition(": ")
            has_place = bool(words) and " " not in place
            found.setdefault(place if has_place else "*", []).append(words if has_place else problem.message)
        return {place: "; ".join(words) for place, words in found.items()}

    def __repr__(self) -> str:
        result = "Succeeded" if self.passed else "Failed"
        return f"ValidationResult(result='{result}', errors={[str(problem) for problem in self.problems]!r})"
