"""Lines of a requirements file: the files that they include take their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from smalt.exceptions import Refused

_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]*(?P<path>\S+)")
_LOCAL = re.compile(r"(?:-e|--editable)[\s=]|\.{1,2}(?:/|$)")
_DEPTH = 10


def listed(path: Path) -> list[str]:
    """The lines of a requirements file, without comments."""
    text = path.read_text(errors="replace").replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def inlined(lines: Sequence[str], folder: Path | None, depth: int = 0) -> list[str]:
    """The lines with `-r FILE` replaced by that file's; `folder` is where the lines stand, where that is known."""
    result: list[str] = []
    for line in lines:
        match = _INCLUDE.fullmatch(line)
        if match:
            path = _included(match["path"], folder)
            if depth >= _DEPTH:
                raise Refused(f"'{line}' includes files within files without end; write the packages into one list")
            result.extend(inlined(listed(path), path.parent, depth + 1))
        elif _LOCAL.match(line):
            raise Refused(f"'{line}' installs from a folder, which an environment cannot carry; name a package instead")
        else:
            result.append(line)
    return result


def _included(written: str, folder: Path | None) -> Path:
    path = Path(written) if folder is None else folder / written
    if not path.is_absolute():
        raise Refused(
            f"'-r {written}' in a conda file names a file that does not travel with it; "
            "write its packages into the conda file's 'pip:' list"
        )
    if not path.is_file():
        raise Refused(f"'-r {written}': there is no file {path}")
    return path
