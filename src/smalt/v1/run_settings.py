"""The parts of a run configuration: containers, distributions, history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect


class DockerConfiguration:
    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: Sequence[str] = [],  # v1's own default; it is copied
        shm_size: str | None = None,
    ) -> None:
        if not shared_volumes:
            tell_no_effect(
                "DockerConfiguration", {"shared_volumes": "False"}, "a job's folders are always shared with it"
            )
        self.use_docker, self.shared_volumes, self.shm_size = use_docker, shared_volumes, shm_size
        self.arguments = list(arguments)


class MpiConfiguration:
    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        check_count("MpiConfiguration", "process_count_per_node", process_count_per_node)
        check_count("MpiConfiguration", "node_count", node_count)
        self.process_count_per_node, self.node_count = process_count_per_node, node_count


class PyTorchConfiguration:
    """`process_count` is that of all nodes; `node_count` processes by default."""

    def __init__(
        self, communication_backend: str = "Nccl", process_count: int | None = None, node_count: int = 1
    ) -> None:
        check_count("PyTorchConfiguration", "node_count", node_count)
        if process_count is not None:
            check_count("PyTorchConfiguration", "process_count", process_count)
            if process_count % node_count:
                raise UserErrorException(
                    f"PyTorchConfiguration: process_count {process_count} is not a multiple of node_count {node_count}"
                )
        self.communication_backend, self.node_count = communication_backend, node_count
        self.process_count = process_count


class TensorflowConfiguration:
    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        check_count("TensorflowConfiguration", "worker_count", worker_count)
        if parameter_server_count < 0:
            raise UserErrorException("TensorflowConfiguration: parameter_server_count is a number from 0 on")
        self.worker_count, self.parameter_server_count = worker_count, parameter_server_count


class ParallelTaskConfiguration:
    def __init__(
        self,
        max_retries_per_worker: int = 0,
        worker_count_per_node: int = 1,
        terminal_exit_codes: Sequence[int] | None = None,
        configuration: Any = None,
    ) -> None:
        raise UserErrorException(
            "ParallelTaskConfiguration is not served: make the tasks a ParallelRunStep, or in v2 a parallel step"
        )


class HistoryConfiguration:
    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]


class SparkConfiguration:
    def __init__(self) -> None:
        self.configuration: dict[str, str] = {}


class DataReferences(dict[str, Any]):
    """Data of a run configuration, by name."""


def check_count(owner: str, name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserErrorException(f"{owner}: {name} is a whole number from 1 on, not {value!r}")
