"""The order in which the tests run, and what of them one worker runs, so that no worker is idle at the end."""

from __future__ import annotations

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
