"""The order in which the tests run, what of them one worker runs, and what it imports first."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import pytest

_BROWSER = "test_browser.py"
"""Each of its tests opens a browser and takes as long as a file of others does."""

_LONGEST = (
    "test_official.py",
    "test_batch_kills.py",
    "test_fuzz.py",
    "test_backends.py",
    "test_child.py",
    "test_connections.py",
    "test_light_programs.py",
)
"""The files that take longest, which are begun first."""


def order_items(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests file by file: the longest files, then the others, among which those of browsers are spread.

    Browsers that run side by side take the processors from each other until a page misses its deadline.
    """
    browsers = [item for item in items if item.path.name == _BROWSER]
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.path.name != _BROWSER:
            files.setdefault(str(item.path), []).append(item)
    ordered = sorted(files.values(), key=lambda group: group[0].path.name not in _LONGEST)
    room = len(ordered) / (len(browsers) + 1)
    # From the last to the first, so that what is inserted moves nothing that is inserted later.
    for number, browser in reversed(list(enumerate(browsers))):
        ordered.insert(int(number * room), [browser])
    return [item for group in ordered for item in group]


def make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return a scheduler that gives a worker a whole file at a time, and of browsers one test."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return nodeid if file.endswith(_BROWSER) else file

    return Scheduler(config, log)


def import_share(session: pytest.Session) -> None:
    """Import this worker's share of all modules of tests first, and so leave their bytecode to the other workers.

    In a new checkout each worker would else rewrite and compile all of them, which takes longer than to collect them.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    root = session.config.rootpath
    for folder in session.config.getini("testpaths"):
        for path in sorted((root / folder).rglob("test_*.py"))[number::count]:
            # What a module raises, or skips itself for, is told when it is collected.
            with contextlib.suppress(Exception, pytest.skip.Exception):
                importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
