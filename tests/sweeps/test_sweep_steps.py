"""Sweeps that are steps of pipelines, as the command line shows, compares and downloads them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import smalt
from tests.sweeps.test_real_sweeps import files, make_command, write
from tests.sweeps.test_real_sweeps import log as log


def test_a_sweep_in_a_pipeline_is_one_step_everywhere(tmp_path: Path, log: str) -> None:
    """In the stream, in what is shown, in a comparison, and in a download its trials are counted and not listed."""
    component = {
        "name": "train", "type": "command", "command": make_command(log).replace("search_space", "inputs"),
        "environment": "azureml:host", "inputs": {"x": {"type": "integer"}},
        "outputs": {"model": {"type": "uri_folder"}},
    }  # fmt: skip
    (tmp_path / "train.yml").write_text(json.dumps(component))
    step = json.loads(Path(write(tmp_path, "true")).read_text())
    step |= {"trial": "./train.yml"}
    (tmp_path / "pipe.yml").write_text(json.dumps({"type": "pipeline", "jobs": {"tune": step}}))
    for name in ("p", "q"):
        done = smalt("job", "create", "-f", str(tmp_path / "pipe.yml"), "-n", name, "--stream")
        assert done.code == 0, done.err
    assert "4/4 trials, 1 failed, best 1 (trial_1)" in done.err
    assert done.err.count("trial_0") <= 2  # as the best of the first tenths
    assert done.err.splitlines()[-1].endswith("(1 Completed)")

    (shown,) = json.loads(smalt("job", "show", "p").out)["steps"]
    assert shown["trials"]["counts"] == {"Completed": 3, "Failed": 1}
    rows = json.loads(smalt("job", "compare", "p", "q").out)
    assert not [row for row in rows if "trial_" in row["name"]]
    assert smalt("job", "download", "p", "--all", "-p", str(tmp_path / "files")).code == 0
    assert {file for file in files(tmp_path / "files") if file.startswith("steps/")} == {
        "steps/tune/artifacts/user_logs/std_log.txt",
        "steps/tune/hd-artifacts/system_logs/smalt.log",
        "steps/tune/named-outputs/model/x",
    }
