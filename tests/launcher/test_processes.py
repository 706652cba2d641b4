"""Who a process is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from smalt.machine import processes
from tests.helpers import eventually


def test_a_process_is_itself_while_it_lives() -> None:
    """This one is alive, and is nobody else."""
    this = processes.find_process(os.getpid())
    assert this is not None
    assert processes.is_alive(this)
    assert not processes.is_alive(this._replace(start_time=this.start_time - 1))
    assert not processes.is_alive(this._replace(boot_id="another"))
    assert not processes.is_alive(this._replace(pid_namespace="another"))
    assert processes.is_alive(this._replace(host="renamed"))


def test_a_zombie_is_dead() -> None:
    """It has a matching pid and start time, and is dead all the same."""
    child = subprocess.Popen(["sleep", "1000"])
    process = processes.find_process(child.pid)
    assert process is not None
    child.kill()
    eventually(lambda: (stat := processes.read_stat(child.pid)) and stat.state == "Z", "the zombie")
    assert not processes.is_alive(process)
    assert processes.find_process(child.pid) is None
    child.wait()


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    """Spaces and parentheses in a program's name do not shift the fields."""
    odd = tmp_path / "a) R 1 (b"
    shutil.copy("/bin/sleep", odd)
    child = subprocess.Popen([odd, "1000"])
    stat = processes.read_stat(child.pid)
    child.kill()
    child.wait()
    assert stat is not None
    assert stat.parent == os.getpid()


def test_a_boot_id_can_be_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """SMALT_BOOT_ID stands for another boot: what was alive is gone."""
    this = processes.find_process(os.getpid())
    assert this is not None
    monkeypatch.setenv("SMALT_BOOT_ID", "tomorrow")
    assert processes.read_boot_id() == "tomorrow"
    assert not processes.is_alive(this)
