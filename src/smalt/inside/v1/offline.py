"""`_OfflineRun`: outside of a job a script's calls are only shown."""

from __future__ import annotations

import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OfflineRun:
    def __init__(self, parent_logger: object = None, run_id: str | None = None, **_: Any) -> None:
        self.id = run_id or f"OfflineRun_{uuid.uuid4()}"

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: object = None) -> OfflineRun:
        return OfflineRun(run_id=run_id or f"{self.id}.{name or uuid.uuid4()}")

    def complete(self) -> None: ...

    def cancel(self) -> None: ...

    def fail(self, error_details: object = None, error_code: object = None) -> None:
        print(f"Run failed with error code {error_code}:\n{error_details}")

    def flush(self) -> None: ...

    def __enter__(self) -> OfflineRun:
        return self

    def __exit__(self, *_: object) -> None: ...


def _make_printer(method: str) -> Any:
    def show(self: OfflineRun, *values: Any, **named: Any) -> None:
        said = [*map(repr, values), *(f"{name}={value!r}" for name, value in named.items())]
        print("Attempted to {}: {}".format(method, ", ".join(said)))

    return show


for _method in (
    "log", "log_list", "log_row", "log_table", "log_image", "log_confusion_matrix", "log_accuracy_table",
    "log_residuals", "log_predictions", "tag", "set_tags", "add_properties", "upload_file", "upload_files",
    "upload_folder",
):  # fmt: skip
    setattr(OfflineRun, _method, _make_printer(_method))
