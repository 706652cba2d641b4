"""Virtual environments by uv, which says line by line what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import uv

from smalt.service.environments.failures import EnvironmentFailed, sentence_of_uv
from smalt.service.environments.pip_settings import forbids_indexes, uv_variables
from smalt.service.environments.pythons import Interpreter

Log = Callable[[str], None]

# Compiling these takes long and ends in an error where no wheel fits the Python: better told at once.
_NEVER_COMPILED = ("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pyarrow", "h5py", "grpcio", "pillow")
_DROPPED = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT",
            "UV_SYSTEM_PYTHON")  # fmt: skip


async def make(folder: Path, interpreter: Interpreter, requirements: Sequence[str], exact: bool, log: Log) -> None:
    """A virtual environment in `folder` with the requirements, pip, and (as long as Pythons came with it) setuptools.

    With `exact` false the Python is not the one that was asked for, and big packages are not compiled for it.
    """
    quiet = _Lines(log, r"Using CPython|Creating virtual env|Activate with")
    command = ["venv", "--relocatable", "--no-project", "--python", interpreter.executable, str(folder)]
    await _run(command, folder.parent, quiet)
    python = str(folder / "bin" / "python")
    if requirements:
        listed = folder.parent / "requirements.txt"
        listed.write_text("\n".join(sorted(requirements, key=lambda line: not line.startswith("-"))) + "\n")
        options = [] if exact else [option for name in _NEVER_COMPILED for option in ("--only-binary", name)]
        options += ["--no-index"] if forbids_indexes(os.environ) else []
        await _run(["pip", "install", "--python", python, *options, "-r", str(listed)], folder.parent, _Lines(log))
    seeds = _seeds(folder, interpreter)
    if seeds:
        await _run(
            ["pip", "install", "--python", python, "--no-deps", "--no-index", *seeds], folder.parent, _Lines(None)
        )
    elif not list(folder.glob("lib/*/site-packages/pip-*.dist-info")):
        try:
            await _run(["pip", "install", "--python", python, "pip"], folder.parent, quiet)
        except EnvironmentFailed as error:
            log(f"pip is not in this environment, for its Python brought none and the index gave none: {error}")


def _seeds(folder: Path, interpreter: Interpreter) -> list[str]:
    """The wheels of pip and setuptools that the Python brought, of what the requirements did not install."""
    newest: dict[str, str] = {}
    for wheel in sorted(interpreter.wheels, key=lambda path: _numbers(os.path.basename(path))):
        newest[os.path.basename(wheel).split("-")[0]] = wheel
    present = {path.name.split("-")[0] for path in folder.glob("lib/*/site-packages/*.dist-info")}
    return [wheel for name, wheel in newest.items() if name in ("pip", "setuptools") and name not in present]


async def _run(arguments: list[str], cwd: Path, lines: _Lines) -> None:
    """Run uv; EnvironmentFailed has its reason. Cancelled, it ends uv and what uv started."""
    command = [uv.find_uv_bin(), *arguments, "--color", "never", "--no-progress", "--no-python-downloads"]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=_variables(cwd),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(65536):
            lines.add(chunk)
        code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    lines.end()
    if code != 0:
        raise EnvironmentFailed(sentence_of_uv(lines.seen))


def _variables(building: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    linking = {} if _can_link(building) else {"UV_LINK_MODE": "copy"}  # so that uv does not warn of it
    return {**linking, **kept, **uv_variables(os.environ)}


def _can_link(building: Path) -> bool:
    """Whether uv's cache is on the file system of what is built."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = Path(os.environ.get("UV_CACHE_DIR") or f"{caches}/uv")
    while not cache.exists() and cache != cache.parent:
        cache = cache.parent
    return cache.stat().st_dev == building.stat().st_dev


class _Lines:
    """Cuts output into lines, for the log and for the reason when it fails."""

    def __init__(self, log: Log | None, unsaid: str = r"Using Python") -> None:
        self.seen: list[str] = []
        self._log = log
        self._unsaid = re.compile(unsaid)
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._say(line)

    def end(self) -> None:
        if self._rest:
            self._say(self._rest)

    def _say(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        self.seen.append(line)
        if self._log is not None and line and not self._unsaid.match(line):
            self._log(line)


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]
