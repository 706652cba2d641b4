"""The folder of the setting `studio-folder`, whose files people open and save in the studio."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.request import ApiRequest
from smalt.service.data.files.path_containment import resolve_inside

_UNSET = "the server has no folder whose files the studio may open; set one: smalt config set studio-folder FOLDER"


def get_root(request: ApiRequest) -> Path:
    """Return the folder; raise Refused if the setting is unset, NotFound if the folder is gone."""
    root = request.server.settings.studio_folder
    if root is None:
        raise RefusedError(_UNSET)
    if not os.path.isdir(root):
        raise NotFound(f"the folder '{root}' of the setting 'studio-folder' is not there")
    return Path(root)


def resolve_folder(request: ApiRequest, folder: str) -> Path:
    """Return the folder that stands at this path below the setting's."""
    found = resolve_inside(get_root(request), folder)
    if not found.is_dir():
        raise NotFound(f"there is no folder '{folder[:200]}' below {get_root(request)}")
    return found


def make_path_check(root: Path | None) -> Callable[[str], str | None]:
    """Return a function that says why a document may not read an absolute path, or None if it may.

    A document in no folder may read none.
    """
    if root is None:
        return lambda path: (
            f"'{os.path.basename(path)}' is a path, and this document is in no folder; save it below the folder of the "
            "setting 'studio-folder', or name a registered asset"
        )
    top = os.path.realpath(root)

    def find_refusal(path: str) -> str | None:
        real = os.path.realpath(path)
        if real == top or real.startswith(top.rstrip("/") + "/"):
            return None
        return f"'{path}' is outside of '{root}', the folder of the setting 'studio-folder'"

    return find_refusal
