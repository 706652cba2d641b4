"""YAML files of SDK v1: conda files, run configurations and pipelines."""

from __future__ import annotations

import re
from pathlib import Path

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import UpgradedText

_SDK = re.compile(
    r"^(\s*-\s*)([\"']?)(azureml-(?:defaults|core|sdk|telemetry|train-core|dataset-runtime))\b([^\"'\n]*)([\"']?)(\s*(?:#.*)?)$"
)
"""A line of a conda file that names a package which only SDK v1 needed."""


def upgrade_document(path: Path, text: str) -> tuple[UpgradedText | None, Path | None]:
    """Return a YAML file in v2, and where it belongs; None if it is no file of SDK v1."""
    if re.search(r"^dependencies:", text, re.M):
        return upgrade_conda_file(text), None
    return None, None


def upgrade_conda_file(text: str) -> UpgradedText:
    """Return a conda file with MLflow in place of SDK v1."""
    lines: list[str] = []
    findings: list[Finding] = []
    has_mlflow = re.search(r"-\s*[\"']?mlflow\b", text) is not None
    done = False
    for number, line in enumerate(text.split("\n"), 1):
        found = _SDK.match(line)
        if found is None:
            lines.append(line)
            continue
        findings.append(
            Finding(
                number,
                len(found[1]) + 1,
                found[3],
                "differs",
                "scripts log by MLflow in v2; keep it if one imports azureml",
            )
        )
        if not done and not has_mlflow:
            lines += [f"{found[1]}mlflow-skinny", f"{found[1]}azureml-mlflow"]
        done = True
    return UpgradedText("\n".join(lines), findings)
