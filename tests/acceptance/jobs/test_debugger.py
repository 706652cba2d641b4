"""`smalt job debug --debugpy`: an editor stops a step at a line, and looks at what it has there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import debugpy
import pytest

from tests.acceptance.conftest import Desk
from tests.acceptance.jobs.editor import Editor
from tests.helpers import LONGEST, eventually, find_free_port


class Waiting(NamedTuple):
    name: str
    port: int
    process: subprocess.Popen[str]
    editor: Editor
    copy: Path


JOB = """
    type: command
    code: src
    command: python train.py --rate ${{inputs.rate}} && echo trained > ${{outputs.model}}/model
    environment: azureml:host
    environment_variables: {PYTHONPATH: FOLDER/packages}
    inputs: {rate: 0.25}
    outputs: {model: {type: uri_folder}}
"""
TRAIN = """\
import os, sys
rate = float(sys.argv[2])
print("rate", rate, os.environ["AZUREML_RUN_ID"])
"""


@pytest.fixture
def waiting(desk: Desk) -> Iterator[Waiting]:
    """A step that has run, and runs again under a debugger that waits."""
    desk.write("src/train.py", TRAIN)
    (desk.folder / "packages").mkdir()
    (desk.folder / "packages" / "debugpy").symlink_to(Path(debugpy.__file__).parent)
    ran = desk.job(JOB.replace("FOLDER", str(desk.folder)))
    name = ran.err.split("job ")[1].split()[0]
    assert "rate 0.25" in ran.out
    port = find_free_port()
    command = [sys.executable, "-m", "smalt", "job", "debug", name, "--debugpy", str(port)]
    environment = {**os.environ, "SMALT_HOME": str(desk.server.home.root)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True)
    try:
        with contextlib.closing(Editor(port)) as editor:
            copy = next(desk.server.home.path("workspaces").glob(f"*/jobs/{name}.debug-*"))
            yield Waiting(name, port, process, editor, copy)
    finally:
        process.terminate()
        process.communicate(timeout=LONGEST)


def test_an_editor_stops_a_step_at_a_line(waiting: Waiting) -> None:
    """In the step's own command; it sees the values there, changes one, and the command goes on to its end."""
    editor = waiting.editor
    editor.answer("initialize", adapterID="debugpy", pathFormat="path")
    editor.ask("attach", justMyCode=True)
    editor.event("initialized")
    script = next(waiting.copy.rglob("train.py"))
    editor.answer("setBreakpoints", source={"path": str(script)}, breakpoints=[{"line": 3}])
    editor.answer("configurationDone")
    thread = editor.event("stopped")["threadId"]
    frame = editor.answer("stackTrace", threadId=thread)["stackFrames"][0]
    assert (frame["source"]["path"], frame["line"]) == (str(script), 3)
    assert editor.answer("evaluate", expression="rate", frameId=frame["id"])["result"] == "0.25"
    editor.answer("evaluate", expression="rate = 0.5", frameId=frame["id"], context="repl")
    editor.answer("continue", threadId=thread)
    editor.event("terminated")
    editor.close()
    out, err = waiting.process.communicate(timeout=LONGEST)
    assert waiting.process.returncode == 0, err
    assert f"waits for an editor at 127.0.0.1:{waiting.port}" in err
    assert f"rate 0.5 {waiting.name}" in out
    assert not waiting.copy.exists()


def test_a_debugger_that_nobody_came_to_ends_with_the_command(waiting: Waiting) -> None:
    """SIGTERM leaves neither the step nor the copy behind."""
    waiting.editor.close()
    waiting.process.terminate()
    waiting.process.communicate(timeout=LONGEST)
    assert waiting.process.returncode == 128 + 15
    assert not waiting.copy.exists()
    eventually(lambda: not Editor.can_connect(waiting.port), "the end of the debugger")
