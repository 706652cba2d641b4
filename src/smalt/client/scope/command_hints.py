"""Commands in messages, completed so that they work as printed."""

from __future__ import annotations

import re
from collections.abc import Callable

_OF_A_WORKSPACE = re.compile(
    r"\bsmalt (?:job|component|environment|data|model|compute|datastore|schedule|connection|secret|mlflow"
    r"|(?:online|batch)-(?:endpoint|deployment)) [a-z][a-z-]*(?![a-z-]| -[gw] )"
)


def add_workspace_options(text: str, options: Callable[[], str]) -> str:
    """Return the text with the options after each command of a workspace; `options` is called only if there is one."""
    if _OF_A_WORKSPACE.search(text) is None:
        return text
    chosen = options()
    return _OF_A_WORKSPACE.sub(lambda found: found[0] + chosen, text) if chosen else text
