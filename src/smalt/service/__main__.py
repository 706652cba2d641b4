"""`python -m smalt.service [--foreground]`: the server of the home that SMALT_HOME names.

Exit status 0: it served and has ended, or another server of the home serves already. 1: one sentence on standard
error says why it cannot. Little is imported before the process knows that it will serve.
"""

from __future__ import annotations

import os
import sys

from smalt.exceptions import SmaltError, Unavailable
from smalt.launcher import marks
from smalt.machine.home import Home
from smalt.service import daemon, lock


def main() -> int:
    os.umask(0o077)
    marks.remove_number()
    try:
        return _serve_home(foreground="--foreground" in sys.argv[1:])
    except SmaltError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(Unavailable(f"the server cannot work: {error.strerror}{where}"), file=sys.stderr)
    return 1


def _serve_home(foreground: bool) -> int:
    home = Home.find()
    home.check()
    home.create()
    if foreground:
        daemon.remove_variables(home)
    else:
        daemon.detach_from_caller(home)
    held = lock.take_lock(home)
    if held is None:
        if foreground:
            print(f"a server of {home.root} runs already", file=sys.stderr)
        return 0
    from smalt.service.server import run_server  # late: a loser never pays for it

    run_server(home, held, foreground)
    return 0


if __name__ == "__main__":
    sys.exit(main())
