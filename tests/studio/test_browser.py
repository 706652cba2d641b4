"""The studio's pages in a browser: studio/browser/*.spec.ts, on a real server with real jobs."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smalt.exceptions import Unavailable
from smalt.service.api.studio.pages import STATIC
from tests.helpers import WORKSPACE, Server, running_server
from tests.studio.still_chromium import CALLS
from tests.tracking.conftest import build_mlflow

STUDIO = Path(__file__).resolve().parents[2] / "studio"
SPECS = sorted(path.name for path in (STUDIO / "browser").glob("*.spec.ts"))
STILL_CHROMIUM = Path(__file__).with_name("still_chromium.py")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LONGEST = 450

SAID = r"^ +((?:\w*Error|Test timeout|Locator:|Received\b|\+ (?! *Received)).*)$"
"""What Playwright says of a failure; a line that begins with + is of a difference, and was not expected."""


def find_browser() -> str | None:
    return os.environ.get("STUDIO_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def explain_missing() -> str | None:
    """Return why no browser can be tried here."""
    if shutil.which("node") is None:
        return "no Node here, which drives the browser"
    if not (STUDIO / "node_modules/@playwright/test").is_dir() or not (STATIC / "index.html").is_file():
        return "the studio is not built here; run scripts/studio"
    if find_browser() is None:
        return "no Chromium here; install it, or name one in STUDIO_CHROMIUM"
    return None


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"studio_folder": str(tmp_path_factory.mktemp("project"))}
    with contextlib.suppress(Unavailable):  # the tests that need it say so
        settings["mlflow_python"] = build_mlflow()
    with running_server(**settings) as server:
        yield server


@pytest.mark.skipif(explain_missing() is not None, reason=explain_missing() or "")
@pytest.mark.parametrize("spec", SPECS)
def test_pages_in_a_browser(served: Server, spec: str, record_property: Callable[[str, object], None]) -> None:
    """Each file of tests, which says itself what it expects, in a workspace of its own.

    A file that fails is run once more, in another workspace: a browser on a busy machine may miss what a page shows.
    The summary of all tests names it, and what a file left out because it cannot be had here.
    """
    name = spec.partition(".")[0].replace("_", "-")
    for attempt in range(2):
        ended = run_spec(served, spec, f"{name}-{attempt}")
        if ended.returncode == 0 or attempt:
            break
        record_property("tried again", describe_failures(ended.stdout) or spec)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if left_out := re.search(r"^left out: (.+)$", ended.stdout, re.MULTILINE):
        pytest.skip(left_out[1])


ASK = """
import socket
for family in ("AF_INET", "AF_UNIX", "AF_NETLINK"):
    try:
        socket.socket(getattr(socket, family)).close()
        print(family)
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.skipif(
    platform.machine() not in CALLS or not os.path.exists("/proc/sys/kernel/seccomp"),
    reason="no filters of system calls here",
)
def test_a_browser_hears_of_no_change_of_addresses() -> None:
    """It would end requests to this machine itself: beside tests of containers a page missed its code."""
    environment = {**os.environ, "STUDIO_BROWSER": sys.executable}
    command = [STILL_CHROMIUM, "-c", ASK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert done.stdout.splitlines() == ["AF_INET", "AF_UNIX", os.strerror(errno.EAFNOSUPPORT)], done.stderr


def describe_failures(output: str) -> str:
    """Return each failed test that Playwright lists, with its errors, what came instead, and the line that met it."""
    parts = re.split(r"^  \d+\) (.+?)[ ─]*$", output, flags=re.MULTILINE)[1:]
    found = []
    for title, report in zip(parts[::2], parts[1::2], strict=True):
        said = re.findall(SAID, report, re.MULTILINE)
        lines = re.findall(r"^ *> +(\d+ \|.*)$", report, re.MULTILINE)
        found.append(": ".join([title, *dict.fromkeys(said), *lines[:1]]))
    return "; ".join(found)


def run_spec(served: Server, spec: str, workspace: str) -> subprocess.CompletedProcess[str]:
    place = WORKSPACE.format(workspace)
    assert served.ask("PUT", place, {"properties": {}}).status in (200, 201)
    known = served.ask("GET", "/smalt/v1/workspaces").body["value"]
    environment = {
        **os.environ,
        "STUDIO_URL": f"http://127.0.0.1:{served.port}",
        "STUDIO_BROWSER": find_browser() or "",
        "STUDIO_CHROMIUM": str(STILL_CHROMIUM),
        "STUDIO_TOKEN": served.home.read_token() or "",
        "STUDIO_WORKSPACE": place,
        "STUDIO_HOME": str(served.home.root),
        "STUDIO_FILES": str(served.ask("GET", "/smalt/v1/config").body["studio-folder"]),
        "STUDIO_PYTHON": sys.executable,
        "STUDIO_FOLDER": next(one["folder"] for one in known if one["name"] == workspace),
    }
    command = ["node", "node_modules/@playwright/test/cli.js", "test", "-c", "browser", f"/{spec}"]
    command.append(f"--output=test-results/{spec}")  # else it removes what another run beside it writes
    return subprocess.run(command, cwd=STUDIO, env=environment, capture_output=True, text=True, timeout=LONGEST)
