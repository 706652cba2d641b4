from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.environments import Environments
from tests.helpers import LONGEST, eventually

from .conftest import Settings, conda

_BUILD = """
import asyncio, json, os, signal, sys
from types import SimpleNamespace
from smalt.machine.home import Home
from smalt.service.environments import Environments

home, asset, die_at = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]

def log(line):
    print(line, flush=True)
    if die_at and line.startswith(die_at):
        os.kill(os.getpid(), signal.SIGKILL)

settings = SimpleNamespace(fidelity="nearest", host_python=None, conda_channels={}, image_map={})
environments = Environments(Home(home), settings)
sys.stdin.readline()
print("built", asyncio.run(environments.get_or_build(asset, log)).bin)
"""


def process(home: Home, die_at: str = "", asset: dict[str, object] | None = None) -> subprocess.Popen[str]:
    """Another process that realises `hue`, or another asset, as soon as a line is written to it."""
    command = [sys.executable, "-c", _BUILD, str(home.root), json.dumps(asset or conda("hue")), die_at]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_ask_at_once_build_once(home: Home) -> None:
    """One builds, the other waits for it; both have the same environment."""
    both = [process(home) for _ in range(2)]
    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [each.communicate(timeout=LONGEST)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert sum("building environment" in text for text in said) == 1
    assert len({text.splitlines()[-1] for text in said}) == 1


def test_a_crash_in_the_middle_leaves_nothing_that_looks_finished(home: Home, settings: Settings) -> None:
    """The next who asks builds it, and what the dead process left is removed."""
    for die_at in ("building environment", "Installed"):
        dying = process(home, die_at)
        said, _ = dying.communicate("go\n", timeout=LONGEST)
        assert dying.returncode == -signal.SIGKILL, said
        environments = Environments(home, settings)
        assert environments.list_stored() == []
        assert environments.find_built(conda("hue")) is None
    surviving = process(home)
    said, _ = surviving.communicate("go\n", timeout=LONGEST)
    assert "built" in said
    (built,) = environments.list_stored()
    eventually(lambda: _folders(home) == [built.hash])


def test_what_a_crash_left_is_swept_when_a_server_starts(home: Home, settings: Settings) -> None:
    """But not what another process is building."""
    dying = process(home, "Installed")
    dying.communicate("go\n", timeout=LONGEST)
    assert len(_folders(home)) == 1
    environments = Environments(home, settings)

    def is_swept() -> bool:  # its uv may take a moment longer to end, and has the lock until then
        environments.remove_left_over()
        return _folders(home) == []

    eventually(is_swept)


def _folders(home: Home) -> list[str]:
    folder = Path(home.path("environments"))
    return [name for name in os.listdir(folder) if name not in (".locks", ".spare")]
