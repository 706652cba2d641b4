"""Codecs between a noun and its JSON, with a table of the keys that the wire spells otherwise.

A key without a rule has the same value on the wire, in camelCase or, inside a pipeline's node, as it is.
Keys that the noun does not have are kept in its `extra`, and sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.travel import Travel
from smalt.wire.encoding.casing import fold_case, to_camel, to_pascal, to_snake
from smalt.wire.encoding.references import References

E = TypeVar("E", bound=Entity)
Json = dict[str, Any]

_SAME_IN_NODES = frozenset({"computeId", "componentId"})


class Writing(NamedTuple):
    """Options of writing: the references, and whether it is inside a pipeline's node, and of which pipeline."""

    refs: References
    in_node: bool = False
    parent: Entity | None = None

    def key(self, key: str) -> str:
        """A key, given as it is outside, for this place."""
        return key if not self.in_node or key in _SAME_IN_NODES else to_snake(key)


class Rule(NamedTuple):
    """A key on the wire, "" where it is not sent; and how its value is written and read."""

    key: str
    write: Callable[[Any, Writing], Any] = lambda value, writing: to_plain(value)
    read: Callable[[Any, Path, Reader], Any] = lambda value, path, reader: value
    in_place: str = ""
    """The key where the value is not an id but the thing itself, which only smalt's server takes."""


class Codec(Generic[E]):
    """Writes and reads one noun.

    `constants` are always on the wire and tell the reader nothing; `defaults` are there unless something else is.
    """

    def __init__(
        self,
        noun: type[E],
        rules: Mapping[str, Rule] | None = None,
        *,
        constants: Json | None = None,
        defaults: Json | None = None,
    ) -> None:
        self.noun = noun
        self.rules = dict(rules or {})
        self.constants = constants or {}
        self.defaults = defaults or {}
        self._sent = {
            name
            for name, field in noun._fields.items()
            if not field.from_service and Travel.CLIENT not in field.travels
        }
        self._sent -= {name for name, rule in self.rules.items() if not rule.key}
        self._names = {fold_case(name): name for name in noun._fields}
        self._names.update({fold_case(rule.key): name for name, rule in self.rules.items() if rule.key})
        self._silent = {fold_case(key) for key in self.constants}
        self._seen: dict[str, str | None] = {}

    def list_keys(self) -> list[str]:
        """Return the keys that the wire has for what the noun says."""
        rules = self.rules
        return [*self.constants, *(rules[name].key if name in rules else to_camel(name) for name in sorted(self._sent))]

    def write(self, noun: E, writing: Writing) -> Json:
        """Return the fields that are set, under the keys of the wire."""
        rules, sent, in_node, needed = self.rules, self._sent, writing.in_node, self.noun._required
        body: Json = {writing.key(key): value for key, value in self.constants.items()}
        for key, value in self.defaults.items():
            body[key] = {} if value == {} else value
        for name, value in vars(noun).items():
            if value is None or name not in sent or (value == {} and name not in needed):
                continue
            rule = rules.get(name)
            if rule is None:
                body[name if in_node else to_camel(name)] = to_plain(value)
                continue
            written = rule.write(value, writing)
            if written is not None:
                whole = rule.in_place and isinstance(written, dict)
                body[rule.in_place if whole else writing.key(rule.key)] = written
        extra = vars(noun).get("extra")
        if extra:
            body.update(extra)
        return body

    def read(self, body: Any, path: Path, reader: Reader) -> E | None:
        """The noun; what is wrong with it goes to the reader."""
        if not isinstance(body, Mapping):
            return self.noun._read_data(body, path, reader)
        values, extra = self.split_body(body, path, reader)
        noun = self.noun._read_data(values, path, reader)
        if noun is not None and extra:
            noun.extra.update(extra)
        return noun

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        """The values of the noun's own keys, and the rest as it came."""
        values: Json = {}
        extra: Json = {}
        spelt: dict[str, str] = {}
        for key, value in body.items():
            if value is None or (key in self.defaults and value == {}):
                continue
            name = self._find_name(key)
            if name is None:
                if not self._is_ignored(key, value):
                    extra[key] = value
                continue
            check_spelling(body, key, spelt, path, reader)
            rule = self.rules.get(name)
            values[name] = value if rule is None else rule.read(value, (*path, name), reader)
        return values, extra

    def _is_ignored(self, key: Any, value: Any) -> bool:
        if key == "provisioningState" or fold_case(str(key)) in self._silent:
            return True
        return key in self.defaults and bool(self.defaults[key] == value)

    def _find_name(self, key: Any) -> str | None:
        """The noun's key for one of the wire, whatever its casing; Azure's clients add `_source`, which is none."""
        if key in self._seen:
            return self._seen[key]
        name = self._names.get(fold_case(key)) if isinstance(key, str) and not key.startswith("_") else None
        if len(self._seen) < 1000:
            self._seen[key] = name
        return name


