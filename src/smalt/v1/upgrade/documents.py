"""YAML files of SDK v1: conda files, run configurations and pipelines."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import UpgradedText
from smalt.v1.upgrade.rules.conda import TRACKING

_SDK = re.compile(
    r"^(\s*-\s*)([\"']?)(azureml-(?:defaults|core|sdk|telemetry|train-core|dataset-runtime))\b([^\"'\n]*)([\"']?)(\s*(?:#.*)?)$"
)
"""A line of a conda file that names a package which only SDK v1 needed."""
_SETTINGS = (".azureml", "aml_config")
"""Folders of a project in which v1 keeps its run configurations."""


def upgrade_document(path: Path, text: str) -> tuple[UpgradedText | None, Path | None]:
    """Return a YAML file in v2, and where it belongs if its name changes; None if it is no file of SDK v1."""
    full = path.resolve()
    if path.suffix == ".runconfig":
        if not re.search(r"^(script|command):[ \t]*[^\s#]", text, re.M):
            sentence = "it has no script: it is the settings of a program's or pipeline's runs, which v2 has in the job"
            return UpgradedText(text, [Finding(1, 1, "RunConfiguration", "person", sentence)]), None
        new = _choose_free_name(_find_project(path), path.stem)
        built = _build_text(path, text, new, "RunConfiguration", lambda: _read_run_configuration(full))
        return built, new if built.text != text else None
    if re.search(r"^pipeline:\s*(#.*)?$", text, re.M) and re.search(r"^\s+steps:", text, re.M):
        return _build_text(path, text, path, "Pipeline.load_yaml", lambda: _read_pipeline(full)), None
    if re.search(r"^dependencies:", text, re.M):
        return upgrade_conda_file(text), None
    return None, None


def _choose_free_name(folder: Path, name: str) -> Path:
    """Return the path of a new YAML file that is in no other's place."""
    found = folder / f"{name}.yml"
    while found.exists():
        found = found.with_name(f"{found.stem}-job.yml")
    return found


def upgrade_conda_file(text: str) -> UpgradedText:
    """Return a conda file with MLflow in place of SDK v1."""
    lines: list[str] = []
    findings: list[Finding] = []
    has_mlflow = re.search(r"-\s*[\"']?mlflow\b", text) is not None
    remark = "scripts log by MLflow in v2; keep it if one imports azureml"
    for number, line in enumerate(text.split("\n"), 1):
        found = _SDK.match(line)
        if found is None:
            lines.append(line)
            continue
        if not findings and not has_mlflow:
            lines += [f"{found[1]}mlflow-skinny", f"{found[1]}azureml-mlflow"]
        findings.append(Finding(number, len(found[1]) + 1, found[3], "differs", remark))
    return UpgradedText("\n".join(lines), findings)


def _build_text(path: Path, text: str, new: Path, name: str, build: Callable[[], Any]) -> UpgradedText:
    """Return the YAML of the job that a file becomes; what cannot be built stays, with the reason."""
    from smalt.exceptions import SmaltError

    try:
        with _change_folder(path.parent):
            job = build()
        _add_tracking(job)
        with tempfile.NamedTemporaryFile(dir=new.parent, prefix=".smalt-", suffix=".yml") as file:
            job.dump(file.name)
            written = Path(file.name).read_text(encoding="utf-8")
    except (SmaltError, OSError) as error:
        return UpgradedText(text, [Finding(1, 1, name, "person", str(error).partition("\n")[0])])
    remark = "the comments of the file are not kept" if "#" in text else ""
    return UpgradedText(written, [Finding(1, 1, name, "differs" if remark else "changed", remark)])


def _add_tracking(job: Any) -> None:
    """Add MLflow to the conda files of a job and its steps: their scripts log by it in v2."""
    for step in (job, *(getattr(job, "jobs", None) or {}).values()):
        conda = getattr(getattr(step, "environment", None), "conda_file", None)
        if not isinstance(conda, dict):
            continue
        lines = conda.setdefault("dependencies", [])
        packages = next((line["pip"] for line in lines if isinstance(line, dict) and "pip" in line), None)
        if packages is None:
            packages = []
            lines += ["pip", {"pip": packages}]
        packages[:] = [one for one in packages if not _SDK.match(f"- {one}")]
        packages += [one for one in TRACKING if one not in packages]


def _find_project(path: Path) -> Path:
    """Return the folder whose code a run configuration is about."""
    return path.parent.parent if path.parent.name in _SETTINGS else path.parent


def _read_run_configuration(path: Path) -> Any:
    from smalt.v1.run_configuration import RunConfiguration
    from smalt.v1.script_run_config import ScriptRunConfig

    settings = RunConfiguration.load(str(path))
    script, command = settings.script or None, settings.command or None
    config = ScriptRunConfig(
        str(_find_project(path)),
        script=script,
        arguments=list(settings.arguments or ()),
        run_config=settings,
        command=command,
    )
    return config.to_command()


def _read_pipeline(path: Path) -> Any:
    from smalt.v1.pipeline.yaml_files import read_pipeline
    from smalt.v1.workspace import Workspace

    return read_pipeline(Workspace.from_config(), path.name).to_job()


@contextlib.contextmanager
def _change_folder(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
