"""The items of a parallel_for: named by the pipeline around it, or read from what a step wrote or a file has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalt.entities import Input
from smalt.entities.jobs.control_flow import ParallelFor, list_items, parse_items, parse_json_items
from smalt.entities.rules.parallel_for import find_item_problems
from smalt.entities.schema.problems import Problem, format_value
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.dependencies import find_sources, get_text, resolve_steps
from smalt.entities.syntax.expression import find_expressions, has_expression
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import ValidationException
from smalt.service.data.job_data import primitive_values
from smalt.service.engine.kinds.protocol import CompositeView
from smalt.service.engine.submission.bindings import BindingScope, copy_with, resolve_input
from smalt.wire.jobs.inputs import read_input

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner

ITEMS = "items"
"""The input of the job of a parallel_for that has the items, if a step or a file does."""

Items = Any
"""A list of mappings of inputs, or a mapping of such."""

_LARGEST = 20_000_000
"""Bytes of a file of items, which the server reads whole."""
_MOST_TOLD = 5


def find_item_sources(node: ParallelFor, steps: Mapping[str, Any]) -> set[str]:
    """Return the steps whose outputs the items are, or are made of."""
    return {step for value in _list_values(node.items) for step in find_sources(value, steps)}


def _list_values(items: Any) -> Iterator[Any]:
    """Yield every value of the items that may be an expression."""
    if isinstance(items, str):
        yield items
    elif isinstance(items, (list, Mapping)):
        for _, item in list_items(items):
            yield from item.values() if isinstance(item, Mapping) else ()


def resolve_items(
    planner: Planner, step: str, key: str, inputs: dict[str, Any], inside: Sequence[str], scope: BindingScope
) -> tuple[ParallelFor, list[str]]:
    """Return a parallel_for with its items as far as they are known, and the outputs of branches that these read.

    What a step or a file has becomes the input `key` of the control job. Names of steps `inside` that job stay.
    """
    node = planner.nodes[step]

    def is_later(value: Any) -> bool:
        found = find_expressions(get_text(value))
        return any(one in inside for expression in found for one in resolve_steps(expression, planner.nodes))

    try:
        items = parse_items(node.items)
        if isinstance(items, str):
            if is_later(items):
                return node, []
            items = scope.resolve_value(items)
            if isinstance(items, Input):
                inputs[key] = planner.pin_input(
                    f"{step}.{ITEMS}", Input(type=items.type or "uri_file", path=items.path)
                )
                source = planner.branch_outputs.get(get_text(items))
                return copy_with(node, items=f"${{{{parent.inputs.{key}}}}}"), [source] if source else []
            items = parse_items(items)
    except ValueError as error:
        raise ValidationException(
            f"pipeline '{planner.name}': the items of '{step}' cannot be read as JSON: {error}"
        ) from None

    def resolve_value(value: Any) -> Any:
        return value if is_later(value) else resolve_input(value, scope, "${{name}}")

    resolved = _map_values(items, resolve_value)
    sources = [planner.branch_outputs.get(get_text(value)) for value in _list_values(resolved)]
    return copy_with(node, items=resolved), [one for one in dict.fromkeys(sources) if one is not None]


def _map_values(items: Items, change: Callable[[Any], Any]) -> Items:
    """Return items with each value changed; what is no item stays, for the check to find."""

    def change_item(item: Any) -> Any:
        return {name: change(value) for name, value in item.items()} if isinstance(item, Mapping) else item

    if isinstance(items, Mapping):
        return {key: change_item(item) for key, item in items.items()}
    return [change_item(item) for item in items] if isinstance(items, list) else items


def make_items_reader(view: CompositeView, source: Input) -> Callable[[], Items]:
    """Return a function that reads, in a thread, the items that a step wrote or a file has."""
    what = f"the items of '{view.job.node}'"
    location = view.context.data.locate(view.follow(view.job, str(source.path)), view.workspace)
    folder = f"{view.context.home.shell_safe_path}/workspaces/{view.workspace.folder}/jobs/{view.job.name}/{ITEMS}"

    def read_items() -> Items:
        path = view.context.data.prepare_input(location, None, None, folder)
        if source.type in PRIMITIVES:
            return _parse_text(primitive_values.value_read(what, path, source.type), what)
        file = _find_file(path, what)
        if file.stat().st_size > _LARGEST:
            raise ValidationException(f"{what} are in {file}, which is larger than {_LARGEST // 1_000_000} MB")
        return _map_values(_parse_text(_read_text(file, what), what), lambda value: _read_value(value, what))

    return read_items


def _find_file(path: Path, what: str) -> Path:
    """Return the file with the items: the path itself, or the one JSON file of a folder."""
    if not path.is_dir():
        return path
    files = sorted(one for one in path.iterdir() if one.suffix == ".json" and one.is_file())
    if len(files) != 1:
        have = "no JSON file" if not files else f"{len(files)} JSON files"
        raise ValidationException(
            f"{what} are in the folder {path}, which has {have}; it must have one, items.json say"
        )
    return files[0]


def _read_text(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # Excel and PowerShell begin a file with a mark
    except UnicodeDecodeError:
        raise ValidationException(f"{what} are in {file}, which is no text (UTF-8)") from None


def _parse_text(text: str, what: str) -> Items:
    try:
        return parse_json_items(text)
    except ValueError as error:
        raise ValidationException(f"{what} cannot be read as JSON: {error}") from None


def _read_value(value: Any, what: str) -> Any:
    """Return a value of an item in a file; data is a mapping with `path` and `type`, or as the REST API has it."""
    if isinstance(value, str) and has_expression(value):
        raise ValidationException(f"{what} have the expression '{value}', which nothing replaces in a file")
    if not isinstance(value, Mapping):
        return value
    reader = Reader()
    if "path" in value:
        found: Any = Input._read_data(dict(value), (), reader)
    else:
        found = read_input(value, (), reader)
    if reader.problems or not isinstance(found, Input) or not found.path:
        why = f": {reader.problems[0]}" if reader.problems else "; data has a 'path' and a 'type'"
        raise ValidationException(f"{what} have {json.dumps(value)[:80]}, which is no input{why}")
    return found


def check_items(name: str, items: Items, declared: Mapping[str, Any] | None, given: Iterable[str]) -> None:
    """Raise ValidationException, in one sentence, if items are none or do not fit the inputs of the body."""
    found = [Problem(path, words) for path, words in find_item_problems(items, declared, given)]
    if found:
        told = "; ".join(str(one._replace(path=(ITEMS, *one.path) if one.path else ())) for one in found[:_MOST_TOLD])
        more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        raise ValidationException(f"'{name}': {told}{more}")
    for key, item in list_items(items):
        for input, value in item.items():
            if value is None or isinstance(value, (dict, list)):
                words = f"must be a literal or data, not {format_value(value)}"
                raise ValidationException(f"'{name}': the input '{input}' of item {key} {words}")
