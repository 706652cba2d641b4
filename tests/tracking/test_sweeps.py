"""Sweeps whose trials log by MLflow's own client to a real MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.helpers import eventually
from tests.tracking.conftest import Tracked


def make_body(command: str, **more: Any) -> dict[str, Any]:
    return {
        "jobType": "Sweep",
        "trial": {"command": command, "environmentId": "azureml:host@latest"},
        "searchSpace": {"x": ["choice", [[0.5, 0.25, 0.75]]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
        "objective": {"goal": "Minimize", "primaryMetric": "loss"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 3, "maxConcurrentTrials": 2},
        **more,
    }


def run_sweep(tracked: Tracked, workspace: str, body: dict[str, Any]) -> dict[str, Any]:
    """Run a sweep to its end; return its REST properties."""
    path = f"{workspace}/jobs/s"
    answer = tracked.server.ask("PUT", path, {"properties": body})
    assert answer.status == 201, answer.body

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = tracked.server.ask("GET", path).body["properties"]
        return shown if shown["status"] in ("Completed", "Failed", "Canceled") else None

    found = eventually(look, "the sweep")
    assert found is not None
    return found


def test_notebooks_find_the_best_trial_in_mlflow(tracked: Tracked, other_workspace: str, mlflow_python: str) -> None:
    """The last value of the metric counts; tags and parameters are what the service's clients read."""
    script = "import mlflow, sys; mlflow.log_metric('loss', 9, 0); mlflow.log_metric('loss', float(sys.argv[1]), 1)"
    command = f'{mlflow_python} -c "{script}" ${{{{search_space.x}}}}'
    shown = run_sweep(tracked, other_workspace, make_body(command))
    assert shown["status"] == "Completed", shown.get("error")
    assert (shown["properties"]["best_child_run_id"], shown["properties"]["score"]) == ("s_1", "0.25")
    eventually(lambda: tracked.tags(other_workspace, "s").get("best_child_run_id") == "s_1", "the tag of the sweep")
    for number, x in enumerate((0.5, 0.25, 0.75)):
        tags = tracked.tags(other_workspace, f"s_{number}")
        assert tags["mlflow.parentRunId"] == "s"
        assert json.loads(tags["hyperparameters"]) == {"x": x}

        def read_parameters(number: int = number) -> list[dict[str, str]]:
            found: list[dict[str, str]] = tracked.run(other_workspace, f"s_{number}")["data"].get("params") or []
            return found

        assert eventually(read_parameters, "the parameters") == [{"key": "x", "value": str(x)}]


def test_a_trial_that_falls_behind_is_stopped_while_it_logs(
    tracked: Tracked, other_workspace: str, mlflow_python: str, tmp_path: Path
) -> None:
    """The first trial is the best; the second logs something worse and would never end."""
    mark, script = tmp_path / "mark", tmp_path / "trial.py"
    script.write_text(
        "import mlflow, os, sys, time\n"
        f"while sys.argv[1] != '0' and not os.path.exists('{mark}'): time.sleep(0.05)\n"
        "mlflow.log_metric('loss', float(sys.argv[1]))\n"
        f"open('{mark}', 'w').close()\n"
        "time.sleep(300 if sys.argv[1] != '0' else 0)\n"
    )
    shown = run_sweep(tracked, other_workspace, make_body(
        f"exec {mlflow_python} {script} ${{{{search_space.x}}}}", searchSpace={"x": ["choice", [[0, 5]]]},
        earlyTermination={"policyType": "Bandit", "slackAmount": 1, "evaluationInterval": 1},
    ))  # fmt: skip
    assert shown["status"] == "Completed", shown.get("error")
    assert shown["properties"]["best_child_run_id"] == "s_0"
    trial = tracked.server.ask("GET", f"{other_workspace}/jobs/s_1").body["properties"]
    assert trial["status"] == "Canceled"
    assert trial["error"]["message"].startswith("it was ended by the bandit policy: ")
