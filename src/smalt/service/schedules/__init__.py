"""Schedules: when they have ticks, and the job of each tick.

A tick is a row before its job is made, with the job's name: so each has one job, whatever is killed when. The job
is accepted as one of `PUT …/jobs/NAME` is; there is no second engine.
"""

from smalt.service.schedules.scheduler import Scheduler as Scheduler
