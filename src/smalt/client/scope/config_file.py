"""The workspace that a configuration file names, found as the service's client finds it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.exceptions import Located, ValidationException
from smalt.wire.encoding.ids import parse_id

_FOLDERS = (".azureml", "aml_config", "")
_FILES = ("config.json", "project.json")
_LEVELS = 20
_KEYS = ("subscription_id", "resource_group", "workspace_name")
_NEEDED = f"{_KEYS[0]}, {_KEYS[1]} and {_KEYS[2]}"
_BESIDE = re.compile("subscription_id|resource_group")


def find_config(place: str, file_name: str | None) -> str | None:
    """The file itself; else, in the folder or above it, the first of the places where it may be."""
    return place if os.path.isfile(place) else next(_configs(place, file_name), None)


def current_folder() -> str | None:
    """Return the current folder; None where it was deleted, as that of a shell may be while it stands in it."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def find_workspace_config(place: str) -> str | None:
    """Return the first of these files that names a workspace: many a `config.json` is something else's.

    Raises ValidationException where the first that is meant to name one cannot be read.
    """
    return next((path for path in _configs(place, None) if _names_workspace(path)), None)


def _configs(place: str, file_name: str | None) -> Iterator[str]:
    for folder, name in product(_FOLDERS, [file_name] if file_name else _FILES):
        above = place
        for _ in range(_LEVELS):
            found = os.path.join(above, folder, name)
            if os.path.isfile(found):
                yield found
            if os.path.dirname(above) == above:
                break
            above = os.path.dirname(above)


def _names_workspace(path: str) -> bool:
    """Return whether a file is meant for this: those of other tools are passed over, in whatever form they are."""
    is_own = os.path.basename(os.path.dirname(path)) in _FOLDERS
    try:
        config = json.loads(text := _text(path))
    except OSError:
        return is_own
    except (ValueError, RecursionError):
        return is_own or _is_meant(_text(path, errors="replace"))
    return is_own or (isinstance(config, dict) and ("Scope" in config or _is_meant(text)))


def _is_meant(text: str) -> bool:
    return "workspace_name" in text or ("workspace" in text and bool(_BESIDE.search(text)))


def _text(path: str, errors: str = "strict") -> str:
    with open(path, encoding="utf-8-sig", errors=errors) as file:
        return file.read()


def read_scope(path: str) -> tuple[str, str, str]:
    """Subscription, resource group and workspace: each by its key, or all in the id under `Scope`."""
    config = _config(path)
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


def _config(path: str) -> dict[str, Any]:
    """Return what is in the file; raises ValidationException with the place where it is not JSON."""
    correct = f"correct it, or name the workspace otherwise and remove the file; it needs {_NEEDED}"
    try:
        config = json.loads(_text(path))
    except json.JSONDecodeError as error:
        words = f"this workspace configuration is not valid JSON ({error.msg}); {correct}"
        raise ValidationException([Located(path, error.lineno, error.colno, words)]) from None
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        words = f"this workspace configuration cannot be read: {why}; {correct}"
        raise ValidationException([Located(path, 0, 0, words)]) from None
    if not isinstance(config, dict):
        noun = "a list" if isinstance(config, list) else "a single value"
        words = f"this is not a workspace configuration but {noun}; {correct}"
        raise ValidationException([Located(path, 1, 1, words)])
    return config
