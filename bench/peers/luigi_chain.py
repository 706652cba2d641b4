"""A chain of processes as Luigi tasks, in process, with its local scheduler."""

import logging
import subprocess
import sys
import time

import luigi

logging.disable(logging.CRITICAL)
count = int(sys.argv[1])
done = set()


class Step(luigi.Task):
    number = luigi.IntParameter()

    def requires(self):
        return Step(self.number - 1) if self.number else []

    def complete(self):
        return self.number in done

    def run(self):
        subprocess.run(["bash", "-c", "true"], check=True)
        done.add(self.number)


sys.setrecursionlimit(100_000)
began = time.perf_counter()
assert luigi.build([Step(count - 1)], local_scheduler=True, no_lock=True, log_level="CRITICAL")
print(time.perf_counter() - began)
