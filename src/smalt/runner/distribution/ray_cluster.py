"""Ray: a cluster of the job's own on this machine, as long as its command runs."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from typing import Any

from smalt.machine.ports import find_free_ports
from smalt.runner.distribution import variables
from smalt.runner.distribution.output import write_line
from smalt.runner.distribution.process_group import GRACE, ProcessGroup

_PATIENCE = 120.0
"""Seconds in which the nodes of a cluster start, on a busy machine."""
_STARTED = b"Ray runtime started."
"""The line that `ray start` prints when its node is part of the cluster; `ray health-check` takes seconds each time."""


def run_beside_cluster(plan: dict[str, Any]) -> int:
    """Run the command beside a cluster of as many nodes as the job has instances; return its exit code."""
    ray = None if plan["is_contained"] else shutil.which("ray")
    if plan["address"] or ray is None:
        if not plan["address"]:
            where = "its container" if plan["is_contained"] else "its environment, which has no ray on its PATH"
            write_line(f"no Ray cluster is started for the command: smalt starts none for {where}")
        return _run_command(plan, plan["address"])
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # a longer path would not do for its Unix sockets
    cluster = _Cluster(ray, plan, folder)
    try:
        return _run_command(plan, cluster.address) if cluster.start_nodes() else cluster.exit_code
    finally:
        cluster.end_nodes()
        shutil.rmtree(folder, ignore_errors=True)


def _run_command(plan: dict[str, Any], address: str | None) -> int:
    environment = variables.make_environment({**plan, "per_node": 1}, 0, variables.find_port())
    if address:
        environment["RAY_ADDRESS"] = address
    return ProcessGroup(plan["command"], plan["logs"]).run_all([environment], 1)


class _Cluster:
    """The nodes of a cluster: a head, and workers that join it."""

    def __init__(self, ray: str, plan: dict[str, Any], folder: str) -> None:
        self._ray = ray
        self._plan = plan
        self._folder = folder
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._is_stopped = False
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # others on this machine are kept out; older versions ignore it
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        self._port = str(plan["port"] or variables.find_port())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def exit_code(self) -> int:
        """The exit code of a job whose command is not run."""
        return 128 + signal.SIGTERM if self._is_stopped else 1

    def start_nodes(self) -> bool:
        """Start the head, then the workers; return False if one does not start, or if the job is to stop."""
        signal.signal(signal.SIGTERM, self._handle_stop)
        plan = self._plan
        client, agent = find_free_ports(2)
        dashboard = ["--include-dashboard=true"] if plan["include_dashboard"] else ["--include-dashboard=false"]
        if plan["dashboard_port"]:
            dashboard.append(f"--dashboard-port={plan['dashboard_port']}")
        self._start_node(
            "--head", f"--port={self._port}", f"--ray-client-server-port={client}",
            f"--dashboard-agent-listen-port={agent}", f"--temp-dir={self._folder}", *dashboard,
            *shlex.split(plan["head_arguments"] or ""),
        )  # fmt: skip
        if not self._wait_for_nodes():
            return False
        for _ in range(plan["nodes"] - 1):
            self._start_node(
                f"--address={self.address}", f"--dashboard-agent-listen-port={variables.find_port()}",
                *shlex.split(plan["worker_arguments"] or ""),
            )  # fmt: skip
        return self._wait_for_nodes()

    def end_nodes(self) -> None:
        for node in self._nodes:
            node.terminate()
        deadline = time.monotonic() + GRACE
        for node in self._nodes:
            try:
                node.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(node.pid, signal.SIGKILL)
                node.wait()

    def _start_node(self, *arguments: str) -> None:
        command = [self._ray, "start", "--block", "--disable-usage-stats", *arguments]
        with open(self._get_log_path(len(self._nodes)), "wb") as log:
            node = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._nodes.append(node)

    def _wait_for_nodes(self) -> bool:
        """Wait until all nodes are part of the cluster; return False if one ends, or if the job is to stop."""
        deadline = time.monotonic() + _PATIENCE
        starting = list(range(len(self._nodes)))
        while starting and not self._is_stopped:
            number = starting[0]
            with open(self._get_log_path(number), "rb") as log:
                if _STARTED in log.read():
                    starting.pop(0)
                    continue
            if time.monotonic() > deadline or self._nodes[number].poll() is not None:
                write_line(
                    f"node {number} of the Ray cluster did not start; its log is user_logs/ray_node_{number:02d}.txt"
                )
                return False
            time.sleep(0.05)
        return not self._is_stopped

    def _get_log_path(self, number: int) -> str:
        return os.path.join(self._plan["logs"] or self._folder, f"ray_node_{number:02d}.txt")

    def _handle_stop(self, *_: Any) -> None:
        self._is_stopped = True
