"""Conda specifications: checks of their shape, and the local files that a `pip:` list refers to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smalt.entities.schema.problems import Path, Problem, format_value
from smalt.machine.requirements_files import MissingFileError, resolve_includes

_LISTS = {"channels": "channels", "dependencies": "packages"}


def make_specification(lines: list[str]) -> dict[str, Any]:
    """Return a conda specification that installs the lines of a requirements file."""
    return {"dependencies": [{"pip": lines}]}


def find_problems(found: Any) -> Iterator[Problem]:
    """Yield each problem with the shape of a conda specification."""
    if not isinstance(found, Mapping):
        yield Problem((), f"a conda file is a mapping with 'dependencies', not {format_value(found)}")
        return
    for key, of in _LISTS.items():
        if found.get(key) is not None and not isinstance(found[key], list):
            yield Problem((key,), f"'{key}' of a conda file is a list of {of}, not {format_value(found[key])}")
    for index, each in enumerate(_list_dependencies(found)):
        if isinstance(each, Mapping):
            yield from _find_nested(each, ("dependencies", index))
        elif each is not None and not isinstance(each, str):
            yield Problem(
                ("dependencies", index), f"a dependency is a package or a 'pip:' list, not {format_value(each)}"
            )
    variables = found.get("variables")
    if variables is not None and not isinstance(variables, Mapping):
        yield Problem(
            ("variables",), f"'variables' of a conda file maps names to values; it is {format_value(variables)}"
        )
    for name, value in (variables if isinstance(variables, Mapping) else {}).items():
        if isinstance(value, (list, Mapping)):
            yield Problem(
                ("variables", name), f"the value of variable '{name}' must be a text, not {format_value(value)}"
            )


def _find_nested(nested: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for manager, lines in nested.items():
        if manager != "pip":
            message = f"packages of '{manager}:' cannot be installed; a conda file has conda packages and a 'pip:' list"
            yield Problem((*path, manager), message, at_key=True)
        elif lines is not None and not isinstance(lines, list):
            message = f"'pip' of a conda file must be a list, not {format_value(lines)}; start each package with '- '"
            yield Problem((*path, manager), message)
        else:
            for index, line in enumerate(lines or []):
                if line is not None and isinstance(line, (list, Mapping)):
                    yield Problem((*path, manager, index), f"a line of 'pip:' must be a text, not {format_value(line)}")


def resolve_files(
    found: Mapping[str, Any],
    folder: str,
    tell: Callable[[Problem], None],
    find_refusal: Callable[[str], str | None] = lambda path: None,
) -> dict[str, Any]:
    """Return the specification with `-r FILE` replaced by the file's lines and local files by absolute paths.

    Relative paths start at `folder`. A line that names a missing file, or a path for which `find_refusal` has a
    sentence, is reported through `tell` and kept.
    """

    def expand_line(path: Path, line: str) -> list[str]:
        try:
            return resolve_includes([line], folder, find_refusal)
        except MissingFileError as error:
            tell(Problem(path, str(error)))
            return [line]

    return convert_pip_lines(found, expand_line)


def convert_pip_lines(found: Mapping[str, Any], change: Callable[[Path, str], list[str]]) -> dict[str, Any]:
    """Return the specification with each line of its `pip:` lists replaced by the lines that `change` returns."""
    result: list[Any] = []
    for number, each in enumerate(_list_dependencies(found)):
        if not isinstance(each, Mapping) or not isinstance(each.get("pip"), list):
            result.append(each)
            continue
        lines: list[Any] = []
        for index, line in enumerate(each["pip"]):
            bare = re.sub(r"(^|\s)#.*", "", line).strip() if isinstance(line, str) else ""
            lines += change(("dependencies", number, "pip", index), bare) if bare else [line]
        result.append({**each, "pip": lines})
    return {**found, "dependencies": result} if result else dict(found)


def _list_dependencies(found: Mapping[str, Any]) -> list[Any]:
    dependencies = found.get("dependencies")
    return dependencies if isinstance(dependencies, list) else []
