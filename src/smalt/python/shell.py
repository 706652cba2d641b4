"""The session that a notebook's cells run in, without IPython: names, outputs, and what `get_ipython()` answers."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import os
import re
import sys
import urllib.request  # noqa: F401  # notebooks that import urllib count on it: IPython has loaded it
from collections.abc import Callable, Iterator
from inspect import CO_COROUTINE
from pathlib import Path
from types import ModuleType
from typing import Any

from smalt.python import cells, display, magics
from smalt.python.display import Bundle

_BRACES = re.compile(r"(?<![{$])\{([^{}]+)\}(?!\})")
_DOLLAR = re.compile(r"(?<![\w$\\])\$(?!\d)(\w+)")


class CellEvents:
    """Functions that libraries register to be called around cells, such as matplotlib's after each."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Callable[..., Any]]] = {}

    def register(self, event: str, function: Callable[..., Any]) -> None:
        registered = self._functions.setdefault(event, [])
        if function not in registered:
            registered.append(function)

    def unregister(self, event: str, function: Callable[..., Any]) -> None:
        self._functions.get(event, []).remove(function)

    def trigger(self, event: str) -> None:
        for function in list(self._functions.get(event, ())):
            function()


class NotebookShell:
    """Runs cells one after the other; `outputs` is what the current one has shown, as notebooks keep it."""

    def __init__(self, notebook: str) -> None:
        self.notebook = notebook
        self.outputs: list[dict[str, Any]] = []
        self.count = 0
        self.folder_before = os.getcwd()
        main = ModuleType("__main__")
        self.names: dict[str, Any] = main.__dict__
        self.names.update(
            __builtins__=builtins, __annotations__={}, get_ipython=lambda: self, display=display.display,
            In=[""], Out={}, exit=sys.exit, quit=sys.exit,
        )  # fmt: skip
        sys.modules["__main__"] = main
        self.events = CellEvents()
        self._loop: Any = None

    @property
    def user_ns(self) -> dict[str, Any]:
        return self.names

    @property
    def file(self) -> str:
        """The name of the current cell in messages."""
        return f"{self.notebook}, cell {self.count}"

    def run_cell(self, source: str, number: int) -> list[dict[str, Any]]:
        """Run a cell and return its outputs; if the cell raises an error, `outputs` has those made before."""
        self.count, self.outputs = number, []
        self.names["In"].append(source)
        with self._capture_streams():
            self.events.trigger("pre_execute")
            magic = cells.parse_cell_magic(source)
            if magic is not None:
                self.run_cell_magic(*magic)
            else:
                self.execute(source)
            self.events.trigger("post_execute")
            self._show_figures()
        return self.outputs

    def execute(self, source: str) -> None:
        """Run Python with magics in it; the value of a last expression is shown."""
        text = cells.to_python(source, lambda name: name in magics.WITHOUT_PERCENT and name not in self.names)
        file = self.file
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        tree = ast.parse(text, file)
        last = tree.body[-1] if tree.body else None
        shows = isinstance(last, ast.Expr) and not _is_silent(text)
        body = tree.body[:-1] if shows else tree.body
        if body:
            self._run_tree(ast.Module(body, tree.type_ignores), file)
        if shows and isinstance(last, ast.Expr):
            self._show_result(self._run_tree(ast.Expression(last.value), file))

    def evaluate(self, source: str) -> Any:
        """The value of an expression; None of statements."""
        tree = ast.parse(source.strip(), self.file)
        if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            return self._run_tree(ast.Expression(tree.body[0].value), self.file)
        return self._run_tree(tree, self.file)

    def _run_tree(self, tree: ast.Module | ast.Expression, file: str) -> Any:
        mode = "eval" if isinstance(tree, ast.Expression) else "exec"
        code = compile(tree, file, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(code, self.names)
        if code.co_flags & CO_COROUTINE:
            import asyncio

            self._loop = self._loop or asyncio.new_event_loop()
            value = self._loop.run_until_complete(value)
        return value

    def _show_result(self, value: Any) -> None:
        if value is None:
            return
        self.names["Out"][self.count] = self.names["_"] = value
        data = display.make_bundle(value)
        self.outputs.append(
            {"output_type": "execute_result", "execution_count": self.count, "data": data, "metadata": {}}
        )
        self._print_data(data)

    def show_data(self, data: Bundle, metadata: Bundle) -> None:
        self.outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
        self._print_data(data)

    def _print_data(self, data: Bundle) -> None:
        with contextlib.suppress(OSError):
            print(data.get("text/plain", ""), file=sys.__stdout__, flush=True)

    def clear_output(self) -> None:
        self.outputs.clear()

    def write(self, text: str, stream: str = "stdout") -> None:
        if not text:
            return
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last.get("name") == stream:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": stream, "text": text})
        real = sys.__stdout__ if stream == "stdout" else sys.__stderr__
        if real is not None:
            real.write(text)
            real.flush()

    @contextlib.contextmanager
    def _capture_streams(self) -> Iterator[None]:
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _CellStream(self, "stdout"), _CellStream(self, "stderr")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = kept

    @contextlib.contextmanager
    def hide_output(self) -> Iterator[None]:
        """Discard all output within the block (%%capture)."""
        kept, self.outputs = self.outputs, []
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            self.outputs = kept

    def _show_figures(self) -> None:
        """Show the figures that matplotlib has drawn and not shown."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            file = io.BytesIO()
            pyplot.figure(number).savefig(file, format="png", bbox_inches="tight")
            import base64

            self.show_data({"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "<Figure>"}, {})
        pyplot.close("all")

    def run_process(self, command: list[str] | str, given: str | None = None) -> int:
        code = magics.run_process(command, self.write, given)
        self.names["_exit_code"] = code
        return code

    def expand_names(self, text: str) -> str:
        """Fill in `{expression}` and `$name` of the notebook's names; other braces and dollars stay."""

        def value(found: re.Match[str]) -> str:
            try:
                return str(eval(found.group(1), self.names))
            except Exception:
                return found.group(0)

        def name(found: re.Match[str]) -> str:
            return str(self.names[found.group(1)]) if found.group(1) in self.names else found.group(0)

        return _DOLLAR.sub(name, _BRACES.sub(value, text))

    def system(self, command: str) -> None:
        """`!command`: as in IPython, a failure leaves its code in `_exit_code` and stops nothing."""
        program = re.fullmatch(r"(?:python[\d.]* +-m +)?pip\d? +((?:install|show)\b[^|;&<>]*)", command.strip())
        if program is not None:
            magics.run_line_magic(self, "pip", program.group(1))
            return
        self.run_process(self.expand_names(command))

    def getoutput(self, command: str) -> list[str]:
        parts: list[str] = []
        self.names["_exit_code"] = magics.run_process(self.expand_names(command), parts.append)
        return "".join(parts).splitlines()

    def run_line_magic(self, name: str, words: str) -> Any:
        return magics.run_line_magic(self, name, words)

    def run_cell_magic(self, name: str, words: str, body: str) -> Any:
        return magics.run_cell_magic(self, name, words, body)

    def magic(self, text: str) -> Any:
        name, _, words = text.lstrip("%").partition(" ")
        return self.run_line_magic(name, words.strip())

    def run_notebook(self, path: Path) -> None:
        """`%run other.ipynb`: its cells, within this one."""
        from smalt.python import notebook

        for cell in notebook.list_code_cells(notebook.read_notebook(path)):
            source = notebook.join_source(cell)
            magic = cells.parse_cell_magic(source)
            if magic is not None:
                self.run_cell_magic(*magic)
            else:
                self.execute(source)


class _CellStream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell."""

    def __init__(self, shell: NotebookShell, name: str) -> None:
        self._shell, self._name = shell, name
        real = sys.__stdout__ if name == "stdout" else sys.__stderr__
        self._fileno = real.fileno() if real is not None else -1

    def write(self, text: str) -> int:
        self._shell.write(text, self._name)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fileno


def _is_silent(text: str) -> bool:
    """Return True if the cell ends with a semicolon."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return bool(lines) and lines[-1].partition(" #")[0].rstrip().endswith(";")
