"""Python text of calls and dictionaries, as a formatter would lay it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

WIDTH = 100


def quote(text: str) -> str:
    """Return a Python literal in double quotes."""
    if '"' in text and "'" not in text:
        return repr(text)
    inner = repr(text)
    if inner.startswith("'"):
        inner = '"' + inner[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    return inner


def make_call(function: str, arguments: Iterable[tuple[str, str]], indent: str = "", prefix: int = 12) -> str:
    """Return a call with keyword arguments (or positional ones, without a name), on one line if it is short."""
    parts = [f"{name}={code}" if name else code for name, code in arguments]
    line = f"{function}({', '.join(parts)})"
    if len(line) + len(indent) + prefix <= WIDTH and "\n" not in line and len(parts) < 5:
        return line
    inner = indent + "    "
    return f"{function}(\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{indent})"


def make_dict(items: Mapping[str, str], indent: str = "") -> str:
    """Return a dictionary with text keys; the values are code."""
    parts = [f"{quote(key)}: {code}" for key, code in items.items()]
    line = "{" + ", ".join(parts) + "}"
    if len(line) + len(indent) + 12 <= WIDTH and "\n" not in line:
        return line
    inner = indent + "    "
    return "{\n" + "".join(f"{inner}{part},\n" for part in parts) + indent + "}"


def make_name(text: str, default: str = "value") -> str:
    """Return text as a name of Python, in lower case words where it is not one."""
    if text.isidentifier():
        return text
    name = re.sub(r"\W+", "_", text.strip().lower()).strip("_")
    if not name:
        return default
    return f"_{name}" if name[0].isdigit() else name
