"""Shapes of values: each reads, dumps and describes itself as JSON Schema.

A shape never raises on what a user wrote: it reports to the `Reader` and returns None.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path, did_you_mean, format_value, join_words
from smalt.entities.schema.reader import describe_path

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

T = TypeVar("T")
U = TypeVar("U")
JSON = dict[str, Any]


class Definitions(Protocol):
    """The nouns of a JSON Schema, each described once and referred to after that."""

    def add_reference(self, noun: Any, only: tuple[str, ...] = (), place: str = "") -> JSON:
        """Return a reference to a noun; to `only` some of its keys if the `place` allows fewer."""


class Shape(Generic[T]):
    words = "a value"
    takes_bindings = True
    """True if an expression may stand for the value in a step; never for a mapping, whose keys decide what runs."""

    def has_type(self, value: object) -> bool:
        """Return True if a value of this Python type can belong here; this tells the sides of a union apart."""
        return True

    def read_value(self, value: Any, path: Path, reader: Reader) -> T | None:
        raise TypeError(f"{type(self).__name__} does not say how it is read")

    def report_mismatch(self, value: Any, path: Path, reader: Reader, hint: str = "") -> T | None:
        """Report what was expected and return None, or return an expression that may stand here."""
        return cast("T | None", reader.add_mismatch(path, value, self.words, hint, self.takes_bindings))

    def dump_value(self, value: Any) -> Any:
        return value

    def build_schema(self, definitions: Definitions) -> JSON:
        return {}

    def list_nested_keys(self) -> Iterator[Iterator[str]]:
        """Yield the keys of each noun that the value may be."""
        return iter(())

    def __or__(self, other: Shape[U]) -> Shape[T | U]:
        return Either([*_list_sides(self), *_list_sides(other)])


def _list_sides(shape: Shape[Any]) -> list[Shape[Any]]:
    return shape.shapes if isinstance(shape, Either) else [shape]


class Either(Shape[T]):
    """A union of shapes; the first that can take the value reads it."""

    def __init__(self, shapes: list[Shape[Any]]) -> None:
        self.shapes = shapes
        self.takes_bindings = any(shape.takes_bindings for shape in shapes)
        self.words = join_words(dict.fromkeys(shape.words for shape in shapes))

    def has_type(self, value: object) -> bool:
        return any(shape.has_type(value) for shape in self.shapes)

    def read_value(self, value: Any, path: Path, reader: Reader) -> T | None:
        for shape in self.shapes:
            if shape.has_type(value):
                return cast("T | None", shape.read_value(value, path, reader))
        text = reader.get_written_text(path)
        if text is not None and not isinstance(value, str) and self.has_type(text):
            return self.read_value(text, path, reader)
        return self.report_mismatch(value, path, reader)

    def dump_value(self, value: Any) -> Any:
        if isinstance(value, (str, int, float)):
            return value
        for shape in self.shapes:
            if shape.has_type(value):
                return shape.dump_value(value)
        return value

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"anyOf": [shape.build_schema(definitions) for shape in self.shapes]}

    def list_nested_keys(self) -> Iterator[Iterator[str]]:
        for shape in self.shapes:
            yield from shape.list_nested_keys()


class Anything(Shape[Any]):
    """A value of any shape, kept unchanged."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        return value

    def dump_value(self, value: Any) -> Any:
        """Return the value with every noun in it, from programs, as plain data."""
        if isinstance(value, Mapping):
            return {key: self.dump_value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.dump_value(item) for item in value]
        return value.to_dict() if hasattr(value, "to_dict") else value


class Text(Shape[str]):
    """Text. A path object counts as its text."""

    words = "text"

    def has_type(self, value: object) -> bool:
        return isinstance(as_text(value), str)

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        value = as_text(value)
        if isinstance(value, str):
            return value
        text = reader.get_written_text(path)
        if text is not None:
            return text
        hint = "; put it in quotes" if isinstance(value, (bool, int, float)) else ""
        return self.report_mismatch(value, path, reader, hint)

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": "string"}


