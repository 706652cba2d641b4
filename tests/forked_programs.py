"""Programs of tests in processes of their own, forked from one that has imported the engine.

A program that imports it by itself takes half a second of the processor before it begins.
`python -m tests.forked_programs` is that process; `ForkedPrograms` starts it and asks it.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LONGEST = 300
"""Seconds in which a program must end."""


class ForkedPrograms:
    """Runs `python -m MODULE ARGUMENTS` without the time that the imports take."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module to its end, with the environment as it is now; what it says on standard error is kept."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile("r", prefix="smalt-said-") as said:
            asked = {"argv": [module, *arguments], "environment": dict(os.environ), "said": said.name}
            late = threading.Timer(LONGEST, os.killpg, (self._process.pid, signal.SIGKILL))
            late.start()
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
            late.cancel()
            assert answer, f"{module} did not end within {LONGEST:g} s: {said.read()}"
            return subprocess.CompletedProcess([module, *arguments], int(answer), "", said.read())

    def close(self) -> None:
        with self._process as process:  # which waits for its end
            assert process.stdin is not None
            process.stdin.close()


def _serve() -> None:
    import tests.schedules.rig  # noqa: F401
    from smalt.service.environments.builders.interpreters import probe_interpreter
    from smalt.service.environments.views import host_python
    from tests.engine.bench import read_sites_once

    host_python._read_sites = read_sites_once
    python, _, _ = read_sites_once(host_python._find_first())
    probe_interpreter(python, os.stat(python).st_mtime_ns)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run_program(asked["argv"], asked["environment"], asked["said"])
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _run_program(argv: Sequence[str], environment: dict[str, str], said: str) -> None:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(os.open(said, os.O_WRONLY), 2)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = list(argv)
        sys.modules.pop(argv[0], None)
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
