"""What an environment asks for, in one form whatever it is written in, and the hash of that."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from smalt.entities.assets.conda import resolve_files
from smalt.entities.schema.problems import Problem
from smalt.exceptions import Refused
from smalt.machine.requirements_files import is_requirements_file, with_paths
from smalt.service.environments.resolution import conda_files as conda
from smalt.service.environments.resolution import curated_environments, image_map, image_names
from smalt.service.environments.resolution.dockerfiles import Recipe, read_recipe
from smalt.service.environments.resolution.python_versions import AskedPython, Minor
from smalt.service.environments.resolution.requirements import content_of, inlined, listed

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
    variables: dict[str, str] = field(default_factory=dict)
    """What is set in a job that runs in it, unless the job sets it itself."""
    left_out: str = ""
    """`; left out: …`: lines of a Dockerfile of which nothing but the Python and variables were taken."""

    def hash(self, used: Minor | str) -> str:
        """The hash under which it is kept, made with Python `used`, or in a container from the content `used`."""
        content = {**self.parts, "used": used if isinstance(used, str) else f"{used[0]}.{used[1]}"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def declare(
    asset: Mapping[str, Any], catalogue: Path, locate: Locate, mapped: Mapping[str, str] | None = None
) -> Declared:
    """Read an environment version's REST properties, or {"curated": name}.

    With them may stand "name", for a build context "folder", where it lies on this machine, and "files", the places
    of what travelled with a conda file. `mapped` is the setting image-map. Refused or NotFound where it cannot be had.
    """
    if asset.get("curated"):
        return _from_catalogue(curated_environments.find(str(asset["curated"]), catalogue), asset.get("asked"))
    file = image_map.find_file(str(asset.get("image") or ""), mapped or {})
    if file is not None:
        return _from_map(asset, file, locate)
    if asset.get("condaFile"):
        return _from_conda(asset)
    if asset.get("build"):
        return _from_build(asset, locate)
    if asset.get("image"):
        return _from_image(asset, str(asset["image"]), catalogue)
    raise Refused("the environment names neither image, conda_file nor build; give it one of them")


def _from_catalogue(entry: curated_environments.Entry, asked: str | None = None) -> Declared:
    """Declare an entry; `asked` is the name that it is only the nearest to."""
    parts = _parts(python=entry.python, dependencies=entry.packages, catalogue=entry.name)
    declared = Declared(entry.name, AskedPython(entry.python), entry.packages, parts)
    if asked is None:
        return declared
    note = f"environment '{asked}' is not in the catalogue; '{entry.name}', the nearest to it, is used"
    return replace(declared, notes=[note], not_as_asked=note)


def _from_conda(asset: Mapping[str, Any]) -> Declared:
    """Declare a conda file, alone or with an image that it is to be laid on."""
    read = conda.read(asset["condaFile"])
    found = _of_conda(asset, read)
    image = str(asset.get("image") or "")
    if not image or image_names.is_services_base(image):
        return found
    note = f"image '{image}' is not used; the job has the packages of its conda file"
    base = None if found.conda is not None else Base(image, layered=True)
    return replace(found, notes=[*found.notes, note], not_as_asked=note, base=base)


def _of_conda(asset: Mapping[str, Any], read: conda.CondaFile) -> Declared:
    """Declare the packages of a conda file; where PyPI has not all of them, they are all conda's, as in the service."""
    files, image, name = asset.get("files"), asset.get("image"), _name(asset) or read.name
    python, variables, notes = AskedPython(read.python), read.variables, []
    if not read.unknown:
        lines = inlined(read.requirements, None, files)
        if read.left_out:
            notes.append(f"left out of the conda file: {', '.join(read.left_out)}; PyPI's packages bring their own")
        parts = _parts(python=read.python, dependencies=lines, channels=read.channels, image=image, variables=variables)
        return Declared(name, python, lines, parts, notes=notes, variables=variables)
    pip = inlined(read.pip, None, files)
    has_python = any(re.match(r"(?:\S+::)?python(?![\w.-])", spec) for spec in read.specs)
    specs = read.specs if has_python else ["python", *read.specs]
    parts = _parts(
        python=read.python, dependencies=[*pip, *specs], channels=read.channels, image=image, variables=variables
    )
    return Declared(name, python, pip, parts, conda=Conda(specs, read.channels), variables=variables)


def _from_image(asset: Mapping[str, Any], image: str, catalogue: Path) -> Declared:
    entry = curated_environments.entry(image_names.curated_name(image) or "", catalogue)
    if entry is not None:
        found = _from_catalogue(entry)
        note = f"image '{image}' is not used; the job has the packages of the curated environment '{entry.name}'"
        return Declared(
            _name(asset), found.python, found.requirements, found.parts, notes=[note], not_as_asked=note,
            base=Base(image, if_strict=True),
        )  # fmt: skip
    python = image_names.python_of(image)
    parts = _parts(python=python, image=image)
    return Declared(_name(asset), AskedPython(python), [], parts, unused_image=f"image '{image}'", base=Base(image))


