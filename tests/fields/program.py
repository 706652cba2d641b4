"""Run jobs that set `audience_note` in every way there is; print as JSON where it arrived.

python program.py HOME FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from smalt import MLClient, command, dsl, load_component, load_job, wire
from smalt.client.jobs.export import export_job
from smalt.machine.home import Home
from smalt.sweep import Choice

HOST = "azureml:host@latest"
STEP = {"command": "echo hi", "environment": HOST}


def write_file(path: Path, document: dict[str, Any]) -> Path:
    """Write a document as JSON, which is YAML too."""
    path.write_text(json.dumps(document))
    return path


def describe_component(name: str) -> dict[str, Any]:
    return {
        **{"type": "command", "name": name, "version": "1", "command": "echo ${{inputs.n}}", "environment": HOST},
        **{"inputs": {"n": {"type": "integer", "default": 1}}, "audience_note": "of the component"},
    }


def write_pipeline(folder: Path) -> Path:
    """Write a pipeline whose steps have the field in place, by a component, over a component, and nested."""
    write_file(folder / "component.yml", describe_component("in_file"))
    nested = {"inner": {**STEP, "audience_note": "of the nested step"}, "used": {"component": "./component.yml"}}
    write_file(folder / "nested.yml", {"type": "pipeline", "name": "nested", "version": "1", "jobs": nested})
    steps = {
        "inline": {**STEP, "audience_note": "of the step"},
        "file": {"component": "./component.yml"},
        "reference": {"component": "azureml:registered:1"},
        "over": {"component": "azureml:registered:1", "audience_note": "of the step"},
        "nested": {"component": "./nested.yml"},
    }
    return write_file(folder / "pipeline.yml", {"type": "pipeline", "jobs": steps})


def build_jobs(folder: Path) -> dict[str, Any]:
    """Return jobs of files, builders, calls and pipeline functions."""
    make: Any = command(name="made", audience_note="of the builder", **STEP)
    component = load_component(folder / "component.yml")

    @dsl.pipeline
    def inner() -> None:
        within = make()  # noqa: F841  # the variable names the step

    @dsl.pipeline
    def outer() -> None:
        called = make()  # noqa: F841
        changed = make()
        changed.audience_note = "set on the step"
        part = component(n=2)  # noqa: F841
        own = component(n=3)
        own.audience_note = "set on the call"
        again = own(n=4)  # noqa: F841
        nested = inner()  # noqa: F841

    return {
        "job": load_job(write_file(folder / "job.yml", {**STEP, "audience_note": "of the job"})),
        "pipeline": load_job(folder / "pipeline.yml"),
        "program": outer(),
        "builder": make,
        "builder called": make(),
        "component called": component(n=5),
    }


def find_notes(client: MLClient, job: Any, label: str) -> dict[str, str | None]:
    """Return the field of a job that ran; of a pipeline that of each step that ran."""
    if job.type != "pipeline":
        return {label: client.jobs.get(job.name).audience_note}
    found = {}
    for child in client.jobs.list(parent_job_name=job.name):
        found.update(find_notes(client, child, f"{label}/{child.name.removeprefix(f'{job.name}-')}"))
    return found


def run_job(client: MLClient, job: Any, label: str) -> Any:
    """Submit a job, wait for it, and return it; raise if it did not complete."""
    ran = client.jobs.create_or_update(job)
    client.jobs.stream(ran.name)
    ran = client.jobs.get(ran.name)
    if ran.status != "Completed":
        raise AssertionError(f"{label}: {ran.status}: {ran.error}")
    return ran


def main(home: Path, folder: Path) -> dict[str, str | None]:
    client = MLClient(home=Home(home), workspace_name="w")
    registered = load_component(write_file(folder / "registered.yml", describe_component("registered")))
    client.components.create_or_update(registered)
    write_pipeline(folder)
    jobs = {label: run_job(client, job, label) for label, job in build_jobs(folder).items()}
    found = {"registered": client.components.get("registered", "1").audience_note}
    for label, job in jobs.items():
        found.update(find_notes(client, job, label))
    body = json.loads(json.dumps(wire.to_rest(load_job(folder / "job.yml"))))
    found["REST body"] = body["properties"].get("audienceNote")
    found["read from REST"] = getattr(wire.from_rest(body, "job"), "audience_note", None)
    swept: Any = command(command="echo ${{inputs.x}}", environment=HOST, inputs={"x": 1}, audience_note="of the trial")
    sweep = swept(x=Choice([1, 2])).sweep(primary_metric="m", goal="maximize", max_total_trials=2)
    found["sweep"] = wire.to_rest(sweep)["properties"]["trial"].get("audienceNote")
    for label in ("job", "pipeline"):
        export_job(client, jobs[label].name, str(folder / f"exported {label}"))
        again = run_job(client, load_job(folder / f"exported {label}" / "job.yml"), f"exported {label}")
        found.update(find_notes(client, again, f"exported {label}"))
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
