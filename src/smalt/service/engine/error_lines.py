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
    r"|[^\s:]+: .+: Assertion [`'].+ failed\.?$"  # C
)
_FAILED = re.compile(
    r"(?:[^\s:]+: )(?:line \d+: )?.*(?:not found|No such file or directory|Permission denied|cannot [a-z]+ )"  # shells
    r"|(?:[^\s:]+: )?(?:.*\b[Cc]onnection refused\b|(?:\(\d+\) )?Failed to [a-z]+ )",  # ssh, curl
)
_NUMBER = r"[-+]?(?:\d[\d_,]*\.?\d*(?:[eE][-+]?\d+)?|nan|inf)"
_NO_REASON = re.compile(
    rf"[\s:=]*(?:{_NUMBER}\s*%?(?:$|\s*[,;|/(±]|\s+\w+\s*[:=])"  # a metric, perhaps the first of a row
    r"|(?:none|null|nil|false|no|n/a|-|no (?:\w+ )?errors?|0 (?:\w+ )?errors?)\W*$)",
    re.IGNORECASE,
)
"""Words after "error" where there was none."""
_PLAIN_NUMBER = re.compile(r"\s*[-+]?\d+\W*$")
"""The key of a KeyError, for instance: a name in capitals and small letters says that it is an error."""
_COUNTED = re.compile(r"\b(?:0|no|zero|without)\s+(?:\w+\s+)?$", re.IGNORECASE)
"""Words before "error" where there was none."""
_DIED = r"(?:Killed|Segmentation fault|Bus error|Illegal instruction|Floating point exception)\b"
"""Ends of programs, but not Aborted: who aborts has said why."""
_OWN_SHELL = re.compile(
    r"(?!(?:/\S*/)?sh: )\S+: line \d+: +(?:"
    rf"\d+ {_DIED}|.*(?:: command not found|: No such file or directory|: Permission denied|: unbound variable)$"
    r"|.*(?:cannot execute|syntax error|unexpected EOF) ?)"
    rf"|{_DIED}(?: \(core dumped\))?$"
)
"""Words of the command's own shell, bash, on a command that failed; a program's os.system writes `sh: …`."""
_TERMINATED = re.compile(r"(?:libc\+\+abi: )?terminat(?:e called|ing) (?:after throwing|due to uncaught|without)")
_WHAT = re.compile(r"\s*what\(\):\s*(?=\S)")
"""The line after that one, with the exception's message."""
_LOGGED = re.compile(r"\b(?:DEBUG|INFO|WARN|WARNING|(ERROR|CRITICAL|FATAL))\b(?=\W+\w)")
"""The level of a logger's line, which is the first such word, before the message."""


class _Strength(IntEnum):
    """The certainty that a line says why the command failed."""

    MENTIONED = 1
    """Shells, transfers and loggers write such lines of what they go on without, too."""
    NAMED = 2
    RAISED = 3
    """The end of a traceback, and what C++ writes of an exception."""


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
    and without such a line the last one that mentions a failure. What the command's shell says after one of these
    takes its place: the shell goes on only after what did not end the command.
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
        elif _TERMINATED.match(plain):
            found, strength = plain, _Strength.RAISED
        elif found is not None and _TERMINATED.match(found) and (what := _WHAT.match(plain)):
            found = f"{found}: {plain[what.end() :]}"
        elif _OWN_SHELL.match(plain):
            found, strength = plain, max(_Strength.MENTIONED, min(strength, _Strength.NAMED))
        elif strength <= _Strength.NAMED and _names_error(plain):
            found, strength = plain, _Strength.NAMED
        elif strength <= _Strength.MENTIONED and _mentions_failure(plain):
            found, strength = plain, _Strength.MENTIONED
    return found, strength


def _names_error(line: str) -> bool:
    """Return True if a line begins with an error's name, unless it is a metric or says that there was none."""
    named = _NAMED.match(line)
    if named is None:
        return False
    is_class = named[0][:1].isupper() and named[0] != "Error: "
    rest = line[named.end() :]
    return (is_class and _PLAIN_NUMBER.match(rest) is not None) or _NO_REASON.match(rest) is None


def _mentions_failure(line: str) -> bool:
    level = _LOGGED.search(line)
    if level is None:
        return _FAILED.match(line) is not None
    return bool(level[1]) and not (_COUNTED.search(line[: level.start()]) or _NO_REASON.match(line[level.end() :]))


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)
