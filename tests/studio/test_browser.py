"""The studio's pages in a browser: studio/browser/*.spec.ts, on a real server with real jobs."""

from __future__ import annotations

import contextlib
import os
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
from tests.tracking.conftest import build_mlflow

STUDIO = Path(__file__).resolve().parents[2] / "studio"
SPECS = sorted(path.name for path in (STUDIO / "browser").glob("*.spec.ts"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LONGEST = 300
# Chromium ends every request, of the loopback too, when an address of this machine comes or goes: no fault of a page.
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"


def explain_missing() -> str | None:
    """Return why no browser can be tried here."""
    if shutil.which("node") is None:
        return "no Node here, which drives the browser"
    if not (STUDIO / "node_modules/@playwright/test").is_dir() or not (STATIC / "index.html").is_file():
        return "the studio is not built here; run scripts/studio"
    if not os.environ.get("STUDIO_CHROMIUM") and not any(map(shutil.which, BROWSERS)):
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
    for attempt in range(3):
        ended = run_spec(served, spec, f"{name}-{attempt}")
        if ended.returncode == 0 or (attempt and NETWORK_CHANGED not in ended.stdout):
            break
        record_property("tried again", describe_failures(ended.stdout) or spec)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if left_out := re.search(r"^left out: (.+)$", ended.stdout, re.MULTILINE):
        pytest.skip(left_out[1])


def describe_failures(output: str) -> str:
    """Return each failed test that Playwright lists, with its error and the line that met it."""
    parts = re.split(r"^  \d+\) (.+?)[ ─]*$", output, flags=re.MULTILINE)[1:]
    found = []
    for title, report in zip(parts[::2], parts[1::2], strict=True):
        said = re.findall(r"^ +((?:\w*Error|Test timeout|Locator:|Received\b).*)$", report, re.MULTILINE)
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
