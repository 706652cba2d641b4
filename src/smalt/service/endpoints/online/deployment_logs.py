"""The logs of a deployment: what was done before its processes started, and what they say."""

from __future__ import annotations

import os
import re
from pathlib import Path

from smalt.exceptions import ValidationException
from smalt.service.endpoints.online.replicas import read_last_lines
from smalt.service.endpoints.online.starting import get_kept_log, get_replica_log
from smalt.service.engine.context import EngineContext
from smalt.service.records.workspaces import Workspace

INFERENCE_SERVER, STORAGE_INITIALIZER = "InferenceServer", "StorageInitializer"
_USUAL_LINES, _LINES_OF_ENDED = 1000, 100
_ENDED = re.compile(r" process (?P<id>\d+) has ended \(")
_LARGEST, _KEPT = 64 << 20, 8 << 20
"""Bytes from which a log is shortened, and how many of its last stay."""


def read_logs(
    context: EngineContext, workspace: Workspace, endpoint: str, name: str, container: str, tail: int | None
) -> str:
    """Return the last lines of a deployment's log; the workspace's secrets are masked."""
    folder = Path(context.home.path("workspaces", workspace.folder, "endpoints", endpoint, name))
    if container not in (INFERENCE_SERVER, STORAGE_INITIALIZER):
        raise ValidationException(
            f"containerType must be {INFERENCE_SERVER} or {STORAGE_INITIALIZER}, not '{container[:40]}'"
        )
    lines = tail or _USUAL_LINES
    before = read_last_lines(str(folder / "deployment.log"), lines)
    if container == STORAGE_INITIALIZER:
        text = "\n".join(before)
    else:
        parts = [f"Events of deployment {name}:", *before[-20:]]
        shown = _list_process_logs(folder)
        if (broken := _find_broken(before[-20:], folder)) and broken not in shown:
            parts += ["", f"Log of process {Path(broken).name}, which has ended:"]
            parts += read_last_lines(get_kept_log(broken), min(lines, _LINES_OF_ENDED))
        for path in shown:
            parts += ["", f"Log of process {Path(path).name}:", *read_last_lines(_find_log(path), lines)]
        text = "\n".join(parts)
    hide = context.vault.get_hider(workspace)
    return (hide(text) if hide else text) + "\n"


def _list_process_logs(folder: Path) -> list[str]:
    """Return the folders of the processes that run and, if there are none, of the last one that ended."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    running = [entry.path for entry in entries if entry.is_dir() and entry.name.isdecimal()]
    running = [path for path in running if os.path.exists(get_replica_log(path))]
    if running:
        return sorted(running, key=lambda path: int(Path(path).name))
    ended = [
        entry.path
        for entry in entries
        if entry.name.endswith(".log") and entry.name[:-4].isdecimal() and entry.stat().st_size
    ]
    return [max(ended, key=lambda path: int(Path(path).stem))[:-4]] if ended else []


def _find_broken(events: list[str], folder: Path) -> str | None:
    """Return the folder of the last process that the events say has ended by itself; None if its log is gone."""
    found = [ended["id"] for line in events if (ended := _ENDED.search(line))]
    path = f"{folder}/{found[-1]}" if found else ""
    return path if path and os.path.exists(get_kept_log(path)) else None


def _find_log(path: str) -> str:
    return log if os.path.exists(log := get_replica_log(path)) else get_kept_log(path)


def shorten_logs(paths: list[str]) -> None:
    """Move the last part of each large log aside, and begin it again: its process goes on writing to the same file."""
    for path in paths:
        try:
            if os.path.getsize(path) <= _LARGEST:
                continue
            with open(path, "rb") as file, open(f"{path}.1", "wb") as kept:
                file.seek(-_KEPT, os.SEEK_END)
                kept.write(file.read())
            os.truncate(path, 0)
        except OSError:
            continue  # the process has just ended, or the disk is full
