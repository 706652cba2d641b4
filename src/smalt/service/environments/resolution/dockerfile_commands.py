"""Commands of a Dockerfile's RUN that install packages, parsed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from smalt.machine.requirements_files import parse_local_file

_PIP = re.compile(r"pip[\d.]*")
_PYTHON = re.compile(r"python[\d.]*")
_CONDAS = ("conda", "mamba", "micromamba")
_WITHOUT_EFFECT = frozenset(
    [
        "echo",
        "true",
        ":",
        "set",
        "rm",
        "mkdir",
        "ls",
        "pwd",
        "export",
        "chmod",
        "chown",
        "which",
        "ldconfig",
        "source",
        ".",
        "exit",
        "cat",
        "date",
        "sync",
        "test",
        "[",
    ]
)
"""Commands without which a job has all that it had: they tidy up, or serve the build itself."""
_TIDYING = {
    "pip": ("cache", "config", "list", "freeze", "check", "show", "--version", "debug"),
    "conda": ("clean", "config", "init", "info", "list", "activate", "deactivate", "update"),
    "apt-get": ("update", "clean", "autoclean", "autoremove", "purge", "remove", "upgrade"),
}
_WITH_VALUE = frozenset(
    [
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-t",
        "--target",
        "--trusted-host",
        "--timeout",
        "--default-timeout",
        "--retries",
        "--prefix",
        "--root",
        "--python",
        "--platform",
        "--progress-bar",
        "--cache-dir",
        "--abi",
        "--implementation",
        "--python-version",
        "--only-binary",
        "--no-binary",
        "--upgrade-strategy",
        "--src",
        "--proxy",
        "--cert",
        "--client-cert",
        "--log",
        "--report",
        "-n",
        "--name",
        "-p",
        "-c",
        "--channel",
        "--config-settings",
        "--index-strategy",
        "--index",
        "--default-index",
        "--torch-backend",
        "--global-option",
    ]
)
_INDEXES = {
    **dict.fromkeys(("-i", "--index-url", "--extra-index-url", "--index", "--default-index"), "--extra-index-url"),
    **dict.fromkeys(("-f", "--find-links"), "--find-links"),
}


@dataclass
class PipCommand:
    """The command `pip install …`."""

    lines: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    paths: list[tuple[str, str, str]] = field(default_factory=list)
    """Each with what stands before and after it in a line of requirements."""


@dataclass
class CondaCommand:
    """The commands `conda env create …`, `conda install …` and the like."""

    files: list[str] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


class OtherCommand:
    """Any other command."""


def split_commands(text: str) -> list[list[str]]:
    """Return the commands of a shell script, each as its words; ValueError if a quote is not closed."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|\n()<>")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, "#"
    commands: list[list[str]] = [[]]
    skips = False
    for word in lexer:
        if word and not set(word) - set(";&|\n()"):
            commands.append([])
        elif word and not set(word) - set("<>&"):
            skips = True
            if commands[-1] and commands[-1][-1].isdigit():  # 2>&1
                commands[-1].pop()
        elif skips:
            skips = False
        else:
            commands[-1].append(word)
    bare = (_remove_prefix(command) for command in commands)
    return [command for command in bare if command]


def _remove_prefix(words: list[str]) -> list[str]:
    while words and (words[0] in ("sudo", "exec", "env", "then", "do", "!") or re.match(r"\w+=", words[0])):
        words = words[1:]
    return words


def read_command(words: list[str]) -> PipCommand | CondaCommand | OtherCommand | None:
    """Return what a command installs; None if a job lacks nothing without it."""
    program = words[0].rpartition("/")[2]
    if program in _CONDAS and words[1:2] == ["run"]:
        rest = _skip_options(words[2:])
        return read_command(rest) if rest else None
    if _PYTHON.fullmatch(program) and words[1:3] == ["-m", "pip"]:
        return read_command(["pip", *words[3:]])
    if program == "uv" and words[1:2] == ["pip"]:
        return read_command(words[1:])
    verb = next((word for word in words[1:] if not word.startswith("-")), words[1] if len(words) > 1 else "")
    kind = "pip" if _PIP.fullmatch(program) else "conda" if program in _CONDAS else program
    kind = "apt-get" if kind == "apt" else kind
    if program in _WITHOUT_EFFECT or verb in _TIDYING.get(kind, ()):
        return None
    if kind == "pip" and verb == "install":
        return _read_pip(words[words.index("install") + 1 :])
    if kind == "conda" and verb in ("env", "install", "create"):
        return _read_conda(words[words.index(verb) + 1 :])
    return OtherCommand()


def _skip_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in ("-n", "--name", "-p", "--prefix", "--cwd") else 1 :]
    return words


def _split_options(words: list[str], with_value: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value, and each other word with no option."""
    rest = iter(words)
    for word in rest:
        name, equal, value = word.partition("=")
        if not word.startswith("-"):
            yield "", word
        elif word.startswith("--") and equal:
            yield name, value
        elif word in with_value:
            yield word, next(rest, "")
        elif not word.startswith("--") and word[:2] in with_value and len(word) > 2:
            yield word[:2], word[2:]
        else:
            yield word, ""


def _read_pip(words: list[str]) -> PipCommand:
    found = PipCommand()
    files = frozenset(("-r", "--requirement", "-c", "--constraint", "-e", "--editable"))
    for option, value in _split_options(words, (_WITH_VALUE - {"-c"}) | files):
        if option in ("-r", "--requirement"):
            found.lists.append(value)
        elif option in ("-c", "--constraint"):
            found.paths.append(("-c ", value, ""))
        elif option in _INDEXES:
            found.lines.append(f"{_INDEXES[option]} {value}")
        elif option in ("", "-e", "--editable") and value:
            part = parse_local_file(value)
            if part is not None:
                found.paths.append(("", part.path, part.after))
            elif re.split(r"[\[<>=!~;@ ]", value, maxsplit=1)[0].lower() not in ("pip", "uv"):
                found.lines.append(value)
    return found


def _read_conda(words: list[str]) -> CondaCommand:
    found = CondaCommand()
    for option, value in _split_options(words, _WITH_VALUE | {"-f", "--file"}):
        if option in ("-f", "--file"):
            found.files.append(value)
        elif option in ("-c", "--channel"):
            found.channels.append(value)
        elif not option and value not in ("create", "update", "install"):
            found.specs.append(value)
    return found
