"""Environments of the programs that smalt ships, each built once per machine."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_BESIDE = ("polars>=1,<3", "pyyaml", "pytest>=8,<10")


def build_python(name: str, requirements: Path) -> str:
    """Return the Python of an environment with a program's requirements, and what its tests need besides."""
    lines = [line for line in requirements.read_text().splitlines() if not line.startswith("mltable")]
    text = "\n".join([*lines, *_BESIDE, ""])
    folder = Path(tempfile.gettempdir(), f"smalt-{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}")
    if not folder.exists():
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}."))
        (made / "requirements.txt").write_text(text)
        subprocess.run([uv, "venv", "-q", "--relocatable", "--python", sys.executable, str(made / "env")], check=True)
        install = [uv, "pip", "install", "-q", "--python", str(made / "env"), "-r", str(made / "requirements.txt")]
        subprocess.run(install, check=True)
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(made)
    return str(folder / "env/bin/python")
