"""Local paths of an entity, seen from elsewhere: from the folder of the file that it is written to."""

from __future__ import annotations

import os
from typing import Any

from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader


def make_relative(folder: str, entity: Entity) -> dict[str, Any]:
    """The plain data of an entity, whose relative paths are the current folder's, with those that a file there needs.

    Absolute paths become relative where the file would move together with them: beside it, or where both are below
    the current folder.
    """
    plain = entity.to_dict()
    reader = _Moving(os.path.abspath(folder))
    type(entity)._read_document(plain, reader)
    for path, old, new in reader.moved:
        _replace_path(plain, path, old, new)
    return plain


class _Moving(Reader):
    """Notes each local path that is to be another, and changes nothing."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.target, self.here = folder, os.getcwd()
        self.moved: list[tuple[Path, str, str]] = []

    def resolve_path(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        prefix = "file:" if text.startswith("file:") else ""
        place = text.removeprefix(prefix)
        if not place.startswith(("//", "~")):
            named = self._move_name(place)
            if named != place:
                self.moved.append((path, text, prefix + named))
        return text

    def load_entity(self, text: str, kind: str, path: Path) -> Any:
        return self.resolve_path(text, path)

    def load_conda(self, text: str, path: Path) -> Any:
        return self.resolve_path(text, path)

    def _move_name(self, place: str) -> str:
        where = os.path.normpath(os.path.join(self.here, place))
        if os.path.isabs(place):
            together = _is_below(where, self.target) or (
                _is_below(where, self.here) and _is_below(self.target, self.here)
            )
            if not together:
                return place
        elif self.target == self.here:
            return place
        relative = os.path.relpath(where, self.target)
        return relative if relative.startswith(".") else f"./{relative}"


def _is_below(path: str, folder: str) -> bool:
    return os.path.commonpath((path, folder)) == folder


def _replace_path(data: Any, path: Path, old: str, new: str) -> None:
    for key in path[:-1]:
        data = data.get(key) if isinstance(data, dict) else data[key] if isinstance(data, list) else None
    if path and isinstance(data, (dict, list)) and data[path[-1]] == old:
        data[path[-1]] = new
