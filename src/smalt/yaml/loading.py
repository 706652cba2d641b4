"""Loading a file and all that it refers to, with every problem of all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote

from smalt.entities.assets import conda
from smalt.entities.schema.documents import read_document
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kind_mismatch import describe_mismatch, is_job_document
from smalt.entities.schema.problems import Path, Problem, did_you_mean
from smalt.entities.schema.reader import Reader
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.machine.gc_pause import pause_gc
from smalt.machine.requirements_files import is_requirements_file, split_lines
from smalt.yaml.document import Document
from smalt.yaml.overrides import Overridden, Overrides, Place

E = TypeVar("E", bound=Entity)
FindRefusal = Callable[[str], "str | None"]
"""Returns why nothing may be read at an absolute path; None if it may be read."""


def load(path: str | os.PathLike[str], kind: str, *, overrides: Overrides = (), data_must_exist: bool = False) -> Any:
    """The entity in a file; raises ValidationException with all problems of it and of the files it refers to.

    With `data_must_exist` local data that it reads and that is not there is a problem, too. A program may load a file
    and name its data afterwards.
    """
    session = Session(data_must_exist)
    with pause_gc():
        return session.get_result(session.load_entity(os.fspath(path), kind, overrides))


def find_kind(path: str) -> str:
    """Return `job` for a file that holds a job, and `component` for one that holds a component."""
    try:
        with open(path, "rb") as file:
            return "job" if is_job_document(Document(file.read()).data) else "component"
    except (OSError, ValueError):  # said when it is loaded
        return "job"


def load_text(
    text: str | bytes,
    kind: str,
    *,
    folder: str = ".",
    name: str = "<text>",
    overrides: Overrides = (),
    data_must_exist: bool = False,
    find_refusal: FindRefusal | None = None,
) -> Any:
    """Load YAML that is in no file; relative paths are relative to the folder.

    Nothing is read at a path for which `find_refusal` has a sentence; that sentence is a problem of the text.
    """
    session = Session(data_must_exist, find_refusal)
    with pause_gc():
        return session.get_result(session.read_entity(text, kind, name, os.path.abspath(folder), overrides))


def load_conda(given: str | dict[str, Any]) -> dict[str, Any]:
    """The conda specification in a file, or one in place whose relative paths begin in the current folder.

    Raises ValidationException with all that is wrong with it.
    """
    session = Session()
    if isinstance(given, str):
        found = session.load_conda(given)
    else:
        problems = list(conda.find_problems(given))
        found = given if problems else conda.resolve_files(given, os.getcwd(), problems.append)
        session.problems += [LocatedProblem("", 0, 0, f"conda_file.{problem}") for problem in problems]
    if session.problems:
        raise ValidationException(session.problems)
    return dict(found)


def read_again(entity: Entity) -> Entity | None:
    """The entity as it would be if it were loaded from a file of the current folder; None where that fails."""
    session = Session()
    reader = FileReader(session, os.getcwd(), "")
    again = type(entity)._read_document(entity.to_dict(), reader)
    return None if reader.problems or session.problems else again


def list_warnings(entity: Entity) -> list[LocatedProblem]:
    """Return what is to be said of the files that the entity was loaded from, which were taken all the same."""
    return list(vars(entity).get("_warnings") or ())


def apply_overrides(entity: E, overrides: Overrides) -> E:
    """A copy of an entity with values replaced; raises ValidationException with all that is wrong."""
    changed = Overridden(entity.to_dict(), overrides)
    reader = Reader(changed.written)
    read = type(entity)._read_document(changed.data, reader)
    problems = [
        *_locate_problems(changed, read, reader.problems, lambda problem: LocatedProblem("", 0, 0, str(problem)))
    ]
    if read is None or problems:
        raise ValidationException(list(dict.fromkeys(problems)))
    return read


def _locate_problems(
    changed: Overridden, entity: Entity | None, problems: Iterable[Problem], locate: Callable[[Problem], LocatedProblem]
) -> Iterator[LocatedProblem]:
    """All problems: at the settings that they are of, else where `locate` says."""
    yield from changed.failures
    useless: list[tuple[Place, str]] = []
    if changed.places:
        from smalt.yaml.unread import find_unread  # which no file without --set needs

        useless = find_unread(entity, changed.places)
    yield from (place.setting.make_problem(why) for place, why in useless)
    for problem in problems:
        place = changed.find_place(problem.path)
        if place is None:
            yield locate(problem)
        elif not any(place is other for other, _ in useless):
            yield place.setting.make_problem(problem.message)


class Session:
    """A load: the files read already, the files being read, and all problems."""

    def __init__(self, data_must_exist: bool = False, find_refusal: FindRefusal | None = None) -> None:
        self.data_must_exist = data_must_exist
        self.find_refusal = find_refusal or _allow_all
        self.problems: list[LocatedProblem] = []
        self.warnings: list[LocatedProblem] = []
        self._entities: dict[tuple[str, str], Entity | None] = {}
        self._conda: dict[str, Any] = {}
        self._mistaken: list[Entity | None] = []
        """Documents that are of another kind: what they lack for this one means nothing."""
        self._open: list[str] = []
        self._exists: dict[str, bool] = {}
        self._order: dict[str, int] = {}

    def get_result(self, entity: Entity | None) -> Entity:
        if entity is None or self.problems:
            told = dict.fromkeys(self.problems)
            error = ValidationException(sorted(told, key=lambda p: (self._order.get(p.file, -1), p.line, p.column)))
            error.partial = None if any(entity is one for one in self._mistaken) else entity
            raise error
        vars(entity)["_warnings"] = list(dict.fromkeys(self.warnings))
        return entity

    def load_entity(self, name: str, kind: str, overrides: Overrides = ()) -> Entity | None:
        """The entity in a file, read once however often it is named."""
        path = os.path.abspath(name)
        known = (os.path.realpath(path), kind)
        if known not in self._entities:
            self._open.append(known[0])
            text = self.read_file(name)
            folder = os.path.dirname(path)
            self._entities[known] = None if text is None else self.read_entity(text, kind, name, folder, overrides)
            self._open.pop()
            entity = self._entities[known]
            if entity is not None:
                entity.source_path = path
        return self._entities[known]

    def is_open(self, name: str) -> bool:
        return os.path.realpath(name) in self._open

    def read_entity(
        self, text: str | bytes, kind: str, name: str, folder: str, overrides: Overrides = ()
    ) -> Entity | None:
        self._order.setdefault(name, len(self._order))
        document = Document(text)
        self.problems += [LocatedProblem(name, *fault) for fault in document.faults]
        if document.root is None:
            if not document.faults:
                self.problems.append(
                    LocatedProblem(name, 1, 1, f"the file is empty; it should hold a {kind.replace('_', ' ')}")
                )
            return None
        changed = Overridden(document.data, overrides)
        shown = os.path.dirname(name)
        shown = shown if os.path.abspath(shown) == os.path.abspath(folder) else folder
        reader = FileReader(self, folder, shown, changed)
        entity = read_document(reader, changed.data, kind)
        faults = [*reader.problems, *reader.warnings]
        mistaken = describe_mismatch(changed.data, kind, faults) if faults else None
        if mistaken is not None:
            reader.problems = [Problem((), mistaken)]
            self._mistaken.append(entity)

        def locate(problem: Problem) -> LocatedProblem:
            return LocatedProblem(name, *document.find_position(problem.path, problem.at_key), problem.message)

        self.problems += _locate_problems(changed, entity, reader.problems, locate)
        self.warnings += map(locate, reader.warnings)
        if entity is not None and changed.places:
            vars(entity)["_places"] = changed.places
        return entity

    def load_conda(self, name: str) -> Any:
        """The conda specification in a file, or None after saying what is wrong with it."""
        path = os.path.abspath(name)
        if path not in self._conda:
            text = self.read_file(name)
            self._conda[path] = None if text is None else self._read_conda(text, name, os.path.dirname(path))
        return self._conda[path]

    def _read_conda(self, text: bytes, name: str, folder: str) -> Any:
        problems: list[Problem] = []
        if is_requirements_file(name):
            document, found = None, conda.make_specification(split_lines(text.decode(errors="replace")))
        else:
            document = Document(text)
            found = document.data
            self.problems += [LocatedProblem(name, *fault) for fault in document.faults]
            if document.faults:
                return None
            problems += conda.find_problems(found)
        if not problems:
            found = conda.resolve_files(found, folder, problems.append, self.find_refusal)
        for problem in problems:
            place = document.find_position(problem.path, problem.at_key) if document is not None else (0, 0)
            self.problems.append(LocatedProblem(name, *place, problem.message))
        return None if problems else found

    def read_file(self, name: str) -> bytes | None:
        refusal = self.find_refusal(os.path.abspath(name))
        if refusal is not None:
            self.problems.append(LocatedProblem(name, 0, 0, refusal))
            return None
        try:
            with open(name, "rb") as file:
                return file.read()
        except OSError as error:
            self.problems.append(LocatedProblem(name, 0, 0, f"cannot be read: {error.strerror}"))
        except ValueError:
            self.problems.append(LocatedProblem(name, 0, 0, "cannot be read: it is not a path"))
        return None

    def has_path(self, path: str) -> bool:
        if path not in self._exists:
            self._exists[path] = self.find_refusal(path) is None and os.path.exists(path)
        return self._exists[path]


class FileReader(Reader):
    """Reads the data of one file: follows what it refers to, and makes its paths absolute."""

    from_file = True

    def __init__(self, session: Session, folder: str, shown_folder: str, changed: Overridden | None = None) -> None:
        super().__init__(changed.written if changed is not None else None)
        self._session, self._folder, self._shown, self._changed = session, folder, shown_folder, changed
        self.folder = folder
        self.warnings: list[Problem] = []
        self._known: dict[tuple[str, str], Entity] = {}

    def find_refusal(self, path: str) -> str | None:
        return self._session.find_refusal(path)

    def record_warning(self, path: Path, message: str) -> bool:
        """Record a warning about a key at the top of the file itself; in a setting the key is a mistake."""
        is_set = self._changed is not None and self._changed.find_place(path) is not None
        if len(path) != 1 or is_set:
            return False
        self.warnings.append(Problem(path, message, at_key=True))
        return True

    def resolve_path(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        where = self._make_absolute(text, path)
        refusal = self.find_refusal(where)
        if refusal is not None:
            self.add_problem(path, refusal)
        elif must_exist and not self._session.has_path(where):
            self.add_problem(path, f"there is no file or folder '{where}'{_find_near(where)}")
        return where

    def resolve_data_path(self, text: str, path: Path) -> str:
        return self.resolve_path(text, path, must_exist=self._session.data_must_exist)

    def load_entity(self, text: str, kind: str, path: Path) -> Entity | None:
        known = self._known.get((text, kind))
        return self._load_new_entity(text, kind, path) if known is None else known

    def _load_new_entity(self, text: str, kind: str, path: Path) -> Entity | None:
        name = self._find_file(text, path)
        if name is None:
            return None
        if self._session.is_open(name):
            self.add_problem(path, f"'{text}' refers back to itself")
            return None
        entity = self._session.load_entity(name, kind)
        if entity is None or entity._partial:
            return None
        self._known[text, kind] = entity
        return entity

    def is_job_file(self, text: str) -> bool:
        where = self._make_absolute(text, ())
        return self._session.has_path(where) and find_kind(where) == "job"

    def list_code(self, folder: str) -> list[str] | None:
        where = self._make_absolute(folder, ())
        return os.listdir(where) if self._session.has_path(where) and os.path.isdir(where) else None

    def load_conda(self, text: str, path: Path) -> Any:
        name = self._find_file(text, path)
        return None if name is None else self._session.load_conda(name)

    def _find_file(self, text: str, path: Path) -> str | None:
        where = self._make_absolute(text, path)
        refusal = self.find_refusal(where)
        if refusal is not None:
            self.add_problem(path, refusal)
            return None
        if not os.path.isfile(where):
            self.add_problem(path, f"there is no file '{where}'{_find_near(where)}")
            return None
        relative = os.path.relpath(where, self._folder)
        return os.path.normpath(os.path.join(self._shown, relative))

    def _make_absolute(self, text: str, place: Path) -> str:
        """A path of a file is relative to the file's folder; one of a command line to the current folder, or, where
        nothing is there, to the file's."""
        path = unquote(text.removeprefix("file://")) if text.startswith("file:///") else text.removeprefix("file:")
        path = os.path.expanduser(path)
        beside = os.path.normpath(os.path.join(self._folder, path))
        if not self._is_typed(place):
            return beside
        here = os.path.abspath(path)
        return beside if self._session.has_path(beside) and not self._session.has_path(here) else here

    def _is_typed(self, path: Path) -> bool:
        place = self._changed.find_place(path) if self._changed is not None and self._changed.places else None
        return place is not None and place.setting.is_typed


def _allow_all(path: str) -> None:
    """Refuse nothing: the caller reads as the user who runs it."""


def _find_near(missing: str) -> str:
    """`; did you mean 'raw.csv'?`, where the folder has something of nearly that name."""
    folder, name = os.path.split(missing)
    try:
        return did_you_mean(name, os.listdir(folder))
    except OSError:
        return ""
