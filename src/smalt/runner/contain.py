"""A command in a container, as long as we live: `python contain.py '<JSON>'`. Python 3.8 or newer, by path.

The JSON: run (the engine's command line up to the options of `run`), remove and signal (those that remove a container
and send it SIGTERM, its name is added), image, command (null: the image's own program), path (PATH inside; null: the
image's own), name, marks (a folder), grace, hidden (variables that stay outside).
Everything else of our environment goes inside, by name: no value stands in a command line.

The container is removed before we end. Where we cannot (SIGKILL), `marks` has a file of its name that nobody
has locked any more: the server removes what such files name.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

MARGIN = 5.0
"""Seconds of the grace that are kept for removing the container."""
PAUSE, LONGEST_PAUSE = 0.5, 4.0
"""Seconds between two SIGTERMs, each pause twice the last: PID 1 loses one that comes before its trap is set."""
STEP, SIGNALLED_BY_PARENT = "SMALT_STEP", "SMALT_SIGNALLED_BY_PARENT"
"""The launcher finds processes of a step by the first; the second says that SIGTERM is not the launcher's to send."""
ENGINE_CODES = (125, 126, 127)
"""Exit codes of an engine that failed itself; a command may have them too."""

# PID 1 is sent signals only if it handles them, and no one else inside hears of those that it is sent; with it ends all
# else, so it stays while others are saving their work. One that is not PID 1 (--pid=host) signals only its own child:
# there `kill -1` would be the whole machine.
INSIDE = """shell=$(command -v bash || echo sh)
"$shell" -c "$1" & child=$!
trap 'trap : TERM; ended=1; if [ $$ = 1 ]; then kill -TERM -1; else kill -TERM $child; fi' TERM
while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || break; done
if [ "$ended" ] && [ $$ = 1 ]; then while set -- /proc/[0-9]*; [ $# -gt 1 ]; do sleep 0.1; done; fi
exit $code"""


def main(plan: dict[str, Any]) -> int:
    name = f"{plan['name']}-{os.getpid()}"
    with hold_mark(os.path.join(plan["marks"], name)):
        return _Container(plan, name).run()


class _Container:
    """A container and the engine's client that started it.

    A client that gets SIGTERM while the container starts ends, and the container never hears of it; what is inside
    would get it twice. So the launcher sends it to neither: the client has a session of its own, and all carry
    SIGNALLED_BY_PARENT. They keep the step's mark, by which the launcher ends them if this process is killed.
    """

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        self._plan = plan
        self._name = name
        self._is_stopped = False
        self._is_over = threading.Event()

    def run(self) -> int:
        """Return the exit code of the command."""
        signal.signal(signal.SIGTERM, self._handle_stop)
        if self._is_stopped:
            return 128 + signal.SIGTERM
        client = subprocess.Popen(
            self._make_command(),
            stdin=subprocess.DEVNULL,
            env={**os.environ, SIGNALLED_BY_PARENT: "1"},
            start_new_session=True,
        )
        code = client.wait()
        self._is_over.set()
        if self._is_stopped or code < 0 or code in ENGINE_CODES:  # a client that was ended itself has left it
            self._call_engine("remove")
        return 128 - code if code < 0 else code

    def _make_command(self) -> list[str]:
        plan = self._plan
        hidden = {"PATH", STEP, *plan["hidden"]}
        names = [SIGNALLED_BY_PARENT, *(key for key in os.environ if key not in hidden)]
        passed = [word for name in names for word in ("--env", name)]
        path = [] if plan["path"] is None else ["--env", f"PATH={plan['path']}"]
        program = [plan["image"]]
        if plan["command"] is not None:
            program = ["--entrypoint", "sh", plan["image"], "-c", INSIDE, "sh", plan["command"]]
        return [*plan["run"], "--rm", "--name", self._name, *passed, *path, *program]

    def _handle_stop(self, *_: Any) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            for action in (self._send_term, self._remove_later):
                threading.Thread(target=action, daemon=True).start()

    def _send_term(self) -> None:
        """Send SIGTERM inside as soon as there is an inside, and again until it ends: our PID 1 passes on the first."""
        is_repeated, pause = self._plan["command"] is not None, PAUSE
        while not self._is_over.is_set():
            if self._call_engine("signal") == 0:
                if not is_repeated:
                    return
                pause = min(2 * pause, LONGEST_PAUSE)
            self._is_over.wait(pause)

    def _remove_later(self) -> None:
        """Remove the container when the grace is nearly over, and again while it may only be on its way."""
        pause = max(self._plan["grace"] - MARGIN, PAUSE)
        while not self._is_over.wait(pause):
            self._call_engine("remove")
            pause = PAUSE

    def _call_engine(self, verb: str) -> int | None:
        """Have the engine do to the container what the plan calls `verb`; return the exit code."""
        with contextlib.suppress(OSError):
            command = [*self._plan[verb], self._name]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
            return done.returncode
        return None


@contextlib.contextmanager
def hold_mark(path: str) -> Any:
    """Hold a mark while the container of its name exists; a mark that nobody locks is an orphan's."""
    handle = _make_locked_file(path)
    try:
        yield
        os.unlink(path)
    finally:
        os.close(handle)


def _make_locked_file(path: str) -> int:
    """Return a descriptor of the file; a server that starts may remove one that is not locked yet."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
