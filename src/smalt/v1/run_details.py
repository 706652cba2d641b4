"""`azureml.widgets.RunDetails`: the progress of a run, in a notebook or a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.v1.run import Run


class RunDetails:
    def __init__(self, run_instance: Run) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Show the run and its children as they are now; `wait_for_completion(show_output=True)` follows it."""
        from smalt.python.display import display

        display(self)

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        return {"status": self._run.get_status(), "run_id": self._run.id}

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {status}" for name, status in self._list_rows())

    def _repr_html_(self) -> str:
        import html

        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(status)}</td></tr>" for name, status in self._list_rows()
        )
        return f"<table><tr><th>Run</th><th>Status</th></tr>{rows}</table>"

    def _list_rows(self) -> list[tuple[str, str]]:
        return [(run.name, run.get_status()) for run in (self._run, *self._run.get_children(recursive=True))]
