"""Declared environments: one form for everything that a job may declare, and its hash."""

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
from smalt.exceptions import RefusedError
from smalt.machine.requirements_files import convert_paths, is_requirements_file
from smalt.service.environments.resolution import conda_files as conda
from smalt.service.environments.resolution import curated_environments, image_map, image_names
from smalt.service.environments.resolution.dockerfiles import DockerfileRecipe, read_recipe
from smalt.service.environments.resolution.python_versions import Minor, PythonConstraint
from smalt.service.environments.resolution.requirements import hash_content, inline_files, read_requirements

Locate = Callable[[str], "Path | None"]
"""A function from a build context's URI to its folder on this machine."""


@dataclass(frozen=True)
class ContainerBase:
    """The base of an environment's container, if there is an engine: an image, or a build context."""

    image: str = ""
    context: Path | None = None
    dockerfile: str = ""
    layered: bool = False
    """True if the packages are installed on top; else they replace the image if there is no engine."""
    if_strict: bool = False
    """True if it is used under `fidelity: strict` only, as its replacement is equally good."""

    @property
    def description(self) -> str:
        return f"image '{self.image}'" if self.image else f"the Dockerfile of '{self.context}'"


class CondaPackages(NamedTuple):
    """The packages for a conda solver, and its channels."""

    specs: list[str]
    channels: list[str]


