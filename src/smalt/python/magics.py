"""The magics of notebooks that mean something outside of IPython; any other is refused by name."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalt.exceptions import UserErrorException
from smalt.python.display import Bundle

if TYPE_CHECKING:
    from smalt.python.shell import NotebookShell

_SERVED = {"azure-ai-ml", "azure-identity", "mldesigner"}
"""Packages that need not be installed: what programs import of them is smalt's."""

LINES: dict[str, Callable[[NotebookShell, str], Any]] = {}
CELLS: dict[str, Callable[[NotebookShell, str, str], Any]] = {}


class UnknownMagicError(UserErrorException):
    """A magic that only IPython has."""


def _register_line(*names: str) -> Callable[[Callable[[NotebookShell, str], Any]], Callable[[NotebookShell, str], Any]]:
    def add(function: Callable[[NotebookShell, str], Any]) -> Callable[[NotebookShell, str], Any]:
        LINES.update(dict.fromkeys(names, function))
        return function

    return add


def _register_cell(
    *names: str,
) -> Callable[[Callable[[NotebookShell, str, str], Any]], Callable[[NotebookShell, str, str], Any]]:
    def add(function: Callable[[NotebookShell, str, str], Any]) -> Callable[[NotebookShell, str, str], Any]:
        CELLS.update(dict.fromkeys(names, function))
        return function

    return add


@_register_line(
    "matplotlib", "config", "autoreload", "reload_ext", "precision", "pylab", "colors", "xmode", "doctest_mode"
)
def _do_nothing(shell: NotebookShell, words: str) -> None:
    """About the terminal, or about editing while the session lasts: there is nothing to do."""


@_register_line("load_ext")
def _load_ext(shell: NotebookShell, words: str) -> None:
    """smalt is loaded already, and autoreload has nothing to reload."""
    if words not in ("smalt", "autoreload"):
        raise UnknownMagicError(f"%load_ext {words} needs IPython, which is not there: pip install ipython")


WITHOUT_PERCENT = ("pip", "conda", "mamba", "cd", "pwd", "ls", "mkdir", "cat", "cp", "mv", "rm", "rmdir")
"""Magics that need no `%` at the start of a line, as with IPython's automagic."""


@_register_line("pip")
def _run_pip(shell: NotebookShell, words: str) -> None:
    """Run `pip` without the packages that smalt stands in for; only a failed installation ends the notebook."""
    kept = remove_served(words)
    code = shell.run_process([*_find_installer(), *kept]) if kept else 0
    if code and kept[0] == "install":
        raise UserErrorException(f"%pip {words} ended with code {code}")


def remove_served(words: str) -> list[str]:
    """The words of `%pip` without the packages that smalt stands in for, which it tells of; none without others."""
    return _show_packages(words) if words.split()[:1] == ["show"] else to_install(words)


def _show_packages(words: str) -> list[str]:
    from smalt.python.finder import get_served_version

    all_words = shlex.split(words, comments=True)
    served = [word for word in all_words[1:] if _parse_package(word) in _SERVED]
    for number, name in enumerate(map(_parse_package, served)):
        rule = "---\n" if number else ""
        print(f"{rule}Name: {name}\nVersion: {get_served_version(name)}\nSummary: smalt stands in for it")
    kept = [word for word in all_words if word not in served]
    return kept if not served or any(not word.startswith("-") for word in kept[1:]) else []


def to_install(words: str) -> list[str]:
    """The words of `%pip` without the packages that need not be installed, which it says; none where no others are."""
    all_words = shlex.split(words, comments=True)
    left = [word for word in all_words if _parse_package(word) in _SERVED]
    kept = [word for word in all_words if word not in left]
    if left and all_words[0] == "install":
        print(f"smalt stands in for {', '.join(left)}: not installed")
        return kept if any(not word.startswith("-") for word in kept[1:]) else []
    return all_words


def _parse_package(word: str) -> str:
    return re.split(r"[\[<>=!~;@ ]", word, maxsplit=1)[0].lower().replace("_", "-")


def _find_installer() -> list[str]:
    import importlib.util

    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    os.environ["UV_PYTHON"] = sys.executable
    return [sys.executable, "-m", "uv", "pip"]


@_register_line("conda", "mamba")
def _run_conda(shell: NotebookShell, words: str) -> None:
    kept = shlex.split(words, comments=True)
    code = shell.run_process(["conda", *kept])
    if code and kept[:1] == ["install"]:
        raise UserErrorException(f"%conda {words} ended with code {code}")


@_register_line("cd")
def _change_folder(shell: NotebookShell, words: str) -> None:
    folder = os.path.expanduser(words.strip().strip("'\"")) or str(Path.home())
    if folder == "-":
        folder = shell.folder_before
    shell.folder_before = os.getcwd()
    try:
        os.chdir(folder)
    except OSError as error:
        print(f"%cd {words}: {error.strerror}")
        return
    print(os.getcwd())


@_register_line("pwd")
def _get_folder(shell: NotebookShell, words: str) -> str:
    return os.getcwd()


_PROGRAMS = ("ls", "mkdir", "cat", "cp", "mv", "rm", "rmdir")
"""Programs that may be called as a magic."""


