"""Virtual environments, built by uv, whose output is logged line by line."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import uv

from smalt.service.data.files.copying import can_reflink
from smalt.service.environments.build_errors import EnvironmentFailed, read_uv_error
from smalt.service.environments.builders import shared_files
from smalt.service.environments.builders.build_processes import LOCKS, OutputLines, run_process
from smalt.service.environments.builders.installed_packages import list_packages
from smalt.service.environments.builders.interpreters import Interpreter
from smalt.service.environments.builders.mltable_wheel import add_wheel
from smalt.service.environments.builders.pin_relaxation import PinResolution, get_package, relax_pins
from smalt.service.environments.builders.pip_settings import forbids_indexes, make_uv_variables
from smalt.service.environments.builders.shared_files import find_owners
from smalt.service.environments.resolution.requirements import copy_local_files

Log = Callable[[str], None]

# Compiling these takes long and ends in an error where no wheel fits the Python: better told at once.
_NEVER_COMPILED = ("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pyarrow", "h5py", "grpcio", "pillow")
_ATTEMPTS = 12
_WITH_PKG_RESOURCES = "setuptools<81"
"""The constraint for SDK v1, which imports pkg_resources: conda's Pythons had it, and later setuptools lack it."""
_OBVIOUS = r"Using Python"
_DROPPED = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT",
            "UV_SYSTEM_PYTHON")  # fmt: skip


async def build_environment(
    folder: Path,
    interpreter: Interpreter,
    requirements: Sequence[str],
    exact: bool,
    log: Log,
    *,
    relaxes: bool = False,
    with_dependencies: bool = True,
    shares_cache: bool = False,
) -> list[str]:
    """Build a virtual environment in `folder` with the requirements, pip, and (as long as Pythons included it)
    setuptools.

    With `exact` false the Python is not the declared one, and big packages are not compiled for it. With
    `relaxes`, pins that cannot be met are relaxed; the sentences of those are returned. With `shares_cache`, it may
    share files with uv's cache: a tool that only the server runs.
    """
    quiet = OutputLines(log, r"Using CPython|Creating virtual env|Activate with")
    command = ["venv", "--relocatable", "--no-project", "--python", interpreter.executable, str(folder)]
    await _run_uv(command, folder.parent, quiet, shares_cache)
    python = str(folder / "bin" / "python")
    with copy_local_files(add_wheel(requirements, folder.parent)) as asked:
        gone = (
            await install_requirements(
                python, interpreter.version, asked, exact, log, relaxes, with_dependencies, shares_cache
            )
            if asked
            else []
        )
        await _install_seeds(folder, python, interpreter, quiet, log, shares_cache)
        await restore_shared_files(python, asked, log, shares_cache)
    return gone


async def _install_seeds(
    folder: Path, python: str, interpreter: Interpreter, quiet: OutputLines, log: Log, shares_cache: bool
) -> None:
    """Install pip, and setuptools as long as Pythons included it, unless the requirements did."""
    seeds = _list_seeds(folder, interpreter)
    if seeds:
        seeding = ["pip", "install", "--python", python, "--no-deps", "--no-index", *seeds]
        await _run_uv(seeding, folder.parent, OutputLines(None), shares_cache)
    elif not list(folder.glob("lib/*/site-packages/pip-*.dist-info")):
        try:
            await _run_uv(["pip", "install", "--python", python, "pip"], folder.parent, quiet, shares_cache)
        except EnvironmentFailed as error:
            log(f"pip is not in this environment, because its Python includes none and the index has none: {error}")


async def install_requirements(
    python: str,
    version: str,
    requirements: Sequence[str],
    exact: bool,
    log: Log,
    relaxes: bool,
    with_dependencies: bool = True,
    shares_cache: bool = False,
) -> list[str]:
    """Install into an existing environment; return the sentences of the pins that were relaxed."""
    options = [] if exact else [option for name in _NEVER_COMPILED for option in ("--only-binary", name)]
    options += ["--no-index"] if forbids_indexes(os.environ) else []
    options += [] if with_dependencies else ["--no-deps"]
    asked = sorted(requirements, key=lambda line: not line.startswith("-"))
    lines = list(asked)
    with tempfile.TemporaryDirectory(prefix="smalt-requirements-") as place:
        if _needs_pkg_resources(lines):
            constraints = Path(place, "constraints.txt")
            constraints.write_text(f"{_WITH_PKG_RESOURCES}\n")
            options += ["--constraint", str(constraints)]
        for attempt in range(_ATTEMPTS):
            listed = Path(place, "requirements.txt")
            listed.write_text("\n".join(lines) + "\n")
            said = OutputLines(log, _OBVIOUS)
            try:
                installing = ["pip", "install", "--python", python, *options, "-r", str(listed)]
                await _run_uv(installing, Path(python).parent, said, shares_cache)
                break
            except EnvironmentFailed:
                if not relaxes or attempt == _ATTEMPTS - 1:
                    raise
                resolve = partial(_resolve_pins, python, Path(place), options)
                changes = await relax_pins(lines, said.seen, resolve, other_python=not exact or lines != asked)
                if not changes:
                    raise
            log(f"trying with {', '.join(changes.values())} in place of {', '.join(changes)}")
            lines = [changes.get(line, line) for line in lines]
    there = dict(
        each.split("==", 1) for each in list_packages(Path(python).parent.parent.glob("lib/python*/site-packages"))
    )
    return [
        f"'{before}' is not available for Python {version}; "
        f"{get_package(after)} {there.get(get_package(after), '')} is used"
        for before, after in zip(asked, lines, strict=True)
        if before != after
    ]


