"""Finds the CPUs and GPUs of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from smalt.service.compute.backend import Capacity

_DRIVER = Path("/proc/driver/nvidia/gpus")


def find_capacity(cpus: int | None = None, gpus: list[str] | None = None) -> Capacity:
    """This machine's, where a setting does not say otherwise."""
    return Capacity(cpus or _count_cpus(), _list_gpus() if gpus is None else gpus)


def _count_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _list_gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    try:
        return [str(index) for index in range(len(list(_DRIVER.iterdir())))]
    except OSError:
        return _list_by_tool()


def _list_by_tool() -> list[str]:
    """Return the GPUs that `nvidia-smi` lists, for systems on which the driver shows no folder (WSL)."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        shown = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in shown.stdout.splitlines() if line.startswith("GPU ")]
    return [str(index) for index in range(len(lines))]
