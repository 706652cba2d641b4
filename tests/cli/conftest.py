"""What the tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from smalt.cli import app
from smalt.cli.framework import failure
from smalt.client.connection import autostart
from tests.helpers import LONGEST, Server, spawn_forked


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def home(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, whose server ends with the test; nothing of the caller's environment counts."""
    folder = own_server.home.root
    monkeypatch.setattr(autostart, "spawn_server", spawn_forked)  # of commands that run in this process
    monkeypatch.setenv("SMALT_HOME", str(folder))
    for name in ("SMALT_URL", "SMALT_TOKEN", "SMALT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def started(home: Path, own_server: Server) -> None:
    """The home's server runs already, which the first command would start otherwise."""
    own_server.start()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line in this process."""

    def run(*args: str) -> Ran:
        capsys.readouterr()
        code = failure.run_guarded(app.smalt, args)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


def smalt(*args: str, cwd: Path | None = None, timeout: float = LONGEST) -> Ran:
    """Run a command line as a process of its own, as users do."""
    done = subprocess.run(
        [sys.executable, "-m", "smalt", *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
