"""The environment variables by which each process of a distributed command finds the others."""

from __future__ import annotations

import json
import os
from typing import Any

from smalt.machine.ports import find_free_ports


def make_environments(plan: dict[str, Any]) -> tuple[list[dict[str, str]], int]:
    """Return the environment of each process, and how many of the processes the command waits for."""
    kind = plan["type"]
    if kind == "tensorflow":
        return _make_tensorflow(plan["workers"], plan.get("parameter_servers") or 0)
    port, count = find_port(), plan["nodes"] * plan["per_node"]
    return [make_environment(plan, rank, port) for rank in range(count)], count


def make_environment(plan: dict[str, Any], rank: int, port: str) -> dict[str, str]:
    """Return the environment of one process; `port` is the one at which process 0 may be found."""
    nodes, per_node = plan["nodes"], plan["per_node"]
    node, local = divmod(rank, per_node)
    own: dict[str, str] = {}
    if plan["type"] == "pytorch":
        own = _make_pytorch(rank, node, local, nodes, per_node, port)
    elif plan["type"] in ("mpi", "mpi-rank"):
        own = _make_mpi(rank, node, local, nodes, per_node)
    return {**_make_azure(node, nodes, port), **_split_devices(node, nodes, per_node), **own}


def find_port() -> str:
    """Return a port that nobody listens on now."""
    return str(find_free_ports(1)[0])


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
