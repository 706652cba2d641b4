"""The runs of a sweep's trials, as MLflow and the public notebooks find them."""

from __future__ import annotations

import json
from typing import Any

from tests.helpers import eventually
from tests.tracking.conftest import M, Tracked

LOG = """
import json, os, sys, urllib.request
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": float(sys.argv[1]), "timestamp": 1, "step": 0}
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
"""
SWEEP = {
    "jobType": "Sweep",
    "trial": {
        "command": 'python -c "$LOG" ${{search_space.n}}',
        "environmentId": "azureml:host@latest",
        "environmentVariables": {"LOG": LOG},
    },
    "searchSpace": {"n": ["choice", [[3, 1, 2]]]},
    "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
    "objective": {"goal": "minimize", "primaryMetric": "loss"},
    "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 3, "maxConcurrentTrials": 1},
    "experimentName": "searched",
}


def test_trials_are_found_by_their_parent(tracked: Tracked, other_workspace: str) -> None:
    """`mlflow.search_runs` by the parent's run, ordered by the metric, with the point as parameters."""
    w = other_workspace
    answer = tracked.server.ask("PUT", f"{w}/jobs/swept", {"properties": SWEEP})
    assert answer.status == 201, answer.body

    def read_end() -> Any:
        properties = tracked.server.ask("GET", f"{w}/jobs/swept").body["properties"]
        return properties if properties["status"] in ("Completed", "Failed") else None

    ended = eventually(read_end, "the sweep's end")
    assert (ended["status"], ended["properties"].get("best_child_run_id")) == ("Completed", "swept_1")
    parent = tracked.run(w, "swept")
    found = tracked.as_user(
        w,
        "POST",
        f"{M}/runs/search",
        {
            "experiment_ids": [parent["info"]["experiment_id"]],
            "filter": "tags.mlflow.parentRunId = 'swept'",
            "order_by": ["metrics.loss ASC"],
        },
    ).body["runs"]
    assert [one["info"]["run_id"] for one in found] == ["swept_1", "swept_2", "swept_0"]
    assert [one for one in found[0]["data"]["params"] if one["key"] == "n"] == [{"key": "n", "value": "1"}]
    tags = {tag["key"]: tag["value"] for tag in found[0]["data"]["tags"]}
    assert json.loads(tags["hyperparameters"]) == {"n": 1}
    assert tracked.tags(w, "swept")["best_child_run_id"] == "swept_1"
