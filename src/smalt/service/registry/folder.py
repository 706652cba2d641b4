"""The folder of one registry: `<kind>/<name>/<version>/<noun>.yml`, with the content of the asset beside the YAML.

The YAML is what a person would write for `smalt … create --file`, with relative paths, so that the folder can be kept
in git, be read without smalt, and be added to by hand.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import Conflict, NotFound, Unavailable, ValidationException
from smalt.service.data.files.copying import make_write_error, remove_tree
from smalt.service.records.assets import describe_versions

NOUNS = {"components": "component", "environments": "environment", "models": "model", "data": "data"}
_ARCHIVED = ".archived"
_VIEWS = {"ActiveOnly": (False,), "ArchivedOnly": (True,), "All": (False, True)}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


class RegistryAsset(NamedTuple):
    """A version of an asset and its folder."""

    kind: str
    name: str
    version: str
    folder: Path
    archived: bool

    @property
    def document(self) -> Path:
        return self.folder / f"{NOUNS[self.kind]}.yml"


class RegistryFolder:
    """The folder of one registry."""

    def __init__(self, registry: str, folder: str) -> None:
        self.registry = registry
        self.folder = Path(folder)

    def list_names(self, kind: str, view: str = "ActiveOnly") -> list[str]:
        """List the assets that have a version; `view` says whether archived ones are included."""
        self._check_folder()
        found = (name for name in _list_folders(self.folder / kind) if self.list_versions(kind, name, "All"))
        return [name for name in found if self.is_archived(kind, name) in _VIEWS.get(view, (False,))]

    def list_versions(self, kind: str, name: str, view: str = "ActiveOnly") -> list[RegistryAsset]:
        """List the versions, the highest number first: file times do not survive a checkout with git."""
        place = self._get_place(kind, name)
        found = []
        for version in _list_folders(place):
            folder = place / version
            if (folder / f"{NOUNS[kind]}.yml").is_file():
                found.append(RegistryAsset(kind, name, version, folder, (folder / _ARCHIVED).exists()))
        found.sort(key=lambda one: get_version_order(one.version), reverse=True)
        is_hidden = self.is_archived(kind, name)
        return [one for one in found if (one.archived or is_hidden) in _VIEWS.get(view, (False,))]

    def find_version(self, kind: str, name: str, version: str | None = None, label: str | None = None) -> RegistryAsset:
        """Return one version; NotFound lists the versions there are."""
        self._check_folder()
        there = self.list_versions(kind, name, "All")
        if version is not None:
            found = [one for one in there if one.version == version]
        elif label in (None, "latest", "default"):
            found = self.list_versions(kind, name)
        else:
            found = []
        if found:
            return found[0]
        wanted = f"{name}:{version}" if version else f"{name}@{label or 'latest'}"
        noun = "data asset" if kind == "data" else NOUNS[kind]
        known = [one.version for one in there][:5]
        if version is None and known and self.is_archived(kind, name):
            raise NotFound(
                f"there is no {noun} '{wanted}' in registry '{self.registry}', as {noun} '{name}' is archived; restore "
                f"it with 'smalt {NOUNS[kind]} restore --name {name} --registry-name {self.registry}', or name a "
                f"version: {', '.join(known)}"
            )
        look = f"look for it with: smalt {NOUNS[kind]} list --registry-name {self.registry}"
        hint = f"; {describe_versions(known)}" if known else f"; {look}"
        raise NotFound(f"there is no {noun} '{wanted}' in registry '{self.registry}'{hint}")

    def get_next_version(self, kind: str, name: str) -> str:
        numbers = [int(one.version) for one in self.list_versions(kind, name, "All") if one.version.isdecimal()]
        return str(max(numbers, default=0) + 1)

    def is_archived(self, kind: str, name: str) -> bool:
        return (self._get_place(kind, name) / _ARCHIVED).exists()

    def set_archived(self, kind: str, name: str, version: str | None, archived: bool) -> None:
        """Archive or restore a version or asset; an empty file marks it as archived, which git keeps."""
        folder = self._get_place(kind, name) if version is None else self.find_version(kind, name, version).folder
        if not folder.is_dir():
            self.find_version(kind, name)
        try:
            if archived:
                (folder / _ARCHIVED).touch()
            else:
                (folder / _ARCHIVED).unlink(missing_ok=True)
        except OSError as error:
            raise make_write_error(folder, error) from None

    @contextlib.contextmanager
    def create_version(self, kind: str, name: str, version: str) -> Iterator[Path]:
        """Yield a folder to fill, which becomes the version when the `with` block succeeds, whole or not at all."""
        self._check_folder()
        if self.is_archived(kind, name):
            raise Conflict(
                f"{NOUNS[kind]} '{name}' of registry '{self.registry}' is archived, so a new version would be hidden; "
                f"restore it with 'smalt {NOUNS[kind]} restore --name {name} --registry-name {self.registry}', or use "
                "another name"
            )
        target = self._get_place(kind, name) / check_name(version, "version")
        temporary = target.with_name(f".{version}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            temporary.mkdir(parents=True)
            yield temporary
            if temporary.is_dir():
                os.rename(temporary, target)
        except OSError as error:
            if target.exists():
                raise Conflict(
                    f"{NOUNS[kind]} '{name}:{version}' has just been created by another; try again"
                ) from None
            raise make_write_error(target, error) from None
        finally:
            if temporary.exists():
                remove_tree(temporary)

    def _get_place(self, kind: str, name: str) -> Path:
        return self.folder / kind / check_name(name, "name")

    def _check_folder(self) -> None:
        if not self.folder.is_dir():
            raise Unavailable(
                f"the folder of registry '{self.registry}', {self.folder}, is not there; mount it, or say where it is: "
                f"smalt config set registry {self.registry}=FOLDER"
            )


def get_version_order(version: str) -> list[tuple[int, int, str]]:
    """Return the sort key of a version: 2 comes before 10, 1.9 before 1.10."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def check_name(text: str, what: str = "name") -> str:
    """Return the name or version of an asset; raise ValidationException if it cannot be one."""
    if not _NAME.fullmatch(text):
        raise ValidationException(
            f"'{text[:100]}' cannot be the {what} of an asset; use at most 255 letters, digits, '-', '_' and '.'"
        )
    return text


def _list_folders(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and _NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return []
