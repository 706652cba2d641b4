"""`smalt studio`, and `--web` of the verbs of jobs: a browser is opened at a page, or its address printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.service.api.studio.pages import explain_missing_pages
from tests.helpers import Server
from tests.studio.browsers import Browser

needs_pages = pytest.mark.skipif(explain_missing_pages() is not None, reason=explain_missing_pages() or "")
JOB = "command: 'true'\nenvironment: azureml:host@latest\n"


def run_cli(server: Server, words: str, folder: Path, browser: str | None = None) -> tuple[str, str]:
    """Run a command, in a session that has this program as its browser, or none."""
    without = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    environment = {**without, "SMALT_HOME": str(server.home.root), **({"BROWSER": browser} if browser else {})}
    command = [sys.executable, "-m", "smalt", *words.split()]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout, ended.stderr


def sign_in(server: Server, address: str) -> None:
    """Sign in with the code of an address, which is good once."""
    code = re.search(r"#code=(\S+)", address)
    assert code, address
    assert Browser(server).sign_in(code=code[1]).status == 201
    assert Browser(server).sign_in(code=code[1]).status == 401


@needs_pages
def test_the_address_is_printed(own_server: Server, tmp_path: Path) -> None:
    """At the jobs of the workspace in effect, on standard output, for scripts; of a new home at its beginning."""
    own_server.start()
    first, _ = run_cli(own_server, "studio --no-browser", tmp_path)
    assert first.startswith(f"http://127.0.0.1:{own_server.port}/studio#code=")
    run_cli(own_server, "workspace create --name lab", tmp_path)
    printed, note = run_cli(own_server, "studio --no-browser -w lab", tmp_path)
    assert printed.startswith(f"http://127.0.0.1:{own_server.port}/studio/lab/jobs#code=")
    assert "within ten minutes" in note
    sign_in(own_server, printed)
    sign_in(own_server, first)


@needs_pages
def test_a_file_is_opened_in_the_designer(own_server: Server, tmp_path: Path) -> None:
    """Where the setting permits it; a file elsewhere is refused with the setting that would."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/my pipeline.yml").write_text("type: pipeline\n")
    (tmp_path / "flows/p.yml").symlink_to("my pipeline.yml")
    own_server.start()
    refused = subprocess.run(
        [sys.executable, "-m", "smalt", "studio", "flows/p.yml", "--no-browser"],
        cwd=tmp_path, env={**os.environ, "SMALT_HOME": str(own_server.home.root)}, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode == 2
    assert f"smalt config set studio-folder {tmp_path}/flows" in refused.stderr
    run_cli(own_server, f"config set studio-folder {tmp_path}", tmp_path)
    printed, _ = run_cli(own_server, "studio flows/p.yml --no-browser -w drawn", tmp_path)
    assert "/studio/drawn/designer?file=flows/my%20pipeline.yml#code=" in printed
    sign_in(own_server, printed)


@needs_pages
@pytest.mark.parametrize("verb", ["create --file job.yml", "show --name j", "update --name j --set display_name=x"])
def test_a_job_is_opened(server: Server, tmp_path: Path, verb: str) -> None:
    """In the browser that the session names; where there is none its address is printed."""
    (tmp_path / "job.yml").write_text(JOB)
    group = f"-g {tmp_path.name} -w opened"
    run_cli(server, f"job create --file job.yml --name j {group}", tmp_path)
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    script.chmod(0o755)
    _, note = run_cli(server, f"job {verb} --web {group}", tmp_path, f"{script} %s")
    address = (tmp_path / "opened").read_text()
    assert re.search(r"/studio/[\w-]+/jobs/\w+#code=", address)
    assert "#code" not in note  # what is printed may stay in a log
    sign_in(server, address)
    _, note = run_cli(server, f"job {verb} --web {group}", tmp_path)
    sign_in(server, note)


WITHOUT_PAGES = """
import runpy
from pathlib import Path
from smalt.service.api.studio import pages
pages.STATIC = Path("/nonexistent")
runpy.run_module("smalt.service", run_name="__main__")
"""


def test_a_server_without_pages_says_how_to_build_them(own_server: Server, tmp_path: Path) -> None:
    """In place of an address, as an error of `smalt studio`, and as a note below a job that was made."""
    own_server.start(program=("-c", WITHOUT_PAGES))
    script = Path(__file__).resolve().parents[2] / "scripts/studio"
    sentence = f"the studio's pages are not built; build them, with Node 20 or newer, by {script}\n"
    for options in ("--no-browser", ""):
        ended = subprocess.run(
            [sys.executable, "-m", "smalt", "studio", *options.split()],
            cwd=tmp_path, env={**os.environ, "SMALT_HOME": str(own_server.home.root)}, capture_output=True, text=True,
        )  # fmt: skip
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"error: {sentence}")
    (tmp_path / "job.yml").write_text(JOB)
    _, note = run_cli(own_server, "job create --file job.yml --name j --web", tmp_path)
    assert sentence in note
    page = own_server.ask_as("GET", "/studio", {})
    assert page.status == 404