class AsText(Text):
    """Text; numbers and booleans become the text that they are written as."""

    def has_type(self, value: object) -> bool:
        return isinstance(value, (str, bool, int, float))

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = value if isinstance(value, str) else reader.get_written_text(path)
        if text is not None:
            return text
        if isinstance(value, bool):
            return self.format_boolean(value)
        return str(value) if isinstance(value, (int, float)) else self.report_mismatch(value, path, reader)

    def format_boolean(self, value: bool) -> str:
        return "true" if value else "false"

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": ["string", "number", "boolean"]}


class Version(AsText):
    """A version. Azure's client turns `on` in a file into Python's spelling, `True`, and so does this."""

    def format_boolean(self, value: bool) -> str:
        return str(value)


class Tag(AsText):
    """A tag of a job or a component. Programs may give a number; files have to put it in quotes."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        if reader.from_file:
            return Text.read_value(self, value, path, reader)
        return super().read_value(value, path, reader)


class Integer(Shape[int]):
    words = "a whole number"

    def __init__(self, at_least: int | None = None, at_most: int | None = None) -> None:
        self.at_least, self.at_most = at_least, at_most

    def has_type(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def read_value(self, value: Any, path: Path, reader: Reader) -> int | None:
        text = reader.get_written_text(path)
        number = _to_whole_number(value) if text is None else _parse_whole_number(text)
        if number is None:
            return self.report_mismatch(value, path, reader)
        return number if check_range(number, self.at_least, self.at_most, path, reader) else None

    def build_schema(self, definitions: Definitions) -> JSON:
        return {
            "anyOf": [
                {"type": "integer", **_build_bounds(self.at_least, self.at_most)},
                _build_text_schema(r"-?\d{1,19}"),
            ]
        }


def _to_whole_number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
        return int(value)
    return None


def _parse_whole_number(text: str) -> int | None:
    """Return a whole number from a command line: decimal, perhaps with leading zeros, or `0x10`."""
    try:
        return int(text, 10)
    except ValueError:
        try:
            return int(text, 0)
        except ValueError:
            return _to_whole_number(_parse_number(text))


def _parse_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def check_range(number: float, least: float | None, most: float | None, path: Path, reader: Reader) -> bool:
    if least is not None and number < least:
        reader.add_problem(path, f"{describe_path(path)} must be at least {least}, not {number}")
        return False
    if most is not None and number > most:
        reader.add_problem(path, f"{describe_path(path)} must be at most {most}, not {number}")
        return False
    return True


def is_written_empty(shape: Shape[Any], path: Path, reader: Reader) -> bool:
    """Return True if a command line has `null`, `~` or nothing where text belongs, which then is that text."""
    return path in reader.written and shape.has_type("")


def _build_bounds(least: float | None, most: float | None) -> JSON:
    return {**({} if least is None else {"minimum": least}), **({} if most is None else {"maximum": most})}


class Number(Shape[float]):
    words = "a number"

    def __init__(self, at_least: float | None = None, at_most: float | None = None) -> None:
        self.at_least, self.at_most = at_least, at_most

    def has_type(self, value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def read_value(self, value: Any, path: Path, reader: Reader) -> float | None:
        text = reader.get_written_text(path)
        number = value
        if text is not None:
            whole = _parse_whole_number(text)
            number = _parse_number(text) if whole is None else whole
        elif isinstance(value, str):
            number = _parse_number(value)
        if isinstance(number, int) and abs(number) > sys.float_info.max:
            reader.add_problem(path, f"{describe_path(path)} must be at most {sys.float_info.max:.2g} in size")
            return None
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < float("inf"):
            return self.report_mismatch(value, path, reader)
        return number if check_range(number, self.at_least, self.at_most, path, reader) else None

    def build_schema(self, definitions: Definitions) -> JSON:
        number = r"\s*[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?\s*"
        return {"anyOf": [{"type": "number", **_build_bounds(self.at_least, self.at_most)}, _build_text_schema(number)]}


class Boolean(Shape[bool]):
    words = "true or false"
    _texts = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}

    def has_type(self, value: object) -> bool:
        return isinstance(value, bool)

    def read_value(self, value: Any, path: Path, reader: Reader) -> bool | None:
        if isinstance(value, bool):
            return value
        known = self._texts.get(value.lower()) if isinstance(value, str) else None
        return self.report_mismatch(value, path, reader) if known is None else known

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"anyOf": [{"type": "boolean"}, build_words_schema(self._texts)]}


_SWITCHES = {True: "on", False: "off"}
"""The words that YAML reads as truth values."""


class Enum(Shape[str]):
    """A word of a few. Case, underscores, hyphens and spaces do not matter, as with the service."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed
        self.words = join_words(f"'{word}'" for word in allowed)
        self._folded = {_fold_word(word): word for word in allowed}

    def has_type(self, value: object) -> bool:
        return isinstance(value, str)

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        if value in self.allowed:
            return cast("str", value)
        if isinstance(value, bool) and _SWITCHES[value] in self.allowed:
            return _SWITCHES[value]
        if not isinstance(value, str):
            text = reader.get_written_text(path)
            return self.report_mismatch(value, path, reader) if text is None else self.read_value(text, path, reader)
        word = self._folded.get(_fold_word(value))
        return word if word is not None else self._report_unknown(value, path, reader)

    def _report_unknown(self, value: str, path: Path, reader: Reader) -> str | None:
        if reader.is_binding(value):
            return value
        hint = did_you_mean(value, self.allowed)
        name = describe_path(path) if path else "it"
        reader.add_problem(path, f"{name} must be {self.words}, not {format_value(value)}{hint}")
        return None

    def build_schema(self, definitions: Definitions) -> JSON:
        switches = [value for value, word in _SWITCHES.items() if word in self.allowed]
        schema = build_words_schema(self.allowed)
        return {"anyOf": [*schema["anyOf"], {"enum": switches}]} if switches else schema


