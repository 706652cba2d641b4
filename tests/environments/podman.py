"""A real Podman, and an image made of this machine's own shell, programs and Python: nothing is downloaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import uv

from tests.helpers import LONGEST

_PROGRAMS = ("sh", "bash", "cat", "sleep", "id", "env", "mkdir", "true")
_LABEL = "smalt-test"
_LEFT_OUT = {"test", "tests", "idlelib", "ensurepip", "lib2to3", "tkinter", "turtledemo", "__pycache__",
             "site-packages", "pydoc_data"}  # fmt: skip


class Podman(NamedTuple):
    command: str
    arguments: str
    image: str

    def run(self, *words: str) -> str:
        done = subprocess.run([*self.command.split(), *words], capture_output=True, text=True, check=True)
        return done.stdout

    @property
    def images(self) -> list[str]:
        return self.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    @property
    def containers(self) -> list[str]:
        return self.run("ps", "--all", "--format", "{{.Names}}").split()


def start(folder: Path) -> Podman | str:
    """Podman with an image of our own; else why there is none."""
    if shutil.which("podman") is None:
        return "there is no podman"
    name = (
        f"localhost/smalt-test-{uuid.uuid4().hex[:12]}:1"  # files of tests that one worker runs remove only their own
    )
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        _fill(tar)
    labelled = ["--change", f"LABEL {_LABEL}={name}"]
    subprocess.run(["podman", "import", *labelled, str(archive), name], check=True, capture_output=True)
    archive.unlink()
    # The second works in a sandbox without cgroups of its own.
    for command, arguments in (
        ("podman", ""),
        ("podman --runtime runc --cgroup-manager=cgroupfs", "--ulimit nofile=1024:1024 --ulimit nproc=1000:1000"),
    ):
        trial = [*command.split(), "run", "--rm", "--network", "host", *arguments.split(), name, "true"]
        if subprocess.run(trial, capture_output=True, check=False, timeout=LONGEST).returncode == 0:
            return Podman(command, arguments, name)
    remove(name)
    return "podman cannot run a container here"


def remove(image: str) -> None:
    """Remove an image and what was built on it, which has its label: else Podman's store grows with each run."""
    asked = ["podman", "images", "--all", "--quiet", "--no-trunc", "--filter", f"label={_LABEL}={image}"]
    built = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    subprocess.run(["podman", "image", "rm", "--force", image, *built], capture_output=True, check=False)


def _fill(tar: tarfile.TarFile) -> None:
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    minor = sysconfig.get_config_var("py_version_short")
    library = Path(sysconfig.get_paths()["stdlib"])
    programs = {f"/usr/bin/{name}": os.path.realpath(str(shutil.which(name))) for name in _PROGRAMS}
    linked = {*programs.values(), python, uv.find_uv_bin(), *map(str, (library / "lib-dynload").glob("*.so"))}
    for path in sorted(_libraries(linked)):
        tar.add(os.path.realpath(path), path)
    for place, path in programs.items():
        tar.add(path, place)
    _link(tar, "/bin", "usr/bin")
    for folder in ("/tmp", "/etc", "/proc", "/dev", "/sys", "/root"):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "/tmp" else 0o755
        tar.addfile(entry)
    tar.add(python, f"{sys.base_prefix}/bin/python{minor}")
    for name in ("python", "python3"):
        _link(tar, f"/usr/bin/{name}", f"{sys.base_prefix}/bin/python{minor}")
    tar.add(library, f"{sys.base_prefix}/lib/python{minor}", filter=_kept)


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = os.path.basename(entry.name)
    return None if name in _LEFT_OUT or name.startswith("config-") else entry


def _link(tar: tarfile.TarFile, place: str, target: str) -> None:
    entry = tarfile.TarInfo(place)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _libraries(programs: Iterable[str]) -> set[str]:
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE))
