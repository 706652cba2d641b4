"""An environment of the size of `sklearn-1.5` from a full cache, against `uv pip sync` alone; a second job on it.

python bench/environments.py [--rounds 5] [--keep]

`uv pip sync` installs the very packages, pinned, into a fresh virtual environment; smalt's build goes from the asset to
what jobs may use: resolved, installed, recorded. Both in turn with one cache, each round in a fresh folder. How long a
job waits is in the server's own records: from accepted to its process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import common
import run
import uv

from smalt.machine.home import Home
from smalt.service.environments import Environments
from smalt.service.environments.builders.pip_settings import make_uv_variables

NAME = "sklearn-1.5"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="add the table to bench/results.md")
    asked = parser.parse_args()
    try:
        text = run.render([run.Row(*row) for row in [*built(asked.rounds), *second_job(asked.rounds)]])
    finally:
        common.clean()
    print(text)
    if asked.keep:
        run.keep(text)


def built(rounds: int) -> list[tuple[str, ...]]:
    """Once with everything in the cache, once asking the index what is newest, which takes what the network takes."""
    _build()  # fills the cache
    rows = []
    for how, offline, reach in (("all cached", "1", "≤ 1.5×"), ("the index asked for newer ones", "0", "beside")):
        os.environ["UV_OFFLINE"] = offline
        rows += _built(rounds, how, reach)
    del os.environ["UV_OFFLINE"]
    return rows


def _built(rounds: int, how: str, reach: str) -> list[tuple[str, ...]]:
    first = _build()
    pinned = Path(common.folder(), "requirements.txt")
    others = [line for line in first.packages if " @ sha256:" not in line]  # smalt's own mltable is on no index
    pinned.write_text("".join(re.sub(r"==\S+ @ ", " @ ", line) + "\n" for line in others))
    pairs = [(_build().seconds, _sync(first.python, pinned)) for _ in range(rounds)]  # in turn: the same machine
    ours, floor = (min(column) for column in zip(*pairs, strict=True))
    what = f"environment {NAME} ({len(first.packages)} packages, {first.size / 1e6:.0f} MB), {how}"
    against = f"{floor:.2f} s, uv venv + uv pip sync"
    return [(what, f"{ours:.2f} s", against, f"{ours / floor:.2f}×", reach)]


class _Made(NamedTuple):
    seconds: float
    packages: list[str]
    python: str
    size: int


def _build() -> _Made:
    """In a fresh home, as its server does it for the first job."""
    home = Home(Path(common.folder(), "home"))
    home.create()
    settings = SimpleNamespace(
        fidelity="nearest",
        host_python=None,
        conda_channels={},
        container_command="none",
        container_arguments="",
        image_map={},
    )
    environments = Environments(home, settings)
    began = time.perf_counter()
    asyncio.run(environments.get_or_build({"curated": NAME}, lambda line: None))
    seconds = time.perf_counter() - began
    (built,) = environments.list_stored()
    return _Made(seconds, built.record.packages, built.record.python, built.size)


def _sync(python: str, pinned: Path) -> float:
    """The floor: the same packages into a fresh environment, with nothing to resolve and nothing recorded."""
    folder, program = Path(common.folder(), "venv"), uv.find_uv_bin()
    variables = {**os.environ, **make_uv_variables(os.environ)}
    commands = (
        [program, "venv", "-q", "--python", python, str(folder)],
        [program, "pip", "sync", "-q", "--python", str(folder / "bin" / "python"), str(pinned)],
    )
    began = time.perf_counter()
    for command in commands:
        subprocess.run(command, env=variables, check=True, cwd=folder.parent)
    return time.perf_counter() - began


def _job(environment: dict[str, str], name: str) -> float:
    """Seconds from accepted to the start of its process, by the server's own records."""
    reference = "azureml:host" if name == "host" else f"azureml://registries/azureml/environments/{name}/labels/latest"
    with tempfile.TemporaryDirectory() as folder:
        path = common.write(folder, f"command: 'true'\nenvironment: {reference}\n")
        job = common.smalt(environment, "job", "create", "-f", path, "--query", "name", "-o", "tsv").strip()
    status = common.wait(environment, job)
    assert status == "Completed", f"{job} {status}"
    with sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db")) as records:
        row = records.execute("SELECT created_at, started_at FROM jobs WHERE name=?", (job,)).fetchone()
    return float(row[1] - row[0])


def second_job(rounds: int) -> list[tuple[str, ...]]:
    """What a job on a built environment costs more than one on none: its own view, and looking it up."""
    with common.home() as environment:
        common.smalt(environment, "config", "set", "container-command", "none")
        times: dict[str, list[float]] = {NAME: [], "host": []}
        for number in range(rounds + 1):
            for name, found in times.items():
                job = _job(environment, name)
                if number:  # the first builds
                    found.append(job)
    view = min(times[NAME])
    return [
        (
            f"a second job on {NAME}: from accepted to its process",
            f"{view * 1e3:.1f} ms",
            f"{min(times['host']) * 1e3:.1f} ms, on the host's Python",
            "–",
            "≤ 20 ms",
        )
    ]


if __name__ == "__main__":
    main()
