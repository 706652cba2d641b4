"""The catalogue: which packages a curated environment's name stands for."""

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
from smalt.service.environments.resolution.curated_names import is_curated, listed_names, nearest, plain

_SHIPPED = Path(__file__).with_name("catalogue")
_KEYS = {"name", "aliases", "version", "description", "python", "image", "packages"}


class Entry(NamedTuple):
    """One curated environment, as its file in the catalogue says."""

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
    found = entry(name, folder)
    if found is None:
        return None
    return found.properties if is_exact(name, folder) else {**found.properties, "asked": name}


def entry(name: str, folder: Path | None = None) -> Entry | None:
    """Return the entry of that name, or the nearest to a name of Azure's."""
    known = catalogue(folder)
    found = known.get(plain(name))
    if found is not None or not is_curated(name):
        return found
    near = nearest(name, [entry.name for entry in known.values()])
    return known[plain(near)] if near else None


def is_exact(name: str, folder: Path | None = None) -> bool:
    """Tell whether the catalogue has an entry of that name or alias."""
    return plain(name) in catalogue(folder)


def names(folder: Path | None = None) -> list[str]:
    """Return every name that is answered, each once."""
    known = catalogue(folder)
    own = {plain(name): name for entry in known.values() for name in (*entry.aliases, entry.name)}
    return sorted({**listed_names(), **own}.values(), key=str.lower)


def find(name: str, folder: Path | None = None) -> Entry:
    """Return the entry of that name or alias, or the nearest to a name of Azure's; NotFound says what is like it."""
    known = catalogue(folder)
    found = entry(name, folder)
    if found is not None:
        return found
    names = difflib.get_close_matches(plain(name), known, n=3, cutoff=0.4)
    nearest = list(dict.fromkeys(known[each].name for each in names)) or ["minimal"]
    where = folder or Home.find().path("catalogue")
    raise NotFound(
        f"no curated environment is called '{name}'; the nearest are {', '.join(nearest)}; "
        f"describe your own in {where}/{name}.yml"
    )


def catalogue(folder: Path | None = None) -> Mapping[str, Entry]:
    """Every entry under its name and its aliases, plain (see `plain`); the user's own over the shipped."""
    files = own_files(folder or Home.find().path("catalogue"))
    return _with(files) if files else _shipped()


def own_files(folder: Path) -> tuple[tuple[str, int], ...]:
    """The user's own entries, with when each was last changed."""
    try:
        with os.scandir(folder) as found:
            files = [(each.path, each.stat().st_mtime_ns) for each in found if each.name.endswith((".yml", ".yaml"))]
    except FileNotFoundError:
        return ()
    return tuple(sorted(files))


def read(path: Path) -> Entry:
    """One file of the catalogue; ValidationException says what is wrong with it."""
    try:
        content = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValidationException(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ValidationException(f"{path}: it holds no mapping; it needs 'packages:' with a list of requirements")
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise ValidationException(f"{path}: unknown key '{unknown[0]}'; the keys are {', '.join(sorted(_KEYS))}")
    python = content.get("python", "3.10")
    if not isinstance(python, str) or not re.fullmatch(r"3\.\d+", python):
        raise ValidationException(f"{path}: 'python' must be a version such as \"3.10\", in quotes, not {python}")
    return Entry(
        name=str(content.get("name", path.stem)),
        aliases=_texts(path, content, "aliases"),
        version=str(content.get("version", "1")),
        description=str(content.get("description", "")),
        python=python,
        image=str(content["image"]) if content.get("image") else None,
        packages=_texts(path, content, "packages"),
    )


@lru_cache(maxsize=4)
def _with(files: tuple[tuple[str, int], ...]) -> Mapping[str, Entry]:
    return {**_shipped(), **_index([read(Path(path)) for path, _ in files])}


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Entry]:
    return _index([read(path) for path in sorted(_SHIPPED.glob("*.yml"))])


def _index(entries: list[Entry]) -> dict[str, Entry]:
    return {plain(name): each for each in entries for name in (*each.aliases, each.name)}


def _texts(path: Path, content: Mapping[str, Any], key: str) -> list[str]:
    value = content.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValidationException(f"{path}: '{key}' must be a list of texts")
    return list(value)