def _from_map(asset: Mapping[str, Any], file: Path, locate: Locate) -> Declared:
    """Declare what the setting image-map has for an image; with a conda file beside it, the packages of both."""
    image, own = str(asset["image"]), asset.get("condaFile")
    if not file.is_file():
        raise Refused(f"the setting image-map has '{file}' for image '{image}', and there is no such file")
    if image_map.is_dockerfile(file):
        build = {"name": asset.get("name"), "build": {"dockerfilePath": file.name}, "folder": str(file.parent)}
        found = _from_build(build, locate, [own] if own else [])
        note = f"image '{image}' stands for the Dockerfile '{file}', as the setting image-map has it"
        return replace(found, notes=[note, *found.notes], base=None if own else found.base)
    if is_requirements_file(file.name):
        spec = {"dependencies": [{"pip": inlined(listed(file), file.parent)}]}
    else:
        spec = _read_conda_file(file)
    read = conda.read(_merged([spec, *([conda.parse(str(own))] if own else [])]))
    found = _of_conda({"name": asset.get("name"), "files": asset.get("files")}, read)
    note = f"image '{image}' is not used; the job has the packages of '{file}', as the setting image-map has it"
    return replace(found, notes=[note, *found.notes])


def _from_build(asset: Mapping[str, Any], locate: Locate, more: Sequence[str] = ()) -> Declared:
    """Declare a build context; `more` are the texts of conda files whose packages are to be there, too."""
    build = asset["build"]
    uri, dockerfile = str(build.get("contextUri") or ""), str(build.get("dockerfilePath") or "Dockerfile")
    folder = Path(asset["folder"]) if asset.get("folder") else _local(uri) or locate(uri)
    recipe = read_recipe(folder, dockerfile) if folder else Recipe()
    base = Base(context=folder, dockerfile=dockerfile) if folder else None
    what = f"the Dockerfile of '{_name(asset) or Path(urlsplit(uri).path or folder or '').name}'"
    python = image_names.python_of(recipe.image) if recipe.image else ""
    specs = [*_specs_of(recipe), *map(conda.parse, more)]
    variables = recipe.variables
    if not specs:
        parts = _parts(python=python, image=f"{uri} {dockerfile}", variables=variables)
        return Declared(
            _name(asset), AskedPython(python), [], parts, unused_image=what, base=base, variables=variables,
            left_out=recipe.left_out,
        )  # fmt: skip
    read = conda.read(_merged(specs))
    read.python, read.variables = read.python or python, {**variables, **read.variables}
    found = _of_conda({"name": _name(asset)}, read)
    named = f" and the {'variable' if len(variables) == 1 else 'variables'} {', '.join(variables)}" if variables else ""
    sources = recipe.sources or "conda file"
    note = f"{what} is not built; the job has the packages of its {sources}{named}{recipe.left_out}"
    return replace(found, notes=[note, *found.notes], not_as_asked=note, base=base)


def _specs_of(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the conda specifications that a Dockerfile amounts to."""
    specs = [_read_conda_file(path) for path in recipe.conda_files]
    pip = [line for path in recipe.lists for line in inlined(listed(path), path.parent)]
    if recipe.specs or recipe.pip or pip:
        specs.append({"channels": recipe.channels, "dependencies": [*recipe.specs, {"pip": [*pip, *recipe.pip]}]})
    return specs


def _read_conda_file(path: Path) -> dict[str, Any]:
    """Return the specification in a file of this machine, with the files that it names."""
    found = conda.parse(path.read_text(errors="replace"))
    if not isinstance(found, Mapping):
        raise Refused(f"'{path}' is not a conda file: it holds no mapping with 'dependencies'")

    def refuse(problem: Problem) -> None:
        raise Refused(f"'{path}': {problem}")

    return resolve_files(found, str(path.parent), refuse)


def _merged(specs: Sequence[Any]) -> dict[str, Any]:
    """Return one conda specification for several; what a later one says of Python and variables counts."""
    whole: dict[str, Any] = {"channels": [], "dependencies": [], "variables": {}}
    for spec in specs:
        if not isinstance(spec, Mapping):
            raise Refused("the conda file holds no mapping; it needs 'dependencies:' with a list of packages")
        whole["name"] = spec.get("name") or whole.get("name")
        for key in ("channels", "dependencies"):
            whole[key] += [each for each in spec.get(key) or [] if each not in whole[key]]
        whole["variables"].update(spec.get("variables") or {})
    return whole


def _parts(
    *,
    python: str,
    dependencies: list[str] | None = None,
    channels: list[str] | None = None,
    image: Any = None,
    catalogue: str | None = None,
    variables: dict[str, str] | None = None,
) -> dict[str, Any]:
    parts = {
        "python": str(AskedPython(python)),
        "dependencies": sorted(with_paths(dependencies or [], content_of)),
        "channels": channels or [],
        "image": image,
        "catalogue": catalogue,
    }
    return {**parts, "variables": variables} if variables else parts


def _name(asset: Mapping[str, Any]) -> str | None:
    name = asset.get("name")
    return None if not name or str(name).startswith("CliV2Anonymous") else str(name)


def _local(uri: str) -> Path | None:
    if uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri) if uri.startswith("/") and Path(uri).is_dir() else None
