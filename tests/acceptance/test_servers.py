"""Part 3: the server as its user meets it: from nothing, on a home of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smalt.machine.processes import find_process
from tests.helpers import Server

from .conftest import Desk


@pytest.fixture
def own(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing runs yet, and nothing is left running."""
    monkeypatch.setenv("SMALT_HOME", str(own_server.home.root))
    return own_server.home.root


def test_the_first_command_starts_it_and_stop_ends_it(desk: Desk, own: Path) -> None:
    """Nothing configured; `server stop` is done when the process is gone; the next command starts it again."""
    assert desk.log("name: kept\ncommand: echo hello\nenvironment: azureml:host\n") == ["hello"]
    assert own.stat().st_mode & 0o777 == 0o700
    pid = json.loads((own / "server.json").read_text())["pid"]
    port = (own / "port").read_text()
    assert desk.smalt("server stop").code == 0
    assert find_process(pid) is None
    assert desk.smalt("server status").code == 1
    assert desk.ask("job show kept --query status") == "Completed"
    assert (own / "port").read_text() == port
    assert desk.smalt("server status").json["running"] is True


def test_stop_with_unfinished_jobs_is_refused(desk: Desk, own: Path) -> None:
    """Unless forced, which cancels them."""
    file = desk.write("job.yml", "command: sleep 600\nenvironment: azureml:host\n")
    assert desk.smalt(f"job create -f {file} -n long").code == 0
    ran = desk.smalt("server stop")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert desk.smalt("server stop --force").code == 0
    assert desk.ask("job show long --query status") == "Canceled"


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [("layout", "99", "upgrade smalt"), ("owner", '{"host": "elsewhere", "machine_id": "x"}', "elsewhere")],
)
def test_a_home_that_is_not_ours_is_refused(desk: Desk, own: Path, file: str, text: str, words: str) -> None:
    """One sentence: a newer layout, another host."""
    assert desk.smalt("server start").code == 0
    assert desk.smalt("server stop").code == 0
    (own / file).write_text(text)
    ran = desk.smalt("job list")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert words in ran.err


def test_damaged_records_are_a_sentence(desk: Desk, own: Path) -> None:
    """They are not used, not replaced, and named."""
    assert desk.smalt("server start").code == 0
    assert desk.smalt("server stop").code == 0
    records, damage = own / "smalt.db", b"no database at all" * 1000
    records.write_bytes(damage)
    ran = desk.smalt("job list")
    records_after = records.read_bytes()
    (own / "smalt.db").unlink()
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "smalt.db" in ran.err
    assert records_after == damage
