"""What this machine offers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smalt.service.compute.local.capacity import find_capacity


def test_the_cores_are_those_we_may_use() -> None:
    """Not all that the machine has; a setting says otherwise."""
    assert find_capacity().cpus == len(os.sched_getaffinity(0))
    assert find_capacity(cpus=3).cpus == 3


def test_visible_gpus_are_all_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA_VISIBLE_DEVICES is heeded, an empty one too; a setting goes before."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert find_capacity().gpus == ["2", "5"]
    assert find_capacity(gpus=["7"]).gpus == ["7"]
    for nothing in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", nothing)
        assert find_capacity().gpus == []


def test_gpus_are_listed_by_the_tool_where_the_driver_shows_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """nvidia-smi is asked; one that fails means no GPUs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("smalt.service.compute.local.capacity._DRIVER", tmp_path / "gpus")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: X (UUID: GPU-1)'; echo '  MIG 1g: ...'; echo 'GPU 1: X (UUID: GPU-2)'\n")
    tool.chmod(0o755)
    assert find_capacity().gpus == ["0", "1"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert find_capacity().gpus == []
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    assert find_capacity().gpus == ["0"]
