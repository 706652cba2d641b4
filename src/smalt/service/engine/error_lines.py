"""The line of a log that says why a command failed, such as the last one of a Python traceback."""

from __future__ import annotations

import os
import re
import stat
from enum import IntEnum

from smalt.service.secrets.masks import SecretMask

_TAIL_BYTES = 64 * 1024
_MOST_LETTERS = 300
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"[A-Za-z_][\w.]*(: |$)")
"""The end of a traceback: the exception's name, and what it says."""
_PREFIX = re.compile(r"(?:\[[a-z]+\d+\]: ?)*(?:\s+[|+] )?")
"""The marks that PyTorch writes before the lines of a process (`[rank0]: `), and Python before an exception group's."""
_NEAR_LETTERS = 8 * 1024
"""The end of a log in which the last traceback mostly is: looking through all of the tail takes longer."""

_NAMED = re.compile(
    r"(?:[A-Za-z_][\w.$]*\.)?\w*(?:Error|Exception)(?:: |$)"  # Python, Java, JavaScript
    r"|Exception in thread "
    r"|Error in .* : ?"  # R
    r"|(?:[^\s:]+: )?(?:fatal )?(?:error|fatal|panic)(?:\[\w+\])?: "
)
_FAILED = re.compile(
    r"(?:[^\s:]+: )(?:line \d+: )?.*(?:not found|No such file or directory|Permission denied|cannot [a-z]+ )"  # shells
    r"|(?:[^\s:]+: )?(?:.*\b[Cc]onnection refused\b|(?:\(\d+\) )?Failed to [a-z]+ )",  # ssh, curl
)
_LOGGED = re.compile(r"\b(?:DEBUG|INFO|WARN|WARNING|(ERROR|CRITICAL|FATAL))\b(?=\W+\w)")
"""The level of a logger's line, which is the first such word, before the message."""


class _Strength(IntEnum):
    """The certainty that a line says why the command failed."""

    MENTIONED = 1
    """Shells, transfers and loggers write such lines of what they go on without, too."""
    NAMED = 2
    RAISED = 3
    """The end of a traceback."""


def read_error_line(path: str, mask: SecretMask | None) -> str | None:
    """Return the line of a log's end that names an error, its secrets hidden; None if none does."""
    try:
        with open(path, "rb", buffering=0, opener=_open_nonblocking) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            start = max(0, status.st_size - _TAIL_BYTES)
            data = (mask or SecretMask(())).read_piece(file, start, _TAIL_BYTES)
    except OSError:
        return None
    return find_error_line(data.decode("utf-8", "replace"))


def find_error_line(text: str) -> str | None:
    """Return the line of a text that names an error, without colours and clipped; None if none does.

    That is the end of the last traceback. Where there is none, it is the last line that begins with an error's name,
    and without such a line the last one that mentions a failure.
    """
    found, strength = _find_strongest_line(text[-_NEAR_LETTERS:].partition("\n")[2])
    if strength != _Strength.RAISED:
        found, _ = _find_strongest_line(text)
    return found if found is None or len(found) <= _MOST_LETTERS else f"{found[:_MOST_LETTERS]}…"


def _find_strongest_line(text: str) -> tuple[str | None, int]:
    """Return the last of the lines that are the surest to name an error, and how sure that is."""
    found, strength, is_in_traceback = None, 0, False
    for line in text.split("\n"):
        plain = _COLOUR.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
        plain = _PREFIX.sub("", plain, count=1)
        if plain.endswith(_TRACEBACK):
            is_in_traceback = True
        elif is_in_traceback and _RAISED.match(plain):
            found, strength, is_in_traceback = plain, _Strength.RAISED, False
        elif strength <= _Strength.NAMED and _NAMED.match(plain):
            found, strength = plain, _Strength.NAMED
        elif strength <= _Strength.MENTIONED and _mentions_failure(plain):
            found, strength = plain, _Strength.MENTIONED
    return found, strength


def _mentions_failure(line: str) -> bool:
    level = _LOGGED.search(line)
    return bool(level[1]) if level else _FAILED.match(line) is not None


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)
