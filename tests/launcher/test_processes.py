"""Who a process is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from smalt.machine import processes
from tests.launcher.rig import until


def test_a_process_is_itself_while_it_lives() -> None:
    """This one is alive, and is nobody else."""
    this = processes.identify(os.getpid())
    assert this is not None
    assert processes.alive(this)
    assert not processes.alive(this._replace(start_time=this.start_time - 1))
    assert not processes.alive(this._replace(boot_id="another"))
    assert not processes.alive(this._replace(pid_namespace="another"))
    assert processes.alive(this._replace(host="renamed"))


def test_a_zombie_is_dead() -> None:
    """It has a matching pid and start time, and is dead all the same."""
    child = subprocess.Popen(["sleep", "1000"])
    process = processes.identify(child.pid)
    assert process is not None
    child.kill()
    until(lambda: (stat := processes.stat(child.pid)) and stat.state == "Z", "the zombie")
    assert not processes.alive(process)
    assert processes.identify(child.pid) is None
    child.wait()


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    """Spaces and parentheses in a program's name do not shift the fields."""
    odd = tmp_path / "a) R 1 (b"
    shutil.copy("/bin/sleep", odd)
    child = subprocess.Popen([odd, "1000"])
    stat = processes.stat(child.pid)
    child.kill()
    child.wait()
    assert stat is not None
    assert stat.parent == os.getpid()


def test_a_boot_id_can_be_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """SMALT_BOOT_ID stands for another boot: what was alive is gone."""
    this = processes.identify(os.getpid())
    assert this is not None
    monkeypatch.setenv("SMALT_BOOT_ID", "tomorrow")
    assert processes.boot_id() == "tomorrow"
    assert not processes.alive(this)
