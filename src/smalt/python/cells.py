"""The text of a notebook's cell as Python: its magics and shell lines become calls of `get_ipython()`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable
from typing import NamedTuple

_ASSIGNED = re.compile(r"^(\s*)([^=#'\"(\[]+?(?:\[[^\]]*\])?\s*=)\s*([!%])(?!=)\s*(.+)$", re.DOTALL)
_HELP = re.compile(r"^\s*(\?{1,2})?\s*([\w.]+(?:\.\*)?)\s*(\?{1,2})?\s*$")


class CellMagic(NamedTuple):
    """`%%name words`, and the lines below it."""

    name: str
    words: str
    body: str


def parse_cell_magic(source: str) -> CellMagic | None:
    text = source.lstrip("\n")
    if not text.startswith("%%"):
        return None
    first, _, body = text.partition("\n")
    name, _, words = first[2:].strip().partition(" ")
    return CellMagic(name, words.strip(), body)


_AUTOMAGIC = re.compile(r"(?P<name>[a-z_]+)(?: +(?P<words>[^=(,.\s].*)| *)$")


def to_python(source: str, is_magic: Callable[[str], bool] = lambda name: False) -> str:
    """Python with as many lines as `source`, so that every line keeps its number.

    `is_magic` says of a word at the start of a line whether it is a magic that needs no `%`, as in IPython.
    """
    source = _remove_indent(source)
    lines = source.split("\n")
    magic_lines = {line for line in lines if _is_automagic(line, source, is_magic)}
    if is_python(source) and not magic_lines:
        return source
    made: list[str] = []
    at = 0
    since = 0  # where the statement begins that the next line may belong to
    while at < len(lines):
        line = lines[at]
        line = f"%{line}" if line in magic_lines else line
        if _is_perhaps_magic(line) and not _is_open("\n".join(made[since:])):
            taken = 1
            while line.rstrip().endswith("\\") and at + taken < len(lines):
                line = f"{line.rstrip()[:-1].rstrip()} {lines[at + taken].strip()}"
                taken += 1
            made += [_translate_line(line), *[""] * (taken - 1)]
            at += taken
            since = len(made)
        else:
            made.append(line)
            at += 1
    return "\n".join(made)


def _is_automagic(line: str, source: str, is_magic: Callable[[str], bool]) -> bool:
    """Return True for lines such as `pip show pip`, unless the cell itself assigns their first word."""
    match = _AUTOMAGIC.fullmatch(line)
    if match is None or not is_magic(match["name"]):
        return False
    name = match["name"]
    return not re.search(rf"(^|[\s,(]){name}\s*(=|:=|,|:| in )|import .*{name}", source)


def _remove_indent(source: str) -> str:
    """Return a cell without the indent of its first line, as in IPython."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    if not indent:
        return source
    return "\n".join(line.removeprefix(indent) for line in lines)


def is_python(source: str) -> bool:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<cell>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _is_perhaps_magic(line: str) -> bool:
    text = line.strip()
    if text.startswith(("%", "!", "?")) or (text.endswith("?") and _HELP.match(text)):
        return True
    return _ASSIGNED.match(line) is not None


def _is_open(text: str) -> bool:
    """Return True if the lines before end within a bracket, a string or a continued line."""
    if text.rstrip().endswith("\\"):
        return True
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
            pass
    except tokenize.TokenError as error:
        return "EOF in multi-line" in str(error) or "unterminated triple" in str(error) or "never closed" in str(error)
    except SyntaxError as error:  # such as a dedent; from 3.12 also some open strings
        return "unterminated triple" in str(error)
    return False


def _translate_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    text = line.strip()
    assigned = _ASSIGNED.match(line)
    if assigned and not text.startswith(("%", "!", "?")):
        _, target, sign, rest = assigned.groups()
        return f"{indent}{target.strip()} {_translate_shell(rest) if sign == '!' else _translate_magic(rest)}"
    if text.startswith("!!"):
        return f"{indent}{_translate_shell(text[2:])}"
    if text.startswith("!"):
        return f"{indent}get_ipython().system({text[1:].strip()!r})"
    if text.startswith("%"):
        return f"{indent}{_translate_magic(text.lstrip('%'))}"
    asked = _HELP.match(text)
    return f"{indent}get_ipython().run_line_magic('pinfo', {(asked.group(2) if asked else text.strip('? '))!r})"


def _translate_shell(text: str) -> str:
    return f"get_ipython().getoutput({text.strip()!r})"


def _translate_magic(text: str) -> str:
    name, _, words = text.strip().partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {words.strip()!r})"