def check_spelling(body: Mapping[str, Any], key: Any, spelt: dict[str, str], path: Path, reader: Reader) -> None:
    """Refuse a key that the body has in another spelling, too, with another value; `spelt` are those met so far."""
    is_own = isinstance(key, str) and not key.startswith("_")  # Azure's clients add keys such as `_source`
    other = spelt.setdefault(fold_case(key), key) if is_own else key
    if other != key and body[other] != body[key]:
        words = f"'{other}' and '{key}' are two spellings of one key and say different things; send one of them"
        reader.add_problem((*path, key), words, at_key=True)


class TaggedCodec:
    """A codec for one of several nouns, told apart by a word under `key`: `"distributionType": "PyTorch"`."""

    def __init__(self, key: str, codecs: Mapping[str, Codec[Any]]) -> None:
        self.key = key
        self.codecs = {fold_case(word): (word, codec) for word, codec in codecs.items()}
        self._words = {codec.noun: (word, codec) for word, codec in codecs.items()}

    def write(self, value: Any, writing: Writing) -> Any:
        if type(value) not in self._words:
            return to_plain(value)
        word, codec = self._words[type(value)]
        return {**codec.write(value, writing), writing.key(self.key): word}

    def read(self, value: Any, path: Path, reader: Reader) -> Any:
        if not isinstance(value, Mapping):
            return value
        rest = dict(value)
        tag = None
        for key in value:
            if isinstance(key, str) and fold_case(key) in (fold_case(self.key), "type"):
                tag = rest.pop(key)
        found = self.codecs.get(fold_case(tag)) if isinstance(tag, str) else None
        if found is None:
            return {**rest, "type": tag}  # the noun's own words say what is wrong
        word, codec = found
        if codec.noun._fields["type"].default is None:
            rest["type"] = to_snake(word)
        return codec.read(rest, path, reader)


def make_nested_rule(codec: Codec[Any] | TaggedCodec, key: str) -> Rule:
    """A rule for a noun within a noun."""

    def write(value: Any, writing: Writing) -> Any:
        return codec.write(value, writing) if isinstance(value, Entity) else to_plain(value)

    return Rule(key, write, codec.read)


def make_named_rule(codec: Codec[Any] | TaggedCodec, key: str) -> Rule:
    """A rule for a mapping from the user's names to nouns."""

    def write(value: Any, writing: Writing) -> Any:
        return {name: codec.write(item, writing) for name, item in value.items()}

    def read(value: Any, path: Path, reader: Reader) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: codec.read(item, (*path, name), reader) for name, item in value.items() if item is not None}

    return Rule(key, write, read)


def make_word_rule(key: str) -> Rule:
    """A rule for a word that the wire has in PascalCase: `Spot`."""
    return Rule(key, lambda value, writing: to_pascal(value), lambda value, path, reader: value)


def to_plain(value: Any) -> Any:
    """A value without nouns."""
    if type(value) is str:  # most are
        return value
    if isinstance(value, Entity):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value
