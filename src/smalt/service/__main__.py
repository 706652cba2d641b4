"""`python -m smalt.service [--foreground]`: the server of the home that SMALT_HOME names.

Exit status 0: it served and has ended, or another server of the home serves already. 1: one sentence on
standard error says why it cannot. Little is imported before it is known that this process serves.
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
    marks.drop()
    try:
        return _serve(foreground="--foreground" in sys.argv[1:])
    except SmaltError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(Unavailable(f"the server cannot work: {error.strerror}{where}"), file=sys.stderr)
    return 1


def _serve(foreground: bool) -> int:
    home = Home.find()
    home.check()
    home.create()
    if foreground:
        daemon.keep_short_list(home)
    else:
        daemon.leave_caller(home)
    held = lock.win(home)
    if held is None:
        if foreground:
            print(f"a server of {home.root} runs already", file=sys.stderr)
        return 0
    from smalt.service.server import run  # late: a loser never pays for it

    run(home, held, foreground)
    return 0


if __name__ == "__main__":
    sys.exit(main())
