"""The configuration file that names a workspace, found where the service's client finds it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.wire.encoding.ids import parse_id

_FOLDERS = (".azureml", "aml_config", "")
_FILES = ("config.json", "project.json")
_LEVELS = 20
_KEYS = ("subscription_id", "resource_group", "workspace_name")
_NEEDED = f"{_KEYS[0]}, {_KEYS[1]} and {_KEYS[2]}"
_BESIDE = re.compile("subscription_id|resource_group")


def find_config(place: str, file_name: str | None) -> str | None:
    """Return `place` if it is a file; else the first configuration file in that folder or above it."""
    return place if os.path.isfile(place) else next(_find_configs(place, file_name), None)


def get_current_folder() -> str | None:
    """Return the current folder; None if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def find_workspace_config(place: str) -> str | None:
    """Return the first configuration file that names a workspace; many a `config.json` belongs to another tool.

    Raises ValidationException if the first that is meant to name one cannot be read.
    """
    return next((path for path in _find_configs(place, None) if _is_workspace_config(path)), None)


def _find_configs(place: str, file_name: str | None) -> Iterator[str]:
    for folder, name in product(_FOLDERS, [file_name] if file_name else _FILES):
        above = place
        for _ in range(_LEVELS):
            found = os.path.join(above, folder, name)
            if os.path.isfile(found):
                yield found
            if os.path.dirname(above) == above:
                break
            above = os.path.dirname(above)


def _is_workspace_config(path: str) -> bool:
    """Return True if the file is meant to name a workspace; files of other tools may have any form."""
    is_own = os.path.basename(os.path.dirname(path)) in _FOLDERS
    try:
        config = json.loads(text := _read_text(path))
    except OSError:
        return is_own
    except (ValueError, RecursionError):
        return is_own or _has_workspace_key(_read_text(path, errors="replace"))
    return is_own or (isinstance(config, dict) and ("Scope" in config or _has_workspace_key(text)))


def _has_workspace_key(text: str) -> bool:
    return "workspace_name" in text or ("workspace" in text and bool(_BESIDE.search(text)))


def _read_text(path: str, errors: str = "strict") -> str:
    with open(path, encoding="utf-8-sig", errors=errors) as file:
        return file.read()


def read_scope(path: str) -> tuple[str, str, str]:
    """Return subscription, resource group and workspace: by their keys, or from the id under `Scope`."""
    config = _read_config(path)
    known = parse_id(str(config["Scope"])) if config.get("Scope") else None
    if known is not None:
        return known.subscription, known.resource_group, known.workspace
    absent = [key for key in _KEYS if not isinstance(config.get(key), str)]
    if absent:
        near = did_you_mean(absent[-1], (key for key in config if key not in _KEYS))
        raise ValidationException(
            f"{path} is not a workspace configuration; it needs {_NEEDED}, "
            f"and has no text for {join_words(absent)}{near}"
        )
    return config["subscription_id"], config["resource_group"], config["workspace_name"]


def _read_config(path: str) -> dict[str, Any]:
    """Return the content of the file; raises ValidationException with the place where it is not JSON."""
    correct = f"correct it, or name the workspace otherwise and remove the file; it needs {_NEEDED}"
    try:
        config = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        words = f"this workspace configuration is not valid JSON ({error.msg}); {correct}"
        raise ValidationException([LocatedProblem(path, error.lineno, error.colno, words)]) from None
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        words = f"this workspace configuration cannot be read: {why}; {correct}"
        raise ValidationException([LocatedProblem(path, 0, 0, words)]) from None
    if not isinstance(config, dict):
        noun = "a list" if isinstance(config, list) else "a single value"
        words = f"this is not a workspace configuration but {noun}; {correct}"
        raise ValidationException([LocatedProblem(path, 1, 1, words)])
    return config
