"""The layout of overlays: one job's own virtual environment on top of a shared one, to which nothing is written.

The overlay has its own bin/ and site-packages, first on the path; a .pth file adds the shared folders after
them. pip finds the shared packages installed, puts newer ones before them, and declines to remove packages
outside of its environment. docs/internals/environments.md lists what was verified.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_SCRIPT = 256 * 1024
"""Above this a file of bin/ is taken for a program, not for a script."""

_PYTHONS = ("python", "python3")
_PTH = "_smalt_shared.pth"

# Found by the script's own place, so that one text serves every overlay; to Python the first lines are a string.
_HEADER = b"#!/bin/sh\n'''exec' \"${0%/*}/python\" \"$0\" \"$@\"\n' '''\n"
_PIP = _HEADER + b'import runpy\nrunpy.run_module("pip", run_name="__main__", alter_sys=True)\n'


@dataclass(frozen=True, eq=False)
class OverlayTemplate:
    """The template that every overlay of one environment is made from."""

    interpreter: str
    version: str
    sees: list[str]
    """The site folders that the overlay's Python sees after its own."""
    system_site: bool
    scripts: dict[str, bytes]
    links: dict[str, str]
    lib64: bool = False
    """True if this Python keeps compiled packages under lib64, as Fedora's do."""

    @cached_property
    def library(self) -> str:
        return "lib/python" + ".".join(self.version.split(".")[:2])

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """The names in an overlay's bin/."""
        return (*_PYTHONS, self.library.removeprefix("lib/"), *self.scripts, *self.links)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The other entries of an overlay: one that is added to its folders changes that folder."""
        packages, lib64 = f"{self.library}/site-packages", ("lib64",) if self.lib64 else ()
        return ("bin", "lib", *lib64, self.library, packages, f"{packages}/{_PTH}", "pyvenv.cfg")

    @cached_property
    def key(self) -> str:
        """The key, equal for templates that make equal overlays."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def write_overlay(template: OverlayTemplate, folder: str | os.PathLike[str]) -> None:
    """Write an overlay. Nothing in it names `folder`, so that it may be moved."""
    packages = f"{folder}/{template.library}/site-packages"
    os.makedirs(packages)
    os.mkdir(f"{folder}/bin")
    if template.lib64:
        os.symlink("lib", f"{folder}/lib64")
    os.symlink(template.interpreter, f"{folder}/bin/python")
    for name in ("python3", template.library.removeprefix("lib/")):
        os.symlink("python", f"{folder}/bin/{name}")
    _write_file(f"{folder}/pyvenv.cfg", _make_configuration(template), 0o644)
    _write_file(f"{packages}/{_PTH}", _make_pth(template), 0o644)
    for name, content in template.scripts.items():
        _write_file(f"{folder}/bin/{name}", content, 0o755)
    for name, target in template.links.items():
        os.symlink(target, f"{folder}/bin/{name}")


def make_stamp(template: OverlayTemplate, folder: str, *, with_commands: bool = True) -> tuple[Any, ...]:
    """Return a value that changes when anything of an overlay does: an entry, a content, a mode, an owner, a
    mount.

    `with_commands=False` leaves out what the entries of bin/ are; the value is then the beginning of the whole one.
    Links are not followed. The first seven fields of a status are mode, inode, device, links, owner, group and
    size. The folder's own time is left out, as renaming it counts as a change of it.
    """
    try:
        top = os.lstat(folder)
        found: list[Any] = [top[:3], top[4:6], sorted(os.listdir(folder))]
        for place in template.places:
            one = os.lstat(f"{folder}/{place}")
            found += (one[:7], one.st_ctime_ns)
        if not with_commands:
            return tuple(found)
        commands = os.open(f"{folder}/bin", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for name in template.commands:
                one = os.stat(name, dir_fd=commands, follow_symlinks=False)
                found += (one[:7], one.st_ctime_ns)
        finally:
            os.close(commands)
    except OSError:
        return ()
    return tuple(found)


def make_template(
    interpreter: str,
    version: str,
    scripts: Path,
    sees: list[str],
    *,
    system_site: bool = False,
    lib64: bool = False,
) -> OverlayTemplate:
    """Return the template over the environment whose commands are in `scripts`."""
    texts: dict[str, bytes] = {}
    links: dict[str, str] = {}
    for path in _list_commands(scripts):
        body = _read_body(path, interpreter if system_site else None)
        if body is not None:
            texts[path.name] = _HEADER + body
        elif not system_site:
            links[path.name] = str(path)
    texts.update(dict.fromkeys(("pip", "pip3"), _PIP))
    return OverlayTemplate(interpreter, version, sees, system_site, texts, links, lib64)


def _make_configuration(template: OverlayTemplate) -> bytes:
    lines = (
        f"home = {os.path.dirname(template.interpreter)}",
        "implementation = CPython",
        f"version_info = {template.version}",
        f"version = {template.version}",
        f"include-system-site-packages = {'true' if template.system_site else 'false'}",
    )
    return "\n".join(lines).encode() + b"\n"


def _make_pth(template: OverlayTemplate) -> bytes:
    return "".join(f"import site; site.addsitedir({path!r})\n" for path in template.sees).encode()


def _list_commands(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("python", "pip", "activate", "deactivate", "pydoc")) or not path.is_file():
            continue
        if os.access(path, os.X_OK):
            yield path


def _read_body(path: Path, interpreter: str | None) -> bytes | None:
    """Return a Python script without its first line(s); None if it is not a script, or not of that interpreter."""
    try:
        if path.stat().st_size > _SCRIPT:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!/bin/sh") and rest.startswith(b"'''exec'"):
        return rest.split(b"\n", 2)[2]
    if not first.startswith(b"#!") or b"python" not in first:
        return None
    program = os.fsdecode(first[2:].split()[0])
    if interpreter and os.path.realpath(program) != os.path.realpath(interpreter):
        return None
    return rest


def _write_file(path: str, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)
