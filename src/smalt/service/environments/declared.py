"""What an environment asks for, in one form whatever it is written in, and the hash of that."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from smalt.exceptions import Refused
from smalt.service.environments import conda, curated, images
from smalt.service.environments.asked import AskedPython, Minor
from smalt.service.environments.requirements import inlined, listed

Locate = Callable[[str], "Path | None"]
"""Where a build context's URI lies on this machine."""


@dataclass(frozen=True)
class Base:
    """What a container for it is made from, where there is an engine: an image, or a build context."""

    image: str = ""
    context: Path | None = None
    dockerfile: str = ""
    layered: bool = False
    """Whether the packages are to be laid on top; else they are what stands for the image where there is no engine."""
    if_strict: bool = False
    """Whether it is used under `fidelity: strict` only: what stands for it is as good."""

    @property
    def what(self) -> str:
        return f"image '{self.image}'" if self.image else f"the Dockerfile of '{self.context}'"


class Conda(NamedTuple):
    specs: list[str]
    channels: list[str]


@dataclass(frozen=True)
class Declared:
    """An environment as it is declared."""

    name: str | None
    """What it is called, to find the earlier ones of the same name; None for one without a name."""
    python: AskedPython
    requirements: list[str]
    parts: dict[str, Any]
    """The declared content, normalised; its hash finds the environment."""
    unused_image: str | None = None
    """The image (or Dockerfile) that nothing but the Python was taken from."""
    notes: list[str] = field(default_factory=list)
    not_as_asked: str | None = None
    """Why `fidelity: strict` refuses it, the Python apart."""
    base: Base | None = None
    conda: Conda | None = None
    """What a conda solver is to install; None where PyPI has all of it, or nothing is asked of conda."""

    def hash(self, used: Minor | str) -> str:
        """The hash under which it is kept, made with Python `used`, or in a container from the content `used`."""
        content = {**self.parts, "used": used if isinstance(used, str) else f"{used[0]}.{used[1]}"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def declare(asset: Mapping[str, Any], catalogue: Path, locate: Locate) -> Declared:
    """Read an environment version's REST properties, or {"curated": name}.

    With them may stand "name", and for a build context "folder", where it lies on this machine.
    Refused or NotFound where it cannot be had.
    """
    if asset.get("curated"):
        return _from_catalogue(curated.find(str(asset["curated"]), catalogue), asset.get("asked"))
    if asset.get("condaFile"):
        return _from_conda(asset)
    if asset.get("build"):
        return _from_build(asset, locate)
    if asset.get("image"):
        return _from_image(asset, str(asset["image"]), catalogue)
    raise Refused("the environment names neither image, conda_file nor build; give it one of them")


def _from_catalogue(entry: curated.Entry, asked: str | None = None) -> Declared:
    """Declare an entry; `asked` is the name that it is only the nearest to."""
    parts = _parts(python=entry.python, dependencies=entry.packages, catalogue=entry.name)
    declared = Declared(entry.name, AskedPython(entry.python), entry.packages, parts)
    if asked is None:
        return declared
    note = f"environment '{asked}' is not in the catalogue; '{entry.name}', the nearest to it, is used"
    return replace(declared, notes=[note], not_as_asked=note)


def _from_conda(asset: Mapping[str, Any], *, folder: Path | None = None, source: str | None = None) -> Declared:
    read = conda.read(source or asset["condaFile"])
    if read.unknown:
        return _from_conda_alone(asset, read, folder)
    python = read.python
    requirements = inlined(read.requirements, folder)
    notes = []
    if read.left_out:
        notes.append(f"left out of the conda file: {', '.join(read.left_out)}; PyPI's packages bring their own")
    parts = _parts(python=python, dependencies=requirements, channels=read.channels, image=asset.get("image"))
    image = str(asset.get("image") or "")
    name = _name(asset) or read.name
    if not image or images.is_services_base(image):
        return Declared(name, AskedPython(python), requirements, parts, notes=notes)
    note = f"image '{image}' is not used; the job has the packages of its conda file"
    return Declared(
        name, AskedPython(python), requirements, parts, notes=[*notes, note], not_as_asked=note,
        base=Base(image, layered=True),
    )  # fmt: skip


def _from_conda_alone(asset: Mapping[str, Any], read: conda.CondaFile, folder: Path | None) -> Declared:
    """One with packages that PyPI has not: all of them are conda's, as the service has it."""
    pip = inlined(read.pip, folder)
    has_python = any(re.match(r"(?:\S+::)?python(?![\w.-])", spec) for spec in read.specs)
    specs = read.specs if has_python else ["python", *read.specs]
    image = asset.get("image")
    parts = _parts(python=read.python, dependencies=[*pip, *specs], channels=read.channels, image=image)
    note = f"image '{image}' is not used; the job has the packages of its conda file"
    notes = [note] if image and not images.is_services_base(str(image)) else []
    return Declared(
        _name(asset) or read.name, AskedPython(read.python), pip, parts, notes=notes,
        not_as_asked=note if notes else None, conda=Conda(specs, read.channels),
    )  # fmt: skip


def _from_image(asset: Mapping[str, Any], image: str, catalogue: Path) -> Declared:
    entry = curated.entry(images.curated_name(image) or "", catalogue)
    if entry is not None:
        found = _from_catalogue(entry)
        note = f"image '{image}' is not used; the job has the packages of the curated environment '{entry.name}'"
        return Declared(
            _name(asset), found.python, found.requirements, found.parts, notes=[note], not_as_asked=note,
            base=Base(image, if_strict=True),
        )  # fmt: skip
    python = images.python_of(image)
    parts = _parts(python=python, image=image)
    return Declared(_name(asset), AskedPython(python), [], parts, unused_image=f"image '{image}'", base=Base(image))


def _from_build(asset: Mapping[str, Any], locate: Locate) -> Declared:
    build = asset["build"]
    uri, dockerfile = str(build.get("contextUri") or ""), str(build.get("dockerfilePath") or "Dockerfile")
    folder = Path(asset["folder"]) if asset.get("folder") else _local(uri) or locate(uri)
    context = images.read_context(folder, dockerfile) if folder else images.Context(None, None, None)
    python = images.python_of(context.image) if context.image else ""
    base = Base(context=folder, dockerfile=dockerfile) if folder else None
    what = f"the Dockerfile of '{_name(asset) or Path(urlsplit(uri).path).name}'"
    if context.conda is not None:
        note = f"{what} is not built; the job has the packages of its {context.conda.name}"
        found = _from_conda({"name": _name(asset)}, folder=context.conda.parent, source=context.conda.read_text())
        return Declared(
            found.name, found.python, found.requirements, found.parts, notes=[note, *found.notes], not_as_asked=note,
            base=base,
        )  # fmt: skip
    if context.requirements is not None:
        note = f"{what} is not built; the job has the packages of its {context.requirements.name}"
        lines = inlined(listed(context.requirements), context.requirements.parent)
        parts = _parts(python=python, dependencies=lines)
        return Declared(_name(asset), AskedPython(python), lines, parts, notes=[note], not_as_asked=note, base=base)
    parts = _parts(python=python, image=f"{uri} {dockerfile}")
    return Declared(_name(asset), AskedPython(python), [], parts, unused_image=what, base=base)


def _parts(
    *,
    python: str,
    dependencies: list[str] | None = None,
    channels: list[str] | None = None,
    image: Any = None,
    catalogue: str | None = None,
) -> dict[str, Any]:
    return {
        "python": str(AskedPython(python)),
        "dependencies": sorted(dependencies or []),
        "channels": channels or [],
        "image": image,
        "catalogue": catalogue,
    }


def _name(asset: Mapping[str, Any]) -> str | None:
    name = asset.get("name")
    return None if not name or str(name).startswith("CliV2Anonymous") else str(name)


def _local(uri: str) -> Path | None:
    if uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri) if uri.startswith("/") and Path(uri).is_dir() else None
