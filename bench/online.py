"""An online deployment through smalt's port against its own server called directly, in turn.

    .venv/bin/python bench/online.py [ROUNDS]

The scoring script returns its input. Directly is the very process that smalt started, asked at its Unix socket; through
smalt is the scoring URI with a key. Latency: one client, one connection while the server keeps it. Throughput:
CLIENTS processes that ask without a pause, with as many places (`max_concurrent_requests_per_instance`) as clients. The
cold start is from the first request to a deployment without processes until its answer, beside the bare server's.
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
from pathlib import Path
from urllib.parse import urlsplit

import common

REQUESTS, SECONDS, CLIENTS = 300, 4.0, 4
BODY = json.dumps({"data": [[1.0] * 10]}).encode()
SCRIPT = "def init():\n    pass\n\n\ndef run(raw):\n    return raw\n"
DEPLOYMENT = """name: blue
endpoint_name: bench
code_configuration: {code: code, scoring_script: score.py}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: {dependencies: [pip, {pip: [azureml-inference-server-http]}]}
request_settings: {max_concurrent_requests_per_instance: 4, max_queue_wait_ms: 30000, request_timeout_ms: 30000}
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


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with common.home() as environment:
        folder = Path(common.folder())
        (folder / "code").mkdir()
        (folder / "code" / "score.py").write_text(SCRIPT)
        (folder / "blue.yml").write_text(DEPLOYMENT)
        common.smalt(environment, "online-endpoint", "create", "-n", "bench")
        common.smalt(environment, "online-deployment", "create", "-f", str(folder / "blue.yml"), "--all-traffic")
        uri = common.smalt(environment, "online-endpoint", "show", "-n", "bench", "--query", "scoring_uri", "-o", "tsv")
        key = common.smalt(
            environment, "online-endpoint", "get-credentials", "-n", "bench", "--query", "primaryKey", "-o", "tsv"
        )
        kind = {"Content-Type": "application/json"}
        parts = urlsplit(uri.strip())
        through = parts.netloc, parts.path, {**kind, "Authorization": f"Bearer {key.strip()}"}
        address = next(Path(environment["SMALT_HOME"], "run").glob("o*/s"))
        direct = str(address), "/score", kind
        latency: dict[str, list[float]] = {"direct": [], "through": []}
        rates: dict[str, list[float]] = {"direct": [], "through": []}
        for _ in range(rounds):
            for name, one in (("direct", direct), ("through", through)):
                latency[name] += measure_latency(*one)
                rates[name].append(measure_throughput(*one))
        cold = statistics.median(measure_cold_start(environment, *through) for _ in range(rounds))
        bare = statistics.median(measure_bare_start(environment, folder / "code") for _ in range(rounds))
    for what, share in (("median", 0.5), ("p99", 0.99)):
        ours, theirs = (find_percentile(latency[name], share) for name in ("through", "direct"))
        print(f"{what}: {ours:.2f} ms through smalt, {theirs:.2f} ms directly, {ours - theirs:+.2f} ms")
    ours, theirs = (statistics.median(rates[name]) for name in ("through", "direct"))
    print(f"throughput: {ours:.0f}/s through smalt, {theirs:.0f}/s directly, {ours / theirs:.2f}x")
    print(f"cold start: {cold:.2f} s through smalt, {bare:.2f} s of the bare server, {cold / bare:.2f}x")
    common.clean()


if __name__ == "__main__":
    main()