def _needs_pkg_resources(requirements: Sequence[str]) -> bool:
    """Return True if there is a package of SDK v1 among the requirements, and no setuptools of their own."""
    packages = {get_package(line) for line in requirements if not line.startswith("-")}
    return "setuptools" not in packages and any(package.startswith("azureml-") for package in packages)


async def restore_shared_files(python: str, requirements: Sequence[str], log: Log, shares_cache: bool = False) -> None:
    """Give files that several distributions own the content that pip gives them; uv leaves a mixture.

    Needs the environment's pip, so call it last.
    """
    environment = Path(python).parent.parent
    options = ["--no-index"] if forbids_indexes(os.environ) else []
    for folder in environment.glob("lib/python*/site-packages"):
        if not await asyncio.to_thread(find_owners, str(folder)):
            continue
        with tempfile.TemporaryDirectory(prefix="smalt-requirements-") as place:
            listed = Path(place, "requirements.txt")
            listed.write_text("".join(f"{line}\n" for line in requirements))
            said = OutputLines(None)
            code = await run_process(
                [python, "-I", shared_files.__file__, str(folder), str(listed)], environment, os.environ, said
            )
        if code != 0:
            raise EnvironmentFailed(
                f"packages that share files could not be reinstalled in order: {' '.join(said.seen[-1:])}"
            )
        for line in said.seen:
            requirement, _, sentence = line.partition("\t")
            if sentence:
                log(sentence)
            name = re.split(r"[ =]", requirement, maxsplit=1)[0]
            again = ["pip", "install", "--python", python, *options, "--no-deps", "--reinstall-package", name]
            await _run_uv([*again, requirement], environment, OutputLines(None), shares_cache)


async def _resolve_pins(
    python: str,
    place: Path,
    options: Sequence[str],
    lines: Sequence[str],
    *,
    lowest: bool = False,
    wheels: bool = False,
) -> PinResolution:
    said, resolution = OutputLines(None), "lowest-direct" if lowest else "highest"
    options = [*options, *(option for line in lines if wheels for option in ("--only-binary", get_package(line)))]
    command = [uv.find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", "--no-python-downloads",
               "--color", "never", "--resolution", resolution, "--python", python, *options, "-"]  # fmt: skip
    code = await run_process(
        command, place, _make_variables(place, False), said, "".join(f"{line}\n" for line in lines).encode()
    )
    return PinResolution([line for line in said.seen if line.strip()] if code == 0 else None, said.seen)


def _list_seeds(folder: Path, interpreter: Interpreter) -> list[str]:
    """Return the wheels of pip and setuptools that the Python included, if the requirements did not install them."""
    newest: dict[str, str] = {}
    for wheel in sorted(interpreter.wheels, key=lambda path: _parse_numbers(os.path.basename(path))):
        newest[os.path.basename(wheel).split("-")[0]] = wheel
    present = {path.name.split("-")[0] for path in folder.glob("lib/*/site-packages/*.dist-info")}
    return [wheel for name, wheel in newest.items() if name in ("pip", "setuptools") and name not in present]


async def _run_uv(arguments: list[str], cwd: Path, lines: OutputLines, shares_cache: bool) -> None:
    """Run uv; EnvironmentFailed has its reason."""
    command = [uv.find_uv_bin(), *arguments, "--color", "never", "--no-progress", "--no-python-downloads"]
    code = await run_process(command, cwd, _make_variables(cwd, shares_cache), lines, locks=LOCKS.get())
    if code < 0:
        raise EnvironmentFailed(f"uv was killed by signal {-code}")
    if code != 0:
        raise EnvironmentFailed(read_uv_error(lines.seen))


def _make_variables(building: Path, shares_cache: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, **make_uv_variables(os.environ), **_choose_link_mode(building, shares_cache)}


def _choose_link_mode(building: Path, shares_cache: bool) -> dict[str, str]:
    """Return uv's setting: jobs' environments share no file with its cache, as whoever wrote one would write both."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = Path(os.environ.get("UV_CACHE_DIR") or f"{caches}/uv")
    while not cache.exists() and cache != cache.parent:
        cache = cache.parent
    if cache.stat().st_dev != building.stat().st_dev:
        return {"UV_LINK_MODE": "copy"}
    if shares_cache:
        return {}
    return {"UV_LINK_MODE": "clone" if can_reflink(building) else "copy"}


def make_index_variables() -> dict[str, str]:
    """Return the variables that tell uv and pip about indexes, for a process that runs elsewhere than here."""
    local = (*_DROPPED, "UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR", "PIP_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_CERT")
    named = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(("UV_", "PIP_")) or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE")
        and name not in local
    }
    told = {**named, **make_uv_variables(os.environ)}
    for pips, uvs in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        if uvs in told:
            told.setdefault(pips, told[uvs])
    return told


def _parse_numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]
