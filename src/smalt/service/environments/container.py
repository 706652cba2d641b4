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
from collections.abc import Mapping, Sequence
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
        self, text: str, *, name: str, cwd: str, grace: float, mounts: Mapping[str, bool], options: Sequence[str] = ()
    ) -> str:
        """The text for bash; `mounts` says of each path whether the job may write there, `options` are the job's."""
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
            "path": f"{leading}:{self.path}",
            "name": "smalt-" + re.sub(r"[^\w.-]", "-", name),
            "marks": str(self.marks),
            "grace": grace,
            "hidden": OUTSIDE,
        }
        return "exec " + shlex.join([sys.executable, "-I", "-S", contain.__file__, json.dumps(plan)])


def sweep(marks: Path, removal: Sequence[str]) -> None:
    """Remove the containers whose keeper was killed."""
    for mark in marks.glob("smalt-*"):
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                subprocess.run([*removal, mark.name], capture_output=True, check=False, stdin=subprocess.DEVNULL)
                mark.unlink()
            except OSError:  # its keeper lives
                continue
            finally:
                os.close(handle)


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
