"""What a pipeline costs while three pages of the studio look at it: `python bench/watched.py [--rounds N] [--count N]`.

The same pipeline of steps that run `true`, in turn with nobody looking, with three pages open in a headless Chromium
(the list of jobs, the graph of the job, the log of a step that runs), and with a program that makes the requests of
those pages at the same times. Its first steps hold all slots until the pages are open; what is measured begins when
they are let go. Needs scripts/studio first. On two cores the browser takes cores and caches from the server: the CPU of
the launcher, which no page asks for anything, shows how much. What the pages cost the server is the last row.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import common
from breakdown import Usage

STUDIO = Path(__file__).resolve().parents[1] / "studio"
SLOTS = 2
WORKSPACE = "/subscriptions/smalt/resourceGroups/smalt/providers/Microsoft.MachineLearningServices/workspaces/default"


class Round(NamedTuple):
    """Of a step, in ms."""

    server: float
    launcher: float
    clock: float


def write_pipeline(count: int) -> tuple[str, Path]:
    """Return the path of a pipeline, and that of the file which lets its first steps end."""
    folder = Path(common.folder())
    gate = folder / "gate"
    held = f"echo waiting; while [ ! -e {gate} ]; do sleep 0.1; done"
    holders = "".join(
        f'  hold{number}:\n    command: "{held}"\n    environment: azureml:host\n' for number in range(SLOTS)
    )
    return common.write(str(folder), common.wide(count).replace("jobs:\n", f"jobs:\n{holders}")), gate


class Home:
    """A home whose server runs, and how programs and browsers reach it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.root = Path(environment["SMALT_HOME"])
        self.url = f"http://127.0.0.1:{json.loads((self.root / 'server.json').read_text())['port']}"
        self.token = (self.root / "token").read_text().strip()

    def open(self, path: str) -> urllib.request.Request:
        return urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})

    def find_folder(self) -> str:
        """Return the folder of the default workspace, which is in the addresses of its pages."""
        with urllib.request.urlopen(self.open("/smalt/v1/workspaces")) as answer:
            return str(json.load(answer)["value"][0]["folder"])

    def count_running(self, name: str) -> int:
        with contextlib.closing(sqlite3.connect(self.root / "smalt.db")) as records:
            row = records.execute(
                "SELECT count(*) FROM jobs WHERE name LIKE ? AND status='Running'", (f"{name}-hold%",)
            )
            return int(row.fetchone()[0])


class Ask(NamedTuple):
    """A request that a page made, and how many seconds after the steps were let go; before that, it is negative."""

    after: float
    path: str
    range: str


