"""The reasons why a job has not started, in words."""

from __future__ import annotations

from smalt.service.engine.queues import Queues, RunnerQueue
from smalt.service.engine.slots import SlotRequest
from smalt.service.records import job_needs, jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_MOST = 3
"""As many names as a sentence lists."""
LOG_SAYS_MORE = "; its log says more"


def describe_wait(db: Database, queues: Queues, job: Job) -> str:
    """Return what the job, which is not running, waits for; "" for one that is being started."""
    if job.waiting:
        return describe_needs(db, job)
    run = queues.runs.get(job.id)
    if run is not None and run.task is not None:
        unready = "its environment, which is" if run.environment is None else "its inputs, which are"
        return f"{unready} being made ready{LOG_SAYS_MORE}"
    if job.is_composite:
        return "its steps, which are being planned"
    queue = queues.find_queue(job)
    slots, where = queue.slots, "" if queue is queues.local else f" on compute '{queue.name}'"
    if queue.queues_by_itself:
        return f"its turn in the queue of compute '{queue.name}'"
    if run is not None and run.grant is not None:
        return ""
    blocker = queue.find_blocker() if run is None and slots.any_free else None
    if blocker is not None:
        return _describe_blocker(db, queues, queue, job, *blocker)
    if run is None and not slots.all_taken and slots.has_gpus and not slots.any_gpu_free:
        return f"a free GPU{where}; all {len(slots.gpus)} are taken"
    if not slots.any_free:
        taken = _list_holders(queues, queue)
        number = f"all {slots.cpus} are" if slots.cpus > 1 else "the only one is"
        return f"a free CPU{where}; {number} taken by {_listed(taken, len(taken))}"
    return f"its turn{where}"


def _describe_blocker(
    db: Database, queues: Queues, queue: RunnerQueue, job: Job, head_id: int, request: SlotRequest
) -> str:
    """Return what the job waits for while the head of its queue, perhaps itself, needs more slots than are free."""
    slots, where = queue.slots, "" if queue is queues.local else f" on compute '{queue.name}'"
    cpus, gpus = slots.cut_to_size(request)
    lacks_gpus = gpus > slots.free_gpus
    if not lacks_gpus and cpus <= slots.free_cpus:  # freed since it was refused
        return f"its turn{where}"
    if lacks_gpus:
        needed, free, all_ = gpus, slots.free_gpus, len(slots.gpus)
    else:
        needed, free, all_ = cpus, slots.free_cpus, slots.cpus
    unit = "GPU" if lacks_gpus else "CPU"
    words = f"{needed} free {unit}s{where}" if needed > 1 else f"a free {unit}{where}"
    if head_id == job.id and needed == 1:
        return f"{words}; all {all_} are taken"
    if head_id == job.id:
        taken = _list_holders(queues, queue)
        count = f"{free} of {all_} {'is' if free == 1 else 'are'} free"
        return f"{words}; {count}, the others are taken by {_listed(taken, len(taken))}"
    head = jobs.find_job(db, head_id)
    return f"its turn{where}; {'an earlier job' if head is None else head.name} is before it and waits for {words}"


def _list_holders(queues: Queues, queue: RunnerQueue) -> list[str]:
    runs = [one for one in queues.runs.values() if (one.queue or queues.local) is queue]
    return [one.job.name for one in runs if one.grant is not None]


def describe_needs(db: Database, job: Job) -> str:
    """Return the jobs that a job waits for, as `waiting` counts some."""
    if needed := job_needs.list_unfinished_needs(db, job, _MOST):
        return _listed([f"step '{node}' ({status})" for node, status in needed], job.waiting)
    return "one of the other iterations to end: only so many run at a time (max_concurrency)"


def _listed(names: list[str], number: int) -> str:
    more = f" and {number - _MOST} more" if number > _MOST else ""
    return ", ".join(names[:_MOST]) + more
