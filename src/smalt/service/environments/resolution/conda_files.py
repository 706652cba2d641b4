"""Conda files, translated to pip's requirements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.exceptions import RefusedError
from smalt.service.environments.resolution.conda_packages import find_pypi_name, is_included
from smalt.yaml.document import Document

_SPEC = re.compile(
    r"(?:(?P<channel>[\w./:-]+)::)?(?P<name>[A-Za-z0-9_][\w.-]*)\s*"
    r"(?:\[(?P<brackets>[^\]]*)\])?(?P<version>\s*[=<>!~].*|\s+\d.*|\s*\*)?"
)
_ORDERED = re.compile(r"(===|==|~=|!=|>=|<=|>|<|=)?\s*([\w.*+!-]+)")


@dataclass
class ParsedCondaFile:
    """A parsed conda file. Packages that PyPI is not known to have are in `unknown`."""

    name: str | None = None
    python: str = ""
    channels: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)
    """Every conda package as it is written, for a solver that has them all."""
    pip: list[str] = field(default_factory=list)
    """The `pip:` list alone."""
    variables: dict[str, str] = field(default_factory=dict)


def read_conda_file(source: str | Mapping[str, Any]) -> ParsedCondaFile:
    """Parse a conda file's text, or its parsed content; raise Refused if it is not a conda file."""
    content = _load_mapping(source)
    conda = ParsedCondaFile(
        name=_to_text(content.get("name"), "'name'"),
        channels=[_to_text(each, "a channel") or "" for each in _get_list(content, "channels")],
    )
    variables = content.get("variables") or {}
    if not isinstance(variables, Mapping):
        raise RefusedError("'variables' of the conda file must map names to values")
    conda.variables = {str(name): _to_text(value, f"the variable '{name}'") or "" for name, value in variables.items()}
    for dependency in _get_list(content, "dependencies"):
        if isinstance(dependency, Mapping):
            _add_nested(conda, dependency)
        elif isinstance(dependency, str) and dependency.strip():
            _add_spec(conda, dependency.split("#")[0].strip())
        elif dependency is not None:
            shown = "that is a list" if isinstance(dependency, list) else repr(dependency)
            raise RefusedError(
                f"the conda file's dependency {shown} is neither a package nor a 'pip:' list; correct it"
            )
    return conda


def convert_constraint(version: str) -> str:
    """Convert a conda version constraint to PEP 440: '=1.21' becomes '==1.21.*'. ValueError if that has no
    equivalent.
    """
    version = version.strip()
    if version in ("", "*"):
        return ""
    if "|" in version:
        raise ValueError(version)
    return ",".join(_convert_clause(part.strip()) for part in version.split(","))


def _convert_clause(text: str) -> str:
    words = text.split()
    if len(words) > 1 and not re.fullmatch(r"[=<>!~]+", words[0]):
        text = words[0]  # "1.21.2 py38_0": a build says nothing on PyPI
    match = _ORDERED.match(text.replace(" ", ""))
    if match is None:
        raise ValueError(text)
    operator, version = match.groups()
    if operator is None:
        operator = "=="
    elif operator == "=":
        return f"=={version}" if version.endswith("*") or not re.fullmatch(r"[\d.]+", version) else f"=={version}.*"
    if operator in (">=", "<=", ">", "<", "~="):
        version = version.removesuffix(".*")
    return f"{operator}{version}"


def parse_yaml(source: str) -> Any:
    """Parse the YAML text of a conda file; raise Refused if it is not YAML, or grows without end by its aliases."""
    document = Document(source)
    if document.faults:
        line, column, message = document.faults[0]
        raise RefusedError(
            f"the conda file is not YAML that can be read (line {line}, column {column}: {message}); correct it"
        )
    return document.data


def _load_mapping(source: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, str):
        source = parse_yaml(source)
    if not isinstance(source, Mapping):
        raise RefusedError("the conda file holds no mapping; it needs 'dependencies:' with a list of packages")
    return source


def _get_list(content: Mapping[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RefusedError(f"'{key}' of the conda file must be a list")
    return value


def _to_text(value: Any, what: str) -> str | None:
    """Return a plain value as text; of a list or a mapping, which aliases may make endless, raise Refused."""
    if isinstance(value, list | Mapping):
        raise RefusedError(f"{what} in the conda file must be a text, not a list or a mapping; correct it")
    return str(value) if value not in (None, "") else None


def _add_nested(conda: ParsedCondaFile, nested: Mapping[str, Any]) -> None:
    for manager in nested:
        if manager != "pip":
            raise RefusedError(f"the conda file lists packages under '{manager}:'; only 'pip:' is known")
        for line in _get_list(nested, "pip"):
            text = re.sub(r"(^|\s)#.*", "", _to_text(line, "a line of 'pip:'") or "").strip()
            if text:
                conda.requirements.append(text)
                conda.pip.append(text)


def _add_spec(conda: ParsedCondaFile, spec: str) -> None:
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise RefusedError(f"'{spec}' in the conda file is not a package; write it as name, name=1.2 or name>=1.2")
    name = match["name"]
    conda.specs.append(spec)
    try:
        version = convert_constraint(_find_version(match["brackets"], match["version"]))
    except ValueError:
        raise RefusedError(
            f"the version of '{spec}' in the conda file cannot be translated for PyPI; name one version"
        ) from None
    if name.lower() == "python":
        conda.python = version
    elif (pypi := find_pypi_name(name)) is not None:
        conda.requirements.append(pypi + version)
    elif is_included(name):
        conda.left_out.append(name)
    else:
        conda.unknown.append(spec)


def _find_version(brackets: str | None, after: str | None) -> str:
    found = re.search(r"""version\s*=\s*["']?([^"'\]]+)""", brackets or "")
    text = (found[1] if found else after or "").strip()
    pinned = re.fullmatch(r"(={1,2}[^=<>!~\s]+)=[\w.*]+", text)  # name=version=build
    return pinned[1] if pinned else text
