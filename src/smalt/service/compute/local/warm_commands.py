"""Commands that are plainly one Python program: no shell is needed to know what they start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_BEGINS = re.compile(r"\s*(?:[A-Za-z_]\w*=.*\s)?python[0-9.]*\s")
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SCRIPT = re.compile(r"(?:\./)?(?:\w[\w.-]*/)*\w[\w.-]*\.py")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")

_PLAIN = re.compile(r"(?:[A-Za-z0-9_./:,@%+^=-]|(?![\x00-\x7f])\w)+")
"""Characters that mean nothing to a shell, letters of any language among them."""
_SPACES = re.compile(r"[ \t]+")
_END = re.compile(r"[ \t\n]*\Z")
_BETWEEN = re.compile(r"[ \t]|[ \t\n]*\Z")
_JOINED = re.compile(r"\\\n")
_ESCAPED = re.compile(r"\\([^\n])", re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_IN_DOUBLE = re.compile(r'[^"$`\\]+')
_ESCAPED_IN_DOUBLE = re.compile(r'\\([$`"\\])')
_KEPT_IN_DOUBLE = re.compile(r'(\\)(?![$`"\\\n])')
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_ONE_WORD = re.compile(r"[A-Za-z0-9_./:,@%+^=-]+")
"""A value that stays one word, and the same, where its variable stands outside of quotes."""
_OF_THE_SHELL = re.compile(
    r"_|BASH.*|COMP_.*|DIRSTACK|EPOCH.*|EUID|FUNCNAME|GROUPS|HISTCMD|IFS|LINENO|OLDPWD|OPTARG|OPTERR|OPTIND"
    r"|PIPESTATUS|POSIXLY_CORRECT|PPID|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID"
)
"""Variables that a shell gives values of its own."""


class PythonCommand(NamedTuple):
    assigned: dict[str, str]
    """The variables that are set before the program."""
    words: list[str]
    """The program and its arguments."""
    first: int
    """The place of the program's first argument in `words`."""
    script: str
    """The path of a file below the working folder; empty for a module."""
    module: str
    is_unbuffered: bool
    typed: str
    """The command as a shell repeats it where it says that a signal ended it."""
    line: int
    """The line that it names then: that of the command's last word."""


def is_python(command: str) -> bool:
    """Return True if the command begins as one of Python does."""
    return _BEGINS.match(command) is not None


def parse_python_command(command: str, variables: Mapping[str, str]) -> PythonCommand | None:
    """Return the parts of a command `[NAME=value …] python [-u] (FILE.py | -m MODULE) …`; None for any other.

    `variables` are those that its shell is started with.
    """
    reader = _CommandReader(command, variables)
    words = reader.read_words()
    if words is None:
        return None
    assigned: dict[str, str] = {}
    for typed in reader.typed:
        if not _ASSIGNED.match(typed):
            break
        name, _, assigned[name] = words.pop(0).partition("=")
    if reader.used.intersection(assigned):  # whether the value before or after the assignment is meant
        return None
    place = 1
    while words[place : place + 1] == ["-u"]:
        place += 1
    target, typed = words[place] if len(words) > place else "", " ".join(reader.typed)
    if target == "-m" and len(words) > place + 1 and _MODULE.fullmatch(words[place + 1]):
        return PythonCommand(assigned, words, place + 2, "", words[place + 1], place > 1, typed, reader.line)
    if _SCRIPT.fullmatch(target):
        return PythonCommand(assigned, words, place + 1, target, "", place > 1, typed, reader.line)
    return None


class _NeedsShell(Exception):
    """A command in which the shell has more to do than to take quotes away and fill in variables."""


class _CommandReader:
    """Splits a command into words as bash does, as far as that is certain."""

    def __init__(self, command: str, variables: Mapping[str, str]) -> None:
        self._text = command.lstrip(" \t\n")
        self._place = 0
        self._lines_before = command[: len(command) - len(self._text)].count("\n")
        self._variables = variables
        self.used: set[str] = set()
        """The variables that were filled in."""
        self.typed: list[str] = []
        """The words as they stand in the command."""

    @property
    def line(self) -> int:
        """The line of the command up to which was read."""
        return 1 + self._lines_before + self._text.count("\n", 0, self._place)

    def read_words(self) -> list[str] | None:
        """Return the words; None where only a shell can tell them."""
        words = []
        try:
            while not _END.match(self._text, self._place):
                if self._take_match(_JOINED) or self._take_match(_SPACES):
                    continue
                begin = self._place
                words.append(self._read_word())
                self.typed.append(_JOINED.sub("", self._text[begin : self._place]))
        except _NeedsShell:
            return None
        return words

    def _read_word(self) -> str:
        parts: list[str] = []
        while not _BETWEEN.match(self._text, self._place):
            if match := self._take_match(_PLAIN):
                parts.append(match[0])
            elif self._take_match(_JOINED):
                continue
            elif match := self._take_match(_ESCAPED) or self._take_match(_SINGLE):
                parts.append(match[1])
            elif match := self._take_match(_VARIABLE):
                parts.append(self._read_variable(match, is_quoted=False))
            elif self._text[self._place] == '"':
                parts.append(self._read_double_quotes())
            else:
                raise _NeedsShell
        return "".join(parts)

    def _read_double_quotes(self) -> str:
        parts: list[str] = []
        self._place += 1
        while not self._text.startswith('"', self._place):
            if match := self._take_match(_IN_DOUBLE):
                parts.append(match[0])
            elif self._take_match(_JOINED):
                continue
            elif match := self._take_match(_ESCAPED_IN_DOUBLE) or self._take_match(_KEPT_IN_DOUBLE):
                parts.append(match[1])
            elif match := self._take_match(_VARIABLE):
                parts.append(self._read_variable(match, is_quoted=True))
            else:  # a command in it, or no end
                raise _NeedsShell
        self._place += 1
        return "".join(parts)

    def _read_variable(self, match: re.Match[str], *, is_quoted: bool) -> str:
        """Return the value of a variable, where that is all that the shell makes of it."""
        name = match[1] or match[2]
        value = self._variables.get(name)
        if value is None or _OF_THE_SHELL.fullmatch(name) or not (is_quoted or _ONE_WORD.fullmatch(value)):
            raise _NeedsShell
        self.used.add(name)
        return value

    def _take_match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the match at the present place, and go behind it."""
        match = pattern.match(self._text, self._place)
        if match is not None:
            self._place = match.end()
        return match
