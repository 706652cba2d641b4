"""The bash text that runs a job's command in a container."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smalt import inside
from smalt.runner import contain
from smalt.service.compute.containers.engine import ContainerEngine
from smalt.service.compute.spec import ImageServer

_HOST_VARIABLES = (
    "LANG", "LC_ALL", "LC_CTYPE", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "UV_CACHE_DIR", "PIP_CACHE_DIR", "PIP_CERT",
)  # fmt: skip
"""Variables that name places of this machine, which mean nothing in the container."""


@dataclass(frozen=True)
class StepContainer:
    """An image, and the engine that runs a step's command in it."""

    engine: ContainerEngine
    image: str
    path: str
    marks: Path
    """A folder with a file for each supervised container; see runner/contain.py."""

    def build_command(
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
        """Return the text for bash.

        `mounts` maps each path to whether the job may write there; `options` are the job's own options of `run`.
        Variables in _HOST_VARIABLES, and PATH, go inside only if they are in `given`, which the job itself sets.
        """
        given = given or {}
        leading = str(Path(inside.__path__[0], "bin"))
        engine = self.engine
        run = [*engine.command, "run", "--network", "host", "--user", engine.user, "--workdir", cwd]
        run += ["--security-opt", "label=disable"] if engine.is_podman else []
        run += [] if engine.maps_root else ["--env", f"HOME={cwd}"]
        for path, writable in _drop_nested({**mounts, inside.__path__[0]: False}).items():
            run += ["--mount", _to_mount(path, writable)]
        self.marks.mkdir(parents=True, exist_ok=True)
        plan = {
            "run": [*run, *engine.arguments, *options],
            "remove": engine.removal,
            "signal": engine.termination,
            "state": engine.inspection,
            "pid_options": engine.pid_options,
            "image": self.image,
            "command": text,
            "path": given.get("PATH", f"{leading}:{self.path}"),
            "name": "smalt-" + re.sub(r"[^\w.-]", "-", name),
            "marks": str(self.marks),
            "grace": grace,
            "hidden": [variable for variable in _HOST_VARIABLES if variable not in given],
            "sentence": f"{cwd}/{contain.SENTENCE}",
        }
        return _make_text(plan)

    def build_server_command(
        self, server: ImageServer, *, name: str, grace: float, options: Sequence[str], hidden: Sequence[str]
    ) -> str:
        """Return the text for bash that runs the image's own program, as its own user, with its port published.

        Variables in `hidden` stay outside.
        """
        engine = self.engine
        run = [*engine.command, "run", "--publish", f"127.0.0.1:{server.published}:{server.port}"]
        run += ["--security-opt", "label=disable"] if engine.is_podman else []
        for target, source in server.binds.items():
            run += ["--mount", _to_mount(source, False, target)]
        self.marks.mkdir(parents=True, exist_ok=True)
        plan = {
            "run": [*run, *engine.arguments, *options],
            "remove": engine.removal,
            "signal": engine.termination,
            "state": engine.inspection,
            "pid_options": engine.pid_options,
            "image": self.image,
            "command": None,
            "path": None,
            "name": "smalt-" + re.sub(r"[^\w.-]", "-", name),
            "marks": str(self.marks),
            "grace": grace,
            "hidden": [*_HOST_VARIABLES, *hidden],
            "sentence": None,
        }
        return _make_text(plan)


def _make_text(plan: Mapping[str, object]) -> str:
    return "exec " + shlex.join([sys.executable, "-I", "-S", contain.__file__, json.dumps(plan)])


def _drop_nested(mounts: Mapping[str, bool]) -> dict[str, bool]:
    """Return the paths that exist, without those inside another one with the same access."""
    kept: dict[str, bool] = {}
    for path in sorted(mounts):
        holder = next((each for each in reversed(kept) if path.startswith(f"{each}/") or path == each), None)
        if os.path.exists(path) and (holder is None or kept[holder] != mounts[path]):
            kept[path] = mounts[path]
    return kept


def _to_mount(path: str, writable: bool, target: str | None = None) -> str:
    target = target or path
    place = f'"source={path}","target={target}"' if "," in path + target else f"source={path},target={target}"
    return f"type=bind,{place}" + ("" if writable else ",readonly")
