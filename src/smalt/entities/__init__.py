"""The nouns a user writes, as plain data: one module per noun, in folders by what they describe.

Neither I/O nor wire bodies belong here. Classes load when first used, so that importing this costs next to nothing.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from typing import Any


@cache
def list_names() -> dict[str, tuple[str, str]]:
    """Return by public name the module and the name there of each noun, as the imports of `__init__.pyi` say."""
    with open(f"{os.path.splitext(__file__)[0]}.pyi", encoding="utf-8") as file:
        text = file.read()
    imports = re.findall(r"^from ([\w.]+) import \(?((?:\s*\w+ as \w+,?)+)", text, re.MULTILINE)
    names = {name: (module, name) for module, imported in imports for name in re.findall(r"(\w+) as", imported)}
    return {**names, **{other: names[name] for other, name in re.findall(r"^(\w+) = (\w+)$", text, re.MULTILINE)}}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return list(list_names())
    if name not in list_names():
        raise AttributeError(f"module 'smalt.entities' has no attribute '{name}'")
    module, attribute = list_names()[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted(list_names())
