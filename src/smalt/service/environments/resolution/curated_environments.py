"""Curated environments: the catalogue that maps a curated name to its packages."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from smalt.exceptions import NotFound, ValidationException
from smalt.machine.home import Home
from smalt.service.environments.resolution.curated_names import find_nearest, is_curated, load_names, plain_name
from smalt.service.environments.resolution.requirements import read_requirements

_SHIPPED = Path(__file__).with_name("catalogue")
_KEYS = {"name", "aliases", "version", "description", "python", "image", "packages"}
_OWN_KEYS = _KEYS | {"requirements"}
"""An entry that comes with smalt may take its packages from a requirements file of smalt's."""
_PACKAGE = _SHIPPED.parents[3]


class CatalogueEntry(NamedTuple):
    """A curated environment, as described by its file in the catalogue."""

    name: str
    aliases: list[str]
    version: str
    description: str
    python: str
    image: str | None
    packages: list[str]

    @property
    def properties(self) -> dict[str, Any]:
        """The environment version as the REST API shows it, and as `Environments.realise` takes it."""
        conda = {
            "name": self.name,
            "channels": ["conda-forge"],
            "dependencies": [f"python={self.python}", "pip", {"pip": self.packages}],
        }
        properties = {
            "curated": self.name,
            "version": self.version,
            "description": self.description,
            "condaFile": yaml.safe_dump(conda, sort_keys=False),
            "isAnonymous": False,
            "isArchived": False,
        }
        return {**properties, "image": self.image} if self.image else properties


def lookup_curated(name: str, version: str | None = None, folder: Path | None = None) -> dict[str, Any] | None:
    """Return the curated environment of that name or alias; for a name of Azure's without an entry the nearest, with
    the name as "asked"; None for any other name.

    The catalogue holds one version of each, which answers for every version and label. `folder` has the
    user's own entries, $SMALT_HOME/catalogue where it is not said.
    """
    found = find_entry(name, folder)
    if found is None:
        return None
    return found.properties if is_exact(name, folder) else {**found.properties, "asked": name}


def find_entry(name: str, folder: Path | None = None) -> CatalogueEntry | None:
    """Return the entry of that name, or the nearest to a name of Azure's."""
    known = load_catalogue(folder)
    found = known.get(plain_name(name))
    if found is not None or not is_curated(name):
        return found
    near = find_nearest(name, [entry.name for entry in known.values()])
    return known[plain_name(near)] if near else None


def is_exact(name: str, folder: Path | None = None) -> bool:
    """True if the catalogue has an entry of that name or alias."""
    return plain_name(name) in load_catalogue(folder)


def list_names(folder: Path | None = None) -> list[str]:
    """Return every name that resolves, each once."""
    known = load_catalogue(folder)
    own = {plain_name(name): name for entry in known.values() for name in (*entry.aliases, entry.name)}
    return sorted({**load_names(), **own}.values(), key=str.lower)


def get_entry(name: str, folder: Path | None = None) -> CatalogueEntry:
    """Return the entry of that name or alias, or the nearest to a name of Azure's; NotFound names similar ones."""
    known = load_catalogue(folder)
    found = find_entry(name, folder)
    if found is not None:
        return found
    names = difflib.get_close_matches(plain_name(name), known, n=3, cutoff=0.4)
    nearest = list(dict.fromkeys(known[each].name for each in names)) or ["minimal"]
    where = folder or Home.find().path("catalogue")
    raise NotFound(
        f"no curated environment is called '{name}'; the nearest are {', '.join(nearest)}; "
        f"describe your own in {where}/{name}.yml"
    )


def load_catalogue(folder: Path | None = None) -> Mapping[str, CatalogueEntry]:
    """Return every entry under its name and its aliases, plain (see `plain_name`); the user's own over the shipped."""
    files = list_own_files(folder or Home.find().path("catalogue"))
    return _load_with(files) if files else _load_shipped()


def list_own_files(folder: Path) -> tuple[tuple[str, int], ...]:
    """Return the user's own entries, with the time of each one's last change."""
    try:
        with os.scandir(folder) as found:
            files = [(each.path, each.stat().st_mtime_ns) for each in found if each.name.endswith((".yml", ".yaml"))]
    except FileNotFoundError:
        return ()
    return tuple(sorted(files))


def read_entry(path: Path) -> CatalogueEntry:
    """Read a file of the catalogue; raise ValidationException if it is invalid."""
    try:
        content = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValidationException(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ValidationException(f"{path}: it holds no mapping; it needs 'packages:' with a list of requirements")
    unknown = sorted(set(content) - (_OWN_KEYS if path.parent == _SHIPPED else _KEYS))
    if unknown:
        raise ValidationException(f"{path}: unknown key '{unknown[0]}'; the keys are {', '.join(sorted(_KEYS))}")
    file = content.get("requirements")
    packages = read_requirements(_PACKAGE / str(file)) if file else _get_texts(path, content, "packages")
    python = content.get("python", "3.10")
    if not isinstance(python, str) or not re.fullmatch(r"3\.\d+", python):
        raise ValidationException(f"{path}: 'python' must be a version such as \"3.10\", in quotes, not {python}")
    return CatalogueEntry(
        name=str(content.get("name", path.stem)),
        aliases=_get_texts(path, content, "aliases"),
        version=str(content.get("version", "1")),
        description=str(content.get("description", "")),
        python=python,
        image=str(content["image"]) if content.get("image") else None,
        packages=packages,
    )


@lru_cache(maxsize=4)
def _load_with(files: tuple[tuple[str, int], ...]) -> Mapping[str, CatalogueEntry]:
    return {**_load_shipped(), **_index_entries([read_entry(Path(path)) for path, _ in files])}


@lru_cache(maxsize=1)
def _load_shipped() -> Mapping[str, CatalogueEntry]:
    return _index_entries([read_entry(path) for path in sorted(_SHIPPED.glob("*.yml"))])


def _index_entries(entries: list[CatalogueEntry]) -> dict[str, CatalogueEntry]:
    return {plain_name(name): each for each in entries for name in (*each.aliases, each.name)}


def _get_texts(path: Path, content: Mapping[str, Any], key: str) -> list[str]:
    value = content.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValidationException(f"{path}: '{key}' must be a list of texts")
    return list(value)
