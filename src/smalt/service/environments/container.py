"""A job's command in a container: the text that bash runs instead of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smalt import inside
from smalt.runner import contain
from smalt.service.environments.container_engine import Engine

OUTSIDE = ("LANG", "LC_ALL", "LC_CTYPE", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE",
           "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "UV_CACHE_DIR", "PIP_CACHE_DIR", "PIP_CERT")  # fmt: skip
"""Variables that say where things are on this machine, not in the container."""


@dataclass(frozen=True)
class Container:
    """What a step's container is made of."""

    engine: Engine
    image: str
    path: str
    marks: Path
    """Where each container has a file of its name; see runner/contain.py."""

    def command(
        self,
        text: str,
        *,
        name: str,
        cwd: str,
        grace: float,
        mounts: Mapping[str, bool],
        options: Sequence[str] = (),
        given: Mapping[str, str] | None = None,
    ) -> str:
        """The text for bash; `mounts` says of each path whether the job may write there, `options` are the job's.

        Of the variables in OUTSIDE, and PATH, only those that are `given` by the job itself go inside.
        """
        given = given or {}
        leading = str(Path(inside.__path__[0], "bin"))
        engine = self.engine
        run = [*engine.command, "run", "--network", "host", "--user", engine.user, "--workdir", cwd]
        run += ["--security-opt", "label=disable"] if engine.is_podman else []
        run += [] if engine.maps_root else ["--env", f"HOME={cwd}"]
        for path, writable in _outermost({**mounts, inside.__path__[0]: False}).items():
            run += ["--mount", _mount(path, writable)]
        self.marks.mkdir(parents=True, exist_ok=True)
        plan = {
            "run": [*run, *engine.arguments, *options],
            "remove": engine.removal,
            "image": self.image,
            "command": text,
            "path": given.get("PATH", f"{leading}:{self.path}"),
            "name": "smalt-" + re.sub(r"[^\w.-]", "-", name),
            "marks": str(self.marks),
            "grace": grace,
            "hidden": [variable for variable in OUTSIDE if variable not in given],
        }
        return "exec " + shlex.join([sys.executable, "-I", "-S", contain.__file__, json.dumps(plan)])


@contextlib.contextmanager
def marked(mark: Path) -> Iterator[None]:
    """While the container of that name is there: what is not locked any more, `sweep` removes."""
    mark.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        mark.unlink()
    finally:
        os.close(handle)


def left_over(marks: Path) -> list[Path]:
    """The marks of containers whose keeper was killed."""
    found = []
    for mark in sorted(marks.glob("smalt-*")):
        with _unkept(mark) as is_left:
            if is_left:
                found.append(mark)
    return found


def sweep(marks: Path, removal: Sequence[str]) -> None:
    """Remove the containers whose keeper was killed."""
    for mark in left_over(marks):
        with _unkept(mark) as is_left:
            if is_left:
                subprocess.run([*removal, mark.name], capture_output=True, check=False, stdin=subprocess.DEVNULL)
                mark.unlink(missing_ok=True)


@contextlib.contextmanager
def _unkept(mark: Path) -> Iterator[bool]:
    """Whether nobody keeps the container of that mark; nobody else removes it meanwhile."""
    try:
        handle = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _locks(handle)
    finally:
        os.close(handle)


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _outermost(mounts: Mapping[str, bool]) -> dict[str, bool]:
    """The paths that are there, without those that lie in another with the same right."""
    kept: dict[str, bool] = {}
    for path in sorted(mounts):
        holder = next((each for each in reversed(kept) if path.startswith(f"{each}/") or path == each), None)
        if os.path.exists(path) and (holder is None or kept[holder] != mounts[path]):
            kept[path] = mounts[path]
    return kept


def _mount(path: str, writable: bool) -> str:
    place = f'"source={path}","target={path}"' if "," in path else f"source={path},target={path}"
    return f"type=bind,{place}" + ("" if writable else ",readonly")
