"""Conda specifications: what may stand in one, and the files of this machine that its `pip:` list names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smalt.entities.schema.problems import Path, Problem, shown
from smalt.machine.requirements_files import UnknownFile, gathered

_LISTS = {"channels": "channels", "dependencies": "packages"}


def specification(lines: list[str]) -> dict[str, Any]:
    """Return the conda specification that asks for the lines of a requirements file."""
    return {"dependencies": [{"pip": lines}]}


def find_problems(found: Any) -> Iterator[Problem]:
    """Yield what is wrong with the shape of a conda specification."""
    if not isinstance(found, Mapping):
        yield Problem((), f"a conda file is a mapping with 'dependencies', not {shown(found)}")
        return
    for key, of in _LISTS.items():
        if found.get(key) is not None and not isinstance(found[key], list):
            yield Problem((key,), f"'{key}' of a conda file is a list of {of}, not {shown(found[key])}")
    for index, each in enumerate(_dependencies(found)):
        if isinstance(each, Mapping):
            yield from _find_nested(each, ("dependencies", index))
        elif each is not None and not isinstance(each, str):
            yield Problem(("dependencies", index), f"a dependency is a package or a 'pip:' list, not {shown(each)}")
    variables = found.get("variables")
    if variables is not None and not isinstance(variables, Mapping):
        yield Problem(("variables",), f"'variables' of a conda file maps names to values; it is {shown(variables)}")
    for name, value in (variables if isinstance(variables, Mapping) else {}).items():
        if isinstance(value, (list, Mapping)):
            yield Problem(("variables", name), f"the value of variable '{name}' must be a text, not {shown(value)}")


def _find_nested(nested: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for manager, lines in nested.items():
        if manager != "pip":
            message = f"packages of '{manager}:' cannot be installed; a conda file has conda packages and a 'pip:' list"
            yield Problem((*path, manager), message, at_key=True)
        elif lines is not None and not isinstance(lines, list):
            message = f"'pip' of a conda file is a list, not {shown(lines)}; write each package behind a '-' of its own"
            yield Problem((*path, manager), message)
        else:
            for index, line in enumerate(lines or []):
                if line is not None and isinstance(line, (list, Mapping)):
                    yield Problem((*path, manager, index), f"a line of 'pip:' must be a text, not {shown(line)}")


def gather_files(found: Mapping[str, Any], folder: str, tell: Callable[[Problem], None]) -> dict[str, Any]:
    """Return the specification with included files in place of `-r FILE`, and local files by their whole paths.

    `folder` is where the specification stands. `tell` is called with each line that names a file that is nowhere.
    """

    def changed(path: Path, line: str) -> list[str]:
        try:
            return gathered([line], folder)
        except UnknownFile as error:
            tell(Problem(path, str(error)))
            return [line]

    return change_lines(found, changed)


def change_lines(found: Mapping[str, Any], change: Callable[[Path, str], list[str]]) -> dict[str, Any]:
    """Return the specification with each line of its `pip:` lists replaced by others."""
    result: list[Any] = []
    for number, each in enumerate(_dependencies(found)):
        if not isinstance(each, Mapping) or not isinstance(each.get("pip"), list):
            result.append(each)
            continue
        lines: list[Any] = []
        for index, line in enumerate(each["pip"]):
            bare = re.sub(r"(^|\s)#.*", "", line).strip() if isinstance(line, str) else ""
            lines += change(("dependencies", number, "pip", index), bare) if bare else [line]
        result.append({**each, "pip": lines})
    return {**found, "dependencies": result} if result else dict(found)


def _dependencies(found: Mapping[str, Any]) -> list[Any]:
    dependencies = found.get("dependencies")
    return dependencies if isinstance(dependencies, list) else []
