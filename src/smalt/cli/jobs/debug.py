"""`smalt job debug`: a shell, a command or a debugger in a copy of a step's folder and environment."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework.verb import Invocation
from smalt.client.connection.name_rules import check_name
from smalt.entities.schema.problems import join_words
from smalt.exceptions import RefusedError, ValidationException

if TYPE_CHECKING:
    from smalt.client import MLClient

_TERMINAL = ("TERM", "COLORTERM", "DISPLAY", "SSH_TTY")
"""Variables that describe the terminal to a shell; set unless the step sets them."""

_PYTHON = """#!/bin/bash
# The first Python of the step's command waits for an editor; what it starts is not led here again.
PATH=${{PATH#{folder}:}}
options=()
while [[ $1 == -?* && $1 != -[mc]* ]]; do options+=("$1"); shift; done
exec {python} "${{options[@]}}" -m debugpy --listen 127.0.0.1:{port} --wait-for-client "$@"
"""


def debug_step(
    ctx: Invocation, name: str, node: str | None, port: int | None, keep: bool, words: tuple[str, ...]
) -> int:
    """Make the copy, run the command in it, remove it, and return the command's exit code."""
    if port is not None and words:
        raise click.UsageError("--debugpy runs the step's own command; leave out the one after '--'")
    client = ctx.client
    check_name("job", name)
    job = _find_step_job(client, name, node) if node is not None else name
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was made is removed then, too
    made = client.connection.post(f"/smalt/v1{client.workspace_id}/jobs/{job}/debug")
    try:
        for note in made["notes"]:
            ctx.print_note(note)
        given = _choose_command(ctx, made, port, words)
        return _run_command(made, given) if port is None else _run_in_group(made, given)
    finally:
        if keep:
            ctx.print_note(f"kept: {made['folder']}")
        else:
            shutil.rmtree(made["folder"], ignore_errors=True)


def _choose_command(ctx: Invocation, made: dict[str, Any], port: int | None, words: tuple[str, ...]) -> list[str]:
    if words:
        return list(words)
    if port is not None:
        _wrap_python(made, port)
        ctx.print_note(f"{made['job']} waits for an editor at 127.0.0.1:{port}; its files are in {made['cwd']}")
        return ["/bin/bash", "-c", made["command"]]
    ctx.print_note(f"this is a copy of {made['job']} in {made['cwd']}; its command is:\n  {made['command'].strip()}")
    return ["/bin/bash", "--norc"] if sys.stdin.isatty() else ["/bin/bash"]


def _run_command(made: dict[str, Any], words: list[str]) -> int:
    environment = {key: value for key in _TERMINAL if (value := os.environ.get(key))} | made["environment"]
    try:
        return subprocess.run(words, cwd=made["cwd"], env=environment).returncode
    except OSError as error:
        raise ValidationException(f"cannot run '{shlex.join(words)}' in the step: {error.strerror}") from None


def _run_in_group(made: dict[str, Any], words: list[str]) -> int:
    """Run a command in a process group of its own, and kill the group with us, even if it waits for an editor."""
    environment = made["environment"]
    step = subprocess.Popen(words, cwd=made["cwd"], env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return step.wait()
    finally:
        if step.returncode is None:
            os.killpg(step.pid, signal.SIGKILL)
            step.wait()


def _wrap_python(made: dict[str, Any], port: int) -> None:
    """Make `python` of the step's command start debugpy first."""
    variables = made["environment"]
    python = shutil.which("python", path=variables["PATH"]) or made["python"]
    has = subprocess.run([python, "-c", "import debugpy"], env=variables, cwd=made["cwd"], capture_output=True)
    if has.returncode:
        raise RefusedError(
            f"the environment of job '{made['job']}' has no debugpy; add it to the environment and run the job again, "
            "or debug without an editor: smalt job debug NAME -- python -m pdb FILE"
        )
    folder = os.path.join(made["folder"], "debugger")
    os.makedirs(folder)
    text = _PYTHON.format(folder=folder, python=shlex.quote(python), port=port)
    for name in ("python", "python3"):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o700)
    variables["PATH"] = f"{folder}:{variables['PATH']}"


def _find_step_job(client: MLClient, name: str, node: str) -> str:
    """Return the name of the job of a pipeline's step: `train`, `outer/train`, or of an iteration `loop/train.2`."""
    rows = client.connection.get(f"/smalt/v1{client.workspace_id}/jobs/{name}/tree")["jobs"]
    paths: dict[str, str] = {name: ""}
    for row in rows:  # parents first
        if row["name"] != name and row["parent"] in paths:
            above = paths[row["parent"]]
            paths[row["name"]] = f"{above}/{row['node']}" if above else str(row["node"])
    parents = {row["parent"] for row in rows}
    steps = {path: job for job, path in paths.items() if path and job not in parents}
    exact = [job for path, job in steps.items() if node in (path, job)]
    found = exact or [job for path, job in steps.items() if path.rpartition("/")[2] == node]
    if len(found) > 1:
        raise click.ClickException(f"'{node}' is {join_words([paths[job] for job in found], 'or')}; say which")
    if not found:
        known = f"its steps are {join_words(list(steps)[:20], 'and')}" if steps else "it has none"
        raise click.ClickException(f"job {name} has no step '{node}'; {known}")
    return found[0]