class Watchers:
    """Who looks at the job, from before its steps are let go until it is over."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.name = name

    def __enter__(self) -> None:
        """Begin to look, and return once everything is there."""

    def __exit__(self, *_: object) -> None:
        """Look no more."""


class Pages(Watchers):
    """Three pages in a browser."""

    asks: list[tuple[float, str, str]]

    def __enter__(self) -> None:
        self._seen = self.home.root / f"{self.name}.seen"
        environment = {
            **os.environ,
            "STUDIO_URL": self.home.url,
            "STUDIO_TOKEN": self.home.token,
            "STUDIO_WORKSPACE": WORKSPACE,
            "STUDIO_FOLDER": self.home.find_folder(),
            "STUDIO_JOB": self.name,
            "STUDIO_SEEN": str(self._seen),
        }
        command = ["node", "node_modules/@playwright/test/cli.js", "test", "-c", "browser/watched.config.ts"]
        self._process = subprocess.Popen(command, cwd=STUDIO, env=environment, stdout=subprocess.PIPE, text=True)
        self._said: list[str] = []
        for line in self._process.stdout or ():
            self._said.append(line)
            if line.startswith("OPEN"):
                return
        sys.exit("".join(self._said))

    def __exit__(self, *_: object) -> None:
        self._seen.write_text("")
        self._said += self._process.communicate()[0].splitlines()
        words = [line.split() for line in self._said if line.startswith("ASKED ")]
        self.asks = [(int(at) / 1000, url.removeprefix(self.home.url), "".join(range)) for _, at, url, *range in words]


class Requests(Watchers):
    """A program that asks what three pages asked in the round before, at the same times, without a browser."""

    def __init__(self, home: Home, name: str, asks: list[Ask], gate: Path) -> None:
        super().__init__(home, name)
        self._asks = asks
        self._gate = gate

    def __enter__(self) -> None:
        streams = [ask.path for ask in self._asks if "/changes" in ask.path]
        self._readers = [self._start(path, "") for path in streams]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_later)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for reader in self._readers:
            reader.terminate()
            reader.wait()

    def _ask_later(self) -> None:
        while not self._gate.exists():
            time.sleep(0.01)
        began = time.monotonic()
        for ask in sorted(self._asks):
            if ask.after < 0 or "/changes" in ask.path or "/studio/" in ask.path:
                continue
            self._over.wait(max(0.0, began + ask.after - time.monotonic()))
            self._start(ask.path, ask.range).wait()

    def _start(self, path: str, range: str) -> subprocess.Popen[bytes]:
        headers = [f"Authorization: Bearer {self.home.token}", *([f"Range: {range}"] if range else [])]
        given = [word for header in headers for word in ("-H", header)]
        return subprocess.Popen(["curl", "-sN", "-o", os.devnull, *given, self.home.url + path])


def measure(home: Home, watchers: Watchers, file: str, gate: Path, count: int) -> tuple[Round, float]:
    """Return what a step of the job cost, and when its steps were let go."""
    common.smalt(home.environment, "job", "create", "-f", file, "--name", watchers.name, "-o", "none")
    while home.count_running(watchers.name) < SLOTS:
        time.sleep(0.05)
    with watchers:
        time.sleep(1)
        usage = Usage(home.environment)
        began = time.time()
        gate.write_text("")
        if (status := common.wait(home.environment, watchers.name)) != "Completed":
            raise SystemExit(f"{watchers.name} is {status}")
        time.sleep(1)
        server, launcher = usage.spent(count)
        with contextlib.closing(sqlite3.connect(home.root / "smalt.db")) as records:
            row = records.execute("SELECT ended_at FROM jobs WHERE name=?", (watchers.name,)).fetchone()
    return Round(server, launcher, (row[0] - began) * 1000 / count), began


def measure_round(home: Home, number: int, count: int) -> dict[str, Round]:
    found: dict[str, Round] = {}
    file, gate = write_pipeline(count)
    found["nobody"], _ = measure(home, Watchers(home, f"alone-{number}"), file, gate, count)
    file, gate = write_pipeline(count)
    pages = Pages(home, f"pages-{number}")
    found["three pages"], began = measure(home, pages, file, gate, count)
    file, gate = write_pipeline(count)
    name = f"again-{number}"
    asks = [Ask(at - began, path.replace(pages.name, name), range) for at, path, range in pages.asks]
    found["their requests, no browser"], _ = measure(home, Requests(home, name, asks, gate), file, gate, count)
    counted = sum(ask.after > 0 for ask in asks)
    print(f"round {number}: {counted} requests while it ran, {found}", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=500)
    asked = parser.parse_args()
    with common.home() as environment:
        common.smalt(environment, "config", "set", "cpus", str(SLOTS))
        common.smalt(environment, "server", "start")
        home = Home(environment)
        rounds = [measure_round(home, number, asked.count) for number in range(asked.rounds + 1)][1:]
    print("| who looks: ms a step | CPU of the server | CPU of the launcher | clock |\n|---|---|---|---|")
    medians = {
        kind: [statistics.median(column) for column in zip(*(one[kind] for one in rounds), strict=True)]
        for kind in rounds[0]
    }
    for kind, values in medians.items():
        cells = [f"{one:.2f} (× {one / base:.2f})" for one, base in zip(values, medians["nobody"], strict=True)]
        print(f"| {kind} | {' | '.join(cells)} |")
    common.clean()


if __name__ == "__main__":
    main()
