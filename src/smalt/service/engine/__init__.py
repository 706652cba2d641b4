"""The engine takes an accepted job to its end: it plans, schedules, starts and settles.

`engine.py` is the state machine and `kinds/` says what each type of job is made of; running a process belongs to
`service/compute`, the rows to `service/records`. docs/internals/state-machine.md has the states and who moves a job
between them.
"""

from smalt.service.engine.engine import Engine

__all__ = ["Engine"]
