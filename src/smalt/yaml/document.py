"""A YAML file as plain data that still knows where everything stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from smalt.entities.schema.problems import Path

_MOST_VALUES = 5_000_000
_DEEPEST = 100
_TAG = "tag:yaml.org,2002:"


class Fault(NamedTuple):
    """Something wrong with the YAML itself; line and column count from 1."""

    line: int
    column: int
    message: str


class _TooDeep(Exception):
    pass


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes, but none that would exhaust the C stack; PyYAML calls these two around each node."""

    depth = 0

    def descend_resolver(self, node: Any, index: Any) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self.depth -= 1


class Document:
    """`data` is what the text says; `faults` is what kept it from saying more."""

    def __init__(self, text: str | bytes) -> None:
        self.faults: list[Fault] = []
        self.root = self._parse_nodes(text)
        self.data: Any = None
        if self.root is not None:
            self.data = _Constructor(self.faults).build_value(self.root)

    def _parse_nodes(self, text: str | bytes) -> Any:
        try:
            return yaml.compose(text, _Loader)
        except yaml.MarkedYAMLError as error:
            self.faults.append(_make_fault(error))
        except yaml.reader.ReaderError as error:
            self.faults.append(Fault(1, 1, f"not a text file that YAML can be: {error.reason}"))
        except _TooDeep:
            self.faults.append(Fault(1, 1, f"nested more than {_DEEPEST} deep"))
        return None

    def find_position(self, path: Path, at_key: bool = False) -> tuple[int, int]:
        """Line and column of a value (or of its key), or of the nearest thing around it that is there."""
        node, key = self.root, None
        for part in path:
            found = _find_nodes(node, part)
            if found is None:
                break
            key, node = found
        shown = key if at_key and key is not None else node
        return (0, 0) if shown is None else (shown.start_mark.line + 1, shown.start_mark.column + 1)


def _make_fault(error: Any) -> Fault:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "it cannot be read")
    if "single document" in str(error.context):
        problem = "a second document starts here; put it into a file of its own"
    elif "tab character" in problem or "'\t'" in problem:
        problem = "a tab stands here; indent with spaces"
    elif "cannot start any token" in problem:
        problem = f"{problem.replace('found character that', 'a character stands here that')}; put the value in quotes"
    return Fault(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, f"not valid YAML: {problem}")


def _find_nodes(node: Any, part: Any) -> tuple[Any, Any] | None:
    """The key node and the value node of one part of a path."""
    if isinstance(node, yaml.SequenceNode):
        return (None, node.value[part]) if isinstance(part, int) and part < len(node.value) else None
    if not isinstance(node, yaml.MappingNode):
        return None
    merged = None
    for key, value in node.value:
        if key.tag == _TAG + "merge":
            merged = merged or next(filter(None, (_find_nodes(source, part) for source in _list_sources(value))), None)
        elif key.value == part:
            return key, value
    return merged


def _list_sources(node: Any) -> Iterator[Any]:
    return iter(node.value if isinstance(node, yaml.SequenceNode) else [node])


class _Constructor:
    """Nodes to plain data. Dates stay text; a key given twice and a tag that is not plain data are faults."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.done: dict[int, Any] = {}
        self.sizes: dict[int, tuple[int, int]] = {}
        self.open: set[int] = set()
        self.refused: set[int] = set()

    def build_value(self, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == _STR else self.build_scalar(node)
        if id(node) in self.done:
            return self.done[id(node)]
        if id(node) in self.open:
            self.add_fault(node, "an anchor contains itself")
            return None
        self.open.add(id(node))
        made = self.build_mapping(node) if isinstance(node, yaml.MappingNode) else self.build_sequence(node)
        self.open.discard(id(node))
        self.done[id(node)] = None if id(node) in self.refused else made
        return self.done[id(node)]

    def add_fault(self, node: Any, message: str) -> None:
        self.faults.append(Fault(node.start_mark.line + 1, node.start_mark.column + 1, message))

    def build_scalar(self, node: Any) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self.add_fault(node, f"the tag '{node.tag.replace(_TAG, '!!')}' is not plain data; leave it out")
            return None
        try:
            return convert(node)
        except (ValueError, LookupError, OverflowError):
            return node.value

    def build_sequence(self, node: Any) -> list[Any]:
        self.check_tag(node, "seq")
        items = [self.build_value(item) for item in node.value]
        self.check_size(node, node.value)
        return items

    def build_mapping(self, node: Any) -> dict[Any, Any]:
        self.check_tag(node, "map")
        result: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        merged: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                self.apply_merge(value_node, merged)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.add_fault(
                    key_node,
                    "a key must be a word, not a list or a mapping; put a value with braces in quotes",
                )
                continue
            self.build_value(key_node)  # for what is wrong with it
            key = key_node.value  # a key is the text that it is written as, also `on` and `0012`
            if key in lines:
                self.add_fault(
                    key_node, f"the key '{key_node.value}' is given twice; the first is at line {lines[key]}"
                )
            lines.setdefault(key, key_node.start_mark.line + 1)
            result[key] = self.build_value(value_node)
        self.check_size(node, [value for _, value in node.value])
        return {**merged, **result} if merged else result

    def apply_merge(self, node: Any, into: dict[Any, Any]) -> None:
        for source in _list_sources(node):
            data = self.build_value(source)
            if isinstance(data, dict):
                for key, value in data.items():
                    into.setdefault(key, value)
            else:
                self.add_fault(source, "'<<' takes a mapping, or a list of them")

    def check_tag(self, node: Any, plain: str) -> None:
        if node.tag != _TAG + plain:
            self.add_fault(node, f"the tag '{node.tag.replace(_TAG, '!!')}' is not plain data; leave it out")

    def check_size(self, node: Any, children: list[Any]) -> None:
        """Refuse what grows beyond all use where its aliases are followed."""
        sizes = [self.sizes.get(id(child), (1, 1)) for child in children]
        size = 1 + sum(size for size, _ in sizes)
        depth = 1 + max((depth for _, depth in sizes), default=0)
        self.sizes[id(node)] = size, depth
        if size > _MOST_VALUES or depth > _DEEPEST:
            self.add_fault(node, "its aliases, where they are followed, make more of it than can be read")
            self.sizes[id(node)] = 1, 1
            self.refused.add(id(node))


_STR = _TAG + "str"
_plain = yaml.constructor.SafeConstructor()
_SCALARS: dict[str, Any] = {
    _STR: lambda node: node.value,
    _TAG + "int": _plain.construct_yaml_int,
    _TAG + "float": _plain.construct_yaml_float,
    _TAG + "bool": _plain.construct_yaml_bool,
    _TAG + "null": lambda node: None,
    _TAG + "timestamp": lambda node: node.value,
    _TAG + "value": lambda node: node.value,
}


def list_plain_texts(node: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each scalar that is not in quotes, with its place and its text."""
    if isinstance(node, yaml.ScalarNode):
        if not node.style:
            yield path, node.value
        return
    items = enumerate(node.value) if isinstance(node, yaml.SequenceNode) else ((k.value, v) for k, v in node.value)
    for key, value in items:
        yield from list_plain_texts(value, (*path, key))


def parse_scalar(text: str) -> Any:
    """A bare word, as YAML understands it: number, boolean, null or text."""
    tag = _resolver.resolve(yaml.ScalarNode, text, (True, False))
    node = yaml.ScalarNode(tag, text)
    try:
        return _SCALARS.get(tag, _SCALARS[_STR])(node)
    except (ValueError, LookupError):
        return text


_resolver: Any = yaml.resolver.Resolver()
