"""Starting a step's shell: nothing between the launcher and bash."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from functools import lru_cache
from typing import Any

_BASH = "/bin/bash" if os.path.exists("/bin/bash") else shutil.which("bash") or "/bin/bash"
_SHELL = "SHELL"
"""The variable without which bash looks for the user in all that nsswitch.conf names, which takes 0.1 ms."""
_LONGEST_ARGUMENT = 100_000  # Linux takes 131,072 bytes in one argument
CHANGED_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that this process, or Python, ignores; what it starts has their defaults."""


def start_process(step: dict[str, Any], claim: str, environment: dict[str, str]) -> int:
    """The pid of its shell, the leader of a new process group; OSError or ValueError say why there is none."""
    # --norc: without it Debian's bash reads ~/.bashrc where SSH_CLIENT is set.
    script = step["script"]
    if _SHELL not in environment and (shell := _find_login_shell()):
        environment = {**environment, _SHELL: shell}
        script = f"export -n {_SHELL};{script}"  # as where bash finds it; in one line, as messages name lines
    arguments = ["bash", "--norc", "-c", script]
    if len(script) > _LONGEST_ARGUMENT // 4 and len(script.encode()) > _LONGEST_ARGUMENT:
        arguments[2:] = [_write_script(script, f"{claim}.sh")]
    log = step["log"]
    try:
        return os.posix_spawn(
            _BASH,
            arguments,
            environment,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ),
            # A group of its own and no session: that would be a new scheduling group on Linux (autogroup), whose first
            # process waits a millisecond or two behind whatever computes before it becomes bash, and we with it.
            setpgroup=0,
            setsigmask=(),
            setsigdef=CHANGED_SIGNALS,
        )
    except OSError:
        # posix_spawn names bash whatever failed: see whether it was the log.
        os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
        raise


@lru_cache(maxsize=1)
def _find_login_shell() -> str:
    """Return what bash takes for the variable SHELL; empty where that is unknown."""
    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except (KeyError, OSError):
        return ""


def _write_script(script: str, path: str) -> str:
    with open(path, "w") as file:
        file.write(script)
    return path
