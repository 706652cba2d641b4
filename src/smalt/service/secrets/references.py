"""References to secrets in a job's environment variables; a step's start replaces them by the values.

    ${{secrets.NAME}}
    ${{keyvault:https://VAULT.vault.azure.net/secrets/NAME}}     optionally with /VERSION behind it

The second form is that of the service's deployments. Any vault's name means the vault of the job's workspace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_NAME = r"[0-9A-Za-z-]{1,127}"
_REFERENCE = re.compile(
    r"\$\{\{\s*(?:secrets\.(?P<short>" + _NAME + r")"
    r"|keyvault:https://[^/\s}]+/secrets/(?P<name>" + _NAME + r")(?:/(?P<version>[0-9A-Za-z]+))?/?)\s*\}\}"
)


class SecretName(NamedTuple):
    name: str
    version: str
    """"" for the newest."""


def find_names(value: Any) -> list[SecretName]:
    """Return the secrets that the value of an environment variable names."""
    if not isinstance(value, str) or "${{" not in value:
        return []
    return [_parse_match(match) for match in _REFERENCE.finditer(value)]


def resolve_references(value: str, look_up: Callable[[SecretName], str]) -> str:
    return _REFERENCE.sub(lambda match: look_up(_parse_match(match)), value)


def convert_between(value: str, change: Callable[[str], str]) -> str:
    """Return the value with the text between its secret references changed."""
    if not find_names(value):
        return change(value)
    text, end = "", 0
    for match in _REFERENCE.finditer(value):
        between = value[end : match.start()]
        text += (change(between) if between else "") + match[0]
        end = match.end()
    return text + (change(value[end:]) if value[end:] else "")


def _parse_match(match: re.Match[str]) -> SecretName:
    return SecretName(match["short"] or match["name"], match["version"] or "")
