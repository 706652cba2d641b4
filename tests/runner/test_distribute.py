"""A distributed command as processes on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt.runner import distribute
from tests.helpers import eventually


def start(plan: dict[str, Any], python: str = sys.executable, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, "-I", "-S", distribute.__file__, json.dumps(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def run(plan: dict[str, Any], **environment: str) -> tuple[int, str, str]:
    process = start(plan, **environment)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


def log(folder: Path, rank: int) -> str:
    return (folder / f"std_log_process_{rank:02d}.txt").read_text()


def plan(kind: str, command: str, folder: Path, nodes: int = 1, per_node: int = 1) -> dict[str, Any]:
    return {"type": kind, "command": command, "logs": str(folder), "nodes": nodes, "per_node": per_node}


def test_pytorch_processes_know_their_place(tmp_path: Path) -> None:
    """Rank, world, node and a common address, as torch.distributed reads them."""
    command = (
        "echo $RANK $LOCAL_RANK $NODE_RANK $WORLD_SIZE $LOCAL_WORLD_SIZE $MASTER_ADDR $AZUREML_NODE_COUNT $MASTER_PORT"
    )
    code, out, err = run(plan("pytorch", command, tmp_path, 2, 2))
    assert (code, err) == (0, "")
    lines = [log(tmp_path, rank).split() for rank in range(4)]
    assert [line[:3] for line in lines] == [["0", "0", "0"], ["1", "1", "0"], ["2", "0", "1"], ["3", "1", "1"]]
    assert {tuple(line[3:7]) for line in lines} == {("4", "2", "127.0.0.1", "2")}
    assert len({line[7] for line in lines}) == 1
    assert out == log(tmp_path, 0)


def test_mpi_processes_know_their_place(tmp_path: Path) -> None:
    """Open MPI's variables, and the service's name of the first machine."""
    command = (
        "echo $OMPI_COMM_WORLD_RANK $OMPI_COMM_WORLD_SIZE $OMPI_COMM_WORLD_LOCAL_RANK "
        "$OMPI_COMM_WORLD_LOCAL_SIZE $AZ_BATCHAI_MPI_MASTER_NODE"
    )
    assert run(plan("mpi", command, tmp_path, 2, 1))[0] == 0
    assert [log(tmp_path, rank) for rank in range(2)] == ["0 2 0 1 127.0.0.1\n", "1 2 0 1 127.0.0.1\n"]


def test_tensorflow_workers_share_a_cluster(tmp_path: Path) -> None:
    """Each has TF_CONFIG with its task; parameter servers are ended when the workers are done."""
    server = tmp_path / "std_log_process_02.txt"
    command = (
        """echo $TF_CONFIG; [[ $TF_CONFIG == *'"ps", "index"'* ]] && exec sleep 1000; """
        f"until [ -s {server} ]; do sleep 0.01; done"
    )
    tensorflow = {"type": "tensorflow", "command": command, "logs": str(tmp_path), "workers": 2, "parameter_servers": 1}
    assert run(tensorflow)[0] == 0
    configs = [json.loads(log(tmp_path, rank)) for rank in range(3)]
    assert [config["task"] for config in configs] == [
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
        {"type": "ps", "index": 0},
    ]
    hosts = [*configs[0]["cluster"]["worker"], *configs[0]["cluster"]["ps"]]
    assert len(set(hosts)) == 3
    assert all(config["cluster"] == configs[0]["cluster"] for config in configs)


def test_the_first_to_fail_ends_the_others(tmp_path: Path) -> None:
    """Its exit code is that of all, and the end of its log is shown."""
    command = "[ $RANK = 2 ] || exec sleep 1000; echo oops; exit 7"
    code, out, err = run(plan("pytorch", command, tmp_path, 3, 1))
    assert (code, out) == (7, "")
    assert err == "process 2 ended with exit code 7; ending the others. The end of its log:\noops\n"


def test_a_process_that_is_killed_fails_the_command(tmp_path: Path) -> None:
    """A signal counts as 128 and its number."""
    assert run(plan("pytorch", "kill -9 $$", tmp_path))[0] == 137


def test_a_stop_reaches_every_process(tmp_path: Path) -> None:
    """SIGTERM is passed on; what they save is saved."""
    command = f"trap 'echo saved >{tmp_path}/saved.$RANK; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    process = start(plan("pytorch", command, tmp_path, 1, 2))
    logs = [tmp_path / f"std_log_process_0{rank}.txt" for rank in (0, 1)]
    eventually(lambda: all(each.exists() and each.read_text() for each in logs), "both processes")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert (tmp_path / "saved.0").exists()
    assert (tmp_path / "saved.1").exists()


def test_each_machine_has_its_own_gpus(tmp_path: Path) -> None:
    """Enough GPUs are shared out, as if each machine had its own; too few are seen by all."""
    two = plan("pytorch", "echo $CUDA_VISIBLE_DEVICES", tmp_path, 2, 1)
    run(two, CUDA_VISIBLE_DEVICES="0,1,2,3")
    assert [log(tmp_path, rank) for rank in (0, 1)] == ["0,1\n", "2,3\n"]
    run(two, CUDA_VISIBLE_DEVICES="5")
    assert [log(tmp_path, rank).splitlines()[-1] for rank in (0, 1)] == ["5", "5"]


@pytest.mark.skipif(shutil.which("python3.8") is None, reason="needs Python 3.8")
def test_it_runs_on_python_3_8(tmp_path: Path) -> None:
    """The oldest Python that a machine beside the job may have."""
    process = start(plan("pytorch", "echo $RANK", tmp_path, 1, 2), python="python3.8")
    out, err = process.communicate(timeout=60)
    if "not found" in err or "not installed" in err:  # pyenv's stand-in for a version that is not there
        pytest.skip("needs Python 3.8")
    assert (process.returncode, out, err) == (0, "0\n", "")
