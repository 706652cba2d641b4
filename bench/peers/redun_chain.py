"""A chain of processes as redun tasks, with its SQLite database."""

import logging
import subprocess
import sys
import time

from redun import Scheduler, task
from redun.config import Config

logging.disable(logging.CRITICAL)
redun_namespace = "bench"
count = int(sys.argv[1])


@task(executor="default")
def step(before, number):
    subprocess.run(["bash", "-c", "true"], check=True)
    return number


@task()
def chain(count):
    last = 0
    for number in range(count):
        last = step(last, number)
    return last


sys.setrecursionlimit(100_000)
scheduler = Scheduler(
    config=Config(
        {"backend": {"db_uri": "sqlite:///redun.db"}, "executors.default": {"type": "local", "max_workers": "2"}}
    )
)
scheduler.load()
began = time.perf_counter()
scheduler.run(chain(count))
print(time.perf_counter() - began)
