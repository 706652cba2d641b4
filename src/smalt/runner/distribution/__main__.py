"""A distributed command as processes on this machine: `python -I -S …/distribution/__main__.py PLAN`, by path.

The plan is JSON: `command`; `type` (pytorch, mpi, tensorflow, ray); `logs`, a folder for each process's own log;
`nodes` and `per_node`, or `workers` and `parameter_servers` of tensorflow; `is_contained`, true if each process is a
container; what a Ray cluster needs: `ray_cluster`.
"""

from __future__ import annotations

import json
import os
import sys

if __package__ in (None, ""):
    sys.path[:0] = [os.path.abspath(__file__ + "/../../../..")]

from smalt.runner.distribution import mpi, ray_cluster, variables
from smalt.runner.distribution.process_group import ProcessGroup


def main(text: str) -> int:
    plan = json.loads(text)
    if plan["logs"]:
        os.makedirs(plan["logs"], exist_ok=True)
    if plan["type"] == mpi.RANK:
        return mpi.run_rank(plan)
    if plan["type"] == "mpi" and (mpirun := mpi.find_mpirun(plan)):
        return mpi.run_all(mpirun, plan, __file__)
    if plan["type"] == "ray":
        return ray_cluster.run_beside_cluster(plan)
    environments, essential = variables.make_environments(plan)
    return ProcessGroup(plan["command"], plan["logs"]).run_all(environments, essential)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
