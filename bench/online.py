"""An online deployment through smalt's port against its own server called directly, in turn.

    .venv/bin/python bench/online.py [ROUNDS]

Directly is the very process that smalt started, asked at its Unix socket; through smalt is the scoring URI with a key;
the floor is peers/byte_proxy.py, which does the least that a proxy in Python can, before the same process. One scoring
script returns its input at once, another after MODEL_MS of waiting. Latency: one client, one connection while the
server keeps it. Throughput: CLIENTS processes that ask without a pause, with as many places
(`max_concurrent_requests_per_instance`) as clients; ratios are of one round, and their median is printed. Clients,
proxy and scoring server share the machine: on two cores the clients and the server of the empty script fill both, so
that the proxy's time is taken from them, and directly has an advantage that is not the proxy's. Printed beside it is
the processor time that each proxy takes for a request. The cold start is from the first request to a deployment
without processes until its answer, beside the bare server's.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import common

REQUESTS, SECONDS, CLIENTS, MODEL_MS = 300, 4.0, 4, 5
BODY = json.dumps({"data": [[1.0] * 10]}).encode()
SCRIPT = "import time\n\n\ndef init():\n    pass\n\n\ndef run(raw):\n    {wait}\n    return raw\n"
DEPLOYMENT = """name: {name}
endpoint_name: bench
code_configuration: {{code: {name}, scoring_script: score.py}}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: {{dependencies: [pip, {{pip: [azureml-inference-server-http]}}]}}
request_settings: {{max_concurrent_requests_per_instance: 4, max_queue_wait_ms: 30000, request_timeout_ms: 30000}}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def open_connection(target: str) -> http.client.HTTPConnection:
    return UnixConnection(target) if target.startswith("/") else http.client.HTTPConnection(target, timeout=30)


def ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    connection.request("POST", path, BODY, headers)
    with connection.getresponse() as response:
        answer = response.read()
        assert response.status == 200, answer


def measure_latency(target: str, path: str, headers: dict[str, str]) -> list[float]:
    found = []
    with contextlib.closing(open_connection(target)) as connection:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            ask(connection, path, headers)
            found.append((time.perf_counter() - began) * 1000)
    return found


def count_requests(target: str, path: str, headers: dict[str, str], until: float, counts: object) -> None:
    count = 0
    with contextlib.closing(open_connection(target)) as connection:
        while time.monotonic() < until:
            ask(connection, path, headers)
            count += 1
    counts.put(count)  # type: ignore[attr-defined]


def measure_throughput(target: str, path: str, headers: dict[str, str]) -> float:
    counts: multiprocessing.Queue[int] = multiprocessing.Queue()
    until = time.monotonic() + SECONDS
    some = [
        multiprocessing.Process(target=count_requests, args=(target, path, headers, until, counts))
        for _ in range(CLIENTS)
    ]
    for one in some:
        one.start()
    total = sum(counts.get() for _ in some)
    for one in some:
        one.join()
    return total / SECONDS


def measure_cold_start(environment: dict[str, str], target: str, path: str, headers: dict[str, str]) -> float:
    """Seconds of the first request to a deployment whose processes were stopped as idle."""
    common.smalt(environment, "config", "set", "online-idle-minutes", "0.001")
    folder = Path(environment["SMALT_HOME"], "run")
    while list(folder.glob("o*/s")):
        time.sleep(0.05)
    common.smalt(environment, "config", "unset", "online-idle-minutes")
    began = time.perf_counter()
    with contextlib.closing(open_connection(target)) as connection:
        ask(connection, path, headers)
    return time.perf_counter() - began


