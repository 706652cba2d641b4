"""A real server for each module, and a folder in which a test writes its files and gives its commands."""

from __future__ import annotations

import json
import shlex
import signal
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smalt.cli import app
from smalt.cli.framework import failure
from tests.helpers import LONGEST, Server, running_server


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Desk:
    """Where a user of smalt sits: a folder with files, and a command line."""

    def __init__(self, server: Server, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.server = server
        self.folder = folder
        self._capture = capture

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def smalt(self, command: str) -> Ran:
        """A command line, run in this process by the code that `smalt` runs; it fails when it takes too long."""
        self._capture.readouterr()
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(LONGEST)
        try:
            code = failure.run_guarded(app.smalt, shlex.split(command))
        finally:
            signal.alarm(0)
        out, err = self._capture.readouterr()
        return Ran(code, out, err)

    def job(self, text: str, options: str = "", file: str = "job.yml") -> Ran:
        """Write a job file, create the job and follow it to its end."""
        return self.smalt(f"job create --file {self.write(file, text)} --stream {options}")

    def log(self, text: str, options: str = "") -> list[str]:
        """The lines that a job logs, which is to complete."""
        ran = self.job(text, options)
        assert ran.code == 0, ran.err
        return ran.lines

    def ask(self, command: str) -> str:
        """The one value that a command prints, which is to succeed."""
        ran = self.smalt(f"{command} -o tsv")
        assert ran.code == 0, ran.err
        return ran.out.rstrip("\n")


def _late(*_: object) -> None:
    raise AssertionError(f"the command did not end within {LONGEST} s")


@pytest.fixture
def desk(
    module_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """The test's own folder is the current one; nothing of the caller's environment counts."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SMALT_HOME", str(module_server.home.root))
    for name in ("SMALT_URL", "SMALT_TOKEN", "SMALT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Desk(module_server, folder, capsys)


ORDINARY = (
    "import ctypes, os, sys\n"
    "for capability in (1, 2, 21): ctypes.CDLL(None).prctl(24, capability)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'smalt.service'])"
)
"""A server that is bound by the modes of files and may not make mount namespaces, also where root runs the tests."""


@pytest.fixture(scope="module")
def ordinary_server() -> Iterator[Server]:
    with running_server(program=("-c", ORDINARY)) as server:
        yield server


@pytest.fixture
def ordinary(desk: Desk, ordinary_server: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk at a server without the rights of root."""
    monkeypatch.setenv("SMALT_HOME", str(ordinary_server.home.root))
    desk.server = ordinary_server
    return desk


@pytest.fixture(params=["root", "ordinary"])
def any_desk(request: pytest.FixtureRequest) -> Desk:
    """A desk at a server with all rights of who runs the tests, then one without the rights of root."""
    found: Desk = request.getfixturevalue("desk" if request.param == "root" else "ordinary")
    return found
