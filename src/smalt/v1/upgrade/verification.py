"""`smalt upgrade --verify`: the v1 program and the upgraded one run here, and what they did is compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.v1.upgrade.folder import copy_folder, list_files, upgrade_file


def verify_program(path: Path) -> list[str]:
    """Return the differences of a program and its upgraded form, each as a sentence; none if they are equal."""
    with tempfile.TemporaryDirectory(prefix="smalt-verify-") as made:
        before, after = Path(made, "v1", path.parent.name or "program"), Path(made, "v2", path.parent.name or "program")
        for folder in (before, after):
            copy_folder(path.parent, folder)
        for file in list_files(after):
            upgraded = upgrade_file(file)
            if upgraded is not None and upgraded.is_changed:
                file.write_bytes(upgraded.encode())
        old = _run_recorded(before / path.name, Path(made, "v1.json"))
        new = _run_recorded(after / path.name, Path(made, "v2.json"))
    return list(compare_records(old, new))


def _run_recorded(path: Path, record: Path) -> dict[str, Any]:
    """Run a program in its folder, and return what is recorded of its jobs."""
    command = [sys.executable, "-m", "smalt.v1.upgrade.recording", "run", str(record), path.name]
    done = subprocess.run(command, cwd=path.parent, env=os.environ.copy(), capture_output=True, text=True, check=False)
    if not record.exists():
        lines = done.stderr.strip().splitlines()
        return {"code": done.returncode or 1, "jobs": [], "error": lines[-1] if lines else "it says nothing"}
    found: dict[str, Any] = json.loads(record.read_text())
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("written: ")]
    return {**found, "error": lines[-1] if lines else ""}


def _advise_package(error: str) -> str:
    """Return what to install where the Python of smalt lacks a package that the upgraded program imports."""
    found = re.search(r"No module named '(mlflow|mltable|pandas|azureml\.fsspec)", error)
    if found is None:
        return ""
    package = {"mlflow": "mlflow-skinny", "azureml.fsspec": "azureml-fsspec"}.get(found[1], found[1])
    return f"; to verify it, install the package here: pip install {package}"


def compare_records(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield the differences of two records."""
    for name, record in (("the v1 program", old), ("the upgraded program", new)):
        if record["code"]:
            error = record.get("error", "")
            yield f"{name} ends with code {record['code']}: {error}{_advise_package(error)}"
    if len(old["jobs"]) != len(new["jobs"]):
        yield f"the v1 program submits {len(old['jobs'])} jobs, the upgraded one {len(new['jobs'])}"
    if not old["jobs"] and not new["jobs"]:
        yield "neither program submits a job, so there is nothing to compare"
    for number, (before, after) in enumerate(zip(old["jobs"], new["jobs"], strict=False), 1):
        yield from _compare_jobs(f"job {number}", before, after)


def _compare_jobs(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in ("type", "status", "experiment"):
        if old[key] != new[key]:
            yield f"{where}: {key}: {old[key]} in v1, {new[key]} upgraded"
    steps, others = old["steps"], new["steps"]
    if old["type"] != "pipeline" and len(steps) == len(others) == 1:
        others = dict(zip(steps, others.values(), strict=True))
    for name in sorted({*steps, *others}):
        if name not in steps or name not in others:
            yield f"{where}: the step '{name}' is only in the {'v1' if name in steps else 'upgraded'} program"
            continue
        yield from _compare_steps(
            f"{where}, step '{name}'" if old["type"] == "pipeline" else where, steps[name], others[name]
        )


def _compare_steps(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    names = {"command": "command line", "after": "earlier steps"}
    for key in ("status", "type", "command", "after", "metrics"):
        if old[key] != new[key]:
            yield f"{where}: {names.get(key, key)}: {_show_value(old[key])} in v1, {_show_value(new[key])} upgraded"
    for output in sorted({*old["outputs"], *new["outputs"]}):
        before, after = old["outputs"].get(output, {}), new["outputs"].get(output, {})
        if before != after:
            files = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            yield f"{where}: {output} differs in {', '.join(files)}"


def _show_value(value: Any) -> str:
    return (" ".join(map(str, value)) if isinstance(value, list) else str(value)) or "none"
