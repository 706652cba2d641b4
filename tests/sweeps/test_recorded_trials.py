"""Sweeps of any size as the command line shows them, from what is recorded of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt.client import MLClient
from smalt.client.connection.connection import ApiConnection
from tests.cli.conftest import Ran, smalt
from tests.helpers import LONGEST
from tests.sweeps.recorded import TERMINATED, RecordedHome, RecordedTrial, make_trials, record


@pytest.fixture
def recorded(home: Path) -> Path:
    """A home with a sweep of 20 trials, one of 1,000, and one in a pipeline."""

    def fill(there: RecordedHome) -> None:
        for name, count in (("small", 20), ("large", 1000)):
            there.end(there.add_sweep(name, make_trials(count)), "Completed")
        pipe = there.add_pipeline("pipe")
        there.end(there.add_sweep("tune", make_trials(20), pipe), "Completed")
        there.end(pipe, "Completed")

    record(home, fill)
    return home


def ask(path: str) -> Any:
    client = MLClient()
    return client.connection.get(f"/smalt/v1{client.workspace_id}/jobs/{path}")


def show(name: str) -> Any:
    done = smalt("job", "show", name)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_the_route_has_all_trials_with_their_points_and_values(recorded: Path) -> None:
    """One answer has the sweep's objective, its space, its best trial, and each trial in the order of its making."""
    found = ask("large/trials")
    assert found["sweep"]["primary_metric"] == "accuracy"
    assert found["sweep"]["goal"] == "maximize"
    assert found["sweep"]["search_space"]["lr"] == {"type": "loguniform", "min_value": -7, "max_value": -1}
    assert [trial["node"] for trial in found["trials"]] == [f"trial_{number}" for number in range(1000)]
    values = {one["name"]: one["value"] for one in found["trials"] if one["status"] == "Completed"}
    finite = {name: value for name, value in values.items() if isinstance(value, float)}
    assert found["sweep"]["best"]["name"] == max(finite, key=finite.__getitem__)
    assert values["large_8"] is None
    assert values["large_9"] == "NaN"
    assert all(set(trial["parameters"]) == {"lr", "depth", "booster", "noise"} for trial in found["trials"])


def test_a_job_that_is_no_sweep_has_no_trials(recorded: Path) -> None:
    client = MLClient()
    with pytest.raises(Exception, match="job 'pipe' is no sweep and no AutoML job, so it has no trials"):
        client.jobs.trials("pipe")


def test_a_grid_has_no_more_trials_than_points(home: Path) -> None:
    """A limit of 100 trials is none for six points: the page and the live table count to six."""
    space = {"lr": ["choice", [[1, 2, 3]]], "depth": ["choice", [[2, 3]]]}
    body = {
        "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
        "searchSpace": space,
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 100, "maxConcurrentTrials": 1},
    }
    record(home, lambda there: there.add_sweep("tune", [RecordedTrial({"lr": 1, "depth": 2}, 0.1)], **body))
    assert ask("tune/trials")["sweep"]["total_trials"] == 6


def test_a_minimized_metric_has_the_lowest_value_as_its_best(home: Path) -> None:
    """Of equal trials the earliest is the best, and only a completed one can be."""
    trials = [
        RecordedTrial({"x": 1}, 0.1, "Canceled", {"code": "Canceled", "message": "canceled by someone"}),
        RecordedTrial({"x": 2}, 0.3),
        RecordedTrial({"x": 3}, 0.2),
        RecordedTrial({"x": 4}, 0.2),
    ]
    objective = {"goal": "Minimize", "primaryMetric": "accuracy"}
    record(home, lambda there: there.end(there.add_sweep("low", trials, objective=objective), "Completed"))
    assert ask("low/trials")["sweep"]["best"] == {
        "name": "low_2", "node": "trial_2", "parameters": {"x": 3}, "value": 0.2,
    }  # fmt: skip
    assert [trial["trial"] for trial in show("low")["trials"]] == ["trial_2", "trial_3", "trial_1", "trial_0"]


def test_show_lists_the_trials_best_first(recorded: Path) -> None:
    """Completed ones with a value come first, then those without, then terminated ones, then failed ones."""
    job = show("small")
    assert job["best_trial"] == {key: job["trials"][0][key] for key in ("trial", "name", "value", "parameters")}
    ranked = [trial["value"] for trial in job["trials"] if trial["status"] == "Completed"]
    assert ranked[:-2] == sorted(ranked[:-2], reverse=True)
    assert ranked[-2:] == [None, "NaN"]
    statuses = [trial["status"] for trial in job["trials"]]
    assert statuses == ["Completed"] * 15 + ["Canceled"] * 3 + ["Failed"] * 2
    ended = job["trials"][-3]
    assert ended["is_terminated"]
    assert ended["error"]["message"] == TERMINATED
    assert "steps" not in job


