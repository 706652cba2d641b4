"""Suggestions for a word that is not a command, as a line to type."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from itertools import takewhile

import click

_COMMANDS = {
    "logs": "job stream", "log": "job stream", "tail": "job stream", "attach": "job stream", "follow": "job stream",
    "stream": "job stream", "watch": "job stream",
    "ps": "job list", "ls": "job list", "list": "job list", "history": "job list", "runs": "job list",
    "run": "job create --stream --file", "submit": "job create --stream --file", "create": "job create --file",
    "rerun": "job create --stream --file", "validate": "job validate --file",
    "show": "job show", "get": "job show", "describe": "job show", "inspect": "job show",
    "cancel": "job cancel", "kill": "job cancel",
    "delete": "job delete", "rm": "job delete", "remove": "job delete", "download": "job download",
    "debug": "job debug", "metrics": "job metrics", "compare": "job compare", "export": "job export",
    "status": "server status", "start": "server start", "stop": "server stop", "restart": "server stop",
    "init": "workspace show", "ws": "workspace", "env": "environment", "notebook": "python", "nb": "python",
    "pipeline": "job", "experiment": "job list --experiment-name", "endpoint": "online-endpoint",
    "deployment": "online-deployment", "settings": "config list", "dashboard": "mlflow ui", "ui": "mlflow ui",
    "help": "--help", "gc": "prune", "clean": "prune", "keyvault": "secret", "jupyter": "kernel install",
}  # fmt: skip
"""First words that people type out of habit, and the command that does it; what follows the word follows that, too."""
_OF_A_JOB = {"status": "show", "stop": "cancel", "history": "show"}
"""The same of words that are followed by something: it is the name of a job."""
_PREFIXES = ("az", "ml", "smalt")
_VERBS = {
    "logs": ("stream",), "log": ("stream",), "tail": ("stream",), "follow": ("stream",), "watch": ("stream",),
    "wait": ("stream",), "attach": ("stream",),
    "ls": ("list",), "ps": ("list",),
    "run": ("create --file",), "submit": ("create --file",), "start": ("create --file",), "add": ("create",),
    "new": ("create",), "register": ("create",), "upload": ("upload", "create"), "put": ("set", "create"),
    "status": ("show",), "get": ("show",), "describe": ("show",), "inspect": ("show",), "info": ("show",),
    "stop": ("cancel",), "kill": ("cancel",), "abort": ("cancel",),
    "rm": ("delete", "archive", "unset"), "remove": ("delete", "archive", "unset"), "delete": ("archive", "unset"),
    "edit": ("update",), "set": ("update", "create"), "fetch": ("download",), "graph": ("lineage",),
}  # fmt: skip
"""Verbs of other programs, and the verbs of `smalt` that do it, the best first."""


def suggest_noun(words: Sequence[str], known: Sequence[str], ctx: click.Context) -> str:
    """Return the sentence for a command line whose first word is not a noun."""
    word, rest = words[0], list(words[1:])
    if word in _PREFIXES:
        needless = len(list(takewhile(_PREFIXES.__contains__, words)))
        return f"leave out '{' '.join(words[:needless])}': {_format_command(ctx, words[needless:] or ['--help'])}"
    if rest and word in _OF_A_JOB:
        return _format_suggestion(word, _format_command(ctx, ["job", _OF_A_JOB[word], *rest]))
    near = difflib.get_close_matches(word, known, 1)
    if word in _COMMANDS:
        return _format_suggestion(word, _format_command(ctx, [*_COMMANDS[word].split(), *rest]))
    if near:
        return _format_suggestion(word, _format_command(ctx, [near[0]]))
    return f"unknown command '{word}'; {ctx.command_path} --help lists the commands"


def suggest_verb(words: Sequence[str], known: Sequence[str], ctx: click.Context) -> str:
    """Return the sentence for a command line whose second word is not a verb of the noun."""
    word, rest = words[0], list(words[1:])
    for line in _VERBS.get(word, ()):
        if line.split()[0] in known:
            return _format_suggestion(word, _format_command(ctx, [*line.split(), *rest]))
    near = difflib.get_close_matches(word, known, 1)
    if near:
        return _format_suggestion(word, _format_command(ctx, [near[0]]))
    return f"unknown command '{word}'; there are: {', '.join(known)}"


def _format_suggestion(word: str, line: str) -> str:
    return f"unknown command '{word}'; did you mean '{line}'?"


def _format_command(ctx: click.Context, words: Sequence[str]) -> str:
    return f"{ctx.command_path} {shlex.join(words)}"
