"""Command lines, uploads, cancels and environment builds while server and launcher are killed and stopped at random.

    python bench/soak.py [SECONDS] [SEED] [--keep]

Signals: SIGKILL of the server, the launcher or both; SIGSTOP of them for up to 4 s, then SIGCONT or SIGKILL. Beside it
every kind of work below goes on by the command line, as a person would do it. Afterwards every acknowledged job must be
in its right final state with the right output, no step may have begun or ended twice, no command line may have failed,
no log may have a traceback, no process may be left, and `smalt doctor --full` must find nothing once `--repair` removed
what killed processes had begun to write. Exit code 1 where that does not hold. --keep adds a row to bench/results.md.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import killing
import run

from smalt.client import MLClient

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.environments.wheels import make_wheel

LONGEST_STOP = 4.0
LONGEST_COMMAND = 240.0
JOIN_SECONDS = 300.0
NOBODY = "cannot reach the smalt server"
Chance = random.Random


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(1_000_000))
    parser.add_argument("--keep", action="store_true", help="add the row to bench/results.md")
    asked = parser.parse_args()
    print(f"{asked.seconds:g} s, seed {asked.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="smalt-soak-"))
    _set_variables(folder)
    soak = Soak(folder, asked.seed)
    try:
        problems = soak.run(asked.seconds)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        left = soak.processes.left_behind()
    problems += left
    row = soak.row(asked.seconds, asked.seed, problems)
    print(run.render([row]))
    for problem in problems[:40]:
        print(" ", problem)
    if asked.keep:
        run.keep(run.render([row]))
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


def _set_variables(folder: Path) -> None:
    """Set the home, and let environments be built from wheels of this folder and nothing else."""
    os.environ["SMALT_HOME"] = f"{folder}/home"
    for name in list(os.environ):
        if name == "SMALT_URL" or name.startswith(("PIP_", "UV_")):
            del os.environ[name]
    os.environ |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{folder}/wheels",
        "UV_CACHE_DIR": f"{folder}/uv-cache",
    }


class Soak:
    """The work, the killer beside it, and the judgement of both."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.processes = killing.Processes(folder)
        self.acknowledged = killing.Acknowledged()
        self.traces = killing.Traces(folder / "traces")
        self.commands: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.problems: list[str] = []
        self.slowest = 0.0
        self._seed = seed
        self._over = threading.Event()
        (folder / "files").mkdir()

    def run(self, seconds: float) -> list[str]:
        self.smalt("config", "set", "container-command", "none")
        workers = [
            threading.Thread(target=self._keep_doing, args=(work, index), daemon=True)
            for index, work in enumerate(WORK)
        ]
        for worker in workers:
            worker.start()
        self._kill_until(time.monotonic() + seconds)
        self._over.set()
        end = time.monotonic() + JOIN_SECONDS
        for worker, work in zip(workers, WORK, strict=True):
            worker.join(max(0.0, end - time.monotonic()))
            if worker.is_alive():
                self.problems.append(f"{work.__name__} did not come to its end")
        states = self.acknowledged.wait(MLClient())
        self.problems += self.acknowledged.judge(self.traces, states)
        self._check_home()
        return self.problems

    def row(self, seconds: float, seed: int, problems: list[str]) -> run.Row:
        failed = sum("smalt " in problem for problem in problems)
        signals = ", ".join(f"{count} {name}" for name, count in sorted(self.processes.signalled.items()))
        work = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        lines = sum(self.commands.values())
        measured = f"{len(problems)} problems, {failed} of {lines} command lines failed (longest {self.slowest:.1f} s)"
        against = f"{len(self.acknowledged.jobs)} jobs; {work}; {signals}"
        return run.Row(f"soak, {seconds:g} s, seed {seed}", measured, against, "–", "0 problems, 0 failed")

    # What works use

    def smalt(self, *arguments: str) -> str | None:
        """Return what a command line prints; None where it failed, which is noted."""
        return self._judged(arguments, self._run(arguments, {}))

    def smalt_over_the_port(self, *arguments: str) -> str | None:
        """Do the same by URL. Nobody starts a server from there, so a line that finds none is tried again."""
        home = self.processes.home
        variables = {
            "SMALT_URL": f"http://127.0.0.1:{home.path('port').read_text().strip()}",
            "SMALT_TOKEN": home.read_token(),
        }
        end = time.monotonic() + killing.DEADLINE
        while True:
            done = self._run(arguments, variables)
            if done is None or NOBODY not in done.stderr or time.monotonic() > end:
                return self._judged(arguments, done)
            self.done["found no server at the port when they began, and were tried again"] += 1

    def _run(self, arguments: tuple[str, ...], variables: dict[str, str]) -> subprocess.CompletedProcess[str] | None:
        """Return what became of a command line; None where it did not end."""
        self.commands[arguments[1]] += 1
        began = time.monotonic()
        try:
            return subprocess.run(
                [*common.PROGRAM, *arguments],
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                timeout=LONGEST_COMMAND,
            )
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _judged(self, arguments: tuple[str, ...], done: subprocess.CompletedProcess[str] | None) -> str | None:
        line = f"smalt {' '.join(arguments)}"
        if done is None:
            self.note(f"{line}: no end after {LONGEST_COMMAND:.0f} s")
        elif done.returncode:
            self.note(f"{line}: exit {done.returncode}: {done.stderr.strip()[-600:]} {done.stdout.strip()[-300:]}")
        else:
            return done.stdout
        return None

    def note(self, problem: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {problem}", flush=True)
        self.problems.append(problem)

    def create(self, document: dict[str, Any], expected: killing.Expected, *options: str) -> bool:
        """Submit a job by the command line; it is to be judged from then on."""
        name = document["name"]
        path = self.folder / "files" / f"{name}.yml"
        path.write_text(json.dumps(document))
        if self.smalt("job", "create", "-f", str(path), *options) is None:
            return False
        self.acknowledged.add(name, expected)
        return True

    def check_output(self, job: str, text: str, output: str = "o") -> None:
        """Stream, show and download a job, and note where its output is not `text`."""
        if self.smalt("job", "stream", "-n", job) is None:
            return
        status = self.smalt("job", "show", "-n", job, "--query", "status", "-o", "tsv")
        if status is not None and status.strip() != "Completed":
            self.note(f"{job} was streamed to its end and is {status.strip()}")
        target = self.folder / "downloads" / job
        if self.smalt("job", "download", "-n", job, "--output-name", output, "-p", str(target)) is None:
            return
        found = [path.read_text() for path in target.rglob("*") if path.is_file()]
        if found != [text]:
            self.note(f"{job}: its output is {str(found)[:200]}, should be {text!r}")

    def random_file(self, name: str, chance: Chance, size: int) -> tuple[Path, str]:
        """Return a new file and the hash of what it holds."""
        path = self.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = chance.randbytes(size)
        path.write_bytes(data)
        return path, hashlib.sha256(data).hexdigest()

    # The killer and the judge

    def _keep_doing(self, work: Callable[[Soak, int, Chance], None], index: int) -> None:
        chance, number = Chance(f"{self._seed} {index}"), 0
        while not self._over.is_set():
            work(self, number, chance)
            self.done[work.__name__] += 1
            number += 1
            self._over.wait(chance.uniform(0.0, 0.5))

    def _kill_until(self, end: float) -> None:
        chance = Chance(f"{self._seed} killer")
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.5, 5.0))
            whom = chance.choice(["server", "launcher", "both"])
            if chance.random() < 0.6:
                self.processes.kill(whom)
            else:
                self._stop(whom, chance)

    def _stop(self, whom: str, chance: Chance) -> None:
        stopped = self.processes.signal(whom, signal.SIGSTOP)
        time.sleep(chance.uniform(0.1, LONGEST_STOP))
        number = signal.SIGKILL if chance.random() < 0.25 else signal.SIGCONT
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):  # it was about to end
                os.kill(pid, number)
        self.processes.signalled[f"{number.name} after SIGSTOP"] += len(stopped)

    def _check_home(self) -> None:
        self.smalt("doctor", "--repair")
        self.smalt("doctor", "--full")
        for log in ("server.log", "launcher.log"):
            path = self.processes.home.path(log)
            count = path.read_text(errors="replace").count("Traceback (most recent") if path.exists() else 0
            if count:
                self.problems.append(f"{count} tracebacks in {log}")


