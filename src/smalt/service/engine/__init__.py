"""From an accepted job to a finished one: accept, plan, schedule, run, settle.

`engine.py` is the state machine; `kinds/` says what each type of job is made of; `recovery.py` settles what a
crash left. docs/internals/state-machine.md has the states and who moves a job between them.
"""

from smalt.service.engine.engine import Engine

__all__ = ["Engine"]
