"""The processes of tools of the server: their environment variables, and a first start that tries them out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from smalt.service.environments.build_errors import EnvironmentFailed

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


def build_variables(home: Path) -> dict[str, str]:
    """Return the environment variables of a tool's process: no cloud credentials and no one's settings."""
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, "HOME": str(home)}


async def check_start(command: list[str], folder: Path) -> None:
    """Start a tool that ends by itself; it compiles the few modules that it needs of many thousand. EnvironmentFailed
    has the last line of what it said if it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env=build_variables(folder),
        cwd="/",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        raise EnvironmentFailed(f"it does not start ({last[0]})")