def test_a_pipeline_shows_a_sweep_as_one_step(recorded: Path) -> None:
    """Its trials are counted and not listed."""
    (step,) = show("pipe")["steps"]
    assert step["step"] == "tune"
    assert step["trials"]["counts"] == {"Completed": 15, "Failed": 2, "Canceled": 3}
    assert step["trials"]["best"]["node"] == "trial_18"


def test_a_stream_that_begins_after_the_end_counts_all_trials_of_a_step(recorded: Path) -> None:
    """As in one that was there: the trials that failed, and then the sweep's end, with how many."""
    lines = smalt("job", "stream", "pipe").err.splitlines()
    assert [line.partition(":")[0] for line in lines[:-2]] == ["tune/trial_3", "tune/trial_14"]
    assert lines[-2] == "tune: Completed in 2.0 s, 20/20 trials, 2 failed, best 0.9117 (trial_18)"
    printed = subprocess.run(
        [sys.executable, "-c", "from smalt import MLClient; MLClient().jobs.stream('pipe')"],
        capture_output=True, text=True, timeout=LONGEST,
    )  # fmt: skip
    assert printed.stderr.splitlines()[0] == lines[-2]


def test_the_list_of_children_has_the_points(recorded: Path) -> None:
    listed = json.loads(smalt("job", "list", "-p", "small").out)
    points = [json.loads(one["tags"]["hyperparameters"]) for one in listed]
    assert points == [trial["parameters"] for trial in ask("small/trials")["trials"]]
    table = smalt("job", "list", "-p", "small", "--metrics", "-o", "table").out.splitlines()
    assert table[0].split() == ["Name", "Status", "Type", "Accuracy", "Hyperparameters"]


def test_what_show_prints_of_a_sweep_can_be_submitted_again(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(smalt("job", "show", "small", "-o", "yaml").out)
    done = smalt("job", "validate", "--local", str(tmp_path / "job.yml"))
    assert done.code == 0, done.err


def test_the_trials_of_an_automl_job_are_shown_as_those_of_a_sweep(home: Path, tmp_path: Path) -> None:
    """Its primary metric tells what is best; its search is a step; without a limit only time limits the trials."""
    trials = [RecordedTrial({"algorithm": name}, value) for name, value in (("LightGBM", 0.3), ("SGD", 0.1))]
    record(
        home,
        lambda there: there.end(there.add_automl("auto", [*trials, RecordedTrial({}, None, "Failed")]), "Completed"),
    )
    job = show("auto")
    assert job["best_trial"] == {"trial": "trial_1", "name": "auto_1", "value": 0.1, "parameters": {"algorithm": "SGD"}}
    assert [trial["trial"] for trial in job["trials"]] == ["trial_1", "trial_0", "trial_2"]
    assert [step["step"] for step in job["steps"]] == ["search"]
    streamed = smalt("job", "stream", "auto").err.splitlines()
    metric = "normalized_root_mean_squared_error"
    assert f"trial_1: Completed in 2.0 s, {metric} 0.1 (algorithm=SGD), the best so far" in streamed
    assert f"best trial: auto_1, {metric} 0.1 (algorithm=SGD)" in streamed
    assert smalt("job", "compare", "auto", "--html", "auto.html", cwd=tmp_path).code == 0
    assert (tmp_path / "auto.html").read_text().count("<tr data-trial=") == 3


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        (("job", "show", "large"), 4),
        (("job", "list", "-p", "large", "--metrics"), 2),
        (("job", "compare", "large"), 2),
        (("job", "compare", "large", "small"), 1),
        (("job", "compare", "large", "--html", "large.html"), 1),
        (("job", "stream", "large"), 2),
        (("job", "show", "pipe"), 3),
    ],
)
def test_a_thousand_trials_take_a_few_requests(
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[..., Ran],
    arguments: tuple[str, ...],
    most: int,
) -> None:
    """No view asks for each trial; a download asks for the best one."""
    paths: list[str] = []
    send, stream = ApiConnection._send_request, ApiConnection.stream

    def count_sent(self: ApiConnection, method: str, path: str, *rest: Any) -> Any:
        paths.append(path)
        return send(self, method, path, *rest)

    def count_streamed(self: ApiConnection, path: str, *rest: Any, **more: Any) -> Any:
        paths.append(path)
        return stream(self, path, *rest, **more)

    assert smalt("job", "list").code == 0  # the server runs, and the workspace is known
    monkeypatch.setattr(ApiConnection, "_send_request", count_sent)
    monkeypatch.setattr(ApiConnection, "stream", count_streamed)
    monkeypatch.chdir(tmp_path)
    assert call(*arguments).code == 0
    asked = [path for path in paths if "/jobs" in path or path.endswith(("/metrics", "/compare"))]
    assert 0 < len(asked) <= most, asked
