"""The wheel of smalt's own `mltable`, in place of Azure's, whose compiled parts are missing for many platforms.

It is built here from the folder smalt/mltable, so that `pip list`, the record of the environment and other
packages that need `mltable` see it. The tag of its version is that of its content.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from smalt.service.environments.resolution.declarations import DeclaredEnvironment
from smalt.service.environments.resolution.python_versions import Minor

_SOURCE = Path(__file__).parents[3] / "mltable"
_VERSION = "1.7.0"
"""The version of Azure's package that has the same names."""
_OLDEST: Minor = (3, 8)
_NEEDS = ("polars>=1.0", "pandas", "numpy", "pyarrow", "pyyaml>=5.1")  # scripts write Parquet after Azure's, too
_ASKED = re.compile(r"mltable\s*(?:\[[^\]]*\])?\s*(?:[=<>!~(;].*)?", re.IGNORECASE)


def substitute_mltable(declared: DeclaredEnvironment, used: Minor) -> DeclaredEnvironment:
    """Return the environment with smalt's own `mltable` if it requires `mltable`; its notes and hash reflect that."""
    asked = [line for line in declared.requirements if _ASKED.fullmatch(line.strip())]
    if not asked or used < _OLDEST:
        return declared
    own = f"mltable=={get_version()}"
    note = f"'{asked[0]}' is smalt's own ({own}, on polars); with the setting fidelity=strict it is Azure's"
    requirements = [line for line in declared.requirements if line not in asked] + [own]
    parts = {**declared.parts, "dependencies": sorted(requirements)}
    return replace(declared, requirements=requirements, parts=parts, notes=[*declared.notes, note])


def add_wheel(requirements: Sequence[str], folder: Path) -> list[str]:
    """Return the requirements with smalt's own `mltable` as a wheel, written into `folder`."""
    own = f"mltable=={get_version()}"
    if own not in requirements:
        return list(requirements)
    return [f"mltable @ {write_wheel(folder).as_uri()}" if line == own else line for line in requirements]


@lru_cache(maxsize=1)
def get_version() -> str:
    digest = hashlib.sha256()
    for name, content in _read_files():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"{_VERSION}+smalt.{digest.hexdigest()[:10]}"


def write_wheel(folder: Path) -> Path:
    """Write the wheel into `folder`; the same bytes for the same content."""
    information = f"mltable-{get_version()}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: mltable\nVersion: {get_version()}\nSummary: smalt's own MLTable"]
    metadata += [f"Requires-Dist: {each}" for each in _NEEDS]
    wheel = "Wheel-Version: 1.0\nGenerator: smalt\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = [
        *((f"mltable/{name}", content) for name, content in _read_files()),
        (f"{information}/METADATA", "\n".join([*metadata, ""]).encode()),
        (f"{information}/WHEEL", wheel.encode()),
    ]
    record = [f"{name},sha256={_hash_bytes(content)},{len(content)}" for name, content in files]
    record.append(f"{information}/RECORD,,\n")
    files.append((f"{information}/RECORD", "\n".join(record).encode()))
    path = folder / f"mltable-{get_version()}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def _read_files() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(_SOURCE.glob("*.py"))]


def _hash_bytes(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
