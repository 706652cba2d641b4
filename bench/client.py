"""What a person at a terminal waits for: imports, help, the first line of a job."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import common

OURS = "import smalt; from smalt import MLClient, command, Input, Output, dsl"
THEIRS = "import azure.ai.ml; from azure.ai.ml import MLClient, command, Input, Output, dsl"

Rows = list[tuple[str, ...]]


V1 = "import azureml.core; from azureml.core import Workspace, Experiment, Environment, ScriptRunConfig"


def imports(official: str | None) -> Rows:
    return [*_import_v2(official), _import_v1()]


def _import_v1() -> tuple[str, ...]:
    """SDK v1's names under smalt: what `smalt python` takes longer for a program that imports them."""
    program = [*common.PROGRAM, "python", "-c"]
    ours = _seconds([*program, V1]) - _seconds([*program, "pass"])
    return ("import azureml.core under smalt", f"{ours:.3f} s", "–", "–", "≤ 0.15 s")


def _import_v2(official: str | None) -> Rows:
    ours = _seconds([sys.executable, "-c", OURS]) - _seconds([sys.executable, "-c", "pass"])
    if official is None:
        return [("import smalt", f"{ours:.3f} s", "–", "–", "≤ 0.15 s")]
    theirs = _seconds([official, "-c", THEIRS], 3) - _seconds([official, "-c", "pass"], 3)
    ratio = f"1/{theirs / ours:.0f}"
    return [("import smalt", f"{ours:.3f} s", f"{theirs:.2f} s, azure.ai.ml", ratio, "≤ 1/15 and ≤ 0.15 s")]


def help() -> Rows:
    bare = _seconds([sys.executable, "-c", "pass"])
    ours = _seconds([*common.PROGRAM, "--help"])
    return [("smalt --help", f"{ours:.3f} s", f"{bare:.3f} s, bare Python", f"{ours / bare:.1f}×", "≤ 0.2 s")]


def warm() -> Rows:
    """A server is there; until the line `hi` is seen."""
    with common.home() as environment:
        file = _hello(common.folder())
        _first_line(environment, file)
        seconds = common.median(lambda: _first_line(environment, file), 7)
    return [("warm: job create --stream until the line is seen", f"{seconds:.3f} s", "–", "–", "≤ 0.4 s (0.25 s)")]


def cold() -> Rows:
    """Nothing is there: no server, no launcher, no home."""

    def once() -> float:
        with common.home() as environment:
            return _first_line(environment, _hello(common.folder()))

    return [("cold: the same with nothing running", f"{common.median(once, 5):.3f} s", "–", "–", "≤ 2 s (1 s)")]


_TESTS = """
import time
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    began = time.perf_counter()
    try:
        return (yield)
    finally:
        if fixturedef.argname in ("smalt_home", "ml_client"):
            print(f"\\nTOOK {time.perf_counter() - began:.4f}")
"""


def plugin() -> Rows:
    """The fixture `ml_client` of the pytest plugin: until a test's first call of it is answered."""
    folder = Path(common.folder())
    (folder / "conftest.py").write_text(_TESTS)
    (folder / "test_ones.py").write_text(
        "import time, pytest\n"
        "@pytest.mark.parametrize('n', range(20))\n"
        "def test_one(ml_client, n):\n"
        "    began = time.perf_counter()\n"
        "    ml_client.workspaces.get(ml_client.workspace_name)\n"
        "    print(f'\\nTOOK {time.perf_counter() - began:.4f}')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-n0", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout)
    took = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("TOOK")]
    nexts = sorted(sum(pair) for pair in zip(took[3::2], took[4::2], strict=True))
    return [
        ("ml_client of the pytest plugin: the first", f"{sum(took[:3]):.3f} s", "–", "–", "≤ 1.5 s"),
        (
            "– each next (median of 19, slowest)",
            f"{nexts[9] * 1000:.0f} ms, {nexts[-1] * 1000:.0f} ms",
            "–",
            "–",
            "≤ 50 ms",
        ),
    ]


def _hello(folder: str) -> str:
    path = Path(folder, "job.yml")
    path.write_text("command: echo hi\nenvironment: azureml:host\n")
    return str(path)


def _first_line(environment: dict[str, str], file: str) -> float:
    began = time.perf_counter()
    program = [*common.PROGRAM, "job", "create", "--file", file, "--stream"]
    with subprocess.Popen(
        program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
        rest = process.stderr.read()
    if line.strip() != "hi":
        raise SystemExit(f"smalt job create --stream printed {line!r}: {rest}")
    return seconds


def _seconds(program: list[str], rounds: int = 7) -> float:
    def once() -> float:
        began = time.perf_counter()
        subprocess.run(program, check=True, capture_output=True)
        return time.perf_counter() - began

    return common.median(once, rounds)
