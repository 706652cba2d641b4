"""The line of a log that says why a command failed, such as the last one of a Python traceback."""

from __future__ import annotations

import os
import re
import stat

from smalt.service.secrets.masks import SecretMask

_TAIL_BYTES = 64 * 1024
_MOST_LETTERS = 300
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"[A-Za-z_][\w.]*(: |$)")
"""The end of a traceback: the exception's name, and what it says."""

_ERROR_LINES = re.compile(
    r"(?:[A-Za-z_][\w.$]*\.)?\w*(?:Error|Exception)(?:: |$)"  # Python, Java, JavaScript
    r"|Exception in thread "
    r"|Error in .* : ?"  # R
    r"|(?:[^\s:]+: )?(?:fatal )?(?:error|fatal|panic)(?:\[\w+\])?: "
    r"|(?:[^\s:]+: )(?:line \d+: )?.*(?:not found|No such file or directory|Permission denied|cannot [a-z]+ )"  # shells
    r"|(?:[^\s:]+: )?(?:.*\b[Cc]onnection refused\b|(?:\(\d+\) )?Failed to [a-z]+ )"  # ssh, curl
    r"|.*\b(?:ERROR|CRITICAL|FATAL)\b",  # loggers
)


def read_error_line(path: str, mask: SecretMask | None) -> str | None:
    """Return the last line of a log that names an error, its secrets hidden; None if none does."""
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
    """Return the last line of a text that names an error, without colours and clipped; None if none does."""
    found, is_in_traceback = None, False
    for line in text.split("\n"):
        plain = _COLOUR.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
        if plain.strip() == _TRACEBACK:
            is_in_traceback = True
        elif is_in_traceback and _RAISED.match(plain):
            found, is_in_traceback = plain, False
        elif _ERROR_LINES.match(plain):
            found = plain
    return found if found is None or len(found) <= _MOST_LETTERS else f"{found[:_MOST_LETTERS]}…"


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)
