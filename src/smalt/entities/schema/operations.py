"""The operations that nouns offer as methods but that stand above them, such as `entity.dump(file)` and `component(…)`.

Their modules import the nouns, so a noun reaches them through this table; each is loaded when first called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

OPERATIONS = {
    "dump_to_file": "smalt.yaml.dumping:dump_to",
    "dump_to_text": "smalt.yaml.dumping:dump",
    "read_from_dump": "smalt.yaml.loading:read_again",
    "convert_to_job": "smalt.entities.steps.standalone_jobs:convert_to_job",
    "can_be_job": "smalt.entities.steps.standalone_jobs:can_be_job",
    "call_component": "smalt.entities.steps.calls:call_component",
    "make_function": "smalt.entities.steps.calls:make_function",
    "call_step": "smalt.entities.steps.calls:call_step",
    "inline_component": "smalt.entities.steps.calls:get_inline_component",
    "make_sweep": "smalt.entities.steps.sweeps:make_sweep",
}


@cache
def load_operation(name: str) -> Callable[..., Any]:
    """Return the function that the table has for `name`."""
    module, _, function = OPERATIONS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
