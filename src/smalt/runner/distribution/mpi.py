"""MPI: `mpirun` starts the processes where the job's environment has one, so that they can exchange messages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

from smalt.runner.distribution import variables
from smalt.runner.distribution.output import write_line
from smalt.runner.distribution.process_group import ProcessGroup

RANK = "mpi-rank"
"""The type of a plan for one process that mpirun has started."""
_RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
"""Open MPI; its later versions; MPICH and Intel MPI."""
_SETTINGS = {
    # As root, in a container for one; more processes than cores; none bound to a core: each has threads of its own.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}


def find_mpirun(plan: dict[str, Any]) -> str | None:
    """Return the path of mpirun; say in the log what its absence means if there is none."""
    found = None if plan["is_contained"] else shutil.which("mpirun") or shutil.which("mpiexec")
    if found is None:
        why = "each process is a container of its own" if plan["is_contained"] else "the environment has no mpirun"
        write_line(
            f"{why}: the processes have the variables of Open MPI and cannot exchange messages by MPI;"
            " for that, add a package with mpirun to the environment, such as 'openmpi'"
        )
    return found


def run_all(mpirun: str, plan: dict[str, Any], program: str) -> int:
    """Run the processes by mpirun; return its exit code."""
    each = json.dumps({**plan, "type": RANK, "port": variables.find_port()})
    count = plan["nodes"] * plan["per_node"]
    process = subprocess.Popen(
        [mpirun, "-np", str(count), sys.executable, "-I", "-S", program, each], env={**_SETTINGS, **os.environ}
    )
    was_stopped = []

    def pass_stop_on(*_: Any) -> None:
        was_stopped.append(True)
        process.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_stop_on)
    code = process.wait()
    return 128 + signal.SIGTERM if was_stopped else code if code >= 0 else 128 - code


def run_rank(plan: dict[str, Any]) -> int:
    """Run one process of those that mpirun has started."""
    rank = int(next(os.environ[name] for name in _RANK_VARIABLES if name in os.environ))
    environment = variables.make_environment(plan, rank, plan["port"])
    return ProcessGroup(plan["command"], plan["logs"]).run_all([environment], 1, rank)
