"""SIGKILL of scoring processes, the server and the launcher, at random moments, under load and during rolling updates.

    python bench/kill_online.py [KILLS] [SEED]

A deployment of two processes is asked without a pause and changed again and again. Every fifth change comes while
nothing is killed: then each request must be answered by the model. A request that fails must have a kill near it; no
request may be scored twice; an answer must come from the newest revision that was acknowledged, or a later one. Now
and then, and at the end, the killing pauses: then the deployment must come back with exactly its two processes. No
process may be left behind. Exit code 1 when that does not hold.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import common
import killing

from smalt.client import MLClient
from smalt.entities import OnlineEndpoint
from smalt.entities.endpoints.online_deployment import ManagedOnlineDeployment
from smalt.exceptions import SmaltError
from smalt.machine import processes

ASKERS, INSTANCES, KILLS_A_ROUND = 4, 2, 8
NEAR = 30.0
"""Seconds after a kill within which a request may fail: a server, or both processes, are started again."""
SETTLED = 120.0
"""Seconds in which a deployment must have come back."""
VICTIMS = (*["worker"] * 4, *["master"] * 3, *["step"] * 2, "server", "server", "launcher", "both")
SCRIPT = """
import json, os, random, time

def init():
    pass

def run(raw):
    given = json.loads(raw)
    descriptor = os.open(os.environ["TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{given['id']}\\n".encode())
    os.close(descriptor)
    time.sleep(random.uniform(0, 0.03))
    return {"id": given["id"], "revision": int(os.environ["REVISION"])}
"""
LIMITS = {"max_concurrent_requests_per_instance": 2, "max_queue_wait_ms": 30_000, "request_timeout_ms": 20_000}
ENVIRONMENT = {
    "image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
    "conda_file": {"dependencies": ["pip", {"pip": ["azureml-inference-server-http"]}]},
}


class Request(NamedTuple):
    id: str
    began: float
    ended: float
    status: int
    """0 where the connection broke off."""
    detail: Any
    confirmed: int
    """The revision that was acknowledged when the request began."""


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"{kills} kills, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="smalt-kill-"))
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    test = KillTest(folder, seed)
    try:
        subprocess.run([*common.PROGRAM, "server", "start"], check=True, capture_output=True)
        test.run(kills)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        test.problems += test.processes.left_behind()
    test.print_counts()
    if not test.problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if test.problems else 0


class ServingProcesses(killing.Processes):
    """The processes of a home, with those that serve deployments among them."""

    def list_masters(self) -> list[int]:
        """Return the process of each replica that answers, or is to."""
        serving = self._find_serving()
        return [pid for pid in serving if _find_parent(pid) not in serving]

    def kill_one(self, whom: str, chance: random.Random) -> bool:
        """SIGKILL one by chance; return False where there is none."""
        found = self._list_victims(whom)
        if whom != "both":
            found = [chance.choice(found)] if found else []
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.signalled[whom] += bool(found)
        return bool(found)

    def _list_victims(self, whom: str) -> list[int]:
        if whom in ("server", "launcher", "both"):
            return self._pids(whom)
        masters = self.list_masters()
        if whom == "master":
            return masters
        if whom == "step":
            return [parent for parent in map(_find_parent, masters) if parent > 1 and self._is_step(parent)]
        return [pid for pid in self._find_serving() if pid not in masters]

    def _find_serving(self) -> list[int]:
        return [pid for pid, command in self.all().items() if re.match(r"python \S+/script_server\.py ", command)]

    def _is_step(self, pid: int) -> bool:
        return self.all().get(pid, "").startswith("bash ")


def _find_parent(pid: int) -> int:
    stat = processes.read_stat(pid)
    return stat.parent if stat else 0


class KillTest:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.processes = ServingProcesses(folder)
        self.problems: list[str] = []
        self.requests: list[Request] = []
        self.updates: Counter[str] = Counter()
        self.recoveries: list[float] = []
        self.kills: list[float] = []
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._may_update = threading.Event()
        self._may_update.set()
        self._ends_updates = threading.Event()
        self._calm = threading.Lock()
        """Held by the killer, or by an update that is not to be disturbed."""
        self._confirmed = self._attempted = 0
        (folder / "code").mkdir()
        (folder / "code" / "score.py").write_text(SCRIPT)

    def run(self, kills: int) -> None:
        client = MLClient(show_progress=False)
        client.online_endpoints.begin_create_or_update(OnlineEndpoint(name="e")).result()
        client.online_deployments.begin_create_or_update(self._make_deployment(0)).result()
        endpoint = client.online_endpoints.get("e")
        endpoint.traffic = {"blue": 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()
        parts = urlsplit(str(client.online_endpoints.get("e").scoring_uri))
        key = str(client.online_endpoints.get_keys("e").primary_key)
        askers = [
            threading.Thread(target=self._keep_asking, args=(parts.netloc, parts.path, key, number))
            for number in range(ASKERS)
        ]
        updater = threading.Thread(target=self._keep_updating)
        for thread in (*askers, updater):
            thread.start()
        while sum(self.processes.signalled.values()) < kills:
            for _ in range(min(KILLS_A_ROUND, kills - sum(self.processes.signalled.values()))):
                self._kill_one()
            self._check_recovery("after a round of kills")
        self._ends_updates.set()
        updater.join()
        self._check_recovery("at the end")
        self._over.set()
        for thread in askers:
            thread.join()
        self._judge_requests()

    def _make_deployment(self, revision: int) -> ManagedOnlineDeployment:
        variables = {"TRACE": str(self.folder / "trace"), "REVISION": str(revision)}
        return ManagedOnlineDeployment.from_dict({
            "name": "blue",
            "endpoint_name": "e",
            "code_configuration": {"code": str(self.folder / "code"), "scoring_script": "score.py"},
            "environment": ENVIRONMENT,
            "environment_variables": variables,
            "instance_count": INSTANCES,
            "request_settings": LIMITS,
        })  # fmt: skip

    # What is killed

    def _kill_one(self) -> None:
        with self._calm:
            whom = self._chance.choice(VICTIMS)
            before = time.monotonic()
            if self.processes.kill_one(whom, self._chance):
                self.kills.append(before)
        time.sleep(self._chance.uniform(0.05, 8.0 if whom in ("server", "launcher", "both") else 3.0))

    def _check_recovery(self, when: str) -> None:
        """Wait until the deployment has its processes and answers, while nothing is killed."""
        self._may_update.clear()
        with self._calm:
            began = time.monotonic()
            seen = len(self.requests)
            while time.monotonic() - began < SETTLED:
                masters = self.processes.list_masters()
                answered = [one for one in self.requests[seen:] if one.status == 200]
                if len(masters) == INSTANCES and len(answered) >= ASKERS and not self._is_changing():
                    self.recoveries.append(time.monotonic() - began)
                    self._may_update.set()
                    return
                time.sleep(0.1)
            self.problems.append(f"{when}: {len(masters)} processes, {len(answered)} answers after {SETTLED:g} s")
            self._may_update.set()

    def _is_changing(self) -> bool:
        """Return True while an update runs, whose processes stand beside the ones before."""
        with contextlib.suppress(SmaltError, OSError):
            found = MLClient(show_progress=False).online_deployments.get("blue", "e")
            return found.provisioning_state not in ("Succeeded", "Failed")
        return True

    # What is asked

    def _keep_asking(self, netloc: str, path: str, key: str, number: int) -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        count, connection = 0, http.client.HTTPConnection(netloc, timeout=60)
        while not self._over.is_set():
            id, began, confirmed = f"{number}-{count}", time.monotonic(), self._confirmed
            count += 1
            status: int
            detail: Any
            try:
                connection.request("POST", path, json.dumps({"id": id}), headers)
                with connection.getresponse() as response:
                    status, detail = response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                status, detail = 0, repr(error)
                time.sleep(0.05)
            self.requests.append(Request(id, began, time.monotonic(), status, detail, confirmed))

    def _judge_requests(self) -> None:
        for one in self.requests:
            if one.status == 200:
                if one.detail["id"] != one.id or not one.confirmed <= one.detail["revision"] <= self._attempted:
                    self.problems.append(f"{one.id} at revision {one.confirmed} was answered {one.detail}")
            elif not any(one.began - NEAR < at < one.ended for at in self.kills):
                self.problems.append(f"{one.id} failed though nothing was killed: {one.status} {one.detail}")
        scored = Counter((self.folder / "trace").read_text().split())
        twice = [id for id, count in scored.items() if count > 1]
        unscored = [one.id for one in self.requests if one.status == 200 and one.id not in scored]
        self.problems += [f"scored twice: {twice[:5]}"] * bool(twice) + [f"not scored: {unscored[:5]}"] * bool(unscored)

    # What changes

    def _keep_updating(self) -> None:
        while not self._ends_updates.is_set():
            self._may_update.wait()
            is_calm = self._attempted % 5 == 4
            with self._calm if is_calm else contextlib.nullcontext():
                state = self._update()
            self.updates[f"{state}, undisturbed" if is_calm else state] += 1
            if is_calm and state != "Succeeded":
                self.problems.append(f"revision {self._attempted}: {state}, though nothing was killed")
            time.sleep(0.5)

    def _update(self) -> str:
        """Change the deployment, and return the state that it comes to."""
        self._attempted += 1
        end = time.monotonic() + SETTLED
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                try:
                    client = MLClient(show_progress=False)
                    client.online_deployments.begin_create_or_update(self._make_deployment(self._attempted)).result()
                except SmaltError as error:
                    if "ended before it answered" in str(error) or "deployment" in type(error).__name__.lower():
                        return "Failed"
                    time.sleep(0.2)  # the server was killed
                    continue
                self._confirmed = self._attempted
                return "Succeeded"
        return "without an end"

    def print_counts(self) -> None:
        statuses = Counter(one.status for one in self.requests)
        killed = ", ".join(f"{count} {name}" for name, count in sorted(self.processes.signalled.items()))
        asked = ", ".join(f"{count} × {status or 'broken off'}" for status, count in sorted(statuses.items()))
        changes = ", ".join(f"{count} {state}" for state, count in sorted(self.updates.items()))
        print(f"killed: {killed}; updates: {changes}")
        print(f"{len(self.requests)} requests: {asked}")
        if self.recoveries:
            print(f"back after: median {statistics.median(self.recoveries):.1f} s, most {max(self.recoveries):.1f} s")
        print(f"{len(self.problems)} problems")
        for problem in self.problems[:20]:
            print(" ", problem)


if __name__ == "__main__":
    sys.exit(main())
