"""`python -m smalt.service.offline_settings`: read and change the settings of a home whose server does not run.

The changes come as JSON on standard input. The settings, and their problems, go to standard output; the reason for a
refused change goes to standard error, with exit status 1.
"""

from __future__ import annotations

import json
import sys

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.lock import take_lock
from smalt.service.settings import ServerSettings


def main() -> int:
    home = Home.find()
    try:
        home.check()
        home.create()
        changes = json.load(sys.stdin)
        lock = take_lock(home) if changes else None
        if changes and lock is None:
            print("a server was started meanwhile; try again", file=sys.stderr)
            return 1
        settings = ServerSettings(home, lenient=True)
        if changes:
            settings.check_changes(changes)
            settings.update(changes)
    except SmaltError as error:
        print(error, file=sys.stderr)
        return 1
    json.dump({"settings": settings.as_dict(), "problems": settings.problems}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
