"""The rules for parallel_for: items that fit the inputs of its body, and outputs that are gathered in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.control_flow import (
    ParallelFor,
    find_blocks,
    find_body,
    get_gathered_type,
    list_items,
    parse_items,
)
from smalt.entities.jobs.inputs import Input, Output, has_default
from smalt.entities.rules.bindings import PipelineNames, find_undeclared_inputs, find_whole_component, list_inputs
from smalt.entities.rules.bound_types import check_bound_types
from smalt.entities.rules.pipeline import check_value
from smalt.entities.rules.values import convert_path
from smalt.entities.schema.problems import Path, Problem, did_you_mean, format_value, join_words
from smalt.entities.steps.dependencies import find_sources, get_text
from smalt.entities.syntax.expression import parse_binding, resolve_port

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and surrogates, which are no characters by themselves."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TABLE = "MLTable"
"""The file beside the folders of the items, by which a gathered output is a table."""

ItemProblem = tuple[tuple[Any, ...], str]
"""The path within the items, and a sentence."""


def check_parallel_for(name: str, node: ParallelFor, names: PipelineNames, where: Path, reader: Reader) -> None:
    """Check a step that repeats another one: its items, its outputs, and what those of its body are used for."""
    if vars(node).get("inputs"):
        reader.add_problem(
            (*where, "inputs"), f"{node.noun} has no inputs of its own; give them in 'items'", at_key=True
        )
    body = find_body(node, names.steps)
    if body is None or node._partial:
        return
    body_name = find_blocks(node)["body"][0]
    _check_outputs(name, node, body_name, names, where, reader)
    _check_readers(name, body_name, names, reader)
    _check_items(node, body_name, names, where, reader)


def list_given_inputs(body: Any) -> set[str]:
    """Return the inputs that a step has by itself; of a sweep, its search space gives some."""
    return {*(vars(body).get("inputs") or ()), *(vars(body).get("search_space") or ())}


def find_item_problems(items: Any, declared: Mapping[str, Any] | None, given: Iterable[str]) -> Iterator[ItemProblem]:
    """Yield the problems of items, for a body with these declared inputs; None if these are not known.

    `given` are the inputs that the body has besides those of the items.
    """
    if not isinstance(items, (list, Mapping)):
        yield (), f"the items must be a list or mapping of inputs of the body, not {format_value(items)}"
        return
    if not items:
        yield (), "there are no items; give at least one"
    keys = list(items) if isinstance(items, Mapping) else []
    yield from _find_key_problems(keys)
    mappings = []
    for place, (_, item) in zip(keys or range(len(items)), list_items(items), strict=True):
        if isinstance(item, Mapping):
            mappings.append((place, item))
        else:
            yield (place,), f"an item must be a mapping of inputs of the body, not {format_value(item)}"
    for place, item in mappings[1:]:
        if item.keys() != mappings[0][1].keys():
            first, other = (join_words(list(one), "and") if one else "nothing" for one in (mappings[0][1], item))
            yield (place,), f"all items must give the same inputs, and this one gives {other}, the first {first}"
            break
    yield from _find_text_problems(mappings)
    if declared is not None and mappings:
        yield from _find_name_problems(*mappings[0], declared, given)


def _find_text_problems(items: Iterable[tuple[Any, Mapping[str, Any]]]) -> Iterator[ItemProblem]:
    """Yield the texts that cannot be part of a command: JSON can have characters that no process can be given."""
    for place, item in items:
        for name, value in item.items():
            found = _UNUSABLE.search(get_text(value))
            if found is not None:
                what = "a NUL character" if found[0] == "\0" else f"half of a character (\\u{ord(found[0]):04x})"
                yield (place, name), f"the text has {what}, which no command can be given; remove it"


def _find_name_problems(
    place: Any, item: Mapping[str, Any], declared: Mapping[str, Any], given: Iterable[str]
) -> Iterator[ItemProblem]:
    for name in item:
        if name not in declared:
            yield (place, name), f"the body has no input '{name}'{did_you_mean(name, declared)}"
    for name, form in declared.items():
        is_needed = isinstance(form, Input) and not form.optional and not has_default(form)
        if is_needed and name not in item and name not in given:
            kind = f" ({form.type})" if form.type else ""
            yield (place,), f"the input '{name}'{kind} of the body is given by neither the items nor the body"


def _find_key_problems(keys: Sequence[Any]) -> Iterator[ItemProblem]:
    seen: dict[str, str] = {}
    for key in keys:
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            words = "use at most 100 letters, digits, '_' and '-', as it names a job and a folder"
            yield (key,), f"{format_value(key)} cannot be the key of an item; {words}"
        elif key.lower() == _TABLE.lower():
            yield (key,), f"'{key}' cannot be the key of an item, as gathered outputs have a file of that name"
        elif key.lower() in seen:
            yield (key,), f"'{key}' and '{seen[key.lower()]}' differ in case only, and would be one folder; rename one"
        else:
            seen[key.lower()] = key


def _check_items(node: ParallelFor, body: str, names: PipelineNames, where: Path, reader: Reader) -> None:
    step = names.steps[body]
    place = (*where, "items")
    try:
        items = parse_items(node.items)
    except ValueError as error:
        words = "text must be JSON, or an expression such as '${{parent.inputs.NAME}}'"
        reader.add_problem(place, f"items as {words}: {error}")
        return
    if isinstance(items, str):
        _check_source(items, step, names, place, reader)
        return
    if isinstance(node.items, str):
        _check_text_items(items, "", step, names, place, reader)
    else:
        _check_known_items(items, step, names, place, reader)


def _check_known_items(items: Any, step: Any, names: PipelineNames, place: Path, reader: Reader) -> None:
    """Check items against the inputs of their body; `place` is that of the items, or of the text that has them."""
    component = find_whole_component(step)
    declared = component.inputs if component is not None else _list_inline_inputs(step)
    for inner, words in find_item_problems(items, declared, list_given_inputs(step)):
        reader.add_problem((*place, *inner), words, at_key=bool(inner))
    if not isinstance(items, (list, Mapping)):
        return
    for key, item in items.items() if isinstance(items, Mapping) else enumerate(items):
        for name, value in item.items() if isinstance(item, Mapping) else ():
            inner = (*place, key, name)
            form = (declared or {}).get(name)
            if value is None or isinstance(value, (dict, list)):
                reader.add_problem(inner, f"the value of an input must be a literal or data, not {format_value(value)}")
            elif isinstance(form, Input) and (component is not None or form.type is not None):
                check_value(value, form, names, inner, reader)
                convert_path(item, name, form, inner, reader)
        if isinstance(item, Mapping) and not reader.on_wire:
            check_bound_types(step, item, names, (*place, key), reader)


def _list_inline_inputs(step: Any) -> Mapping[str, Any] | None:
    """Return the inputs of a step without a component: its own, and those that its texts expect of the items."""
    own = list_inputs(step)
    return None if own is None else {**{name: Input() for name in find_undeclared_inputs(step)}, **own}


def _check_source(text: str, step: Any, names: PipelineNames, place: Path, reader: Reader) -> None:
    """Check an expression that stands for all items: JSON text, or a file with it."""
    found = parse_binding(text)
    if found is None:
        return
    kind: Any = None
    if found.kind == "parent.inputs":
        value = names.inputs.get(resolve_port(found.name, names.inputs) or "")
        if isinstance(value, Input):
            kind = value.type or "uri_folder"
        elif value is not None:
            _check_text(value, f"the pipeline's input '{found.name}'", step, names, place, reader)
    elif found.kind == "parent.jobs.outputs" and found.job in names.steps:
        outputs = names.list_ports(str(found.job), "outputs") or {}
        port = outputs.get(resolve_port(found.name, outputs) or "")
        kind = port.type or "uri_folder" if isinstance(port, Output) else None
    if kind in ("integer", "number", "boolean"):
        reader.add_problem(place, f"items are JSON: a string or a file, and '{found.text}' is of type {kind}")


def _check_text(value: Any, what: str, step: Any, names: PipelineNames, place: Path, reader: Reader) -> None:
    try:
        items = parse_items(value)
    except ValueError as error:
        reader.add_problem(place, f"items are JSON, and {what} is not: {error}")
        return
    if not isinstance(items, str):
        _check_text_items(items, f"{what}: ", step, names, place, reader)


def _check_text_items(items: Any, prefix: str, step: Any, names: PipelineNames, place: Path, reader: Reader) -> None:
    """Check the items in the text at `place`: each problem is there, and names its item."""
    before, depth = len(reader.problems), len(place)
    _check_known_items(items, step, names, place, reader)
    for index, found in enumerate(reader.problems[before:], before):
        if found.path[:depth] == place:
            item = found.path[depth] if len(found.path) > depth else None
            suffix = "" if item is None else f" (item {item + 1 if isinstance(item, int) else item})"
            reader.problems[index] = Problem(place, f"{prefix}{found.message}{suffix}")


def _check_outputs(name: str, node: ParallelFor, body: str, names: PipelineNames, where: Path, reader: Reader) -> None:
    """Check the outputs of the step, and that each iteration can have a place of its own for those of the body."""
    known = names.list_ports(body, "outputs")
    for output, value in (vars(node).get("outputs") or {}).items():
        if known is not None and resolve_port(output, known) is None:
            reader.add_problem(
                (*where, "outputs", output),
                f"the body '{body}' has no output '{output}'{did_you_mean(output, known)}",
                at_key=True,
            )
        elif known is not None and isinstance(value, Output) and value.type is not None and not reader.on_wire:
            gathered = get_gathered_type(getattr(known.get(output), "type", None))
            if value.type not in ({gathered} if gathered == "string" else {gathered, "uri_folder"}):
                words = f"the gathered output is {_A[gathered]}, not {value.type}"
                reader.add_problem((*where, "outputs", output, "type"), words)
    for output, value in (vars(names.steps[body]).get("outputs") or {}).items():
        text = get_text(value)
        if not text and not getattr(value, "version", None):
            continue
        place = (*where[:-1], body, "outputs", output)
        what = "place" if text else "version"
        words = f"'{name}' runs '{body}' for each item, and all of them would write this {what}"
        reader.add_problem(place, f"{words}; write it under the outputs of '{name}', where they are gathered")


_A = {"string": "a string (JSON of all values)", "mltable": "an mltable (or uri_folder)"}


def _check_readers(name: str, body: str, names: PipelineNames, reader: Reader) -> None:
    """Check that nothing reads an output of one iteration, as which one is not said."""
    for step, node in names.steps.items():
        texts: dict[tuple[str, ...], Any] = {
            ("inputs", key): value for key, value in (vars(node).get("inputs") or {}).items()
        }
        texts[("condition",)] = vars(node).get("condition")
        texts[("items",)] = vars(node).get("items")
        for path, value in texts.items():
            if body in find_sources(value, names.steps):
                words = f"'{body}' runs once for each item of '{name}'"
                form = f"'${{{{parent.jobs.{name}.outputs.NAME}}}}'"
                reader.add_problem((*names.path, "jobs", step, *path), f"{words}; read its gathered outputs, as {form}")
