"""Hostile requests at every route of a server: no 500, no hang, flat memory, and all is well afterwards.

    python bench/fuzz.py [REQUESTS] [SEED] [--hang SECONDS] [--keep]

The routes are those of the app's own tables, the bodies right ones of each noun with something wrong in them
(bench/hostile.py). Half of it goes over the Unix socket, half over the port with the home's token. At times a body is
chunked, cut off, or longer than was said. A request that has no answer after 5 s (or those of --hang) is a hang. Exit
code 1 where something is wrong. --keep adds a row to bench/results.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import common
import hostile
import run

THREADS = 4
GIVE_UP = 30.0
WARM_UP = 0.04
"""The part of all requests after which memory is looked at for the first time."""


class Memory(NamedTuple):
    rss: float
    pss: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=int, nargs="?", default=50_000)
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(1_000_000))
    parser.add_argument("--hang", type=float, default=5.0, metavar="SECONDS", help="what takes longer hangs")
    parser.add_argument("--keep", action="store_true", help="add the row to bench/results.md")
    asked = parser.parse_args()
    print(f"{asked.requests} requests, seed {asked.seed}", flush=True)
    os.environ |= {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    try:
        with common.home() as environment:
            fuzz = Fuzz(environment, asked.requests, asked.seed, asked.hang)
            row = fuzz.run()
    finally:
        common.clean()
    print(run.render([row]))
    for problem in fuzz.problems:
        print(" ", problem)
    if asked.keep:
        run.keep(run.render([row]))
    return 1 if fuzz.problems else 0


class Fuzz:
    def __init__(self, environment: dict[str, str], requests: int, seed: int, hang: float) -> None:
        self.problems: list[str] = []
        self._environment = environment
        self._home = Path(environment["SMALT_HOME"])
        self._requests = requests
        self._seed = seed
        self._hang = hang
        self._routes = hostile.every_route()
        self._statuses: Counter[int] = Counter()
        self._faults: dict[tuple[str, str], str] = {}
        self._memory: list[Memory] = []
        self._slowest = 0.0
        self._lock = threading.Lock()

    def run(self) -> run.Row:
        self._prepare()
        workers = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]
        for worker in workers:
            worker.start()
        marks = [WARM_UP, 0.5]
        while any(worker.is_alive() for worker in workers):
            time.sleep(0.2)
            if marks and sum(self._statuses.values()) > marks[0] * self._requests:
                marks.pop(0)
                self._memory.append(self._measured())
        self._memory.append(self._measured())
        self._check_end()
        return self._row()

    def _prepare(self) -> None:
        """Start the server, and make the workspace and job that right paths name."""
        common.smalt(self._environment, "config", "set", "container-command", "none")
        common.smalt(self._environment, "workspace", "create", "-n", "fuzz", "-g", "group", "--subscription", "sub")
        file = self._home / "one.json"
        file.write_text(json.dumps({"name": "one", "command": "echo one", "environment": "azureml:host"}))
        self._where = ["-w", "fuzz", "-g", "group", "--subscription", "sub"]
        self._kept = ["-w", "kept", "-g", "group", "--subscription", "sub"]
        common.smalt(self._environment, "workspace", "create", "-n", "kept", "-g", "group", "--subscription", "sub")
        for where in (self._where, self._kept):
            common.smalt(self._environment, "job", "create", "-f", str(file), "--stream", *where)
        facts = json.loads((self._home / "server.json").read_text())
        self._port, self._pid = facts["port"], facts["pid"]
        self._token = (self._home / "token").read_text().strip()
        self._socket = str(facts.get("socket", self._home / "run" / "server.sock"))
        secret = json.loads(common.smalt(self._environment, "workspace", "show", *self._where, "-o", "json"))
        found = re.search(r"storageAccounts/([\w-]+)", json.dumps(secret))
        self._account = found[1] if found else "fuzz"

    def _work(self, number: int) -> None:
        made = hostile.Hostile(f"{self._seed} {number}", self._account)
        for _ in range(self._requests // THREADS):
            method, template = made.chance.choice(self._routes)
            if made.chance.random() < 0.05:
                method = made.chance.choice(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X"])
            path, headers = made.path(template), made.headers()
            has_body = method in ("PUT", "POST", "PATCH") or made.chance.random() < 0.05
            body = made.body(template) if has_body else None
            self._note(method, template, path, body, self._ask(made.chance, method, path, headers, body))

    def _ask(
        self, chance: random.Random, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, float, bytes]:
        """Return the status (0: closed without an answer, -1: none in time), the seconds, and how the answer begins."""
        is_local = chance.random() < 0.5
        sent = _request(chance, method, path, headers, body, None if is_local else self._token, self._port)
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET) as sock:
            sock.settimeout(GIVE_UP)
            try:
                sock.connect(self._socket if is_local else ("127.0.0.1", self._port))
                _send(sock, sent)
                head = _head(sock)
            except TimeoutError:
                return -1, time.monotonic() - began, b""
            except OSError:
                return 0, time.monotonic() - began, b""
        found = re.search(rb"HTTP/1\.1 ([2-5]\d\d)", head)  # after a 100, which says to go on
        return int(found[1]) if found else 0, time.monotonic() - began, head

    def _note(
        self, method: str, template: str, path: str, body: bytes | None, answer: tuple[int, float, bytes]
    ) -> None:
        status, seconds, head = answer
        with self._lock:
            self._statuses[status] += 1
            self._slowest = max(self._slowest, seconds)
            is_fault = status >= 500 and status != 501
            if not is_fault and status >= 0 and seconds <= self._hang:
                return
            key = (method, f"{template} {status if is_fault else 'hang'}")
            if key not in self._faults:
                text = f"{method} {path[:300]} {(body or b'')[:1500]!r}: {status} after {seconds:.1f} s {head[-400:]!r}"
                self._faults[key] = text
                print(text, flush=True)

    def _check_end(self) -> None:
        self.problems += self._faults.values()
        facts = json.loads((self._home / "server.json").read_text())
        if facts["pid"] != self._pid:
            self.problems.append("the server is another process")
        listed = json.loads(common.smalt(self._environment, "job", "list", *self._kept, "-o", "json"))
        if [(job["name"], job["status"]) for job in listed] != [("one", "Completed")]:
            self.problems.append(f"job list of a workspace that was left alone: {listed}")
        log = (self._home / "server.log").read_text(errors="replace")
        if count := log.count("Traceback (most recent"):
            self.problems.append(f"{count} tracebacks in server.log")
            kept = Path(tempfile.mkdtemp(prefix="smalt-fuzz-"), "server.log")
            kept.write_text(log)
            self.problems.append(f"see {kept}")

    def _measured(self) -> Memory:
        try:
            text = Path(f"/proc/{self._pid}/smaps_rollup").read_text()
        except OSError:
            return Memory(0, 0)
        kinds = dict(re.findall(r"(\w+):\s+(\d+) kB", text))
        return Memory(int(kinds["Rss"]) / 1000, int(kinds["Pss"]) / 1000)

    def _row(self) -> run.Row:
        memory = " → ".join(f"{one.rss:.0f}/{one.pss:.0f}" for one in self._memory)
        total = sum(self._statuses.values())
        bad = sum(count for status, count in self._statuses.items() if status == 500)
        hangs = self._statuses[-1]
        kinds = ", ".join(f"{status}: {count}" for status, count in sorted(self._statuses.items()))
        measured = f"{bad} × 500, {hangs} hangs, the slowest answer {self._slowest:.1f} s"
        against = f"{len(self._routes)} routes; RSS/PSS {memory} MB (start, middle, end); {kinds}"
        return run.Row(f"fuzz, {total:,} requests, seed {self._seed}", measured, against, "–", "0 × 500, 0 hangs")


def _request(
    chance: random.Random,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None,
    token: str | None,
    port: int,
) -> bytes:
    known = {"Host": f"127.0.0.1:{port}" if token else "localhost", "Connection": "close"}
    if token:
        known["Authorization"] = f"Bearer {token}"
    if body is not None:
        known["Content-Type"] = "application/json"
        how = chance.random()
        if how < 0.1:
            known["Transfer-Encoding"], body = "chunked", _chunked(chance, body)
        else:
            known["Content-Length"] = str(len(body) + (chance.randint(1, 9) if how < 0.13 else 0))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**known, **headers}.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (body or b"")


def _chunked(chance: random.Random, body: bytes) -> bytes:
    pieces, size = [], max(1, len(body) // 3)
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
    kind = chance.random()
    end = b"0\r\n\r\n" if kind < 0.8 else b"zz\r\n\r\n" if kind < 0.9 else b"-1\r\n"
    return b"".join(pieces) + end


def _send(sock: socket.socket, data: bytes) -> None:
    """Send it all, and say that nothing follows: what was cut off is answered at once."""
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it may have answered before it had read all


def _head(sock: socket.socket) -> bytes:
    """Return what comes first; an answer that goes on for long (a stream) is not read to its end."""
    found = b""
    while len(found) < 4096:
        piece = sock.recv(65536)
        if not piece:
            break
        found += piece
        if b"\r\n\r\n" in found and not found.startswith(b"HTTP/1.1 1") and found[9:10] != b"5":
            break
    return found[:4096]


if __name__ == "__main__":
    sys.exit(main())
