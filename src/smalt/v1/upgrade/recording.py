"""Runs a program as `smalt python` does, and writes down the jobs that it submits, or makes them files instead.

`python -m smalt.v1.upgrade.recording run RECORD PROGRAM ARGUMENT…` submits them, waits for their ends, and writes their
facts; `… dump FOLDER PROGRAM ARGUMENT…` submits nothing and writes YAML.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalt.client.collections.jobs import JobOperations
from smalt.entities.jobs.inputs import ORDERS_STEPS
from smalt.exceptions import SmaltError

_PARAMETER = "AML_PARAMETER_"
_GIVEN = ("experiment_name", "description", "compute", "tags")


class JobRecorder:
    """Stands before the client: each job that the program submits is noted, and is not reused."""

    def __init__(self) -> None:
        self.submitted: list[tuple[JobOperations, str]] = []
        self._submit = JobOperations.create_or_update

    def install(self) -> None:
        recorder, submit = self, self._submit

        def create_or_update(jobs: JobOperations, job: Any, **given: Any) -> Any:
            is_new = getattr(job, "id", None) is None
            settings = getattr(job, "settings", None)
            if is_new and settings is not None:
                settings.force_rerun = True
            made = submit(jobs, job, **given)
            if is_new:
                recorder.submitted.append((jobs, str(made.name)))
            return made

        JobOperations.create_or_update = create_or_update  # type: ignore[method-assign, assignment]

    def list_facts(self) -> list[dict[str, Any]]:
        """Wait for the jobs, and return the facts of each."""
        return [read_facts(jobs, name) for jobs, name in self.submitted]


def read_facts(jobs: JobOperations, name: str) -> dict[str, Any]:
    """Return what a job was and did, without the names that differ from run to run."""
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence), contextlib.suppress(SmaltError):
        jobs.stream(name)
    job: Any = jobs.get(name)
    kind = str(job.type)
    steps = list(jobs.list(parent_job_name=name)) if kind == "pipeline" else [job]
    titles = _name_steps(steps)
    return {
        "type": kind,
        "status": job.status,
        "experiment": job.experiment_name,
        "steps": {titles[str(step.name)]: _read_step(jobs, jobs.get(str(step.name)), titles) for step in steps},
    }


def _name_steps(steps: list[Any]) -> dict[str, str]:
    """Return what people see of each step, by its name; of those that are called the same, with a number."""
    titles: dict[str, str] = {}
    for step in steps:
        title = str(step.display_name or step.name)
        count = sum(one.partition(" #")[0] == title for one in titles.values())
        titles[str(step.name)] = f"{title} #{count + 1}" if count else title
    return titles


def _read_step(jobs: JobOperations, step: Any, titles: dict[str, str]) -> dict[str, Any]:
    from smalt.client.jobs.metrics import MetricsReader

    outputs = list_compared_outputs(step)
    values = {key: _describe_input(value, titles, jobs) for key, value in (getattr(step, "inputs", None) or {}).items()}
    metrics = MetricsReader(jobs._session).get_latest([str(step.name)]).get(str(step.name), {})
    given = getattr(step, "environment_variables", None) or {}
    return {
        "type": str(step.type),
        "status": step.status,
        "command": _fill_command(_add_variables(str(getattr(step, "command", "") or ""), given), values, outputs),
        "after": sorted({value[1:-1] for value in values.values() if value.startswith("<")}),
        "metrics": {key: value for key, value in metrics.items() if not key.startswith("system/")},
        "outputs": _hash_outputs(jobs, str(step.name), outputs),
    }


def list_compared_outputs(step: Any) -> list[str]:
    """Return the outputs of a step without those that only order it, which v1 and v2 need in different places."""
    made = getattr(step, "outputs", None) or {}
    return [key for key, output in made.items() if getattr(output, "description", None) != ORDERS_STEPS]


def _add_variables(command: str, variables: Mapping[str, Any]) -> str:
    """Return a command after the parameters that its script gets as variables, which v1's has in its line."""
    given = {name: str(value) for name, value in variables.items() if name.startswith(_PARAMETER)}
    return " ".join([*(shlex.quote(f"{name}={value}") for name, value in sorted(given.items())), command])


def _describe_input(value: Any, titles: dict[str, str], jobs: JobOperations) -> str:
    """Return an input as `<STEP>` if another step made it, else its value or its address."""
    path = getattr(value, "path", value)
    text = str(path).replace(Path.cwd().as_uri(), ".").replace(str(Path.cwd()), ".")
    for name, title in titles.items():
        if f"/{name}/" in text:
            return f"<{title.replace(' ', '-')}>"
    return re.sub(r"(versions|snapshots)/[^/]+", r"\1", text) if "azureml://" not in text else "data"


def _fill_command(command: str, values: dict[str, str], outputs: list[str]) -> list[str]:
    """Return the words of a command line, with what its inputs are and the outputs by their number."""
    text = re.sub(r"\$\{\{inputs\.(\w+)\}\}", lambda found: values.get(found[1], found[0]), command)
    text = re.sub(r"\$AZUREML_PARAMETER_(\w+)", lambda found: values.get(found[1], found[0]), text)
    places = {name: f"output {number}" for number, name in enumerate(outputs, 1)}
    text = re.sub(r"\$\{\{outputs\.(\w+)\}\}", lambda found: places.get(found[1], found[0]).replace(" ", "-"), text)
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _hash_outputs(jobs: JobOperations, name: str, outputs: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for number, output in enumerate(outputs, 1):
        with tempfile.TemporaryDirectory() as folder:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SmaltError):
                jobs.download(name, download_path=folder, output_name=output)
            root = Path(folder)
            found[f"output {number}"] = {
                str(Path(*file.relative_to(root).parts[2:])): hashlib.sha256(file.read_bytes()).hexdigest()
                for file in sorted(root.rglob("*"))
                if file.is_file()
            }
    return found


class JobDumper:
    """Stands before the client: each job that the program submits becomes a file, and nothing runs."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder, self._stem = folder, stem
        self.files: list[Path] = []

    def install(self) -> None:
        dumper = self

        def create_or_update(jobs: JobOperations, job: Any, **given: Any) -> Any:
            from smalt.entities.steps.standalone_jobs import to_job

            made = copy.copy(to_job(job))
            for name in _GIVEN:
                if given.get(name) is not None:
                    setattr(made, name, given[name])
            dumper.write_file(made)
            made.name = made.name or f"dumped-{len(dumper.files)}"
            return made

        JobOperations.create_or_update = create_or_update  # type: ignore[method-assign, assignment]
        JobOperations.stream = lambda *_, **__: None  # type: ignore[method-assign]

    def write_file(self, job: Any) -> None:
        number = f"-{len(self.files) + 1}" if self.files else ""
        path = self._folder / f"{self._stem}{number}.yml"
        self._folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        job.dump(str(path))
        self.files.append(path)


def run_program(path: str, arguments: list[str]) -> int:
    from smalt.cli.commands.python import add_programs_to_path
    from smalt.python import programs

    add_programs_to_path()
    if path.endswith(".ipynb"):
        from smalt.python.notebook import run_notebook

        return run_notebook(path, arguments)
    return programs.run_file(path, arguments)


def main(words: list[str]) -> int:
    mode, target, path, *arguments = words
    if mode == "dump":
        dumper = JobDumper(Path(target), Path(path).stem)
        dumper.install()
        code = run_program(path, arguments)
        return 0 if dumper.files else code or 3
    recorder = JobRecorder()
    recorder.install()
    code = run_program(path, arguments)
    Path(target).write_text(json.dumps({"code": code, "jobs": recorder.list_facts()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
