from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import smalt


def test_the_server_is_started_asked_and_stopped(home: Path) -> None:
    """`start` is idempotent, `status` tells by its exit code whether it runs, `stop` ends it."""
    assert smalt("server", "status").code == 1
    assert json.loads(smalt("server", "start").out)["home"] == str(home)
    assert smalt("server", "start").err == "the server is already running\n"
    status = smalt("server", "status")
    assert (status.code, json.loads(status.out)["running"]) == (0, True)
    assert "serves" in smalt("server", "logs", "-n", "5").out
    assert smalt("server", "stop").err == "the server has stopped\n"
    assert smalt("server", "stop").err == "the server is not running\n"
    assert json.loads(smalt("server", "status").out) == {"running": False, "home": str(home)}


def test_a_remote_server_is_not_managed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With SMALT_URL set nothing is started or stopped, and a server that is not there is one sentence."""
    monkeypatch.setenv("SMALT_URL", "http://127.0.0.1:9")
    assert smalt("server", "stop").err.startswith("error: SMALT_URL is set")
    ran = smalt("job", "list")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("error: cannot reach the smalt server at http://127.0.0.1:9")
