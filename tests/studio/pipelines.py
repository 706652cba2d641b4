"""Pipelines for tests, as REST bodies whose steps need no environment."""

from __future__ import annotations

from typing import Any

from tests.helpers import Server


def make_step(command: str, *, values: dict[str, Any] | None = None, **ports: Any) -> dict[str, Any]:
    """Return a step of a component with these `inputs` and `outputs`; `values` bind its inputs."""
    component = {
        "type": "command", "name": "c", "version": "1", "environment": "azureml:host@latest",
        "command": command, **ports,
    }  # fmt: skip
    outputs = {name: {"job_output_type": port["type"]} for name, port in ports.get("outputs", {}).items()}
    return {"type": "command", "component": component, "inputs": values or {}, "outputs": outputs}


def build_pipeline(steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": {"jobType": "Pipeline", "experimentName": "e", "jobs": steps, **more}}


def run_pipeline(server: Server, workspace: str, name: str, steps: dict[str, Any], **more: Any) -> str:
    """Run a pipeline to its end and return its last state."""
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", build_pipeline(steps, **more))
    assert answer.status == 201, answer.body
    return str(list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))[-1]["status"])
