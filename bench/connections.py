"""Many connections: held open, saying their headers byte by byte, and 1,000 clients at once; what the owner notices.

    python bench/connections.py [--keep]

Measured while each lasts: the owner's list of jobs over the Unix socket (median and worst of twenty), the server's
memory, and errors. The server runs with `ulimit -n 1024`, the usual limit, so 3,000 connections are more than it may
have. --keep adds the rows to bench/results.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import common
import run

CONNECTIONS = 3_000
CLIENTS = 1_000
CALLS = 5
"""By each client, one after the other."""
LISTS = 20
DESCRIPTORS = 1_024
PER_BYTE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="add the table to bench/results.md")
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    try:
        with common.home() as environment:
            _start(environment)
            text = run.render(asyncio.run(_rows_of(Load(environment))))
    finally:
        common.clean()
    print(text)
    if asked.keep:
        run.keep(text)


def _start(environment: dict[str, str]) -> None:
    line = f"ulimit -n {DESCRIPTORS}; exec {' '.join(common.PROGRAM)} server start"
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True)
    file = Path(environment["SMALT_HOME"], "one.json")
    file.write_text(json.dumps({"command": "true", "environment": "azureml:host"}))
    common.smalt(environment, "job", "create", "-f", str(file), "--stream")


class Load:
    """A server, and what its owner notices."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        home = Path(environment["SMALT_HOME"])
        facts = json.loads((home / "server.json").read_text())
        self.port, self.pid, self.log = int(facts["port"]), int(facts["pid"]), home / "server.log"
        self.token = (home / "token").read_text().strip()

    def memory(self) -> float:
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = re.search(r"Rss:\s+(\d+)", text)
        return int(found[1]) / 1000 if found else 0.0

    async def lists(self) -> list[float]:
        """Return the seconds that each of some lists of jobs takes, asked for by one process of the owner's."""
        line = [sys.executable, "-c", _ASK, str(LISTS)]
        child = await asyncio.create_subprocess_exec(*line, env=self.environment, stdout=subprocess.PIPE)
        said, _ = await child.communicate()
        seconds: list[float] = json.loads(said)
        return seconds


_ASK = """
import json, sys, time
from smalt import MLClient
took = []
for _ in range(int(sys.argv[1])):
    began = time.perf_counter()
    jobs = list(MLClient().jobs.list(max_results=50))
    took.append(time.perf_counter() - began)
    assert len(jobs) == 1
    time.sleep(0.2)
print(json.dumps(took))
"""
"""Each time over a connection of its own."""


async def _rows_of(load: Load) -> list[run.Row]:
    quiet = await load.lists()
    rows = [_row(load, "nothing else", quiet, "–", load.memory())]
    for what, work in (
        (f"{CONNECTIONS:,} connections held open, an answer each where it comes", _held),
        (f"{CONNECTIONS:,} slow ones, a byte of their head each {PER_BYTE} s", _slow),
    ):
        noted: Counter[str] = Counter()
        tasks = [asyncio.ensure_future(work(load, noted)) for _ in range(CONNECTIONS)]
        await asyncio.sleep(5)
        seconds, memory = await load.lists(), load.memory()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rows.append(_row(load, what, seconds, _said(noted), memory))
        await asyncio.sleep(1)
    noted = Counter()
    took: list[float] = []
    clients = [asyncio.ensure_future(_client(load, noted, took)) for _ in range(CLIENTS)]
    seconds, memory = await load.lists(), load.memory()
    await asyncio.gather(*clients)
    said = f"{_said(noted)}; a call's median {statistics.median(took):.2f} s, worst {max(took):.2f} s"
    rows.append(_row(load, f"{CLIENTS:,} clients at once, {CALLS} short calls each", seconds, said, memory))
    lines = len(load.log.read_text().splitlines())
    rows.append(run.Row("lines of server.log after all that", str(lines), "–", "–", "not thousands"))
    return rows


def _row(load: Load, what: str, seconds: list[float], said: str, memory: float) -> run.Row:
    measured = (
        f"jobs.list() {statistics.median(seconds) * 1e3:.0f} ms, worst {max(seconds) * 1e3:.0f} ms; RSS {memory:.0f} MB"
    )
    return run.Row(f"owner beside: {what}", measured, said, "–", "≤ 1 s")


def _said(noted: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(noted.items()))


@contextlib.contextmanager
def _noting(noted: Counter[str]) -> Iterator[None]:
    try:
        yield
    except (OSError, asyncio.IncompleteReadError):
        noted["broken off"] += 1


def _request(load: Load, keep: bool) -> bytes:
    how = "keep-alive" if keep else "close"
    return (
        f"GET /smalt/v1/status HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nConnection: {how}\r\n"
        f"Authorization: Bearer {load.token}\r\n\r\n"
    ).encode()


async def _held(load: Load, noted: Counter[str]) -> None:
    with _noting(noted):
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        with contextlib.closing(writer):
            noted["connected"] += 1
            writer.write(_request(load, keep=True))
            await reader.readuntil(b"\r\n\r\n")
            noted["answered"] += 1
            await asyncio.sleep(3600)


async def _slow(load: Load, noted: Counter[str]) -> None:
    with _noting(noted):
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        with contextlib.closing(writer):
            noted["connected"] += 1
            for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000:
                writer.write(bytes([byte]))
                await writer.drain()
                if reader.at_eof():
                    noted["ended by the server"] += 1
                    return
                await asyncio.sleep(PER_BYTE)


async def _client(load: Load, noted: Counter[str], took: list[float]) -> None:
    for _ in range(CALLS):
        began = time.perf_counter()
        with _noting(noted):
            reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
            with contextlib.closing(writer):
                writer.write(_request(load, keep=False))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.read()
                noted[f"answers {head[9:12].decode()}"] += 1
                took.append(time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