# The works: each does one thing from its beginning to its end, and is done again


def pipelines(soak: Soak, number: int, chance: Chance) -> None:
    """Submit chains with steps that fail or leave something running, between on_init and on_finalize."""
    document, expected = killing.random_pipeline(f"p{number}", soak.traces, chance, has_finalize=chance.random() < 0.7)
    soak.create(document, expected)


def jobs(soak: Soak, number: int, chance: Chance) -> None:
    """Create, stream, show, list and download a job with code of its own."""
    name = f"j{number}"
    _, digest = soak.random_file(f"{name}.code/data", chance, 300_000)
    command = "sha256sum data | cut -d' ' -f1 | tr -d '\\n' > ${{outputs.o}}/sum; "
    document = _job(name, command + soak.traces.command(name, "it", chance.uniform(0, 0.5)))
    if not soak.create({**document, "code": f"{name}.code"}, killing.Expected("Completed", {"it": 1})):
        return
    soak.check_output(name, digest)
    listed = soak.smalt("job", "list", "--query", "[].name", "-o", "tsv")
    if listed is not None and name not in listed.split():
        soak.note(f"{name} is not in the list of jobs")


def uploads(soak: Soak, number: int, chance: Chance) -> None:
    """Register data of one large and many small files, over the socket or the port in turn, and a job that reads it."""
    name = f"u{number}"
    path, digest = soak.random_file(f"{name}.data/large", chance, 40_000_000)
    for index in range(30):
        soak.random_file(f"{name}.data/small{index}", chance, 1_000)
    options = ["--name", name, "--version", "1", "--type", "uri_folder", "--path", str(path.parent)]
    send = soak.smalt_over_the_port if number % 2 else soak.smalt
    if send("data", "create", *options) is None:
        return
    shutil.rmtree(path.parent)
    command = "cat ${{inputs.d}}/small* > /dev/null; "
    command += "sha256sum ${{inputs.d}}/large | cut -c-64 | tr -d '\\n' > ${{outputs.o}}/sum; "
    document = _job(name, command + soak.traces.command(name, "it", 0.1))
    document["inputs"] = {"d": {"type": "uri_folder", "path": f"azureml:{name}:1"}}
    if soak.create(document, killing.Expected("Completed", {"it": 1})):
        soak.check_output(name, digest)


