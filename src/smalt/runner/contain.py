"""A command in a container, as long as we live: `python contain.py '<JSON>'`. Python 3.8 or newer, by path.

The JSON: run (the engine's command line up to the options of `run`), remove (that which removes a container, its name
is added), image, command (null: the image's own program), path (PATH inside; null: the image's own), name, marks (a
folder), grace, hidden (variables that stay outside).
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
LATER = 0.5
"""Seconds until SIGTERM is passed on: the launcher sends it to the client as well, and inside the first one counts."""
STEP = "SMALT_STEP"
"""By which the launcher finds processes of a step: those inside get signals by the one way that is theirs."""

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
    with _write_mark(os.path.join(plan["marks"], name)):
        hidden = {"PATH", STEP, *plan["hidden"]}
        passed = [word for key in os.environ if key not in hidden for word in ("--env", key)]
        path = [] if plan["path"] is None else ["--env", f"PATH={plan['path']}"]
        program = [plan["image"]]
        if plan["command"] is not None:
            program = ["--entrypoint", "sh", plan["image"], "-c", INSIDE, "sh", plan["command"]]
        client = subprocess.Popen(
            [*plan["run"], "--rm", "--name", name, *passed, *path, *program],
            stdin=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if key != STEP},
        )  # fmt: skip
        timers: list[threading.Timer] = []

        def stop(*_: Any) -> None:
            if not timers:
                timers.append(threading.Timer(LATER, client.send_signal, (signal.SIGTERM,)))
                timers.append(threading.Timer(max(plan["grace"] - MARGIN, LATER), _remove_container, (plan, name)))
                for timer in timers:
                    timer.daemon = True
                    timer.start()

        signal.signal(signal.SIGTERM, stop)
        code = client.wait()
        if timers:
            for timer in timers:
                timer.cancel()
            _remove_container(plan, name)  # a client that was ended itself has left it
        return 128 - code if code < 0 else code


def _remove_container(plan: dict[str, Any], name: str) -> None:
    with contextlib.suppress(OSError):
        command = [*plan["remove"], name]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def _write_mark(path: str) -> Any:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.unlink(path)
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
