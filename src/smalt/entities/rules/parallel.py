"""Rules of parallel steps and components that no field can check by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path, did_you_mean, join_words
from smalt.entities.syntax.expression import has_expression, parse_binding, resolve_port

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_SIZE = re.compile(r"\s*(\d+)\s*(kb|mb|gb|b)?\s*", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
DATA = ("uri_folder", "uri_file", "mltable")
"""The types of input that can be cut."""


def parse_mini_batch_size(text: str) -> tuple[int, bool]:
    """Return the number of files or bytes, and True if it has a unit and so can be bytes only."""
    found = _SIZE.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is no size of a mini-batch; write a number of files, or a size such as 10kb or 1MB")
    return int(found[1]) * _UNITS[(found[2] or "b").lower()], bool(found[2])


def find_port(text: object, kind: str, ports: Mapping[str, Any]) -> str:
    """Return the input or output that a text names alone; an empty text if it names none."""
    binding = parse_binding(text)
    return (resolve_port(binding.name, ports) or "") if binding is not None and binding.kind == kind else ""


def check_parallel(noun: Any, data: Any, path: Path, reader: Reader) -> None:
    """Check a step with its task in place, or a component."""
    if reader.is_answer:
        return
    values = vars(noun)
    task = values.get("task")
    if isinstance(task, Entity):
        _check_task(noun, task, (*path, "task"), reader)
    elif "task" not in data:
        reader.add_problem(path, f"{noun.noun} needs 'task' with type, code, entry_script and environment", at_key=True)
    _check_input(noun, values, path, reader)
    _check_size(noun, values, path, reader)
    keys = values.get("partition_keys") or []
    for number, key in enumerate(keys):
        if key in keys[:number]:
            reader.add_problem((*path, "partition_keys", number), f"the key '{key}' is there twice; remove one of them")


def _check_task(noun: Any, task: Any, path: Path, reader: Reader) -> None:
    values = vars(task)
    if values.get("type") == "model":
        words = "a task of type 'model' cannot run: the service has run_function only; write an entry_script"
        reader.add_problem((*path, "type"), words)
        return
    model = _find_model(noun, values, path, reader)
    for key, why in (("entry_script", "the Python file with run()"), ("environment", "for its packages")):
        is_given = values.get(key) or (key == "environment" and vars(noun).get(key))
        if not is_given and not (key == "entry_script" and model == "mlflow_model"):
            reader.add_problem(path, f"the task needs '{key}', {why}", at_key=True)
    if values.get("append_row_to"):
        check_port_alone(values["append_row_to"], "outputs", noun.outputs, (*path, "append_row_to"), reader)
    _check_script(values, path, reader)


def _find_model(noun: Any, values: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
    """Return the type of the input that the script is given as its model; report one that is no model."""
    text = values.get("model")
    if parse_binding(text) is None:
        return None
    name = check_port_alone(text, "inputs", noun.inputs, (*path, "model"), reader)
    data = noun.inputs.get(name)
    type = data.type if isinstance(data, Input) else None
    if name and (type is None or not type.endswith("_model")):
        reader.add_problem(
            (*path, "model"), f"the input '{name}' is no model; make its type custom_model or mlflow_model"
        )
    return type


def _check_script(values: Mapping[str, Any], path: Path, reader: Reader) -> None:
    code, script = values.get("code"), values.get("entry_script")
    names = reader.list_code(code) if isinstance(code, str) and isinstance(script, str) else None
    if names is not None and os.path.normpath(str(script)).split(os.sep)[0] not in names:
        hint = did_you_mean(script, [name for name in names if name.endswith(".py")])
        reader.add_problem((*path, "entry_script"), f"there is no file '{script}' in the code {code}{hint}")


def _check_input(noun: Any, values: Mapping[str, Any], path: Path, reader: Reader) -> None:
    text = values.get("input_data")
    if not text:
        words = "needs 'input_data', the input that is cut into mini-batches, as '${{inputs.NAME}}'"
        reader.add_problem(path, f"{noun.noun} {words}", at_key=True)
        return
    name = check_port_alone(text, "inputs", noun.inputs, (*path, "input_data"), reader)
    data = noun.inputs.get(name)
    if name and (isinstance(data, (int, float)) or (isinstance(data, Input) and data.type not in (None, *DATA))):
        kind = data.type if isinstance(data, Input) else "a value"
        words = f"the input '{name}' is {kind}, which cannot be cut; make it {join_words(DATA, 'or')}"
        reader.add_problem((*path, "input_data"), words)


def check_port_alone(text: object, kind: str, ports: Mapping[str, Any], path: Path, reader: Reader) -> str:
    """Report a text that is not the name of one input or output alone; return the name if it is one."""
    binding = parse_binding(text)
    if binding is None or binding.kind != kind:
        known = join_words((f"'${{{{{kind}.{name}}}}}'" for name in ports or ("NAME",)), "or")
        reader.add_problem(path, f"{text!r} does not name one of the {kind} alone; write {known}")
        return ""
    return resolve_port(binding.name, ports) or ""  # an unknown one is reported with the other expressions


def _check_size(noun: Any, values: Mapping[str, Any], path: Path, reader: Reader) -> None:
    size = values.get("mini_batch_size")
    if size is None or has_expression(size):
        return
    try:
        _, has_unit = parse_mini_batch_size(str(size))
    except ValueError as error:
        reader.add_problem((*path, "mini_batch_size"), str(error))
        return
    data = noun.inputs.get(find_port(values.get("input_data"), "inputs", noun.inputs))
    if has_unit and isinstance(data, Input) and data.type in ("uri_folder", "uri_file"):
        words = f"a {data.type} is cut by the number of its files, not by bytes; write a number without a unit"
        reader.add_problem((*path, "mini_batch_size"), words)