def _fold_word(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def build_words_schema(words: Iterable[str]) -> JSON:
    """Return a schema of words: as they are, which editors offer, or in any form that the reader accepts."""
    spelt = (
        "[-_ ]*".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in _fold_word(word)) for word in words
    )
    return {"anyOf": [{"enum": list(words)}, _build_text_schema(f"[-_ ]*({'|'.join(dict.fromkeys(spelt))})[-_ ]*")]}


def _build_text_schema(pattern: str) -> JSON:
    """Return a schema of text that stands for a value of another type."""
    return {"type": "string", "pattern": f"^{pattern}$"}


class List(Shape[list[T]]):
    takes_bindings = False

    def __init__(self, item: Shape[T]) -> None:
        self.item = item
        self.words = "a list" if isinstance(item, Anything) else f"a list of {_to_plural(item.words)}"

    def has_type(self, value: object) -> bool:
        return isinstance(value, (list, tuple))

    def read_value(self, value: Any, path: Path, reader: Reader) -> list[T] | None:
        if not isinstance(value, (list, tuple)):
            return self.report_mismatch(value, path, reader)
        items = (self.item.read_value(item, (*path, index), reader) for index, item in enumerate(value))
        return [item for item in items if item is not None]

    def dump_value(self, value: Any) -> Any:
        return [self.item.dump_value(item) for item in value] if isinstance(value, (list, tuple)) else value

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": "array", "items": self.item.build_schema(definitions)}


def _to_plural(words: str) -> str:
    """Return `whole numbers` for `a whole number`, and other words unchanged."""
    for article in ("a ", "an "):
        if words.startswith(article) and "(" not in words:
            return f"{words.removeprefix(article)}s"
    return words


class Map(Shape[dict[str, T]]):
    """A mapping from names that users choose."""

    words = "a mapping"
    takes_bindings = False

    def __init__(self, item: Shape[T], of: str | None = None) -> None:
        self.item = item
        if of:
            self.words = f"a mapping of {of}"

    def has_type(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read_value(self, value: Any, path: Path, reader: Reader) -> dict[str, T] | None:
        if not isinstance(value, Mapping):
            return self.report_mismatch(value, path, reader)
        result: dict[str, T] = {}
        for key, item in value.items():
            if item is None and not is_written_empty(self.item, (*path, key), reader):
                read = self.make_empty()
            else:
                read = self.item.read_value(item, (*path, key), reader)
            if read is not None:
                result[key if isinstance(key, str) else str(key)] = read
        return result

    def make_empty(self) -> T | None:
        """Return the value of a name without one; None drops the name."""
        return None

    def dump_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: self.item.dump_value(item) for key, item in value.items()}

    def build_schema(self, definitions: Definitions) -> JSON:
        item = self.item.build_schema(definitions)
        return {"type": "object", "additionalProperties": {"anyOf": [item, {"type": "null"}]} if item else True}
