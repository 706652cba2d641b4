"""The session of a notebook where IPython is installed: all of its magics, its completion of names, its extensions."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from smalt.python import magics
from smalt.python.shell import NotebookShell


class IPythonShell(NotebookShell):
    """A session whose cells IPython runs, and whose outputs are collected here."""

    def __init__(self, notebook: str) -> None:
        super().__init__(notebook)
        interactive = importlib.import_module("IPython.core.interactiveshell").InteractiveShell
        hook = importlib.import_module("IPython.core.displayhook").DisplayHook
        self.ipython = interactive.instance(
            user_module=sys.modules["__main__"], displayhook_class=_make_hook_class(hook, self), history_manager=None
        )
        self.ipython.history_manager.enabled = False
        self.ipython.compile.get_code_name = lambda *_: self.file
        self.ipython.display_pub.publish = self._show_published
        self.ipython.display_pub.clear_output = lambda wait=False: self.clear_output()
        self.ipython.system = self.system
        self.ipython.enable_gui = self._refuse_windows
        self.ipython.register_magic_function(lambda words: magics.run_line_magic(self, "pip", words), "line", "pip")
        for name in ("showtraceback", "showsyntaxerror", "showindentationerror"):
            setattr(self.ipython, name, lambda *_, **__: None)

    def run_cell(self, source: str, number: int) -> list[dict[str, Any]]:
        self.count, self.outputs = number, []
        self.ipython.execution_count = number
        with self._capture_streams():
            done = self.ipython.run_cell(source, store_history=True)
        error = done.error_before_exec or done.error_in_exec
        if error is not None:
            raise error
        return self.outputs

    def _show_published(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_: Any) -> None:
        self.show_data(data, metadata or {})

    @staticmethod
    def _refuse_windows(gui: str | None = None) -> None:
        """Take `%matplotlib inline`, whose figures need no window; raise an error for what needs one."""
        if gui not in (None, "inline"):
            raise NotImplementedError(f"a notebook has no windows here, so '{gui}' has none; use %matplotlib inline")

    def expand_names(self, text: str) -> str:
        return str(self.ipython.var_expand(text))

    def show_value(self, data: dict[str, Any], metadata: dict[str, Any] | None) -> None:
        """The value of a cell's last expression, in all its forms."""
        self.outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": self.count,
                "data": data,
                "metadata": metadata or {},
            }
        )
        self._print_data(data)


def _make_hook_class(hook: Any, shell: IPythonShell) -> type:
    class Results(hook):  # type: ignore[misc]
        def write_output_prompt(self) -> None: ...

        def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
            shell.show_value(format_dict, md_dict)

    return Results