@dataclass(frozen=True)
class DeclaredEnvironment:
    """An environment as it is declared."""

    name: str | None
    """The name, by which earlier ones are found; None for an anonymous environment."""
    python: PythonConstraint
    requirements: list[str]
    parts: dict[str, Any]
    """The declared content, normalised; its hash finds the environment."""
    unused_image: str | None = None
    """The image (or Dockerfile) that nothing but the Python was taken from."""
    notes: list[str] = field(default_factory=list)
    not_as_asked: str | None = None
    """The reason why `fidelity: strict` refuses it, apart from the Python."""
    base: ContainerBase | None = None
    conda: CondaPackages | None = None
    """The packages for a conda solver; None if PyPI has all of them, or there are none."""
    variables: dict[str, str] = field(default_factory=dict)
    """Variables set in a job that runs in it, unless the job sets them itself."""
    left_out: str = ""
    """`; left out: …`: lines of a Dockerfile of which nothing but the Python and variables were taken."""

    def make_hash(self, used: Minor | str) -> str:
        """Return the hash that identifies it, built with Python `used`, or in a container from the content `used`."""
        content = {**self.parts, "used": used if isinstance(used, str) else f"{used[0]}.{used[1]}"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def resolve_declaration(
    asset: Mapping[str, Any], catalogue: Path, locate: Locate, mapped: Mapping[str, str] | None = None
) -> DeclaredEnvironment:
    """Resolve an environment version's REST properties, or {"curated": name}.

    Additional keys: "name"; for a build context "folder", its path on this machine; "files", the paths of
    the files that a client sent with a conda file; and "more", requirements of pip besides. `mapped` is the setting
    image-map. Raise Refused or NotFound if it cannot be resolved.
    """
    declared = _resolve_source(asset, catalogue, locate, mapped)
    more = list(asset.get("more") or ())
    if not more:
        return declared
    parts = {**declared.parts, "dependencies": sorted([*declared.parts["dependencies"], *more])}
    return replace(declared, requirements=[*declared.requirements, *more], parts=parts)


def _resolve_source(
    asset: Mapping[str, Any], catalogue: Path, locate: Locate, mapped: Mapping[str, str] | None
) -> DeclaredEnvironment:
    if asset.get("curated"):
        return _from_catalogue(curated_environments.get_entry(str(asset["curated"]), catalogue), asset.get("asked"))
    file = image_map.find_file(str(asset.get("image") or ""), mapped or {})
    if file is not None:
        return _from_map(asset, file, locate)
    if asset.get("condaFile"):
        return _from_conda(asset)
    if asset.get("build"):
        return _from_build(asset, locate)
    if asset.get("image"):
        return _from_image(asset, str(asset["image"]), catalogue)
    raise RefusedError("the environment names neither image, conda_file nor build; give it one of them")


def _from_catalogue(entry: curated_environments.CatalogueEntry, asked: str | None = None) -> DeclaredEnvironment:
    """Declare an entry; `asked` is the requested name if the entry is only the nearest to it."""
    parts = _make_parts(python=entry.python, dependencies=entry.packages, catalogue=entry.name)
    declared = DeclaredEnvironment(entry.name, PythonConstraint(entry.python), entry.packages, parts)
    if asked is None:
        return declared
    note = f"environment '{asked}' is not in the catalogue; '{entry.name}', the nearest to it, is used"
    return replace(declared, notes=[note], not_as_asked=note)


def _from_conda(asset: Mapping[str, Any]) -> DeclaredEnvironment:
    """Declare a conda file, alone or on top of an image."""
    read = conda.read_conda_file(asset["condaFile"])
    found = _from_packages(asset, read)
    image = str(asset.get("image") or "")
    if not image or image_names.is_service_base(image):
        return found
    note = f"image '{image}' is not used; the job has the packages of its conda file"
    base = None if found.conda is not None else ContainerBase(image, layered=True)
    return replace(found, notes=[*found.notes, note], not_as_asked=note, base=base)


def _from_packages(asset: Mapping[str, Any], read: conda.ParsedCondaFile) -> DeclaredEnvironment:
    """Declare the packages of a conda file; if PyPI lacks one of them, conda installs all, as in the service."""
    files, image, name = asset.get("files"), asset.get("image"), _get_name(asset) or read.name
    python, variables, notes = PythonConstraint(read.python), read.variables, []
    if not read.unknown:
        lines = inline_files(read.requirements, None, files)
        if read.left_out:
            notes.append(f"left out of the conda file: {', '.join(read.left_out)}; PyPI's packages bring their own")
        parts = _make_parts(
            python=read.python, dependencies=lines, channels=read.channels, image=image, variables=variables
        )
        return DeclaredEnvironment(name, python, lines, parts, notes=notes, variables=variables)
    pip = inline_files(read.pip, None, files)
    has_python = any(re.match(r"(?:\S+::)?python(?![\w.-])", spec) for spec in read.specs)
    specs = read.specs if has_python else ["python", *read.specs]
    parts = _make_parts(
        python=read.python, dependencies=[*pip, *specs], channels=read.channels, image=image, variables=variables
    )
    return DeclaredEnvironment(name, python, pip, parts, conda=CondaPackages(specs, read.channels), variables=variables)


def _from_image(asset: Mapping[str, Any], image: str, catalogue: Path) -> DeclaredEnvironment:
    entry = curated_environments.find_entry(image_names.find_curated_name(image) or "", catalogue)
    if entry is not None:
        found = _from_catalogue(entry)
        note = f"image '{image}' is not used; the job has the packages of the curated environment '{entry.name}'"
        return DeclaredEnvironment(
            _get_name(asset), found.python, found.requirements, found.parts, notes=[note], not_as_asked=note,
            base=ContainerBase(image, if_strict=True),
        )  # fmt: skip
    python = image_names.find_python(image)
    parts = _make_parts(python=python, image=image)
    return DeclaredEnvironment(
        _get_name(asset),
        PythonConstraint(python),
        [],
        parts,
        unused_image=f"image '{image}'",
        base=ContainerBase(image),
    )


def _from_map(asset: Mapping[str, Any], file: Path, locate: Locate) -> DeclaredEnvironment:
    """Declare the image-map's entry for an image; with a conda file beside it, the packages of both."""
    image, own = str(asset["image"]), asset.get("condaFile")
    if not file.is_file():
        raise RefusedError(f"the setting image-map has '{file}' for image '{image}', and there is no such file")
    if image_map.is_dockerfile(file):
        build = {"name": asset.get("name"), "build": {"dockerfilePath": file.name}, "folder": str(file.parent)}
        found = _from_build(build, locate, [own] if own else [])
        note = f"image '{image}' stands for the Dockerfile '{file}', as set by image-map"
        return replace(found, notes=[note, *found.notes], base=None if own else found.base)
    if is_requirements_file(file.name):
        spec = {"dependencies": [{"pip": inline_files(read_requirements(file), file.parent)}]}
    else:
        spec = _read_conda_file(file)
    read = conda.read_conda_file(_merge_specs([spec, *([conda.parse_yaml(str(own))] if own else [])]))
    found = _from_packages({"name": asset.get("name"), "files": asset.get("files")}, read)
    note = f"image '{image}' is not used; the job has the packages of '{file}', as set by image-map"
    return replace(found, notes=[note, *found.notes])


def _from_build(asset: Mapping[str, Any], locate: Locate, more: Sequence[str] = ()) -> DeclaredEnvironment:
    """Declare a build context; `more` are the texts of conda files whose packages are installed too."""
    build = asset["build"]
    uri, dockerfile = str(build.get("contextUri") or ""), str(build.get("dockerfilePath") or "Dockerfile")
    folder = Path(asset["folder"]) if asset.get("folder") else _find_local(uri) or locate(uri)
    recipe = read_recipe(folder, dockerfile) if folder else DockerfileRecipe()
    base = ContainerBase(context=folder, dockerfile=dockerfile) if folder else None
    what = f"the Dockerfile of '{_get_name(asset) or Path(urlsplit(uri).path or folder or '').name}'"
    python = image_names.find_python(recipe.image) if recipe.image else ""
    specs = [*_list_specs(recipe), *map(conda.parse_yaml, more)]
    variables = recipe.variables
    if not specs:
        parts = _make_parts(python=python, image=f"{uri} {dockerfile}", variables=variables)
        return DeclaredEnvironment(
            _get_name(asset), PythonConstraint(python), [], parts, unused_image=what, base=base, variables=variables,
            left_out=recipe.left_out,
        )  # fmt: skip
    read = conda.read_conda_file(_merge_specs(specs))
    read.python, read.variables = read.python or python, {**variables, **read.variables}
    found = _from_packages({"name": _get_name(asset)}, read)
    named = f" and the {'variable' if len(variables) == 1 else 'variables'} {', '.join(variables)}" if variables else ""
    sources = recipe.sources or "conda file"
    note = f"{what} is not built; the job has the packages of its {sources}{named}{recipe.left_out}"
    return replace(found, notes=[note, *found.notes], not_as_asked=note, base=base)


def _list_specs(recipe: DockerfileRecipe) -> list[dict[str, Any]]:
    """Return the conda specifications equivalent to a Dockerfile."""
    specs = [_read_conda_file(path) for path in recipe.conda_files]
    pip = [line for path in recipe.lists for line in inline_files(read_requirements(path), path.parent)]
    if recipe.specs or recipe.pip or pip:
        specs.append({"channels": recipe.channels, "dependencies": [*recipe.specs, {"pip": [*pip, *recipe.pip]}]})
    return specs


def _read_conda_file(path: Path) -> dict[str, Any]:
    """Return the specification in a file of this machine, with the files that it names."""
    found = conda.parse_yaml(path.read_text(errors="replace"))
    if not isinstance(found, Mapping):
        raise RefusedError(f"'{path}' is not a conda file: it holds no mapping with 'dependencies'")

    def refuse(problem: Problem) -> None:
        raise RefusedError(f"'{path}': {problem}")

    return resolve_files(found, str(path.parent), refuse)


def _merge_specs(specs: Sequence[Any]) -> dict[str, Any]:
    """Return several conda specifications as one; a later one decides Python and variables."""
    whole: dict[str, Any] = {"channels": [], "dependencies": [], "variables": {}}
    for spec in specs:
        if not isinstance(spec, Mapping):
            raise RefusedError("the conda file holds no mapping; it needs 'dependencies:' with a list of packages")
        whole["name"] = spec.get("name") or whole.get("name")
        for key in ("channels", "dependencies"):
            whole[key] += [each for each in spec.get(key) or [] if each not in whole[key]]
        whole["variables"].update(spec.get("variables") or {})
    return whole


def _make_parts(
    *,
    python: str,
    dependencies: list[str] | None = None,
    channels: list[str] | None = None,
    image: Any = None,
    catalogue: str | None = None,
    variables: dict[str, str] | None = None,
) -> dict[str, Any]:
    parts = {
        "python": str(PythonConstraint(python)),
        "dependencies": sorted(convert_paths(dependencies or [], hash_content)),
        "channels": channels or [],
        "image": image,
        "catalogue": catalogue,
    }
    return {**parts, "variables": variables} if variables else parts


def _get_name(asset: Mapping[str, Any]) -> str | None:
    name = asset.get("name")
    return None if not name or str(name).startswith("CliV2Anonymous") else str(name)


def _find_local(uri: str) -> Path | None:
    if uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri) if uri.startswith("/") and Path(uri).is_dir() else None
