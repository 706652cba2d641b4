"""Settings of a parallel step, as its program reads them; docs/parallel.md has the names of all."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from smalt.entities import Input
from smalt.entities.jobs.parallel import ParallelNode, ParallelTask
from smalt.entities.rules.parallel import find_port, parse_mini_batch_size
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import OPEN, parse_binding, remove_empty_blocks
from smalt.entities.syntax.literals import convert
from smalt.exceptions import ValidationException

VARIABLE = "SMALT_PARALLEL"
"""The variable with the settings; inside/parallel/settings.py reads it."""
_ESCAPED = "$\\u007b{"
"""An expression's beginning in JSON, which is none where expressions of variables are looked for."""


class _Argument(NamedTuple):
    """An argument that is a setting of the job rather than the script's."""

    field: str
    parse: Callable[[str], Any]


def _parse_switch(text: str) -> bool:
    words = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.lower() not in words:
        raise ValueError("'on' or 'off'")
    return words[text.lower()]


def _parse_threshold(text: str) -> int:
    if not re.fullmatch(r"-1|\d+", text):
        raise ValueError("a whole number, or -1 for any number")
    return int(text)


def _parse_percent(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d*)?", text) or float(text) > 100:
        raise ValueError("a number from 0 to 100")
    return float(text)


def _parse_seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d*)?", text) or float(text) == 0:
        raise ValueError("a number of seconds")
    return float(text)


def _parse_file_name(text: str) -> str:
    if not text or text.startswith("/") or text.endswith("/") or ".." in text.split("/"):
        raise ValueError("the name of a file in the output's folder")
    return text


ARGUMENTS = {
    "--error_threshold": _Argument("error_threshold", _parse_threshold),
    "--allowed_failed_percent": _Argument("allowed_failed_percent", _parse_percent),
    "--allowed_failed_count": _Argument("mini_batch_error_threshold", _parse_threshold),
    "--task_overhead_timeout": _Argument("load_timeout", _parse_seconds),
    "--first_task_creation_timeout": _Argument("start_timeout", _parse_seconds),
    "--progress_update_timeout": _Argument("progress_timeout", _parse_seconds),
    "--append_row_file_name": _Argument("append_row_file_name", _parse_file_name),
    "--append_row_check": _Argument("append_row_check", _parse_switch),
}
"""The arguments of the service that are settings, and `--append_row_check`, which is smalt's."""
IDLE_ARGUMENTS = (
    "--copy_logs_to_parent", "--resource_monitor_interval", "--metrics_name_prefix", "--push_metrics_to_parent",
)  # fmt: skip
"""The arguments of the service that do nothing here."""
_STEP_SETTINGS = {
    "--mini_batch_size": "mini_batch_size",
    "--mini_batch_error_threshold": "mini_batch_error_threshold",
    "--partition_keys": "partition_keys",
    "--max_concurrency_per_instance": "max_concurrency_per_instance",
    "--process_count_per_node": "max_concurrency_per_instance",
    "--node_count": "resources.instance_count",
    "--max_retries": "retry_settings.max_retries",
    "--run_max_try": "retry_settings.max_retries",
    "--run_invocation_timeout": "retry_settings.timeout",
    "--append_row_to": "task.append_row_to",
    "--logging_level": "logging_level",
}
"""Arguments that look like settings of the step, or were such in SDK v1, and are the script's own: → the setting."""


class SplitArguments(NamedTuple):
    """The arguments of a step, taken apart."""

    own: list[str]
    """The script's own arguments."""
    settings: dict[str, Any]
    given: dict[str, str]
    """Field of the settings → the argument that sets it."""
    idle: list[str]
    """Lines about arguments that set nothing."""


def split_arguments(text: str) -> SplitArguments:
    """Take the arguments apart; raise ValidationException with the first that is wrong."""
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise ValidationException(f"{error}; close the quotation") from None
    own: list[str] = []
    settings: dict[str, Any] = {}
    given: dict[str, str] = {}
    idle: list[str] = []
    left = iter(parts)
    for word in left:
        name, has_value, value = word.partition("=")
        if name not in ARGUMENTS and name not in IDLE_ARGUMENTS:
            own.append(word)
            if name in _STEP_SETTINGS:
                idle.append(f"{name} goes to the script; the setting of the step is '{_STEP_SETTINGS[name]}'")
            continue
        value = value if has_value else next(left, "")
        if name in IDLE_ARGUMENTS:
            idle.append(f"{name} has no effect here")
            continue
        field, parse = ARGUMENTS[name]
        if field in given:
            words = "twice" if given[field] == name else f"by {given[field]}, too"
            raise ValidationException(f"{name} is given {words}; give it once")
        try:
            settings[field] = parse(value)
        except ValueError as error:
            raise ValidationException(f"{name} takes {error}, not {value!r}") from None
        given[field] = name
    return SplitArguments(own, settings, given, idle)


