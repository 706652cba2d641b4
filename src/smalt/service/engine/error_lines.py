"""The line of a log that says why a command failed, such as the last one of a Python traceback."""

from __future__ import annotations

import os
import re
import stat
from enum import IntEnum

from smalt.service.secrets.masks import SecretMask

_TAIL_BYTES = 64 * 1024
_MOST_LETTERS = 300
_MOST_MATCHED = 1000
"""The letters of a line that are looked at: no pattern may take long on one line, as the server waits meanwhile."""
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
    r"|(?:[^\s:]+: )?(?:(fatal error|fatal|panic)|error)(?:\[\w+\])?: "
    r"|[^\s:]+: .+: Assertion [`'].+ failed\.?$"  # C
)
_FAILED = re.compile(
    r"(?:[^\s:]+: )(?:line \d+: )?.*(?:not found|No such file or directory|Permission denied|cannot [a-z]+ )"  # shells
    r"|(?:[^\s:]+: )?(?:.*\b[Cc]onnection refused\b|(?:\(\d+\) )?Failed to [a-z]+ )",  # ssh, curl
)
_NUMBER = r"[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf)(?:\s*%)?"
_BETWEEN = r"[\s,;|/()±]"
_NO_REASON = re.compile(
    rf"[\s:=]*(?:{_NUMBER}(?:{_BETWEEN}+(?:[A-Za-z_][\w.]*\s*[:=]\s*)?{_NUMBER})*{_BETWEEN}*$"  # a metric, or a row
    r"|(?:none|null|nil|false|no|n/a|-|no (?:\w+ )?errors?|0 (?:\w+ )?errors?)\W*$)",
    re.IGNORECASE,
)
"""Words after "error" where there was none."""
_PLAIN_NUMBER = re.compile(r"\s*[-+]?\d+[^\w%]*$")
"""The key of a KeyError, for instance: a name in capitals and small letters says that it is an error."""
_COUNTED = re.compile(r"\b(?:0|no|zero|without)\s+(?:\w+\s+)?$", re.IGNORECASE)
"""Words before "error" where there was none."""
_DIED = r"(?:Killed|Segmentation fault|Bus error|Illegal instruction|Floating point exception)\b"
"""Ends of programs, but not Aborted: who aborts has said why."""
_SHELL_LINE = r"(?!(?:/\S*/)?sh: )\S+: line \d+: "
"""The start of what the command's own shell, bash, writes; a program's os.system writes `sh: …`."""
_ENDED = re.compile(rf"{_SHELL_LINE} *\d+ {_DIED}|{_DIED}(?: \(core dumped\))?$")
"""Words of the command's own shell on a program that a signal ended."""
_OWN_SHELL = re.compile(
    rf"{_SHELL_LINE}(?:.*(?:: command not found|: No such file or directory|: Permission denied|: unbound variable)$"
    r"|.*(?:cannot execute|syntax error|unexpected EOF) ?)"
)
"""Words of the command's own shell on a command that it could not run."""
_TERMINATED = re.compile(r"(?:libc\+\+abi: )?terminat(?:e called|ing) (?:after throwing|due to uncaught)")
_TERMINATED_WITHOUT = re.compile(r"(?:libc\+\+abi: )?terminat(?:e called|ing) without")
"""Words of C++ where threads still ran as the program ended, perhaps by an exception of Python."""
_WHAT = re.compile(r"\s*what\(\):\s*(?=\S)")
"""The line after one of `_TERMINATED`, with the exception's message."""
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
    takes its place, as the shell goes on only after what did not end the command; but that of a traceback only if
    a program was killed or the shell says it last: a script that cleans up may fail after any error.
    """
    found, strength = _find_strongest_line(text[-_NEAR_LETTERS:].partition("\n")[2])
    if strength != _Strength.RAISED:
        found, _ = _find_strongest_line(text)
    return found if found is None or len(found) <= _MOST_LETTERS else f"{found[:_MOST_LETTERS]}…"


def _find_strongest_line(text: str) -> tuple[str | None, int]:
    """Return the last of the lines that are the surest to name an error, and how sure that is."""
    found, strength, is_in_traceback = None, 0, False
    lines = text.rstrip().split("\n")
    for number, line in enumerate(lines, 1):
        plain = _COLOUR.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
        plain = _PREFIX.sub("", plain, count=1)[:_MOST_MATCHED]
        is_unsure = strength < _Strength.RAISED
        if plain.endswith(_TRACEBACK):
            is_in_traceback = True
        elif is_in_traceback and _RAISED.match(plain):
            found, strength, is_in_traceback = plain, _Strength.RAISED, False
        elif _TERMINATED.match(plain):
            found, strength = plain, _Strength.RAISED
        elif found is not None and _TERMINATED.match(found) and (what := _WHAT.match(plain)):
            found = f"{found}: {plain[what.end() :]}"
        elif _ENDED.match(plain) or ((is_unsure or number == len(lines)) and _OWN_SHELL.match(plain)):
            found, strength = plain, max(_Strength.MENTIONED, min(strength, _Strength.NAMED))
        elif is_unsure and (_names_error(plain) or _TERMINATED_WITHOUT.match(plain)):
            found, strength = plain, _Strength.NAMED
        elif strength <= _Strength.MENTIONED and _mentions_failure(plain):
            found, strength = plain, _Strength.MENTIONED
    return found, strength


def _names_error(line: str) -> bool:
    """Return True if a line begins with an error's name, unless it is a metric or says that there was none."""
    named = _NAMED.match(line)
    if named is None:
        return False
    rest = line[named.end() :]
    is_class = named[0][:1].isupper()
    return bool(named[1] or (is_class and _PLAIN_NUMBER.match(rest)) or not _NO_REASON.match(rest))


def _mentions_failure(line: str) -> bool:
    level = _LOGGED.search(line)
    if level is None:
        return _FAILED.match(line) is not None
    if not level[1] or _COUNTED.search(line[: level.start()]):
        return False
    return level[1] == "FATAL" or not _NO_REASON.match(line[level.end() :])


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)
