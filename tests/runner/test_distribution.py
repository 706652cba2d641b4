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

from smalt.runner.distribution import PROGRAM
from tests.helpers import LONGEST, eventually


def start(plan: dict[str, Any], python: str = sys.executable, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, "-I", "-S", PROGRAM, json.dumps(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def run(plan: dict[str, Any], **environment: str) -> tuple[int, str, str]:
    process = start(plan, **environment)
    try:
        out, err = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    return process.returncode, out, err


def make_environment(folder: Path, *packages: str) -> Path:
    """Make an environment with the packages; return the folder of its commands."""
    from uv import find_uv_bin

    uv = find_uv_bin()
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", folder / "venv" / "bin" / "python", *packages], check=True)
    return folder / "venv" / "bin"


def log(folder: Path, rank: int) -> str:
    return (folder / f"std_log_process_{rank:02d}.txt").read_text()


def plan(kind: str, command: str, folder: Path, nodes: int = 1, per_node: int = 1) -> dict[str, Any]:
    return {
        "type": kind, "command": command, "logs": str(folder), "is_contained": False, "nodes": nodes,
        "per_node": per_node,
    }  # fmt: skip


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
    assert [line for line in out.splitlines(keepends=True) if line[0] != "["] == [log(tmp_path, 0)]
    assert sorted(line for line in out.splitlines() if line[0] == "[") == [
        f"[rank {rank}] {log(tmp_path, rank).rstrip()}" for rank in (1, 2, 3)
    ]


def test_what_processes_print_is_merged_by_lines(tmp_path: Path) -> None:
    """No line is mixed with another's, a last one without an end has one, and each log has the bytes as printed."""
    command = "for i in {1..300}; do printf a$RANK; printf 'b\\n'; done; printf end"
    code, out, _ = run(plan("pytorch", command, tmp_path, 1, 4))
    assert code == 0
    assert [line for line in out.splitlines() if line[0] != "["] == ["a0b"] * 300 + ["end"]
    for rank in (1, 2, 3):
        assert log(tmp_path, rank) == f"a{rank}b\n" * 300 + "end"
        assert out.count(f"[rank {rank}] a{rank}b\n") == 300
        assert out.count(f"[rank {rank}] end\n") == 1


def test_all_processes_start_or_none(tmp_path: Path) -> None:
    """A process that cannot be started ends those before it."""
    (tmp_path / "std_log_process_01.txt").mkdir()
    code, out, err = run(plan("pytorch", "exec sleep 1000", tmp_path, 1, 3))
    assert (code, out, err) == (1, "", "process 1 could not be started: Is a directory; ending the others\n")


def test_mpi_processes_know_their_place(tmp_path: Path) -> None:
    """Open MPI's variables, and the service's name of the first machine."""
    command = (
        "echo $OMPI_COMM_WORLD_RANK $OMPI_COMM_WORLD_SIZE $OMPI_COMM_WORLD_LOCAL_RANK "
        "$OMPI_COMM_WORLD_LOCAL_SIZE $AZ_BATCHAI_MPI_MASTER_NODE"
    )
    path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if not Path(each, "mpirun").exists())
    code, _, err = run(plan("mpi", command, tmp_path, 2, 1), PATH=path)
    assert code == 0
    assert err.startswith("the environment has no mpirun: the processes have the variables of Open MPI and cannot")
    assert [log(tmp_path, rank) for rank in range(2)] == ["0 2 0 1 127.0.0.1\n", "1 2 0 1 127.0.0.1\n"]


@pytest.fixture(scope="module")
def mpi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment with Open MPI."""
    return make_environment(tmp_path_factory.mktemp("mpi"), "openmpi>=5,<6", "mpi4py>=4,<5")


@pytest.mark.integration
def test_mpi_processes_exchange_messages(tmp_path: Path, mpi: Path) -> None:
    """mpirun of the environment starts them, each knows its place, and each has a log of its own."""
    program = "from mpi4py import MPI; import os; world = MPI.COMM_WORLD; " + (
        "print(world.rank, world.size, world.allreduce(world.rank), os.environ['OMPI_COMM_WORLD_LOCAL_RANK'])"
    )
    code, out, err = run(plan("mpi", f'python -c "{program}"', tmp_path, 2, 2), PATH=f"{mpi}:{os.environ['PATH']}")
    assert (code, err) == (0, "")
    assert [log(tmp_path, rank) for rank in range(4)] == ["0 4 6 0\n", "1 4 6 1\n", "2 4 6 0\n", "3 4 6 1\n"]
    assert sorted(out.splitlines()) == ["0 4 6 0", *(f"[rank {rank}] {rank} 4 6 {rank % 2}" for rank in (1, 2, 3))]


@pytest.mark.integration
def test_an_mpi_process_that_fails_ends_the_others(tmp_path: Path, mpi: Path) -> None:
    """The one that failed is named, and its exit code is that of all."""
    command = "[ $OMPI_COMM_WORLD_RANK = 1 ] || exec sleep 1000; exit 7"
    code, _, err = run(plan("mpi", command, tmp_path, 1, 3), PATH=f"{mpi}:{os.environ['PATH']}")
    assert code == 7
    assert "process 1 ended with exit code 7" in err


@pytest.mark.integration
def test_a_stop_reaches_every_mpi_process(tmp_path: Path, mpi: Path) -> None:
    """SIGTERM is passed on by mpirun, and nothing is left running."""
    command = f"echo $$ >{tmp_path}/pid.$OMPI_COMM_WORLD_RANK; exec sleep 1000"
    process = start(plan("mpi", command, tmp_path, 1, 2), PATH=f"{mpi}:{os.environ['PATH']}")
    pids = [tmp_path / f"pid.{rank}" for rank in (0, 1)]
    eventually(lambda: all(each.exists() and each.read_text() for each in pids), "both processes")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONGEST)
    assert process.returncode == 128 + signal.SIGTERM
    left = [Path("/proc", each.read_text().strip()) for each in pids]
    eventually(lambda: not any(each.exists() for each in left), "the end of both")


@pytest.mark.integration
def test_a_ray_job_has_a_cluster_of_its_own(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As many nodes as instances join it, the command finds it, and it ends with the command."""
    before = set(Path("/tmp").glob("ray-*/session_latest"))
    ray = make_environment(tmp_path_factory.mktemp("ray"), "ray[default]>=2.54,<3")
    program = "import ray; ray.init(log_to_driver=False); " + (
        "print(len(ray.nodes()), ray.get(ray.remote(lambda: 6 * 7).remote()), flush=True)"
    )
    fields = ("address", "port", "include_dashboard", "dashboard_port", "head_arguments", "worker_arguments")
    cluster = {**plan("ray", f'python -c "{program}"', tmp_path, 2), **dict.fromkeys(fields)}
    code, out, err = run(cluster, PATH=f"{ray}:{os.environ['PATH']}")
    assert (code, out.splitlines()[-1:]) == (0, ["2 42"]), out + err + (tmp_path / "ray_node_00.txt").read_text()
    assert set(Path("/tmp").glob("ray-*/session_latest")) <= before


def test_tensorflow_workers_share_a_cluster(tmp_path: Path) -> None:
    """Each has TF_CONFIG with its task; parameter servers are ended when the workers are done."""
    server = tmp_path / "std_log_process_02.txt"
    command = (
        """echo $TF_CONFIG; [[ $TF_CONFIG == *'"ps", "index"'* ]] && exec sleep 1000; """
        f"until [ -s {server} ]; do sleep 0.01; done"
    )
    tensorflow = {"type": "tensorflow", "command": command, "logs": str(tmp_path), "workers": 2, "parameter_servers": 1}
    tensorflow["is_contained"] = False
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
    """Its exit code is that of all, and what it printed is shown."""
    command = "[ $RANK = 2 ] || exec sleep 1000; echo oops; exit 7"
    code, out, err = run(plan("pytorch", command, tmp_path, 3, 1))
    assert (code, out) == (7, "[rank 2] oops\n")
    assert err == "process 2 ended with exit code 7; ending the others\n"


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
    process.communicate(timeout=LONGEST)
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
    out, err = process.communicate(timeout=LONGEST)
    if "not found" in err or "not installed" in err:  # pyenv's stand-in for a version that is not there
        pytest.skip("needs Python 3.8")
    assert (process.returncode, sorted(out.splitlines()), err) == (0, ["0", "[rank 1] 1"], "")
