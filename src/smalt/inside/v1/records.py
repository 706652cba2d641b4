"""Tables, charts and images of a run, as artifacts that MLflow's own pages show.

MLflow's own tag `mlflow.loggedArtifacts` names these files among those of a run.
"""

from __future__ import annotations

import io
import json
import threading

from .client import RequestRefused
from .values import to_json_cell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from .files import RunFiles
    from .writer import RunWriter

    class RecordedRun(Protocol):
        @property
        def id(self) -> str: ...
        @property
        def writer(self) -> RunWriter: ...
        def get_all_tags(self) -> dict[str, str]: ...
        def set_tag(self, name: str, value: str) -> None: ...


_TAG = "mlflow.loggedArtifacts"
_LONGEST_TAG = 7500  # MLflow takes 8000


class LoggedTable:
    """Grows by rows; kept in the form of `mlflow.log_table`."""

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        self.columns: list[str] = list(content["columns"]) if content else []
        self.rows: list[list[Any]] = list(content["data"]) if content else []
        self._changes = threading.Lock()

    def add_rows(self, columns: dict[str, list[Any]]) -> None:
        with self._changes:
            for name in columns:
                if name not in self.columns:
                    self.columns.append(name)
                    for row in self.rows:
                        row.append(None)
            for index in range(max((len(column) for column in columns.values()), default=0)):
                self.rows.append(
                    [to_json_cell(columns[name][index]) if name in columns else None for name in self.columns]
                )

    def to_json(self) -> bytes:
        with self._changes:
            return json.dumps({"columns": self.columns, "data": self.rows}).encode()

    def as_v1(self, name: str) -> Any:
        """Lists by column, single values of a single row; plain values where all there is is one column `name`."""
        made = {
            column: [row[index] for row in self.rows] if len(self.rows) != 1 else self.rows[0][index]
            for index, column in enumerate(self.columns)
        }
        return made[name] if self.columns == [name] else made


class RunRecords:
    """The tables, charts and images of a run."""

    def __init__(self, run: RecordedRun, files: RunFiles) -> None:
        self._run = run
        self._files = files
        self._tables: dict[str, LoggedTable] = {}

    def add_table_rows(self, name: str, columns: dict[str, list[Any]]) -> None:
        """Add rows to the table of that name, which may be there from an earlier process of the job."""
        path = name + ".json"
        if name not in self._tables:
            is_new = all(entry["path"] != path for entry in self._read_index())
            self._tables[name] = LoggedTable() if is_new else self._read_table(path)
            self.add_logged_file("table", path)
        table = self._tables[name]
        table.add_rows(columns)
        self._run.writer.add_upload(
            self._run.id + "/" + path, lambda: self._files.put_file(path, io.BytesIO(table.to_json()))
        )

    def add_logged_file(self, kind: str, path: str, name: str = "") -> None:
        """Make the file known as something logged. Of images of one name, only the last one is."""
        entry = {"path": path, "type": kind, **({"name": name} if name else {})}
        index = self._read_index()
        if entry in index:
            return
        index = [*(other for other in index if not name or other.get("name") != name), entry]
        while len(json.dumps(index)) > _LONGEST_TAG:
            del index[0]
        self._run.set_tag(_TAG, json.dumps(index))

    def _read_index(self) -> list[dict[str, str]]:
        return parse_index(self._run.get_all_tags())

    def _read_table(self, path: str) -> LoggedTable:
        try:
            return LoggedTable(json.loads(self._files.read_file(path)))
        except (RequestRefused, ValueError, KeyError):
            return LoggedTable()

    def get_metrics(self, tags: dict[str, str], populate: bool) -> tuple[dict[str, Any], set[str]]:
        """Return the records by name, and the names of the metrics that are columns of their tables."""
        found: dict[str, Any] = {}
        columns = set()
        for entry in parse_index(tags):
            path = entry["path"]
            name = entry.get("name") or (path[: -len(".json")] if path.endswith(".json") else path)
            if entry["type"] == "table":
                table = self._read_table(path)
                found[name] = table.as_v1(name)
                columns |= {name + "." + column for column in table.columns}
            elif populate:
                content = self._files.read_file(path)
                found[name] = content if entry["type"] == "image" else json.loads(content)
            else:
                found[name] = f"aml://artifactId/ExperimentRun/dcid.{self._run.id}/{path}"
        return found, columns


def parse_index(tags: dict[str, str]) -> list[dict[str, str]]:
    try:
        entries = json.loads(tags.get(_TAG, "[]"))
        return [entry for entry in entries if isinstance(entry.get("path"), str) and isinstance(entry.get("type"), str)]
    except (ValueError, AttributeError, TypeError):
        return []
