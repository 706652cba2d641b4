"""`azureml.widgets.RunDetails`: the progress of a run, as a table that follows it in Jupyter, as text elsewhere."""

from __future__ import annotations

import contextlib
import html
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.v1.run import OVER

if TYPE_CHECKING:
    from smalt.v1.run import Run


class _Row(NamedTuple):
    label: str
    status: str
    duration: str


class RunDetails:
    def __init__(self, run_instance: Run) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Show the run with its steps; in Jupyter the table changes with it until the run has ended.

        Elsewhere it is shown once the run has ended: nobody waits between the cells of a notebook that runs by itself.
        """
        ipython: Any = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is not None and hasattr(shell, "kernel"):
            handle = ipython.display.display(self, display_id=True)
            threading.Thread(target=self._follow, args=(handle,), daemon=True, name="smalt-run-details").start()
            return
        from smalt.python.display import display

        if self._run._has_job:
            self._run.wait_for_completion(raise_on_error=False)
        display(self)

    def _follow(self, handle: Any) -> None:
        """Update the table at each change of a state."""
        with contextlib.suppress(Exception):  # the run goes on, whatever becomes of its picture
            for_table = ("job", "end")
            self._run._jobs.stream(
                self._run.id, lambda event: handle.update(self) if event.get("t") in for_table else None
            )
        with contextlib.suppress(Exception):
            handle.update(self)

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        return {"status": self._run.get_status(), "run_id": self._run.id}

    def __repr__(self) -> str:
        rows = self._list_rows()
        width = max(len(row.label) for row in rows)
        return "\n".join(f"{row.label:<{width}}  {row.status}{row.duration and f' ({row.duration})'}" for row in rows)

    def _repr_html_(self) -> str:
        lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._list_rows())
        heads = "<tr><th>Run</th><th>Status</th><th>Duration</th></tr>"
        return f"<table>{heads}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    def _list_rows(self) -> list[_Row]:
        run = self._run
        if not run._has_job:
            children = (_Row(f"  {child.name}", child.get_status(), "") for child in run.get_children(recursive=True))
            return [_Row(run.name, run.get_status(), ""), *children]
        jobs = run._jobs.overview(run.id)
        return [_Row(_format_label(job, run.id), str(job["status"]), _format_duration(job)) for job in jobs]


def _format_label(job: dict[str, Any], root: str) -> str:
    return root if job["name"] == root else f"  {job.get('label') or job['name']}"


def _format_duration(job: dict[str, Any]) -> str:
    from smalt.client.transfers.progress import format_duration

    start, end = job.get("start"), job.get("end")
    if job.get("status") not in OVER or not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return ""
    return format_duration(end - start)
