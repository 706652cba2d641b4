"""Requirements as an environment declares them: included files are read, files sent by the client are found."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from smalt.exceptions import RefusedError
from smalt.machine.requirements_files import (
    MissingFileError,
    convert_paths,
    parse_include,
    parse_local_file,
    resolve_includes,
    split_lines,
)

TRAVELLED = re.compile(r"(?:azureml:|file:)/[^\s'\"\[\];]+")
"""A URI that a client writes into a conda file in place of the path of a file of its machine."""


def read_requirements(path: Path) -> list[str]:
    """Return the lines of a requirements file, without comments."""
    return split_lines(path.read_text(errors="replace"))


def inline_files(lines: Sequence[str], folder: Path | None, files: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines with `-r FILE` replaced by that file's lines, and local files by their absolute paths.

    `folder` is the folder of the lines, if known; `files` maps URIs in them to paths.
    """
    lines = [TRAVELLED.sub(lambda match: (files or {}).get(match[0], match[0]), line) for line in lines]
    if folder is None:
        for line in lines:
            _refuse_relative(line)
    try:
        return resolve_includes(lines, str(folder or "/"))
    except MissingFileError as error:
        raise RefusedError(str(error)) from None


def _refuse_relative(line: str) -> None:
    included, part = parse_include(line), parse_local_file(line)
    path = included or (part.path if part else "")
    if path and not os.path.isabs(path) and "://" not in path:
        what = "names a file" if included or (part and not part.is_package) else "installs from a folder or file"
        raise RefusedError(
            f"'{line}' in a conda file {what} that did not travel with it; smalt's own client sends such files along, "
            "others do not: name packages in the conda file's 'pip:' list instead"
        )


def hash_content(path: str) -> str:
    """Return the name of a file or folder with the hash of its content, which counts instead of its path."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(path) if os.path.isdir(path) else [(os.path.dirname(path), [], [path])]:
        folders.sort()
        for name in sorted(names):
            whole = os.path.join(folder, name)
            digest.update(f"{os.path.relpath(whole, path)}\0".encode("utf-8", "surrogateescape"))
            if os.path.isfile(whole):
                digest.update(Path(whole).read_bytes())
    return f"/{digest.hexdigest()[:16]}/{os.path.basename(path)}"


@contextlib.contextmanager
def copy_local_files(requirements: Sequence[str], seen_as: str = "", place: Path | None = None) -> Iterator[list[str]]:
    """Yield the lines with each local file replaced by a copy: building a package writes into its folder.

    The copies are made in `place`, whose path is `seen_as` where they are used; else in a folder of their own.
    """
    if convert_paths(requirements, lambda path: "") == list(requirements):
        yield list(requirements)
        return
    with tempfile.TemporaryDirectory(prefix="smalt-local-", dir=place) as folder:
        os.chmod(folder, 0o755)
        number = iter(range(len(requirements)))

        def copy(path: str) -> str:
            name = re.sub(r"[^\w.+-]", "_", os.path.basename(path.rstrip("/"))) or "package"
            target = Path(folder, str(next(number)), name)
            target.parent.mkdir()
            shutil.copytree(path, target) if os.path.isdir(path) else shutil.copyfile(path, target)
            return f"{seen_as}/{os.path.basename(folder)}/{target.parent.name}/{name}" if seen_as else str(target)

        yield convert_paths(requirements, copy)
