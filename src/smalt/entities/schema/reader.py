"""The one who reads: gathers problems, and answers what only a reader of files can know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from smalt.entities.schema.problems import Path, Problem, format_value


class Written(NamedTuple):
    """The text of a command line that a value was made of, and the value that it replaces."""

    text: str
    before: Any = None


class Reader:
    """Reads plain data, without files: references to files stay the text that they are.

    `yaml` has a reader that follows them.
    """

    folder: str | None = None
    """Where the data's relative paths begin, for one who reads a file."""
    from_file = False
    """Whether the data is a file's, whose author can be asked to put a value in quotes."""

    def __init__(self, written: Mapping[Path, Written] | None = None) -> None:
        self.problems: list[Problem] = []
        self.written: Mapping[Path, Written] = written or {}
        """The values that were written on a command line, by their places: a field that is text takes the text."""
        self.in_step = False
        """Inside a pipeline's step, where `${{…}}` may stand for a value of any shape."""
        self.on_wire = False
        """Reading what a client sent or a server answered, which may be a job that an older smalt took."""

        self.in_schedule = False
        """Inside the job of a schedule, which may name the time when it is made."""
        self.is_answer = False
        """Reading what a server keeps: what was accepted once is shown, whatever the rules are by now."""

    def problem(self, path: Path, message: str, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, at_key))

    def warn(self, path: Path, message: str) -> bool:
        """Take a fault of a document as a warning and return True, where only a warning is due."""
        return False

    def wrong(self, path: Path, value: Any, words: str, hint: str = "") -> Any:
        """Say what was expected; but in a step, leave an expression as it is."""
        if self.is_binding(value):
            return value
        name = named(path)
        self.problem(path, f"{name} must be {words}, not {format_value(value)}{hint}")
        return None

    def is_binding(self, value: Any) -> bool:
        """An expression, or in a pipeline function what will be one."""
        if isinstance(value, str):
            return self.in_step and "${{" in value
        return hasattr(value, "binding")

    def text(self, path: Path) -> str | None:
        """The text of a command line at a place; None where a document has the value."""
        found = self.written.get(path)
        return None if found is None else found.text

    def local(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        """A local path as the rest of smalt is to see it."""
        return text

    def data(self, text: str, path: Path) -> str:
        """The same for data that is read, which may be asked to be there."""
        return self.local(text, path, must_exist=False)

    def entity(self, text: str, kind: str, path: Path) -> Any:
        """The entity in the file that the text names; None where there is none, which is a problem told."""
        return text

    def conda(self, text: str, path: Path) -> Any:
        """The conda specification in the file that the text names; None as above."""
        return text


def named(path: Path) -> str:
    if not path:
        return "the document"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"item {path[-1] + 1} of '{path[-2]}'"
    return f"'{path[-1]}'"
