"""Entities, the base class of all nouns: fields are declared once, and reading, checks, dumping and equality follow."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping
from typing import IO, Any, ClassVar, TypeVar, cast

from smalt.entities.schema.effects import ACTED, REFUSED, SERVICE
from smalt.entities.schema.misplaced_keys import find_right_place
from smalt.entities.schema.operations import load_operation
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path, did_you_mean, find_nearest, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import Enum, Map, Shape, is_written_empty
from smalt.entities.schema.signatures import NounSignature, find_parameters
from smalt.entities.schema.travel import SETTING, Travel
from smalt.exceptions import LocatedProblem, UserErrorException, ValidationException
from smalt.machine.source_lines import find_caller, warn_caller

T = TypeVar("T")
E = TypeVar("E", bound="Entity")


class Field:
    """A key of a noun. An instance without a value for it returns the default."""

    __slots__ = ("default", "doc", "effect", "factory", "from_service", "name", "required", "shape", "travels")

    def __init__(
        self,
        shape: Shape[Any],
        doc: str,
        *,
        required: bool = False,
        default: Any = None,
        factory: Callable[[], Any] | None = None,
        from_service: bool = False,
        effect: str = "",
        travels: Travel = SETTING,
    ) -> None:
        """Declare a field.

        `effect` is one of the words of `smalt.entities.schema.effects`; without one it is that of the noun.
        `travels` says where its value goes beyond the noun (`smalt.entities.schema.travel`).
        """
        self.name, self.effect, self.travels = "", effect, travels
        self.shape, self.doc, self.required = shape, doc, required
        self.default, self.factory, self.from_service = default, factory, from_service

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        if self.factory is None:
            return self.default
        value = instance.__dict__[self.name] = self.factory()
        return value


def required(shape: Shape[T], doc: str, effect: str = "", travels: Travel = SETTING) -> T:
    return cast("T", Field(shape, doc, required=True, effect=effect, travels=travels))


def optional(shape: Shape[T], doc: str, effect: str = "", travels: Travel = SETTING) -> T | None:
    return cast("T | None", Field(shape, doc, effect=effect, travels=travels))


def mapping(shape: Map[T], doc: str, effect: str = "", travels: Travel = SETTING) -> dict[str, T]:
    """Declare a field that maps names to values; it is an empty mapping when unset."""
    return cast("dict[str, T]", Field(shape, doc, factory=dict, effect=effect, travels=travels))


def constant(word: str, doc: str) -> str:
    """Declare a key that always has one value, which tells the noun from others."""
    return cast("str", Field(Enum(word), doc, default=word, travels=Travel.NOWHERE))


def from_service(shape: Shape[T], doc: str) -> T | None:
    """Declare a key that the service fills in; a value from a user is kept and has no effect."""
    return cast("T | None", Field(shape, doc, from_service=True, travels=Travel.NOWHERE))


class Entity:
    """A noun that a user writes: plain data, with attributes named as the YAML keys, None (or {}) if unset.

    Names that are not keys begin with an underscore, as in a namedtuple, so that no key collides with them.
    """

    noun: ClassVar[str] = "an entity"
    _is_open: ClassVar[bool] = False
    """True if keys beyond the fields are kept, in `extra`, and not refused."""

    _is_lenient: ClassVar[bool] = False
    """True if a file may have keys beyond the fields, which have no effect and are warned of."""

    _effect: ClassVar[str] = ""
    """The effect of fields that declare none (`smalt.entities.schema.effects`)."""

    _says_defaults: ClassVar[bool] = True
    """True if instances that programs create get the official class's defaults."""

    _fields: ClassVar[dict[str, Field]] = {}
    _required: ClassVar[tuple[str, ...]] = ()
    _constants: ClassVar[dict[str, str]] = {}
    _partial = False
    """True if part of the entity could not be read."""

    source_path: str | None = None
    """The file that it was read from."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        fields = {
            name: field for base in reversed(cls.__mro__[1:]) for name, field in getattr(base, "_fields", {}).items()
        }
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        first = {"type": fields["type"]} if "type" in fields else {"type": own["type"]} if "type" in own else {}
        cls._fields = {
            name: field for name, field in {**first, **fields, **own}.items() if vars(cls).get(name, 0) is not None
        }
        cls._constants = {name: field.default for name, field in cls._fields.items() if field.default is not None}
        cls._required = tuple(name for name, field in cls._fields.items() if field.required)

    __signature__ = NounSignature()

    def __init__(self, *arguments: Any, **values: Any) -> None:
        """Take the arguments of the official class of the same name, if there is one, else the fields by name."""
        takes = find_parameters(type(self))
        if arguments:
            values = takes.bind_arguments(type(self).__name__, arguments, values)
        fields, own = self._fields, self.__dict__
        others: dict[str, Any] = {}
        for name, value in values.items():
            value = as_text(value)
            if name in fields or name == "extra":
                if type(value) in (dict, list) and value and name in fields:
                    value = self._read_field(fields[name], name, value)
                own[name] = value.value if isinstance(value, enum.Enum) else value
            elif isinstance(getattr(type(self), name, None), property):
                others[name] = value
            elif not takes.is_open or did_you_mean(name, fields):
                raise TypeError(f"{type(self).__name__} has no '{name}'{did_you_mean(name, fields)}")
            elif not name.startswith("_") and name not in takes.names:
                warn_caller(f"{type(self).__name__} has no '{name}', so it has no effect")
        for name, value in others.items():
            if value is not None:
                setattr(self, name, value)
        if self._says_defaults:
            for name, value in {**takes.defaults, **self._constants}.items():
                if name in fields and own.get(name) is None:
                    own[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; plain data becomes the noun that belongs there: `job.resources = {"instance_count": 2}`."""
        field, value = self._fields.get(name), as_text(value)
        if field is None:
            if not name.startswith("_") and not hasattr(type(self), name) and not self._is_open:
                self._check_spelling(name)
        elif isinstance(value, (dict, list)) and value:
            value = self._read_field(field, name, value)
        object.__setattr__(self, name, value)

    def _check_spelling(self, name: str) -> None:
        """Raise UserErrorException if the name misspells a field; other names are kept and have no effect."""
        hint = did_you_mean(name, self._fields)
        if hint:
            raise UserErrorException(f"{self.noun} has no '{name}'{hint}", find_caller())

    def _read_field(self, field: Field, name: str, value: Any) -> Any:
        reader = Reader()
        read = field.shape.read_value(value, (name,), reader)
        if reader.problems:
            raise UserErrorException(str(reader.problems[0]), find_caller())
        return read

    @property
    def base_path(self) -> str:
        """Return the folder that relative paths start at: that of the entity's file, or the current one."""
        return os.path.dirname(self.source_path) if self.source_path else os.getcwd()

    @property
    def extra(self) -> dict[str, Any]:
        """Return the keys beyond the fields of an open noun."""
        return cast("dict[str, Any]", self.__dict__.setdefault("extra", {}))

    @classmethod
    def _find_effect(cls, name: str) -> str:
        """Return the effect of a field on this machine; no field has more effect than its noun."""
        field = cls._fields[name]
        if cls._effect == REFUSED:
            return REFUSED
        if field.from_service:
            return SERVICE
        return field.effect or cls._effect or (ACTED if field.default is not None else "")

    @classmethod
    def from_dict(cls: type[E], data: Mapping[str, Any]) -> E:
        """Return the entity; raise ValidationException with every problem."""
        reader = Reader()
        entity = cls._read_document(data, reader)
        if entity is None or reader.problems:
            raise ValidationException([LocatedProblem("", 0, 0, str(problem)) for problem in reader.problems])
        return entity

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, as in YAML."""
        result: dict[str, Any] = {}
        for name, field in self._fields.items():
            value = self.__dict__.get(name, field.default)
            if value is None or (field.factory and not value):
                continue
            dumped = field.shape.dump_value(value)
            if not (field.factory and dumped == {}):
                result[name] = dumped
        if self._is_open:
            result.update(self.extra)
        return result

    def dump(self, dest: str | os.PathLike[str] | IO[str], **_: object) -> None:
        """Write the entity as YAML to a path or an open file; the text loads as an equal entity."""
        load_operation("dump_to_file")(self, dest)

    def _to_yaml(self) -> str:
        return str(load_operation("dump_to_text")(self))

    @classmethod
    def _read_document(cls: type[E], data: Any, reader: Reader) -> E | None:
        """Return the noun of a whole document, or None. Nesting too deep for Python is a problem too."""
        try:
            return cls._read_data(data, (), reader)
        except RecursionError:
            reader.add_problem((), f"{cls.noun} is nested too deeply")
            return None

    @classmethod
    def _read_data(cls: type[E], data: Any, path: Path, reader: Reader) -> E | None:
        """Return the noun, as far as it could be read, from plain data; problems go to `reader`."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            reader.add_mismatch(path, data, f"{cls.noun} (a mapping)", takes_bindings=False)
            return None
        cls = cls._resolve_class(data)
        entity = cls.__new__(cls)
        values = entity.__dict__
        fields = cls._fields
        unknown: list[Any] = []
        told = len(reader.problems)
        outer, reader.outer = reader.outer, cls
        for key, value in data.items():
            field = fields.get(key)
            if field is None:
                unknown.append(key)
            elif value is not None or is_written_empty(field.shape, (*path, key), reader):
                read = field.shape.read_value(value, (*path, key), reader)
                if read is not None:
                    values[key] = read
        reader.outer = outer
        guessed = cls._handle_unknown_keys(unknown, data, entity, path, reader) if unknown else set()
        cls._check_required({key for key in data if data[key] is not None or key in values} | guessed, path, reader)
        entity._check_rules(path, reader, data)
        if len(reader.problems) > told:
            values["_partial"] = True
        return entity

    @classmethod
    def _resolve_class(cls: type[E], data: Mapping[str, Any]) -> type[E]:
        """Return the class for the data: this one, or a subclass that the data calls for."""
        return cls

    @classmethod
    def _handle_unknown_keys(cls, keys: list[Any], data: Any, entity: Entity, path: Path, reader: Reader) -> set[str]:
        """Keep or report the keys that are not fields, and return the fields that they probably misspell."""
        guessed: set[str] = set()
        for key in keys:
            if key == "$schema":
                continue
            if cls._is_open:
                entity.extra[key] = data[key]
                continue
            near = find_nearest(key, [name for name in cls._fields if name not in data])
            place = find_right_place(key, cls, reader.outer if path and path[-1] in _list_names(reader.outer) else None)
            if place and place.field:
                guessed.add(place.field)
            elif near:
                guessed.add(near)
            short = 0 < len(cls._fields) <= 8
            hint = f"; it may have {join_words(cls._fields, 'and')}" if short else ""
            hint = place.hint if place else did_you_mean(near or key, cls._fields) or hint
            words = f"unknown key '{key}' in {cls.noun}{hint}"
            if not (cls._is_lenient and near not in cls._required and reader.record_warning((*path, key), words)):
                reader.add_problem((*path, key), words, at_key=True)
        return guessed

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        """Report each required key that is missing; `given` also has the fields that unknown keys misspell."""
        for name in cls._required:
            if name not in given:
                verb = "need" if cls.noun.startswith("limits ") else "needs"
                reader.add_problem(path, f"{cls.noun} {verb} '{name}'", at_key=True)

    def explain_ineffective_keys(self) -> Mapping[str, str | None]:
        """Return why a setting has no effect here, by its dotted key; None for one of which nothing need be said."""
        return {}

    def _check_rules(self, path: Path, reader: Reader, data: Mapping[str, Any]) -> None:
        """Check rules about several keys; `data` also has what could not be read."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._get_set_values() == other._get_set_values()

    __hash__ = None  # type: ignore[assignment]

    def _get_set_values(self) -> dict[str, Any]:
        fields = self._fields
        return {
            name: value
            for name, value in self.__dict__.items()
            if (name in fields or (name == "extra" and self._is_open))
            and value is not None
            and value != {}
            and not (
                isinstance(value, Entity) and name in fields and fields[name].factory and not value._get_set_values()
            )
            and not (name in fields and value == fields[name].default)
        }

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._get_set_values().items())})"
        )


def _list_names(noun: type[Entity] | None) -> Mapping[str, Field]:
    return {} if noun is None else noun._fields


def merge_values(entity: Entity | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an entity, overridden by the given ones that are not None."""
    kept = {} if entity is None else {key: value for key, value in vars(entity).items() if key in entity._fields}
    return {**kept, **{key: value for key, value in given.items() if value is not None}}


def dump_to_dict(self: Any, dest: str | os.PathLike[str] | IO[str] | None = None, **_: Any) -> dict[str, Any]:
    """Write the entity to `dest` if given, and return it as a dict, as `dump` of some official classes does."""
    if dest is not None:
        Entity.dump(self, dest)
    return cast("dict[str, Any]", self.to_dict())
