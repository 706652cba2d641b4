"""What tests/conftest.py adds to pytest: asynchronous tests, a report of what was left out, and who runs what.

And that a forked server is as one that was started.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from smalt.machine.processes import read_stat
from tests.conftest import forget_places
from tests.forked_servers import ForkedServer
from tests.helpers import LONGEST, eventually, pytest_command, read_descriptors, temporary_server
from tests.studio.test_browser import describe_failures

SUITE = """
import asyncio
import pytest

async def test_that_fails():
    await asyncio.sleep(0)
    assert 1 == 2

@pytest.mark.skip(reason="it needs a printer")
def test_that_prints(): ...

@pytest.mark.integration
def test_that_takes_minutes(): ...
"""


def test_asynchronous_tests_run_and_what_was_left_out_is_listed_last(tmp_path: Path) -> None:
    """An `async def` that asserts what is false fails; the last lines name the skipped and the unselected tests."""
    (tmp_path / "test_it.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = integration: slow\n")
    command = [*pytest_command(tmp_path), "-p", "tests.conftest", "-m", "not integration", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=LONGEST)
    assert "assert 1 == 2" in done.stdout
    *_, summary, skipped, unselected = done.stdout.splitlines()
    assert summary.startswith("1 failed, 1 skipped, 1 deselected")
    assert skipped == "left out 1: it needs a printer"
    assert unselected == "left out 1: not selected by -m 'not integration'"


PAIR = """
import os, pathlib, time
import pytest
from hypothesis import HealthCheck, settings

@pytest.mark.parametrize("number", [0, 1])
def test_that_needs_the_other(number):
    folder = pathlib.Path(__file__).parent
    (folder / f"begun-{number}").touch()
    until = time.monotonic() + 120
    while not (folder / f"begun-{1 - number}").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
"""
ALONE = """
import os, pathlib
import pytest
from hypothesis import HealthCheck, settings

@pytest.mark.parametrize("number", range(4))
def test_in_one_process(number):
    (pathlib.Path(__file__).parent / f"pid-{os.getpid()}").touch()
"""


def test_browsers_are_shared_by_the_workers_and_other_files_are_not(tmp_path: Path) -> None:
    """Two tests of test_browser.py run at once; those of another file are run by one process."""
    (tmp_path / "test_browser.py").write_text(PAIR)
    (tmp_path / "test_other.py").write_text(ALONE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    workers = ["--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [*pytest_command(tmp_path), "-p", "tests.conftest", *workers, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=LONGEST)
    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.glob("pid-*"))) == 1


IMPORTED = """
import os, pathlib

with open(pathlib.Path(__file__).parent / f"imported-by-{os.getpid()}", "a") as file:
    file.write(pathlib.Path(__file__).stem + " ")

def test_it(): ...
"""


def test_each_worker_imports_its_share_of_the_modules_first(tmp_path: Path) -> None:
    """Then all others, once each; so workers that begin together do not compile the same modules."""
    (tmp_path / "suite").mkdir()
    for name in ("__init__", "test_a", "test_b", "test_c", "test_d"):
        (tmp_path / f"suite/{name}.py").write_text(IMPORTED if name != "__init__" else "")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = suite\npythonpath = .\n")
    command = [*pytest_command(tmp_path), "-p", "tests.conftest", "--numprocesses", "2"]
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=LONGEST)
    assert done.stdout.splitlines()[-1].startswith("4 passed"), done.stdout
    imported = sorted(path.read_text() for path in (tmp_path / "suite").glob("imported-by-*"))
    assert imported == ["test_a test_c test_b test_d ", "test_b test_d test_a test_c "]


_OF_PYTHON = (f"{sys.prefix}/", f"{sys.base_prefix}/")


def _is_kept(path: str) -> bool:
    """Return False for a socket, a pipe, and a module, or a folder of modules, that is imported at this moment."""
    return path[0] == "/" and not path.endswith((".py", ".pyc", ".so")) and not path.startswith(_OF_PYTHON)


def describe_server(*, is_started_anew: bool) -> dict[str, Any]:
    """Return what the system tells of a server, and how it ends by SIGTERM."""
    with temporary_server(is_started_anew=is_started_anew) as server:
        process = server.start(environment={"SMALT_MARK": "x"})
        assert isinstance(process, ForkedServer) is not is_started_anew
        assert process.stderr is not None
        said = process.stderr.read()
        status = Path(f"/proc/{process.pid}/status")
        # While it starts a thread or a process, all signals are blocked.
        eventually(
            lambda: re.search(r"^SigBlk:\s*0+$", status.read_text(), re.MULTILINE), "signals that are not blocked"
        )
        own = ("/proc", "/sys", str(server.home.root))
        stat = read_stat(process.pid)
        facts = {
            "parent": stat is not None and stat.parent == os.getpid(),
            "session": os.getsid(process.pid) == process.pid,
            "folder": os.readlink(f"/proc/{process.pid}/cwd"),
            "signals and mask": re.findall(r"^(?:Sig(?:Ign|Cgt)|Umask):.*", status.read_text(), re.MULTILINE),
            "limits": Path(f"/proc/{process.pid}/limits").read_text(),
            "files": {path for path in read_descriptors(process.pid) if _is_kept(path) and not path.startswith(own)},
            "said": said,
        }
        process.terminate()
        return {**facts, "code": process.wait(LONGEST)}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_forked_server_is_as_one_that_was_started() -> None:
    """A child of this process, with the same session, folder, signals, limits, files and end."""
    forked = describe_server(is_started_anew=False)
    assert forked == describe_server(is_started_anew=True)
    assert (forked["parent"], forked["session"], forked["code"], forked["said"]) == (True, True, 0, b"")


SECOND = """
import pathlib
import pytest
from hypothesis import HealthCheck, settings