@_register_line("env", "set_env")
def _set_variables(shell: NotebookShell, words: str) -> Any:
    if not words:
        return dict(os.environ)
    name, found, value = words.partition("=" if "=" in words else " ")
    if not found:
        return os.environ.get(name.strip())
    os.environ[name.strip()] = value.strip()
    print(f"env: {name.strip()}={value.strip()}")
    return None


@_register_line("time", "timeit")
def _time_line(shell: NotebookShell, words: str) -> Any:
    began = time.monotonic()
    value = shell.evaluate(words)
    print(f"Wall time: {time.monotonic() - began:.3g} s")
    return value


@_register_line("run")
def _run_file(shell: NotebookShell, words: str) -> None:
    """A file's text, in the notebook's own names' company."""
    file, *arguments = shlex.split(words)
    path = Path(file if Path(file).suffix else f"{file}.py")
    if not path.is_file():
        raise UserErrorException(f"%run {words}: there is no file '{path}'")
    if path.suffix == ".ipynb":
        shell.run_notebook(path)
        return
    kept, sys.argv = sys.argv, [str(path), *arguments]
    names = {"__name__": "__main__", "__file__": str(path)}
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), names)
    finally:
        sys.argv = kept
        sys.path.remove(str(path.parent.resolve()))
    shell.names.update({name: value for name, value in names.items() if not name.startswith("__")})


@_register_line("pinfo", "pinfo2", "pdoc")
def _show_info(shell: NotebookShell, words: str) -> None:
    import inspect

    value = shell.evaluate(words)
    print(inspect.getdoc(value) or f"{words} has no documentation")


@_register_line("who", "whos", "who_ls")
def _list_names(shell: NotebookShell, words: str) -> None:
    print("  ".join(sorted(name for name in shell.names if not name.startswith("_"))))


@_register_cell("writefile", "file")
def _write_file(shell: NotebookShell, words: str, body: str) -> None:
    appends = words.split()[:1] in (["-a"], ["--append"])
    name = shell.expand_names(words.partition(" ")[2] if appends else words).strip().strip("'\"")
    path = Path(os.path.expanduser(name))
    there = path.exists()
    try:
        with path.open("a" if appends else "w", encoding="utf-8") as file:
            file.write(body if body.endswith("\n") else body + "\n")
    except OSError as error:
        raise UserErrorException(f"%%writefile {words}: {error.strerror}") from None
    print(f"{'Appending to' if appends else 'Overwriting' if there else 'Writing'} {name}")


@_register_cell("time", "timeit")
def _time_cell(shell: NotebookShell, words: str, body: str) -> None:
    began = time.monotonic()
    try:
        shell.execute(f"{words}\n{body}" if words and not words.startswith("-") else f"\n{body}")
    finally:
        print(f"Wall time: {time.monotonic() - began:.3g} s")


@_register_cell("capture")
def _capture_cell(shell: NotebookShell, words: str, body: str) -> None:
    with shell.hide_output():
        shell.execute(f"\n{body}")


@_register_cell("bash", "sh", "script")
def _run_script(shell: NotebookShell, words: str, body: str) -> None:
    program = shlex.split(words) or ["bash"]
    code = shell.run_process(program, body)
    if code:
        raise UserErrorException(f"%%{program[0]} ended with code {code}")


_FORMS = {
    "html": "text/html", "HTML": "text/html", "markdown": "text/markdown", "javascript": "application/javascript",
    "js": "application/javascript", "latex": "text/latex", "svg": "image/svg+xml", "SVG": "image/svg+xml",
}  # fmt: skip
"""Cell magics that show the cell's text, and what it is."""


def run_line_magic(shell: NotebookShell, name: str, words: str) -> Any:
    if name in CELLS and name not in LINES:
        raise UnknownMagicError(f"%%{name} stands at the top of a cell, with two '%'")
    if name in _PROGRAMS:
        return shell.system(f"{name} {words}")
    function = LINES.get(name)
    if function is None:
        raise UnknownMagicError(f"%{name} is a magic of IPython, which is not there: pip install ipython")
    takes_python = name in ("time", "timeit", "pinfo", "pinfo2", "pdoc")
    return function(shell, words if takes_python else shell.expand_names(words))


def run_cell_magic(shell: NotebookShell, name: str, words: str, body: str) -> Any:
    if name in _FORMS:
        data: Bundle = {_FORMS[name]: body, "text/plain": body}
        return shell.show_data(data, {})
    function = CELLS.get(name)
    if function is None:
        raise UnknownMagicError(f"%%{name} is a magic of IPython, which is not there: pip install ipython")
    return function(shell, words, body)


def run_process(command: list[str] | str, write: Callable[[str], Any], given: str | None = None) -> int:
    """Run a program, its output passed on as it comes."""
    is_text = isinstance(command, str)
    try:
        with subprocess.Popen(
            ["bash", "-c", command] if isinstance(command, str) else command,
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            if given is not None and process.stdin is not None:
                process.stdin.write(given)
                process.stdin.close()
            assert process.stdout is not None
            for text in process.stdout:
                write(text)
    except OSError as error:
        write(f"{'bash' if is_text else command[0]}: {error.strerror}\n")
        return 127
    return process.returncode
