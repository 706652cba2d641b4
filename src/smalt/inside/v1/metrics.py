"""`run.log…` and `get_metrics`."""

from __future__ import annotations

import io
import json
import os
import time

from .errors import make_user_error
from .notices import tell_no_effect
from .values import make_key, split_columns, to_json_number, to_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .client import RunClient
    from .files import RunFiles
    from .records import RunRecords
    from .writer import RunWriter

_IMAGES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"RIFF": ".webp",
           b"II*\x00": ".tiff", b"MM\x00*": ".tiff"}  # fmt: skip


_NO_DESCRIPTION = "a metric of MLflow has none"


class RunLogging:
    """The logging methods of a run."""

    client: RunClient
    writer: RunWriter
    _files: RunFiles
    _records: RunRecords
    _steps: dict[str, int] | None
    _lock: Any

    @property
    def id(self) -> str:
        raise AttributeError

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """A number becomes the metric's next point; a text is kept as well, and shown as a tag."""
        tell_no_effect("Run.log", {"description": description}, _NO_DESCRIPTION)
        if isinstance(value, (list, tuple, range, dict)) or hasattr(value, "__next__"):
            raise make_user_error(f"log takes one value; use log_list for '{name}'")
        self._log_point(make_key(name), value, step)

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        tell_no_effect("Run.log_list", {"description": description}, _NO_DESCRIPTION)
        values = list(value)
        if all(to_number(item) is not None for item in values):
            for item in values:
                self._log_point(make_key(name), item)
        else:
            self._records.add_table_rows(make_key(name), {make_key(name): values})

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """A row of the table `name`; each column with a number in it is the metric `name.column`, too."""
        tell_no_effect("Run.log_row", {"description": description}, _NO_DESCRIPTION)
        for column, value in kwargs.items():
            if isinstance(value, (list, tuple, dict)):
                raise make_user_error(f"column '{column}' of a row is one value; use log_table for lists")
            if to_number(value) is not None:
                self._log_point(make_key(name) + "." + make_key(column), value)
        self._records.add_table_rows(make_key(name), {make_key(column): [value] for column, value in kwargs.items()})

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        tell_no_effect("Run.log_table", {"description": description}, _NO_DESCRIPTION)
        self._records.add_table_rows(
            make_key(name), {make_key(column): listed for column, listed in split_columns(value).items()}
        )

    def log_image(self, name: str, path: Any = None, plot: Any = None, description: str = "") -> None:
        """An image file, or whatever has matplotlib's `savefig`."""
        tell_no_effect("Run.log_image", {"description": description}, _NO_DESCRIPTION)
        if (path is None) == (plot is None):
            raise make_user_error("log_image takes either 'path' or 'plot'")
        if plot is not None:
            if not hasattr(plot, "savefig"):
                raise make_user_error("the plot of log_image must be matplotlib's pyplot or a figure")
            stream = io.BytesIO()
            plot.savefig(stream, format="png")
            stored = self._files.put_file(f"{make_key(name)}_{int(time.time())}.png", stream)
        elif hasattr(path, "read"):
            stream = io.BytesIO(path.read())
            stored = self._files.put_file(make_key(name) + _get_image_type(stream.getvalue()[:8], name), stream)
        else:
            if not os.path.isfile(path):
                raise make_user_error(f"there is no image '{path}'")
            with open(path, "rb") as file:
                _get_image_type(file.read(8), path)
            is_own = not os.path.isabs(path) and ".." not in str(path).split(os.sep)
            stored = self._files.put_file(path if is_own else os.path.basename(path), path)
        self._records.add_logged_file("image", stored, make_key(name))

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        tell_no_effect("Run.log_confusion_matrix", {"description": description}, _NO_DESCRIPTION)
        self._log_chart("confusion_matrix", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str | None = "") -> None:
        tell_no_effect("Run.log_accuracy_table", {"description": description}, _NO_DESCRIPTION)
        self._log_chart("accuracy_table", name, value)

    def log_residuals(self, name: str, value: Any, description: str | None = "") -> None:
        tell_no_effect("Run.log_residuals", {"description": description}, _NO_DESCRIPTION)
        self._log_chart("residuals", name, value)

    def log_predictions(self, name: str, value: Any, description: str | None = "") -> None:
        tell_no_effect("Run.log_predictions", {"description": description}, _NO_DESCRIPTION)
        self._log_chart("predictions", name, value)

    def get_metrics(
        self, name: str | None = None, recursive: bool = False, run_type: object = None, populate: bool = False
    ) -> dict[str, Any]:
        """Return the metrics by name: one value as it is, several as a list, a table by its columns."""
        if run_type is not None:
            raise make_user_error("get_metrics: run_type is not served; choose among get_children() by their type")
        if recursive:
            family = [self, *self.get_children(recursive=True)]  # type: ignore[attr-defined]
            return {run.id: run.get_metrics(name, populate=populate) for run in family}
        self.writer.flush()
        data = self.client.get_json("runs/get", run_id=self.id)["run"].get("data", {})
        tags = {tag["key"]: tag.get("value", "") for tag in data.get("tags", [])}
        found, columns_of_tables = self._records.get_metrics(tags, populate)
        wanted = None if name is None else make_key(name)
        for metric in data.get("metrics", []):
            known = metric["key"]
            if known not in columns_of_tables and known not in found and wanted in (None, known):
                values = self._get_history(known)
                found[known] = values[0] if len(values) == 1 else values
        return found if wanted is None else {one: value for one, value in found.items() if one == wanted}

    def _get_history(self, name: str) -> list[float]:
        points, token = [], None
        while True:
            answer = self.client.get_json("metrics/get-history", run_id=self.id, metric_key=name, page_token=token)
            points += answer.get("metrics", [])
            token = answer.get("next_page_token")
            if not token:
                break
        points.sort(key=lambda point: (int(point.get("step", 0)), int(point.get("timestamp", 0))))
        return [float(point["value"]) for point in points]

    def _log_point(self, name: str, value: Any, step: int | None = None) -> None:
        as_number = to_number(value)
        if as_number is None:
            self._records.add_table_rows(name, {name: [value]})
            self.client.send_json("runs/set-tag", {"run_id": self.id, "key": name, "value": str(value)[:5000]})
            return
        point = {
            "key": name,
            "value": to_json_number(as_number),
            "timestamp": int(time.time() * 1000),
            "step": self._get_next_step(name) if step is None else int(step),
        }
        self.writer.add_metric(self.id, point)

    def _get_next_step(self, name: str) -> int:
        """v1 has no steps: each value comes after the last, be it another process' of the job or mlflow's."""
        with self._lock:
            if self._steps is None:
                data = self.client.get_json("runs/get", run_id=self.id)["run"].get("data", {})
                self._steps = {metric["key"]: int(metric.get("step", 0)) + 1 for metric in data.get("metrics", [])}
            step = self._steps.get(name, 0)
            self._steps[name] = step + 1
            return step

    def _log_chart(self, kind: str, name: str, value: Any) -> None:
        if isinstance(value, (str, bytes)):
            try:
                value = json.loads(value)
            except ValueError:
                raise make_user_error(f"the {kind} '{name}' is not valid JSON") from None
        text = json.dumps(value, default=_to_json, indent=1)
        path = self._files.put_file(make_key(name) + ".json", io.BytesIO(text.encode()))
        self._records.add_logged_file(kind, path, make_key(name))

    def _make_key(self, name: object) -> str:
        return make_key(name)


def _to_json(value: Any) -> Any:
    """Return a numpy value as JSON has it."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _get_image_type(head: bytes, name: object) -> str:
    for magic, ending in _IMAGES.items():
        if head.startswith(magic):
            return ending
    if head.lstrip().startswith((b"<svg", b"<?xml")):
        return ".svg"
    raise make_user_error(f"'{name}' is not an image; log_image takes PNG, JPEG, GIF, BMP, TIFF, WebP or SVG")
