"""SIGKILL of the server, the launcher or both, at random moments, under invocations and ticks of schedules.

    python bench/kill_endpoints.py [MINUTES] [SEED]

Three callers invoke deployments of a pipeline and of a model, submit a published pipeline by SDK v1's REST API, and
trigger a schedule; each request has an id, is sent until it is answered, and often once more. Eight schedules are due
every minute, one of which invokes an endpoint; more kills fall around the minute than else. Each request must have made
one job, each minute of each schedule one tick with one job, each job must have completed, and each of its commands and
mini-batches run once. Exit code 1 when that does not hold.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import common
import killing

from smalt import MLClient, load_batch_deployment, load_component
from smalt.dsl.loading import load_schedule
from smalt.entities import BatchEndpoint
from smalt.entities.endpoints import published

SCHEDULES = 8
LONGEST_PAUSE = 5.0
"""The most seconds until the next kill, in which a server comes up."""
AROUND = 3.0
"""Seconds before and after a minute in which kills follow quickly."""
COMPONENT = """
type: pipeline
name: noting
version: "1"
jobs:
  note:
    type: command
    environment: azureml:host
    command: echo $AZUREML_RUN_ID >>{trace}
"""
SCRIPT = """
import os

def run(mini_batch):
    descriptor = os.open(os.environ["TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for path in mini_batch:
        os.write(descriptor, f"{os.environ['AZUREML_RUN_ID']} {os.path.basename(path)}\\n".encode())
    os.close(descriptor)
    return [os.path.basename(path) for path in mini_batch]
"""
PIPELINE = """
name: steps
endpoint_name: pipe
type: pipeline
component: azureml:noting:1
settings: {{force_rerun: true}}
"""
MODEL = """
name: scorer
endpoint_name: model
model: {{name: weights, path: weights.txt}}
code_configuration: {{code: code, scoring_script: score.py}}
environment: azureml:host
compute: cpu-cluster
settings: {{mini_batch_size: 1, environment_variables: {{TRACE: "{trace}.rows"}}}}
"""
JOB = "type: command\nenvironment: azureml:host\ncommand: echo $AZUREML_RUN_ID >>{trace}\n"
SCHEDULE = "name: {name}\ntrigger: {{type: cron, expression: '{expression}'}}\n{action}\n"
PUBLISHED = "5d1d7a3c-0000-4000-8000-000000000001"
FILES = 3


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 3
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"{minutes:g} minutes, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="smalt-kill-"))
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    test = KillTest(folder, seed)
    try:
        test.prepare()
        test.run(minutes * 60)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        test.problems += test.processes.left_behind()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(test.counts.items()))
    killed = ", ".join(f"{count} {name}" for name, count in sorted(test.processes.signalled.items()))
    print(f"{kinds}; {killed}; {len(test.problems)} problems")
    for problem in test.problems[:20]:
        print(" ", problem)
    if test.problems:
        print(f"see {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if test.problems else 0


class KillTest:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.processes = killing.Processes(folder)
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._trace = folder / "trace"
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._jobs: dict[str, set[str]] = {}
        """The names of the jobs in the answers to each request, by its kind and id."""
        self._first = self._last = 0.0
        """The time from which all schedules are on, and that until which they are."""

    def prepare(self) -> None:
        subprocess.run([*common.PROGRAM, "config", "set", "missed-ticks", "all"], check=True, capture_output=True)
        folder, client = self.folder, MLClient()
        for name in ("code", "data"):
            (folder / name).mkdir()
        texts = {
            "component.yml": COMPONENT, "pipeline.yml": PIPELINE, "model.yml": MODEL, "job.yml": JOB,
            "code/score.py": SCRIPT, "weights.txt": "1", **{f"data/{number}": "x" for number in range(FILES)},
        }  # fmt: skip
        for name, text in texts.items():
            (folder / name).write_text(text if name.startswith("code/") else text.format(trace=self._trace))
        client.components.create_or_update(load_component(folder / "component.yml"))
        for endpoint, file, deployment in (("pipe", "pipeline.yml", "steps"), ("model", "model.yml", "scorer")):
            client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=endpoint)).result()
            entity = load_batch_deployment(folder / file)
            if endpoint == "pipe":
                entity.properties = {published.PIPELINE: PUBLISHED, published.NAME: "noting"}
            client.batch_deployments.begin_create_or_update(entity).result()
            made = client.batch_endpoints.get(endpoint)
            made.defaults.deployment_name = deployment
            client.batch_endpoints.begin_create_or_update(made).result()
        for number in range(SCHEDULES):
            self._add_schedule(client, f"s{number}", "* * * * *", number == 0)
        self._add_schedule(client, "asked", "0 0 1 1 *")
        self._first = time.time()

    def _add_schedule(self, client: MLClient, name: str, expression: str, invokes: bool = False) -> None:
        action = "invoke_batch_endpoint: {endpoint_name: pipe}" if invokes else "create_job: ./job.yml"
        file = self.folder / f"{name}.yml"
        file.write_text(SCHEDULE.format(name=name, expression=expression, action=action))
        client.schedules.begin_create_or_update(load_schedule(file)).result()

    def run(self, seconds: float) -> None:
        callers = [threading.Thread(target=self._keep_calling, args=(index,)) for index in range(3)]
        for caller in callers:
            caller.start()
        chance, end = random.Random(f"{self._seed} killer"), time.monotonic() + seconds
        while time.monotonic() < end:
            self.processes.kill(chance.choice(["server", "server", "launcher", "both"]))
            is_near = abs((time.time() + 30) % 60 - 30) < AROUND
            time.sleep(chance.uniform(0.02, 0.8) if is_near else chance.uniform(0.05, LONGEST_PAUSE))
        self._over.set()
        for caller in callers:
            caller.join()
        client = MLClient()
        while not 10 < time.time() % 60 < 50:
            time.sleep(1)
        for number in range(SCHEDULES):
            killing.insist(lambda: client.schedules.begin_disable(f"s{number}").result())  # noqa: B023
        self._last = time.time()
        self._judge(client)

    def _keep_calling(self, index: int) -> None:
        chance, client = random.Random(f"{self._seed} {index}"), MLClient()
        calls: dict[str, Callable[[MLClient, str], str]] = {
            "pipeline": lambda client, id: self._invoke(client, id, "pipe", {}),
            "model": lambda client, id: self._invoke(client, id, "model", self._data),
            "published": self._submit_published,
            "trigger": self._trigger,
        }
        while not self._over.is_set():
            kind = chance.choice(list(calls))
            id = uuid.UUID(int=chance.getrandbits(128)).hex
            if kind == "trigger":  # its time is its id
                id = datetime.fromtimestamp(chance.randrange(1_000_000_000), timezone.utc).isoformat()
            for _ in range(chance.choice((1, 2))):
                name = killing.insist(lambda: calls[kind](client, id))  # noqa: B023
                with self._lock:
                    self._jobs.setdefault(f"{kind} {id}", set()).add(name)
            time.sleep(chance.uniform(0.1, 0.8))

    @property
    def _data(self) -> dict[str, Any]:
        return {"data": {"jobInputType": "UriFolder", "uri": f"file://{self.folder}/data"}}

    def _invoke(self, client: MLClient, id: str, endpoint: str, data: dict[str, Any]) -> str:
        path = f"{client.batch_endpoints._build_path(endpoint)}/jobs"
        headers = {"repeatability_request-id": id}
        return str(client.connection.request("POST", path, {"properties": {"inputData": data}}, headers)["name"])

    def _submit_published(self, client: MLClient, id: str) -> str:
        workspace = client.batch_endpoints._build_path("").partition("/batchEndpoints")[0]
        path = f"{published.ROUTE}{workspace}/PipelineRuns/PipelineSubmit/{PUBLISHED}"
        body, headers = {"ExperimentName": "published"}, {"repeatability_request-id": id}
        return str(client.connection.request("POST", path, body, headers)["Id"])

    def _trigger(self, client: MLClient, id: str) -> str:
        path = f"{client.schedules._build_path('asked')}/trigger"
        return str(client.connection.post(path, {"scheduleTime": id})["submissionId"])

    def _judge(self, client: MLClient) -> None:
        """Add what is not as it should be to the problems, and count what is."""
        answered = [(key.partition(" ")[0], names) for key, names in self._jobs.items()]
        self.counts.update(kind for kind, _ in answered)
        self.problems += [f"{kind}: one request made {sorted(names)}" for kind, names in answered if len(names) != 1]
        expected = {name for _, names in answered for name in names}
        ticks = self._read_ticks()
        expected |= {job for _, _, _, job in ticks if job}
        self._judge_ticks(ticks)
        states = self._wait_for_jobs(client)
        self.problems += [
            f"{name}: {state}, should be Completed" for name, state in states.items() if state != "Completed"
        ]
        self.problems += [f"{name}: nobody asked for it" for name in states.keys() - expected]
        self.problems += [f"{name}: it is lost" for name in expected - states.keys()]
        models = {name for kind, names in answered if kind == "model" for name in names}
        self._judge_traces(states.keys() - models, models)

    def _read_ticks(self) -> list[tuple[str, float, str, str]]:
        with contextlib.closing(sqlite3.connect(self.folder / "home/smalt.db")) as records:
            return records.execute(
                "SELECT r.name, t.time, t.status, t.job FROM ticks t JOIN resources r ON r.id=t.resource_id"
                " WHERE r.name!='asked' ORDER BY t.id"
            ).fetchall()

    def _judge_ticks(self, ticks: list[tuple[str, float, str, str]]) -> None:
        minutes = range(int(self._first // 60 + 1) * 60, int(self._last), 60)
        for number in range(SCHEDULES):
            mine = [(at, status) for name, at, status, _ in ticks if name == f"s{number}" and at > self._first]
            wanted = [(at, "fired") for at in minutes]
            if mine != wanted:
                self.problems.append(f"s{number}: ticks {mine}, should be {wanted}")
            self.counts["ticks"] += len(mine)

    def _wait_for_jobs(self, client: MLClient) -> dict[str, str]:
        end = time.monotonic() + killing.DEADLINE
        while True:
            states = {str(job.name): str(job.status) for job in killing.insist(lambda: list(client.jobs.list()))}
            if set(states.values()) <= killing.OVER or time.monotonic() > end:
                return states
            time.sleep(0.5)

    def _judge_traces(self, commands: set[str], models: set[str]) -> None:
        """Each command must have run once, and each file of each scoring job have been scored once."""
        ran = Counter(name.removesuffix("-note") for name in self._trace.read_text().split())
        self.problems += [f"{name}: ran {ran[name]} times" for name in commands | ran.keys() if ran[name] != 1]
        rows = Path(f"{self._trace}.rows")
        scored = Counter(rows.read_text().splitlines() if rows.exists() else [])
        wanted = {f"{name}-batchscoring {number}" for name in models for number in range(FILES)}
        self.problems += [f"{row}: scored {scored[row]} times" for row in wanted | scored.keys() if scored[row] != 1]


if __name__ == "__main__":
    sys.exit(main())
