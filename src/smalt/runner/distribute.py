"""A distributed command as processes on this machine: `python distribute.py '<JSON>'`. Python 3.8 or newer, by path.

The JSON: command, type (pytorch, mpi, tensorflow), nodes, per_node; tensorflow: workers, parameter_servers;
logs, a folder for each process's own log. Process 0 writes to our stdout too. The first to fail ends the others, and
its exit code is ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

GRACE = 10.0
TAIL = 20  # lines of a failing process's log that are shown


class ProcessGroup:
    """The processes of one command, by rank."""

    def __init__(self, command: str, logs: str | None) -> None:
        self._command = command
        self._logs = logs
        self._ranks: dict[int, int] = {}
        # Kept, though never asked: one that is forgotten would be reaped by the subprocess module, not by us.
        self._processes: list[Any] = []
        self._kept: list[subprocess.Popen[bytes]] = []  # one that is let go is reaped by the next Popen, its code lost
        self._ending = False
        self._was_stopped = False
        self._echo: threading.Thread | None = None

    def run_all(self, environments: list[dict[str, str]], essential: int) -> int:
        """Start one process for each; wait for the first `essential` of them, then end the rest."""
        signal.signal(signal.SIGTERM, self._handle_stop)
        for rank, environment in enumerate(environments):
            self._start_process(rank, environment)
        if self._ending:  # told so while we were starting them
            self._send_signal(signal.SIGTERM)
        code = 0
        waiting = set(range(essential))
        while self._ranks:
            pid, status = os.waitpid(-1, 0)
            if pid not in self._ranks:
                continue
            rank = self._ranks.pop(pid)
            waiting.discard(rank)
            ended = _to_exit_code(status)
            if ended and not self._ending:
                code = ended
                self._explain_failure(rank, ended)
                self.end_all()
            elif not waiting:
                self.end_all()
        if self._echo is not None:
            self._echo.join(1.0)
        return 128 + signal.SIGTERM if self._was_stopped else code

    def end_all(self) -> None:
        if self._ending:
            return
        self._ending = True
        self._send_signal(signal.SIGTERM)
        timer = threading.Timer(GRACE, self._send_signal, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()

    def _handle_stop(self, *_: Any) -> None:
        self._was_stopped = True
        self.end_all()

    def _send_signal(self, number: int) -> None:
        for pid in list(self._ranks):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    def _start_process(self, rank: int, environment: dict[str, str]) -> None:
        log = os.open(self._get_log_path(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        source = target = log
        if rank == 0:
            source, target = os.pipe()
        process = subprocess.Popen(
            ["bash", "--norc", "-c", self._command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._ranks[process.pid] = rank
        self._processes.append(process)
        self._kept.append(process)
        os.close(target)
        if rank == 0:
            self._echo = threading.Thread(target=_copy_output, args=(source, log, 1), daemon=True)
            self._echo.start()

    def _get_log_path(self, rank: int) -> str:
        return os.path.join(self._logs, f"std_log_process_{rank:02d}.txt") if self._logs else os.devnull

    def _explain_failure(self, rank: int, code: int) -> None:
        if rank == 0:
            write_line(f"process 0 ended with exit code {code}; ending the others")
            return
        write_line(f"process {rank} ended with exit code {code}; ending the others. The end of its log:")
        with contextlib.suppress(OSError), open(self._get_log_path(rank), errors="replace") as file:
            for line in file.readlines()[-TAIL:]:
                write_line(line.rstrip("\n"))


def make_environments(plan: dict[str, Any]) -> tuple[list[dict[str, str]], int]:
    """Return the environment of each process, and how many of the processes the command waits for."""
    kind = plan["type"]
    if kind == "tensorflow":
        return _make_tensorflow(plan["workers"], plan.get("parameter_servers") or 0)
    nodes, per_node = plan["nodes"], plan["per_node"]
    port = str(find_free_ports(1)[0])
    result = []
    for rank in range(nodes * per_node):
        node, local = divmod(rank, per_node)
        environment = _make_pytorch(rank, node, local, nodes, per_node, port)
        if kind == "mpi":
            environment = _make_mpi(rank, node, local, nodes, per_node)
        result.append({**_make_azure(node, nodes, port), **_split_devices(node, nodes, per_node), **environment})
    return result, len(result)


def find_free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _make_pytorch(rank: int, node: int, local: int, nodes: int, per_node: int, port: str) -> dict[str, str]:
    return {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": str(nodes * per_node),
        "RANK": str(rank),
        "NODE_RANK": str(node),
        "LOCAL_RANK": str(local),
        "LOCAL_WORLD_SIZE": str(per_node),
    }


def _make_mpi(rank: int, node: int, local: int, nodes: int, per_node: int) -> dict[str, str]:
    return {
        "OMPI_COMM_WORLD_RANK": str(rank),
        "OMPI_COMM_WORLD_SIZE": str(nodes * per_node),
        "OMPI_COMM_WORLD_LOCAL_RANK": str(local),
        "OMPI_COMM_WORLD_LOCAL_SIZE": str(per_node),
        "OMPI_COMM_WORLD_NODE_RANK": str(local),
        "OMPI_UNIVERSE_SIZE": str(nodes * per_node),
    }


def _make_tensorflow(workers: int, servers: int) -> tuple[list[dict[str, str]], int]:
    hosts = [f"127.0.0.1:{port}" for port in find_free_ports(workers + servers)]
    cluster = {"worker": hosts[:workers]}
    if servers:
        cluster["ps"] = hosts[workers:]
    tasks = [("worker", index) for index in range(workers)] + [("ps", index) for index in range(servers)]
    result = []
    for rank, (kind, index) in enumerate(tasks):
        task = {"type": kind, "index": index}
        config = {"cluster": cluster, "task": task, "environment": "cloud"}
        nodes = len(tasks)
        azure = _make_azure(rank, nodes, hosts[0].rpartition(":")[2])
        result.append({**azure, **_split_devices(rank, nodes, 1), "TF_CONFIG": json.dumps(config)})
    return result, workers


def _make_azure(node: int, nodes: int, port: str) -> dict[str, str]:
    """Return the variables that the service sets for every kind of distribution."""
    return {
        "AZUREML_NODE_COUNT": str(nodes),
        "AZ_BATCH_HOST_LIST": ",".join(["127.0.0.1"] * nodes),
        "AZ_BATCH_MASTER_NODE": f"127.0.0.1:{port}",
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "true" if node == 0 else "false",
        "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
        "AZ_BATCHAI_JOB_MASTER_NODE_IP": "127.0.0.1",
    }


def _split_devices(node: int, nodes: int, per_node: int) -> dict[str, str]:
    """Each node its own GPUs, as on the service; where there are too few, all see all."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    devices = [device for device in visible.split(",") if device]
    if nodes < 2 or len(devices) < nodes * per_node:
        return {}
    share = len(devices) // nodes
    return {"CUDA_VISIBLE_DEVICES": ",".join(devices[node * share : (node + 1) * share])}


def _copy_output(source: int, *targets: int) -> None:
    while True:
        try:
            data = os.read(source, 1 << 16)
        except OSError:
            return
        if not data:
            return
        for target in targets:
            with contextlib.suppress(OSError):
                _write_data(target, data)


def _write_data(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _to_exit_code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def write_line(line: str) -> None:
    _write_data(2, f"{line}\n".encode("utf-8", "replace"))


def main() -> int:
    plan = json.loads(sys.argv[1])
    if plan.get("logs"):
        os.makedirs(plan["logs"], exist_ok=True)
    each, essential = make_environments(plan)
    return ProcessGroup(plan["command"], plan.get("logs")).run_all(each, essential)


if __name__ == "__main__":
    sys.exit(main())
