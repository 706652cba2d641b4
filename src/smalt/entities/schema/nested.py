"""Shapes that hold nouns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from smalt.entities.schema.earlier_types import explain_earlier_type
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.misplaced_keys import list_keys
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path, did_you_mean, format_value, join_words
from smalt.entities.schema.shapes import JSON, Shape
from smalt.entities.syntax.references import is_reference, parse_reference

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader
    from smalt.entities.schema.shapes import Definitions

E = TypeVar("E", bound=Entity)


def load_noun(where: str) -> type[Entity]:
    """Return the class at `module:Class` of this package; it is imported when first needed."""
    module, _, name = where.partition(":")
    return cast("type[Entity]", getattr(import_module(f"smalt.entities.{module}"), name))


class Nested(Shape[E]):
    """A noun inside another."""

    takes_bindings = False

    def __init__(self, noun: type[E], only: tuple[str, ...] = (), place: str = "") -> None:
        """Take the noun; `only` some of its keys are allowed in this `place`."""
        self.noun, self.only, self.place = noun, only, place
        self.words = f"{noun.noun} (a mapping)"

    def has_type(self, value: object) -> bool:
        return isinstance(value, (Mapping, self.noun))

    def read_value(self, value: Any, path: Path, reader: Reader) -> E | None:
        if self.only and isinstance(value, Mapping):
            for key in value:
                if key in self.noun._fields and key not in self.only:
                    words = f"'{key}' is not for {self.noun.noun} of {self.place}"
                    reader.add_problem(
                        (*path, key), f"{words}; it may have {join_words(self.only, 'and')}", at_key=True
                    )
        return self.noun._read_data(value, path, reader)

    def dump_value(self, value: Any) -> Any:
        return value.to_dict() if isinstance(value, Entity) else value

    def build_schema(self, definitions: Definitions) -> JSON:
        return definitions.add_reference(self.noun, self.only, self.place)

    def list_nested_keys(self) -> Iterator[Iterator[str]]:
        yield (key for key in list_keys(self.noun) if not self.only or key in self.only)


class TaggedNoun(Shape[E], Generic[E]):
    """A choice of nouns by the value of one key."""

    takes_bindings = False

    def __init__(self, base: type[E], key: str, table: Mapping[str, str], default: str | None = None) -> None:
        self.base, self.key, self.table, self.default = base, key, table, default
        self.words = f"{base.noun} (a mapping)"

    def has_type(self, value: object) -> bool:
        return isinstance(value, (Mapping, Entity))

    def read_value(self, value: Any, path: Path, reader: Reader) -> E | None:
        if isinstance(value, self.base):
            return value
        if not isinstance(value, Mapping):
            return self.report_mismatch(value, path, reader)
        tag = self.choose_tag(value, path, reader)
        return None if tag is None else cast("type[E]", load_noun(self.table[tag]))._read_data(value, path, reader)

    def choose_tag(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        """Return the tag of a mapping, or None after reporting what is wrong with it."""
        tag = value.get(self.key, self.default)
        if tag is None:
            reader.add_problem(
                path, f"{self.base.noun} needs '{self.key}': {join_words(map(repr, self.table))}", at_key=True
            )
            return None
        if isinstance(tag, str):
            folded = tag.lower().replace("_", "")
            for known in self.table:
                if known.replace("_", "") == folded:
                    return known
        hint = did_you_mean(tag, self.table) or self._list_tags()
        earlier = explain_earlier_type(tag, self.base.noun, self.table)
        words = f"unknown {self.key} {format_value(tag)} of {self.base.noun}{hint}"
        reader.add_problem((*path, self.key), earlier or words)
        return None

    def _list_tags(self) -> str:
        return f"; it may be {join_words(self.table)}"

    def dump_value(self, value: Any) -> Any:
        return value.to_dict() if isinstance(value, Entity) else value

    def build_schema(self, definitions: Definitions) -> JSON:
        nouns = dict.fromkeys(self.table.values())
        return {"anyOf": [definitions.add_reference(load_noun(where)) for where in nouns]}

    def list_nested_keys(self) -> Iterator[Iterator[str]]:
        for where in dict.fromkeys(self.table.values()):
            yield list_keys(load_noun(where))


class ByKey(TaggedNoun[E]):
    """A choice of nouns by the presence of a key."""

    def __init__(self, base: type[E], table: Mapping[str, str], default: str) -> None:
        super().__init__(base, "", {**table, "": default})

    def choose_tag(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        keys = [key for key in self.table if key]
        found = next((key for key in keys if key in value), "")
        for key in () if found else value:
            hint = did_you_mean(key, keys) or f"; it may have {join_words(keys)}"
            reader.add_problem((*path, key), f"unknown key '{key}' in {self.base.noun}{hint}", at_key=True)
        return None if value and not found else found


class Named(Shape[E | str]):
    """A reference to a registered entity, kept as text, or the path of a file, read as the entity in it."""

    def __init__(self, kind: str, *, bare_paths: bool = True) -> None:
        """Take the kind; without `bare_paths` a path must start with `file:` or end in `.yml` or `.yaml`."""
        self.kind, self.bare_paths = kind, bare_paths
        noun = kind.replace("_", " ")
        file = f"the path of a {noun}" if bare_paths else "'file:PATH'"
        self.words = f"{file}, 'azureml:NAME:VERSION', 'azureml:NAME@latest' or 'azureml://registries/…'"

    def has_type(self, value: object) -> bool:
        return isinstance(as_text(value), str)

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        value = as_text(value)
        if not isinstance(value, str) or reader.is_binding(value):
            return self.report_mismatch(value, path, reader)
        if is_reference(value):
            return self.report_mismatch(value, path, reader) if parse_reference(value) is None else value
        if self.bare_paths or value.startswith("file:") or value.endswith((".yml", ".yaml")):
            return reader.load_entity(value, self.kind, path)
        return self.report_mismatch(value, path, reader)

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": "string"}
