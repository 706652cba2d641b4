"""What can go wrong, each as one sentence for the person who caused it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Located(NamedTuple):
    """A problem and where it stands; line and column count from 1, 0 when unknown."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        if not self.file:
            return self.message
        if not self.line:
            return f"{self.file}: {self.message}"
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column}: {self.message}"


class SmaltError(Exception):
    """The base of all; `str()` is the sentence that users see."""

    code = "Error"


class ValidationException(SmaltError):
    """What the user wrote does not hold; carries every problem, not only the first."""

    code = "ValidationError"

    def __init__(self, problems: Sequence[Located] | str) -> None:
        if isinstance(problems, str):
            problems = [Located("", 0, 0, problems)]
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UserErrorException(ValidationException):
    """One thing that a program does wrong, with the program's file and line where they are known."""

    def __init__(self, message: str, where: tuple[str, int] = ("", 0)) -> None:
        super().__init__([Located(*where, 0, message)])


class KeywordError(UserErrorException, TypeError):
    """A call with arguments that the callee does not take; a TypeError, as of any Python function."""


class UnexpectedKeywordError(KeywordError):
    """An argument that there is no parameter for."""


class MissingPositionalArgsError(KeywordError):
    """An argument that must be there and is not."""


class TooManyPositionalArgsError(KeywordError):
    """More positional arguments than parameters, or some where only names are taken."""


class MultipleValueError(KeywordError):
    """Two values for one parameter."""


class ParamValueNotExistsError(KeywordError):
    """A name in `non_pipeline_inputs` that is no parameter of the function."""


class UnsupportedParameterKindError(UserErrorException):
    """A pipeline function with a parameter that cannot be an input, such as `*args`."""


class UnexpectedAttributeError(UserErrorException, AttributeError):
    """An input or output that there is not: `node.outputs.nonsense`."""


class NotFound(SmaltError):
    """Something named does not exist."""

    code = "NotFound"


class Conflict(SmaltError):
    """It exists already, and is different."""

    code = "Conflict"


class Refused(SmaltError):
    """Understood, and not done: not allowed, not supported here, or not safe."""

    code = "Refused"


class Unauthorized(SmaltError):
    """No token, or one that is not good for this."""

    code = "Unauthorized"


class Unavailable(SmaltError):
    """The server cannot be reached or cannot work (disk full, home unusable)."""

    code = "Unavailable"


class JobException(SmaltError):
    """A job that was waited for did not complete."""

    code = "JobFailed"
