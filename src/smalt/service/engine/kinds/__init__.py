"""One module per job type: how its entity becomes steps.

A leaf kind (`command`) becomes one step on a compute. A composite kind (`pipeline`) makes child jobs and nothing
else. A type that is absent here is read and validated everywhere, and does not run: of `KEPT` a job is recorded, as
Azure's clients expect, and has failed at once; of the others it is refused at submission.
"""

from smalt.service.engine.kinds import command, pipeline

LEAVES = {"command": command}
COMPOSITES = {"pipeline": pipeline}
TYPES = (*LEAVES, *COMPOSITES)
KEPT = ("sweep", "automl", "spark")
