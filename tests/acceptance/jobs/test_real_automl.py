"""AutoML jobs that really search: FLAML is installed by the home, so these tests are run by `-m integration`."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities.jobs.automl.job import AutoMLJob
from tests.helpers import Server, eventually, running_server

WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/smalt"
    "/providers/Microsoft.MachineLearningServices/workspaces/default"
)
LONGEST = 600.0
"""Seconds until a test gives up: the environment is some 800 MB."""
OVER = ("Completed", "Failed", "Canceled")


def write_table(folder: Path) -> Path:
    """Write 150 rows of three kinds, which a model can tell apart but for a few."""
    with (folder / "flowers.csv").open("w", newline="") as file:
        rows = ((4 + kind + n % 7 / 4, 2 + kind / 2 + n % 5 / 3, "abc"[kind]) for n in range(50) for kind in range(3))
        csv.writer(file).writerows([("length", "width", "species"), *rows])
    return folder / "flowers.csv"


def make_body(folder: Path, **more: Any) -> dict[str, Any]:
    document = {
        "type": "automl", "task": "classification", "primary_metric": "accuracy", "target_column_name": "species",
        "training_data": {"type": "uri_file", "path": str(write_table(folder))}, "n_cross_validations": 2,
        "limits": {"timeout_minutes": 3, "max_trials": 6}, **more,
    }  # fmt: skip
    return wire.to_rest(AutoMLJob.from_dict(document))


def wait_for(look: Callable[[], Any]) -> Any:
    return eventually(look, "it", LONGEST)


def ask(server: Server, path: str) -> Any:
    return server.ask("GET", f"/smalt/v1{WORKSPACE}{path}").body


@pytest.mark.integration
def test_a_killed_server_changes_no_trial(tmp_path: Path) -> None:
    """Each trial of the journal is one job and one run; the best by its score is the job's best."""
    with running_server() as server:
        assert server.ask("PUT", f"{WORKSPACE}/jobs/learn", make_body(tmp_path)).status == 201
        wait_for(lambda: ask(server, "/jobs/learn/trials")["trials"])
        for _ in range(2):
            server.kill()
            server.start_again()
        found = wait_for(lambda: (now := ask(server, "/jobs/learn/trials"))["sweep"]["status"] in OVER and now)
        assert found["sweep"]["status"] == "Completed"
        trials = found["trials"]
        assert [one["name"] for one in trials] == [f"learn_{number}" for number in range(len(trials))]
        assert len(trials) >= 6
        best = max(trials, key=lambda one: one["value"])
        assert found["sweep"]["best"]["value"] == best["value"] > 0.8
        body = server.ask("GET", f"{WORKSPACE}/jobs/learn").body["properties"]
        assert body["properties"]["best_child_run_id"] == body["tags"]["automl_best_child_run_id"]
        scores, names = {one["name"]: one["value"] for one in trials}, {"jobs": [one["name"] for one in trials]}

        def read_scores() -> dict[str, float]:
            """Return what MLflow has; it may still be started again at the end of the job."""
            found = server.ask("POST", f"/smalt/v1{WORKSPACE}/metrics", names).body["metrics"]
            return {name: of["accuracy"] for name, of in found.items()}

        wait_for(lambda: read_scores() == scores)


@pytest.mark.integration
def test_a_cancelled_search_ends(tmp_path: Path) -> None:
    """Its trials so far stay."""
    with running_server() as server:
        body = make_body(tmp_path, limits={"timeout_minutes": 30, "max_trials": 500})
        assert server.ask("PUT", f"{WORKSPACE}/jobs/learn", body).status == 201
        wait_for(lambda: ask(server, "/jobs/learn/trials")["trials"])
        server.ask("POST", f"{WORKSPACE}/jobs/learn/cancel")
        found = wait_for(lambda: (now := ask(server, "/jobs/learn/trials"))["sweep"]["status"] in OVER and now)
        assert found["sweep"]["status"] == "Canceled"
        assert {one["status"] for one in found["trials"]} == {"Completed"}