@pytest.mark.parametrize("number", range({failing}))
def test_that_passes_later(number):
    mark = pathlib.Path(__file__).with_name(f"tried-{{number}}")
    if not mark.exists():
        mark.touch()
        assert False

def test_that_is_wrong():
    assert {right}
"""


@pytest.mark.parametrize(
    ("failing", "right", "code", "said"),
    [
        (3, True, 0, [f"passed at the second try: test_it.py::test_that_passes_later[{n}]" for n in range(3)]),
        (
            1,
            False,
            1,
            [
                "failed twice: test_it.py::test_that_is_wrong",
                "passed at the second try: test_it.py::test_that_passes_later[0]",
            ],
        ),
        (4, True, 1, []),
    ],
)
def test_up_to_three_failed_tests_are_run_again_and_named(
    tmp_path: Path, failing: int, right: bool, code: int, said: list[str]
) -> None:
    """What fails twice fails the run; more than three failures are no accident, and none of them is run again."""
    (tmp_path / "test_it.py").write_text(SECOND.format(failing=failing, right=right))
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --numprocesses 2\n")
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(tmp_path)}
    for module, expected in (("pytest", 1), ("tests.second_try", code)):
        command = [sys.executable, "-m", module]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=LONGEST)
        assert done.returncode == expected, done.stdout
    assert [line for line in done.stdout.splitlines() if "try: " in line or "twice: " in line] == said


PLAYWRIGHT = """
Running 2 tests using 1 worker

  ✓  1 browser/jobs.spec.ts:6:1 › a table of jobs (1.5s)
  ✘  2 browser/jobs.spec.ts:82:1 › an empty page (16.0s)


  1) browser/jobs.spec.ts:82:1 › an empty page ────────────────────────────────────

    Error: expect(locator).toBeVisible() failed

    Locator: getByRole('heading', { name: 'Jobs', exact: true })
    Expected: visible
    Timeout: 15000ms
    Error: element(s) not found

      83 |   await open(page, "jobs");
    > 84 |   await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
         |                                                                          ^
        at /smalt/studio/browser/jobs.spec.ts:84:74

    Error: expect(received).toEqual(expected) // deep equality

    - Expected  - 1
    + Received  + 3

    - Array []
    + Array [
    +   "Failed to load resource: net::ERR_CONNECTION_RESET",
    + ]

       at rig.ts:119

      117 |       await use();
    > 118 |       expect(faults).toEqual([]);
          |                      ^

  1 failed
    browser/jobs.spec.ts:82:1 › an empty page ──────────
  1 passed (20.1s)
"""


def test_the_first_failure_of_a_browsers_test_is_told_with_its_reason() -> None:
    """Also where the second try passes: the name alone does not say what was missed."""
    assert describe_failures(PLAYWRIGHT) == (
        "browser/jobs.spec.ts:82:1 › an empty page: Error: expect(locator).toBeVisible() failed: "
        "Locator: getByRole('heading', { name: 'Jobs', exact: true }): Error: element(s) not found: "
        "Error: expect(received).toEqual(expected) // deep equality: "
        '+ Array [: +   "Failed to load resource: net::ERR_CONNECTION_RESET",: + ]: '
        '84 |   await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();'
    )
    assert describe_failures("all passed") == ""


def test_no_test_of_made_values_is_timed() -> None:
    """On a busy machine Hypothesis takes longer than its own checks allow to make values."""
    assert (settings().deadline, set(settings().suppress_health_check)) == (None, set(HealthCheck))
    words = ("suppress_health_check" + "=", "deadline" + "=None")
    files = [path for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py"]
    assert [str(path) for path in files if any(word in path.read_text() for word in words)] == []


def test_no_test_goes_where_its_starter_works() -> None:
    """A shell, or a job, may name its own server, workspace and run."""
    own = {"SMALT_URL": "http://x", "SMALT_HOME": "/h", "AZUREML_ARM_SUBSCRIPTION": "s", "MLFLOW_RUN_ID": "r"}
    kept = {"SMALT_TEST_AZURITE": "/a", "SMALT_HAND_OVER": "0", "HOME": "/root"}
    environment = {**own, **kept}
    forget_places(environment)
    assert environment == kept
