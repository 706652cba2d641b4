"""The reader of plain data, which collects problems and resolves paths and references to files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.entities.schema.problems import Path, Problem, format_value

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity


class WrittenValue(NamedTuple):
    """The text on a command line that a value was made from, and the value that it replaces."""

    text: str
    before: Any = None


class Reader:
    """A reader of plain data without files: references to files stay text.

    `smalt.yaml` has a reader that follows them.
    """

    folder: str | None = None
    """The folder that relative paths start at, for a reader of files."""
    from_file = False
    """True for data from a file, whose author can be told to put a value in quotes."""

    def __init__(self, written: Mapping[Path, WrittenValue] | None = None) -> None:
        self.problems: list[Problem] = []
        self.written: Mapping[Path, WrittenValue] = written or {}
        """The values from a command line, by path; a text field takes their text."""
        self.in_step = False
        """True inside a step, where `${{…}}` may stand for a value of any shape."""
        self.item_inputs: dict[Path, Collection[str] | None] = {}
        """By the path of a step that a loop repeats, the inputs that the items give; None if that is not known yet."""
        self.outer: type[Entity] | None = None
        """The noun that is being read."""
        self.on_wire = False
        """True for data from a client or a server, which may be a job that an older smalt accepted."""

        self.in_schedule = False
        """True inside the job of a schedule, which may refer to its trigger time."""
        self.is_answer = False
        """True for a server's answers: accepted jobs are shown even if they break newer rules."""

    def add_problem(self, path: Path, message: str, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, at_key))

    def record_warning(self, path: Path, message: str) -> bool:
        """Return True if the fault calls only for a warning, which is then recorded."""
        return False

    def add_mismatch(self, path: Path, value: Any, words: str, hint: str = "", takes_bindings: bool = True) -> Any:
        """Report that a value is not as `words` say and return None; inside a step, return an expression unchanged.

        Without `takes_bindings` an expression is reported as well.
        """
        if takes_bindings and self.is_binding(value):
            return value
        name = describe_path(path)
        self.add_problem(path, f"{name} must be {words}, not {format_value(value)}{hint}")
        return None

    def is_binding(self, value: Any) -> bool:
        """Return True for an expression inside a step, and for a promise of a pipeline function."""
        if isinstance(value, str):
            return self.in_step and "${{" in value
        return hasattr(value, "to_binding")

    def get_written_text(self, path: Path) -> str | None:
        """Return the text on the command line for a path, or None if the document has the value."""
        found = self.written.get(path)
        return None if found is None else found.text

    def find_refusal(self, path: str) -> str | None:
        """Return why nothing may be read at an absolute path, or None if it may be read."""
        return None

    def resolve_path(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        """Return a local path in the form that the rest of smalt uses."""
        return text

    def resolve_data_path(self, text: str, path: Path) -> str:
        """Return a local path of data to read; readers of files may require that it exists."""
        return self.resolve_path(text, path, must_exist=False)

    def load_entity(self, text: str, kind: str, path: Path) -> Any:
        """Return the entity in the file that the text names, or None after reporting a problem."""
        return text

    def is_job_file(self, text: str) -> bool:
        """Return True if the text names a file with a job, and no component, in it."""
        return False

    def list_code(self, folder: str) -> list[str] | None:
        """Return the names of the files of a folder of code; None if it need not be there yet."""
        return None

    def load_conda(self, text: str, path: Path) -> Any:
        """Return the conda specification in the file that the text names, or None after reporting a problem."""
        return text


def describe_path(path: Path) -> str:
    if not path:
        return "the document"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"item {path[-1] + 1} of '{path[-2]}'"
    return f"'{path[-1]}'"
