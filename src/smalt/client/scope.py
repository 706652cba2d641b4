"""The workspace that a configuration file names, found as the service's client finds it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import product

from smalt.exceptions import ValidationException
from smalt.wire.ids import parse_id

_FOLDERS = (".azureml", "aml_config", "")
_FILES = ("config.json", "project.json")
_LEVELS = 20


def find_config(place: str, file_name: str | None) -> str | None:
    """The file itself; else, in the folder or above it, the first of the places where it may be."""
    return place if os.path.isfile(place) else next(_configs(place, file_name), None)


def find_workspace_config(place: str) -> str | None:
    """Return the first of these files that names a workspace: many a `config.json` is something else's."""
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
    try:
        with open(path, encoding="utf-8-sig") as file:
            config = json.load(file)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and ("workspace_name" in config or "Scope" in config)


def read_scope(path: str) -> tuple[str, str, str]:
    """Subscription, resource group and workspace: each by its key, or all in the id under `Scope`."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            config = json.load(file)
        known = parse_id(config["Scope"]) if config.get("Scope") else None
        if known is not None:
            return known.subscription, known.resource_group, known.workspace
        return config["subscription_id"], config["resource_group"], config["workspace_name"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ValidationException(
            f"{path} is not a workspace configuration; it needs subscription_id, resource_group and workspace_name"
        ) from None