def find_conflicts(values: Mapping[str, Any], arguments: SplitArguments) -> Iterator[tuple[str, str]]:
    """Yield each field of a step that its arguments set to another value, and a sentence."""
    for field, name in arguments.given.items():
        value, other = values.get(field), arguments.settings[field]
        if value is not None and str(value) != str(other):  # the pipeline may have filled in a text
            argument = f"{name} of task.program_arguments"
            yield field, f"'{field}' is {value} here and {other} by {argument}; remove one of them"


def merge_values(node: Any, component: Any, fill: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """Return the fields of a parallel step: its own, else its component's. `fill` puts the pipeline's values in."""
    raw = build_job_values(ParallelNode, node, component)
    values = {name: value if name in ("task", "input_data") else fill(value) for name, value in raw.items()}
    ours, theirs = vars(node).get("task"), None if component is node else vars(component).get("task")
    if isinstance(ours, ParallelTask) and isinstance(theirs, ParallelTask):
        set_values = {name: value for name, value in vars(ours).items() if value is not None and name in ours._fields}
        # The code and environment that clients have sent are the component's.
        kept = {name: value for name, value in vars(theirs).items() if name in ("code", "environment") and value}
        values["task"] = ParallelTask(**{**_list_fields(theirs), **set_values, **kept})
    return values


def _list_fields(task: ParallelTask) -> dict[str, Any]:
    return {name: value for name, value in vars(task).items() if name in task._fields and value is not None}


def make_settings(values: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings for the program; `values` are the step's fields, as `merge_values` returns them."""
    task = values["task"]
    name = find_port(values.get("input_data"), "inputs", inputs)
    data = inputs.get(name)
    if not isinstance(data, Input):
        raise ValidationException(f"input_data: the input '{name}' has no data")
    arguments = split_arguments(remove_empty_blocks(task.program_arguments or "", inputs))
    retry = values.get("retry_settings")
    resources = values.get("resources")
    settings: dict[str, Any] = {
        "entry_script": task.entry_script or "", "input": name, "input_type": data.type or "uri_folder",
        "input_mode": data.mode or "", "arguments": arguments.own, "outputs": sorted(outputs),
        "partition_keys": values.get("partition_keys"),
        "instances": _to_number(getattr(resources, "instance_count", None)),
        "per_instance": _to_number(values.get("max_concurrency_per_instance")),
        "timeout": _to_number(getattr(retry, "timeout", None)),
        "max_retries": _to_number(getattr(retry, "max_retries", None)),
        "logging_level": values.get("logging_level"),
        **arguments.settings,
    }  # fmt: skip
    for key in ("error_threshold", "mini_batch_error_threshold"):
        if values.get(key) is not None:
            settings[key] = _to_number(values[key])
    if values.get("append_row_check") is not None:
        settings["append_row_check"] = values["append_row_check"]
    if task.append_row_to:
        settings["append_row_to"] = find_port(task.append_row_to, "outputs", outputs)
    if parse_binding(task.model) is not None:
        settings["model"] = find_port(task.model, "inputs", inputs)
    if values.get("mini_batch_size") is not None:
        settings["mini_batch_size"] = parse_mini_batch_size(str(values["mini_batch_size"]))[0]
    return {key: value for key, value in settings.items() if value is not None}


def _to_number(value: Any) -> Any:
    """Return a setting, which the pipeline may have filled in as text."""
    if not isinstance(value, str):
        return value
    number = convert(value, "number")
    if hasattr(number, "message"):
        raise ValidationException(f"{value!r} is not a number: {number.message}")
    return int(number) if float(number).is_integer() else number


_OF_WORK = (
    "entry_script", "input", "arguments", "append_row_to", "append_row_file_name", "model", "mini_batch_size",
    "partition_keys",
)  # fmt: skip


def select_work(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that what `run` is called with depends on; the others are about how and how long."""
    return {key: settings[key] for key in _OF_WORK if settings.get(key)}


def write_settings(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True).replace(OPEN, _ESCAPED)


def read_settings(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(text)
    return settings
