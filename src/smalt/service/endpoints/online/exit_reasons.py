"""The reason for which a deployment's process has ended, as one sentence."""

from __future__ import annotations

import os
import re

from smalt.service.compute.backend import Exit

ENDED_EARLY = "ended before it answered"
_LINES = 15
"""Last lines of a log that stand in for a reason where none is found."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)(?:: .*)?$")
_OF_SERVER = "azureml_inference_server_http."
_LACKS = re.compile(r"User script at (?P<path>.*) does not have an? (?P<name>\w+)\(\) function")
_FRAME = re.compile(r'\s+File "(?P<path>.+)", line (?P<line>\d+)')
_HARMLESS = "Error while fetching model IDs"
"""Azure's server logs a traceback after these words where a model's version is no number, and goes on."""


def describe_exit(exit: Exit) -> str:
    if exit.reason in ("exited", "stopped", "timeout") and exit.code is not None:
        return f"exit code {exit.code}"
    if exit.signal is not None:
        out = ", possibly out of memory" if exit.signal == 9 else ""
        return f"signal {exit.signal}{out}"
    return exit.message or exit.reason


def explain_failed_start(exit: Exit, log: list[str], code: str, advice: str, end: str = ENDED_EARLY) -> str:
    """Return the sentence about a process that ended before it answered, or came to another `end`.

    `log` has the last lines that the process wrote, `code` is the folder with its script. Where the log names no
    exception, its end follows; else the `advice`, which says how to see it.
    """
    reason = find_reason(log, code)
    sentence = f"the server of the deployment {end} ({describe_exit(exit)})"
    if reason is None:
        return "\n".join([f"{sentence}; the end of its log:", *log[-_LINES:]])
    return f"{sentence}: {reason}; {advice}"


def find_reason(log: list[str], code: str) -> str | None:
    """Return the last exception in a log, with the line of the code that it came from."""
    lines = _drop_harmless(log)
    for index in reversed(range(len(lines))):
        if lacks := _LACKS.search(lines[index]):
            return f"{os.path.basename(lacks['path'])} has no function {lacks['name']}(), which the server calls"
        if _EXCEPTION.match(lines[index]) and not lines[index].startswith(_OF_SERVER):
            return f"{lines[index]}{_find_place(lines[:index], code)}"
    return None


def _find_place(lines: list[str], code: str) -> str:
    """Return the last line of the code in the traceback that these lines end with."""
    for line in reversed(lines):
        found = _FRAME.match(line)
        if found and found["path"].startswith(f"{code}/"):
            return f" ({os.path.relpath(found['path'], code)}:{found['line']})"
        if line.startswith("Traceback "):
            break
    return ""


def _drop_harmless(log: list[str]) -> list[str]:
    kept = []
    is_harmless = False
    for line in log:
        is_harmless = is_harmless or line.endswith(_HARMLESS)
        if not is_harmless:
            kept.append(line)
        elif _EXCEPTION.match(line):
            is_harmless = False
    return kept
