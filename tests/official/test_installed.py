"""The environments with Azure's own client, which the workers of a run share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uv

from tests.official.conftest import installed

UV = """#!/bin/sh
echo $1 >> "$LOG"
sleep 0.5
for last; do :; done
[ $1 = pip ] || mkdir -p "$last"
"""


def test_two_workers_make_one_environment_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each began it anew in the folder in which the other was installing."""
    program, log = tmp_path / "uv", tmp_path / "log"
    program.write_text(UV)
    program.chmod(0o755)
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(program))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOG", str(log))
    with ThreadPoolExecutor(2) as workers:
        first, second = workers.map(installed, ["1.0", "1.0"])
    assert (first, log.read_text().split()) == (second, ["venv", "pip"])