def measure_bare_start(environment: dict[str, str], folder: Path) -> float:
    """Seconds of the same server by itself, from its start until it answers a request."""
    python = next(Path(environment["SMALT_HOME"], "environments").glob("*/venv/bin/azmlinfsrv"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    server = subprocess.Popen(
        [python, "--entry_script", "score.py", "--port", str(port)],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "AZUREML_MODEL_DIR": str(folder)},
    )  # fmt: skip
    try:
        while True:
            with contextlib.suppress(OSError), contextlib.closing(open_connection(f"127.0.0.1:{port}")) as connection:
                ask(connection, "/score", {"Content-Type": "application/json"})
                return time.perf_counter() - began
            time.sleep(0.02)
    finally:
        server.terminate()
        server.wait()


def find_percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


class Target(NamedTuple):
    """Where a request goes, and the process that passes it on."""

    address: str
    path: str
    headers: dict[str, str]
    proxy: int | None = None


@contextlib.contextmanager
def open_targets(environment: dict[str, str], name: str, wait: str, number: int) -> Iterator[dict[str, Target]]:
    """Make a deployment, and yield the three ways to it."""
    folder = Path(common.folder())
    (folder / name).mkdir()
    (folder / name / "score.py").write_text(SCRIPT.format(wait=wait))
    (folder / "deployment.yml").write_text(DEPLOYMENT.format(name=name))
    common.smalt(environment, "online-deployment", "create", "-f", str(folder / "deployment.yml"), "--all-traffic")
    show = ("online-endpoint", "show", "-n", "bench", "--query", "scoring_uri", "-o", "tsv")
    credentials = ("online-endpoint", "get-credentials", "-n", "bench", "--query", "primaryKey", "-o", "tsv")
    uri = urlsplit(common.smalt(environment, *show).strip())
    kind = {"Content-Type": "application/json"}
    headers = {**kind, "Authorization": f"Bearer {common.smalt(environment, *credentials).strip()}"}
    socket_path = str(Path(environment["SMALT_HOME"], "run", f"o{number}", "s"))
    program = [sys.executable, str(Path(__file__).parent / "peers" / "byte_proxy.py"), socket_path]
    floor = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    try:
        assert floor.stdout is not None
        yield {
            "direct": Target(socket_path, "/score", kind),
            "floor": Target(f"127.0.0.1:{floor.stdout.readline().strip()}", "/score", kind, floor.pid),
            "through": Target(uri.netloc, uri.path, headers, common.server_pid(environment)),
        }
    finally:
        floor.kill()
        floor.wait()


def read_cpu(pid: int | None) -> float:
    """Return the processor time that a process has taken, in seconds."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare_targets(targets: dict[str, Target], rounds: int, label: str) -> None:
    latency: dict[str, list[float]] = {name: [] for name in targets}
    rates: dict[str, list[float]] = {name: [] for name in targets}
    cpu: dict[str, list[float]] = {name: [] for name in targets}
    for number in range(rounds):
        order = list(targets) if number % 2 == 0 else list(targets)[::-1]
        for name in order:
            one = targets[name]
            latency[name] += measure_latency(*one[:3])
            before = read_cpu(one.proxy)
            rates[name].append(measure_throughput(*one[:3]))
            cpu[name].append((read_cpu(one.proxy) - before) / (rates[name][-1] * SECONDS) * 1e6)
    for what, share in (("median", 0.5), ("p99", 0.99)):
        base, floor, ours = (find_percentile(latency[name], share) for name in targets)
        print(
            f"{label}, {what}: {ours:.2f} ms through smalt ({ours - base:+.2f}), {base:.2f} ms directly, "
            f"floor {floor:.2f} ms"
        )
    for name in ("through", "floor"):
        ratio = statistics.median(one / base for one, base in zip(rates[name], rates["direct"], strict=True))
        print(
            f"{label}, throughput {name}: {statistics.median(rates[name]):.0f}/s, "
            f"{statistics.median(rates['direct']):.0f}/s directly, {ratio:.2f}x; "
            f"{statistics.median(cpu[name]):.0f} us of processor time a request"
        )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with common.home() as environment:
        common.smalt(environment, "online-endpoint", "create", "-n", "bench")
        with open_targets(environment, "empty", "pass", 1) as targets:
            compare_targets(targets, rounds, "empty script")
        with open_targets(environment, "model", f"time.sleep({MODEL_MS / 1000})", 2) as targets:
            compare_targets(targets, rounds, f"script of {MODEL_MS} ms")
            through = targets["through"][:3]
            cold = statistics.median(measure_cold_start(environment, *through) for _ in range(rounds))
        folder = Path(common.folder())
        (folder / "score.py").write_text(SCRIPT.format(wait="pass"))
        bare = statistics.median(measure_bare_start(environment, folder) for _ in range(rounds))
    print(f"cold start: {cold:.2f} s through smalt, {bare:.2f} s of the bare server, {cold / bare:.2f}x")
    common.clean()


if __name__ == "__main__":
    main()