def cancels(soak: Soak, number: int, chance: Chance) -> None:
    """Cancel a job that would run for long, once it runs."""
    name = f"c{number}"
    document = _job(name, soak.traces.command(name, "it", 1000))
    if not soak.create(document, killing.Expected("Canceled", {"it": 1}, is_cut_off=True)):
        return
    end = time.monotonic() + killing.DEADLINE
    while not soak.traces.seen(name, "it") and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(chance.uniform(0, 0.5))
    soak.smalt("job", "cancel", "-n", name)


def environments(soak: Soak, number: int, chance: Chance) -> None:
    """Build an environment that nobody built before, and a job in it."""
    name, version = f"e{number}", f"1.{number}"
    make_wheel(soak.folder / "wheels", "shade", version)
    conda = {"name": name, "channels": ["conda-forge"], "dependencies": [{"pip": [f"shade=={version}"]}]}
    command = "python -c 'import shade; print(shade.__version__, end=\"\")' > ${{outputs.o}}/version; "
    document = _job(name, command + soak.traces.command(name, "it", 0.1))
    document["environment"] = {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", "conda_file": conda}
    if soak.create(document, killing.Expected("Completed", {"it": 1})):
        soak.check_output(name, version)


def reuse(soak: Soak, number: int, chance: Chance) -> None:
    """Run a pipeline twice: the second may take what the first made, and must end with the same."""
    text = f"{chance.random()}"
    command = f"printf {text} > ${{{{outputs.o}}}}/text; {soak.traces.command(f'r{number}', 'it', 0.2)}"
    for name in (f"r{number}-first", f"r{number}-second"):
        step = {
            "type": "command",
            "command": command,
            "environment": "azureml:host",
            "outputs": {"o": "${{parent.outputs.o}}"},
        }
        document = {
            "type": "pipeline",
            "name": name,
            "settings": {"default_compute": "azureml:local"},
            "outputs": {"o": {"type": "uri_folder"}},
            "jobs": {"it": step},
        }
        if not soak.create(document, killing.Expected("Completed", {})):
            return
        soak.check_output(name, text)
    seen = soak.traces.seen(f"r{number}", "it")
    soak.done["reused steps"] += seen == ["begin", "end"]
    if seen not in (["begin", "end"], ["begin", "end"] * 2):
        soak.note(f"r{number}: {seen} of two runs")


WORK = [pipelines, jobs, uploads, cancels, environments, reuse]


def _job(name: str, command: str) -> dict[str, Any]:
    return {
        "name": name,
        "command": command,
        "environment": "azureml:host",
        "outputs": {"o": {"type": "uri_folder"}},
    }


if __name__ == "__main__":
    sys.exit(main())
