"""`smalt python notebook.ipynb`: its cells in order, and the executed notebook beside it."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError, ValidationException
from smalt.python import display, finder, programs
from smalt.python.shell import NotebookShell


def run_notebook(path: str, arguments: Sequence[str]) -> int:
    """0, or 1 where a cell failed, of which standard error tells the number and the line."""
    file = Path(path)
    document = read_notebook(file)
    target = file.with_name(f"{file.stem}.executed.ipynb").absolute()
    has_ipython = importlib.util.find_spec("IPython") is not None
    finder.install_finder().for_notebook = not has_ipython
    os.environ.setdefault("MPLBACKEND", "Agg")
    programs.write_at_once()
    sys.argv = [path, *arguments]
    os.chdir(file.absolute().parent)  # where Jupyter runs it
    sys.path.insert(0, "")
    shell = display.shell = _make_shell(path, has_ipython)
    failed: str | None = None
    try:
        for number, cell in enumerate(list_code_cells(document), 1):
            failed = _run_cell(shell, cell, number)
            if failed is not None:
                break
    finally:
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(failed or "", end="", file=sys.stderr)
    print(f"written: {os.path.relpath(target)}", file=sys.stderr)
    return 1 if failed else 0


def _make_shell(path: str, has_ipython: bool) -> NotebookShell:
    if not has_ipython:
        return NotebookShell(path)
    from smalt.python.with_ipython import IPythonShell

    return IPythonShell(path)


def read_notebook(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValidationException(f"{path}: {error.strerror}") from None
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise ValidationException(f"{path} is not a notebook of format 4: it has no list of cells")
    return document


def list_code_cells(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the code cells that are not empty."""
    return [cell for cell in document["cells"] if cell.get("cell_type") == "code" and join_source(cell).strip()]


def join_source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _run_cell(shell: NotebookShell, cell: dict[str, Any], number: int) -> str | None:
    """Return None, or the sentence of the error that ended the cell."""
    cell["execution_count"] = number
    try:
        cell["outputs"] = shell.run_cell(join_source(cell), number)
    except KeyboardInterrupt as error:
        cell["outputs"] = [*shell.outputs, _make_error_output(error)]
        raise
    except SystemExit as error:
        cell["outputs"] = [*shell.outputs, _make_error_output(error)]
        return f"{shell.file}: the cell called sys.exit({error.code!r})\n" if error.code else ""
    except Exception as error:
        cell["outputs"] = [*shell.outputs, _make_error_output(error)]
        return _format_error(shell, error)
    return None


def _format_error(shell: NotebookShell, error: Exception) -> str:
    """`notebook.ipynb, cell 3, line 2: …`."""
    own = programs.explain_error(error)
    if not own.startswith("Traceback"):
        return own.replace(f"{shell.file}:", f"{shell.file}, line ")
    line = _find_line(shell, error)
    said = traceback.format_exception_only(type(error), error)[-1].strip()
    return f"{own}{shell.file}, line {line}: {said}\n" if line else f"{own}{shell.file}: {said}\n"


def _find_line(shell: NotebookShell, error: Exception) -> int:
    """The line of the cell, wherever below it the error arose."""
    if isinstance(error, SyntaxError) and error.filename == shell.file:
        return error.lineno or 0
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == shell.file]
    return lines[0] if lines else 0


def _make_error_output(error: BaseException) -> dict[str, Any]:
    trace = traceback.format_exception(type(error), error, programs.trim_traceback(error.__traceback__))
    if isinstance(error, SmaltError):
        trace = ["\n".join(error._render_traceback_())]
    return {
        "output_type": "error",
        "ename": type(error).__name__,
        "evalue": str(error),
        "traceback": "".join(trace).splitlines(),
    }
