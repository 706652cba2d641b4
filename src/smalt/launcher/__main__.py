"""`python -I -S …/smalt/launcher/__main__.py HOME`: by path, so that nothing is read that it does not need."""

from __future__ import annotations

import fcntl
import os
import sys
import time

if __package__ in (None, ""):
    sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))]

from smalt.launcher import marks
from smalt.launcher.loop import Launcher, log_line
from smalt.machine.home import Home

PATIENCE = 1.0  # for the lock of a launcher that is just ending


def main(path: str) -> int:
    home = Home(path)
    marks.remove_number()
    os.chdir("/")  # keep no folder of whoever started us
    lock = _take_lock(home)
    if lock is None:
        return 0  # there is one
    try:
        Launcher(home, lock).run()
    except OSError as error:
        log_line(f"the launcher cannot go on: {error}")
        return 1
    return 0


def _take_lock(home: Home) -> int | None:
    handle = os.open(home.path("launcher.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() > end:
                return None
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
