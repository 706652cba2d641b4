"""Sweeps that really run, as the command line and the client show, compare and download them."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from smalt.client import MLClient
from smalt.exceptions import NotFound
from smalt.machine.home import Home
from smalt.service.tracking.run_database import get_database_path
from tests.cli.conftest import smalt
from tests.cli.test_job_report import on_a_terminal
from tests.cli.test_job_report import shown as show
from tests.helpers import eventually

pytestmark = pytest.mark.usefixtures("started")

VALUES = [3, 1, 2, 5]
LOG_METRIC = Path(__file__).parents[1] / "engine" / "log_metric.py"


@pytest.fixture
def log(home: Path) -> str:
    """The beginning of a command that logs a metric of its trial; its name and value follow."""
    path = get_database_path(Home(home), "default")
    return f"{sys.executable} -S -E {LOG_METRIC} {path}"


def write(folder: Path, command: str, values: Sequence[object] = VALUES, name: str = "sweep.yml", **more: Any) -> str:
    """Write a sweep over `x` that minimizes `loss`, which takes these values one after the other."""
    document = {
        "type": "sweep",
        "trial": {"command": command, "environment": "azureml:host"},
        "search_space": {"x": {"type": "choice", "values": values}},
        "sampling_algorithm": "grid",
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": len(values), "max_concurrent_trials": 1},
        "outputs": {"model": {"type": "uri_folder"}},
        **more,
    }
    (folder / name).write_text(json.dumps(document))
    return str(folder / name)


def make_command(log: str) -> str:
    """Return a command that fails for 5, and else logs its point and writes it to its output."""
    return (
        "echo trying ${{search_space.x}}; [ ${{search_space.x}} != 5 ] || exit 7; "
        f"echo ${{{{search_space.x}}}} > ${{{{outputs.model}}}}/x; {log} loss ${{{{search_space.x}}}}"
    )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_pipe_follows_a_sweep_and_gets_its_result_as_json(tmp_path: Path, log: str) -> None:
    """Lines for people go to standard error, and standard output has the job alone."""
    done = smalt("job", "create", "-f", write(tmp_path, make_command(log)), "-n", "s", "--stream", "-o", "json")
    assert done.code == 0, done.err
    job = json.loads(done.out)
    assert job["properties"]["best_child_run_id"] == "s_1"
    lines = [line for line in done.err.splitlines() if line.startswith(("trial_", "    ", "best", "to ", "job s C"))]
    said = [line.partition(" in ")[0] + line.partition(" s")[2] for line in lines[:4]]
    assert said == [
        "trial_0: Completed, loss 3 (x=3), the best so far",
        "trial_1: Completed, loss 1 (x=1), the best so far",
        "trial_2: Completed, loss 2 (x=2)",
        "trial_3: Failed (x=5): the command exited with code 7",
    ]
    assert lines[4] == "    trying 5"
    assert lines[5].endswith("(3 Completed, 1 Failed)")
    assert lines[6:] == [
        "best trial: s_1, loss 1 (x=1)",
        "to get its files: smalt job download --name s --all",
        "to see all trials: smalt job compare s --html s.html",
    ]
    assert "trying 1" not in done.err


def test_an_infinite_value_is_the_best_nowhere(tmp_path: Path, log: str) -> None:
    """The log, the last lines of the stream, `job show`, `job compare` and the page agree."""
    file = write(tmp_path, f"{log} loss ${{{{search_space.x}}}}", ["-inf", "inf", 2, "nan", 1])
    done = smalt("job", "create", "-f", file, "-n", "s", "--stream")
    assert done.code == 0, done.err
    assert "the best of 5 trials is trial_4: loss is 1\n" in done.err
    assert "best trial: s_4, loss 1 (x=1)\n" in done.err
    assert "trial_0: Completed in" in done.err
    assert "(x=-inf), the best so far" not in done.err
    job = json.loads(smalt("job", "show", "s").out)
    assert job["best_trial"]["name"] == job["properties"]["best_child_run_id"] == "s_4"
    ranked = [(one["trial"], one["value"]) for one in job["trials"]]
    assert ranked == [
        ("trial_4", 1), ("trial_2", 2), ("trial_0", "-Infinity"), ("trial_1", "Infinity"), ("trial_3", "NaN"),
    ]  # fmt: skip
    rows = {row["name"]: row for row in json.loads(smalt("job", "compare", "s").out)}
    assert {name for name in rows["loss"] if name.startswith("s_")} == {"s_2", "s_4"}
    assert smalt("job", "compare", "s", "--html", str(tmp_path / "s.html")).code == 0
    page = (tmp_path / "s.html").read_text()
    assert "<dt>Best</dt><dd>s_4: loss 1</dd>" in page
    assert page.index(">trial_4</td>") < page.index(">trial_2</td>") < page.index(">trial_0</td>")


def test_a_sweep_of_infinite_values_has_no_best_trial_to_download(tmp_path: Path, log: str) -> None:
    file = write(tmp_path, f"{log} loss ${{{{search_space.x}}}}", ["-inf"])
    done = smalt("job", "create", "-f", file, "-n", "s", "--stream")
    assert done.code == 1
    assert "no trial that completed has a finite value of the primary metric 'loss': it is -inf in trial_0" in done.err
    assert "best trial" not in done.err
    assert "to get its files" not in done.err


def test_a_finished_sweep_is_shown_compared_and_downloaded(tmp_path: Path, log: str) -> None:
    """The commands that the stream ends with work as they are printed."""
    command = make_command(log)
    for name, values in (("s", VALUES), ("t", [4, 2])):
        done = smalt("job", "create", "-f", write(tmp_path, command, values), "-n", name, "--stream")
        assert done.code == 0, done.err

    job = json.loads(smalt("job", "show", "s").out)
    assert job["best_trial"] == {"trial": "trial_1", "name": "s_1", "value": 1, "parameters": {"x": 1}}
    assert [(one["trial"], one["value"], one["status"]) for one in job["trials"]] == [
        ("trial_1", 1, "Completed"), ("trial_2", 2, "Completed"), ("trial_0", 3, "Completed"),
        ("trial_3", None, "Failed"),
    ]  # fmt: skip
    assert job["trials"][3]["log_tail"] == ["trying 5"]

    rows = {row["name"]: row for row in json.loads(smalt("job", "compare", "s").out)}
    assert [rows["loss"][name] for name in ("s_1", "s_2", "s_0")] == [1, 2, 3]
    assert rows["x"]["differs"]
    assert "hyperparameters" not in rows
    rows = {(row["what"], row["name"]): row for row in json.loads(smalt("job", "compare", "s", "t").out)}
    assert rows["space", "x"] == {
        "differs": True, "what": "space", "name": "x", "s": "choice(3, 1, 2, 5)", "t": "choice(4, 2)",
    }  # fmt: skip
    assert (rows["sweep", "best loss"]["s"], rows["sweep", "best loss"]["t"]) == (1, 2)
    assert (rows["best", "x"]["s"], rows["best", "x"]["t"]) == (1, 2)
    assert not rows["sweep", "objective"]["differs"]
    assert {what for what, _ in rows} == {"job", "sweep", "space", "best"}
    assert smalt("job", "compare", "s", "--html", "s.html", cwd=tmp_path).code == 0
    assert (tmp_path / "s.html").read_text().count("<tr data-trial=") == 4

    assert smalt("job", "download", "--name", "s", "--all", cwd=tmp_path).code == 0
    assert (tmp_path / "named-outputs" / "model" / "x").read_text() == "1\n"


def test_a_download_has_the_best_trials_files_and_the_sweeps_own(tmp_path: Path, log: str) -> None:
    """Folders are those of azure-ai-ml; one output comes from the trial alone."""
    done = smalt("job", "create", "-f", write(tmp_path, make_command(log)), "-n", "s", "--stream")
    assert done.code == 0, done.err
    client = MLClient()
    assert client.jobs.download("s", download_path=tmp_path / "logs") == 2
    assert files(tmp_path / "logs") == {"artifacts/user_logs/std_log.txt", "hd-artifacts/system_logs/smalt.log"}
    assert (tmp_path / "logs/artifacts/user_logs/std_log.txt").read_text() == "trying 1\n"
    client.jobs.download("s", download_path=tmp_path / "all", all=True)
    assert files(tmp_path / "all") == files(tmp_path / "logs") | {"named-outputs/model/x"}
    client.jobs.download("s", download_path=tmp_path / "one", output_name="model")
    assert files(tmp_path / "one") == {"named-outputs/model/x"}
    client.jobs.download("s_2", download_path=tmp_path / "trial", output_name="model")
    assert (tmp_path / "trial/named-outputs/model/x").read_text() == "2\n"
    with pytest.raises(NotFound, match="has no output 'modle'; its outputs are model"):
        client.jobs.download("s", download_path=tmp_path / "none", output_name="modle")


def test_a_failed_sweep_names_the_trials_that_failed_and_keeps_its_own_log(tmp_path: Path) -> None:
    done = smalt("job", "create", "-f", write(tmp_path, "echo oh no; exit 3"), "-n", "s", "--stream")
    assert done.code == 1
    lines = done.err.splitlines()
    assert lines.count("    oh no") == 3
    assert "error: 1 more trials failed; see: smalt job list -p s" in lines
    assert smalt("job", "download", "s", "-p", str(tmp_path / "files")).code == 0
    assert files(tmp_path / "files") == {"hd-artifacts/system_logs/smalt.log"}
    done = smalt("job", "download", "s", "--output-name", "model")
    assert done.code == 1
    assert "sweep s has no best trial, and so no output 'model': it is Failed" in done.err
    done = smalt("job", "compare", "s")
    assert "no trial of sweep s has completed with a value of 'loss'" in done.err


def test_the_stream_has_all_logs_of_trials_only_if_they_are_wanted(tmp_path: Path, log: str) -> None:
    """A program that takes every event has them; the command line asks for none but the ends of those that fail."""
    done = smalt("job", "create", "-f", write(tmp_path, make_command(log)), "-n", "s", "--stream")
    assert done.code == 0, done.err
    client = MLClient()

    def read_logs(*, trial_logs: bool) -> dict[str, str]:
        logs: dict[str, str] = {}
        for event in map(json.loads, client.jobs.events("s", trial_logs=trial_logs)):
            if event["t"] == "log" and event["file"].startswith("user_logs"):
                logs[event["name"]] = logs.get(event["name"], "") + event["text"]
        return logs

    assert read_logs(trial_logs=False) == {"s_3": "trying 5\n"}
    assert read_logs(trial_logs=True) == {f"s_{n}": f"trying {x}\n" for n, x in enumerate(VALUES)}


def test_azures_clients_find_the_log_of_a_sweep_where_they_look(tmp_path: Path, log: str) -> None:
    """Its lines tell the end of each trial, and the best."""
    done = smalt("job", "create", "-f", write(tmp_path, make_command(log)), "-n", "s", "--stream")
    assert done.code == 0, done.err
    client = MLClient()
    experiment = client.jobs.get("s").experiment_name
    path = f"/history/v1.0{client.workspace_id}/experiments/{experiment}/runs/s/details"
    url = client.connection.get(path)["logFiles"]["azureml-logs/hyperdrive.txt"]
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    assert "trial_1 completed: loss is 1" in lines
    assert lines[-1] == "the best of 4 trials is trial_1: loss is 1"


def test_a_terminal_follows_a_sweep_in_place(tmp_path: Path, log: str) -> None:
    """The table stays at its end, below the log of the trial that failed, and the best trial is named."""
    text = on_a_terminal("job", "create", "-f", write(tmp_path, make_command(log)), "-n", "s", "--stream", columns=60)
    assert "trial_3: Failed in" in text
    assert "    trying 5\n" in text
    last = text.rpartition("✓ s  Completed")[2].splitlines()
    assert last[1:3] == ["  trials   4 of 4: 3 Completed, 1 Failed", "  best     trial_1  loss 1  x=1"]
    assert last[4] == "best trial: s_1, loss 1 (x=1)"


def test_a_canceled_sweep_names_its_best_trial_so_far(tmp_path: Path, log: str) -> None:
    command = f"{log} loss ${{{{search_space.x}}}}; [ ${{{{search_space.x}}}} != 2 ] || exec sleep 600"
    done = smalt("job", "create", "-f", write(tmp_path, command, outputs={}), "-n", "s")
    assert done.code == 0, done.err
    eventually(lambda: json.loads(smalt("job", "list", "-p", "s").out)[2:] and show("s")["trials"][2]["value"] == 2)
    waiting = show("s")
    begun = [one for one in waiting["trials"] if one["status"] != "NotStarted"]  # short trials are planned ahead
    assert [(one["trial"], one["status"], one["value"]) for one in begun] == [
        ("trial_1", "Completed", 1), ("trial_0", "Completed", 3), ("trial_2", "Running", 2),
    ]  # fmt: skip
    assert waiting["best_trial"]["name"] == "s_1"
    assert smalt("job", "cancel", "s").code == 0
    streamed = smalt("job", "stream", "s")
    assert streamed.code == 1
    lines = streamed.err.splitlines()
    assert [line for line in lines if line.startswith("trial_2: Canceled in ")]
    assert lines[-3] == "best trial: s_1, loss 1 (x=1)"
