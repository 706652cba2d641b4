"""A large log, streamed while others ask: the server's memory, how long others wait, and the time beside a bare copy.

    python bench/large_logs.py [--megabytes 300]

For a log of many lines and for one of a single line; read as fast as it comes, and by a reader that stops reading.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import common

_PIECE = 1 << 18
LINES = "yes 'a line of the log, with é in it' | head -c {size}"
LINE = "head -c {size} /dev/zero | tr '\\0' x"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=300)
    size = parser.parse_args().megabytes * 1_000_000
    for title, command in (("many lines", LINES), ("one line", LINE)):
        with common.home() as environment:
            run(environment, title, command.format(size=size), size)
    common.clean()


def run(environment: dict[str, str], title: str, command: str, size: int) -> None:
    job = Path(common.folder(), "job.yml")
    job.write_text(json.dumps({"command": command, "environment": "azureml:host"}))
    common.smalt(environment, "job", "create", "-f", str(job), "--name", "large")
    quiet = waits(environment, 1.0)
    with measured(environment, f"{title}, while it runs") as count:
        count.append(drain(environment))
    common.wait(environment, "large")
    with measured(environment, f"{title}, after its end") as count:
        count.append(drain(environment))
    with measured(environment, f"{title}, a reader that stops reading"), opened(environment) as stream:
        stream.recv(_PIECE)
        time.sleep(3)
    print(
        f"{title}: longest wait without a stream {max(quiet) * 1000:.0f} ms; bare copy {bare_copy(environment):.2f} s"
    )


@contextlib.contextmanager
def measured(environment: dict[str, str], what: str) -> Iterator[list[int]]:
    """Print time, the growth of the server's peak memory, and how long others waited meanwhile."""
    reset_peak(environment)
    before, began, over = memory(environment, "VmRSS"), time.perf_counter(), threading.Event()
    found: list[float] = []
    asking = threading.Thread(target=lambda: found.extend(waits(environment, None, over)))
    asking.start()
    count: list[int] = []
    try:
        yield count
    finally:
        over.set()
        asking.join()
    took, grown = time.perf_counter() - began, memory(environment, "VmHWM") - before
    told = f"{sum(count) / 1e6:.0f} MB " if count else ""
    waited = sorted(found)
    print(
        f"{what}: {told}{took:.2f} s, server +{grown / 1024:.1f} MB, others waited {max(waited) * 1000:.0f} ms at most,"
        f" {waited[len(waited) // 2] * 1000:.1f} ms in the middle"
    )


def waits(environment: dict[str, str], seconds: float | None, over: threading.Event | None = None) -> list[float]:
    """Ask for the list of jobs again and again on new connections; how long each took."""
    found: list[float] = []
    end = time.perf_counter() + (seconds or 3600)
    while not found or (time.perf_counter() < end and not (over and over.is_set())):
        began = time.perf_counter()
        with contextlib.closing(connect(environment)) as sock:
            sock.sendall(b"GET /smalt/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while sock.recv(_PIECE):
                pass
        found.append(time.perf_counter() - began)
        time.sleep(0.01)
    return found


@contextlib.contextmanager
def opened(environment: dict[str, str]) -> Iterator[socket.socket]:
    ids = json.loads(common.smalt(environment, "job", "show", "-n", "large", "-o", "json"))["id"]
    with contextlib.closing(connect(environment)) as sock:
        sock.sendall(f"GET /smalt/v1{ids}/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        yield sock


def drain(environment: dict[str, str]) -> int:
    count = 0
    with opened(environment) as sock:
        while piece := sock.recv(_PIECE):
            count += len(piece)
    return count


def connect(environment: dict[str, str]) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(120)
    sock.connect(json.loads(Path(environment["SMALT_HOME"], "server.json").read_text())["socket"])
    return sock


def bare_copy(environment: dict[str, str]) -> float:
    """Seconds to read the log and make JSON of it in pieces, with no server."""
    log = next(Path(environment["SMALT_HOME"]).rglob("dcid.large/user_logs/std_log.txt"))
    began = time.perf_counter()
    with open(log, "rb") as file:
        while piece := file.read(1 << 16):
            json.dumps({"text": piece.decode(errors="replace")}).encode()
    return time.perf_counter() - began


def memory(environment: dict[str, str], field: str) -> int:
    """KiB."""
    text = Path(f"/proc/{common.server_pid(environment)}/status").read_text()
    found = re.search(rf"{field}:\s+(\d+)", text)
    return int(found[1]) if found else 0


def reset_peak(environment: dict[str, str]) -> None:
    with contextlib.suppress(OSError):
        Path(f"/proc/{common.server_pid(environment)}/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
